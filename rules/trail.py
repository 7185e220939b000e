"""The audit trail: each entry of the journal is bound to the one before it by a hash."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

# What stands before the first entry of a campaign.
BEGINNING = "0" * 64


@dataclass(frozen=True, slots=True)
class Entry:
    """What one entry of the journal (nhật ký xử lý) says; instants are aware."""

    campaign: str
    number: int
    happened_at: datetime
    recorded_at: datetime
    by: str | None
    what: str
    unit: str | None
    stage: str
    detail: Mapping[str, Any]


def entry_hash(before: str, entry: Entry) -> str:
    """Return the SHA-256, in hexadecimal, of an entry together with the hash of the one before it.

    The same entry gives the same hash in any database: instants are written in UTC to the
    microsecond, keys in alphabetical order.
    """
    said = {
        "before": before,
        "campaign": entry.campaign,
        "number": entry.number,
        "happened_at": _instant(entry.happened_at),
        "recorded_at": _instant(entry.recorded_at),
        "by": entry.by,
        "what": entry.what,
        "unit": entry.unit,
        "stage": entry.stage,
        "detail": entry.detail,
    }
    text = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
