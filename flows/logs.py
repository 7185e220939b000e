"""Logs: one line each, for people or as JSON, with the ids of the campaign, the item and the notice."""

import json
import logging
import os
import sys
from datetime import UTC, datetime

from config.settings import PREFIX

LOGGER = "congnhan"
# What a line may be about, given as `extra`; ids and codes, never a name or an address.
ABOUT = ("campaign", "item", "notice", "letter", "unit", "channel", "outcome")


class JsonLines(logging.Formatter):
    """Writes each record as one JSON object in a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record; of an exception its kind, since its words may hold an address."""
        said = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        said |= {name: getattr(record, name) for name in ABOUT if hasattr(record, name)}
        if record.exc_info and record.exc_info[0]:
            said["error"] = record.exc_info[0].__name__
        return json.dumps(said, ensure_ascii=False, default=str)


def write_logs() -> None:
    """Write the program's own log to stderr as JSON where `CONGNHAN_LOG=json`, else only its warnings."""
    # It would write down every address asked, and those of a bot and of the dead-man's switch are secret.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logger = logging.getLogger(LOGGER)
    # Read here and not from the settings: a command must be able to say that those are wrong.
    if os.environ.get(f"{PREFIX}LOG") != "json" or logger.handlers:
        return
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
