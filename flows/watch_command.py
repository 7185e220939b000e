"""`congnhan watch`: the watchdog as a process of its own, for as long as it is let."""

import logging
import signal
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from config.messages import say
from config.settings import settings
from flows.command_line import Json, Now, app, now_or, refuse
from flows.list_facts import as_text
from flows.servers import mail_server
from flows.watchdog import Watched, watch
from models.database import AWAY, DatabaseIsNewer, database
from notifications.alarms import send_alarm

LOG = logging.getLogger("congnhan")
EVERY = 300.0  # seconds
Seconds = Annotated[float, typer.Option("--every", metavar="S", min=1, help=say("help.watch_every"))]
TOLD_AGAIN_AFTER = timedelta(hours=1)


@app.command("watch", help=say("help.watch"))
def watch_(
    once: Annotated[bool, typer.Option("--once", help=say("help.watch_once"))] = False,
    every: Annotated[
        float, typer.Option("--every", metavar="S", min=1, help=say("help.watch_every"))
    ] = EVERY,
    as_json: Json = False,
    now: Now = None,
) -> None:
    """Look at the program every few minutes, and write to the operator of what is wrong."""
    if once:
        database().migrate()
        _show(watch(now_or(now)), as_json=as_json)
        return
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    look = Looker(lambda: watch(datetime.now(UTC)))
    while not ended.is_set():
        look.once()
        ended.wait(every)


def _show(found: Watched, *, as_json: bool) -> None:
    if as_json:
        typer.echo(as_text({"wrong": list(found.wrong), "told": found.told}))
    else:
        for each in found.wrong or (say("watch.all_well"),):
            typer.echo(each)
    if not found.is_told:
        refuse(say("watch.nobody_told"))


class Looker:
    """Looks again and again; a database that does not answer is an alarm too, told once an hour."""

    def __init__(self, look: Callable[[], Watched]) -> None:
        self._look = look
        self._told_at: datetime | None = None

    def once(self) -> bool:
        """Look once; False where the database did not answer.

        Raises DatabaseIsNewer: a program that cannot read what it watches must not seem to watch.
        """
        try:
            database().migrate()
            self._look()
        except AWAY as error:
            LOG.error("the watchdog cannot read the database: %s", type(error).__name__)
            self._tell()
            return False
        except DatabaseIsNewer:
            raise
        except Exception:  # one bad look must not end the watch
            LOG.exception("a look of the watchdog failed")
            return False
        self._told_at = None
        return True

    def _tell(self) -> None:
        """Write to the operator's own addresses: those of the offices lie in the database."""
        chosen, at = settings(), datetime.now(UTC)
        if not chosen.alarm_to or (self._told_at and at < self._told_at + TOLD_AGAIN_AFTER):
            return
        with mail_server() as server:
            taken = send_alarm(
                server,
                [each.strip() for each in chosen.alarm_to.split(",") if each.strip()],
                standing=(say("alarm.no_database"),),
                over=(),
                at=at,
                from_name=chosen.mail_from_name or "congnhan",
                domain=chosen.mail_domain,
            )
        if taken:
            self._told_at = at
