"""A frozen list as programs read it: the version, and the result of every group in it."""

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

from config.score_words import why_words
from models.database import Session
from models.results import Frozen, Result, latest, results_of
from models.tables import Campaign
from rules.calendar import CITY


def as_text(value: Any) -> str:
    """Return a value as the text of `--json`."""
    return json.dumps(value, ensure_ascii=False, indent=2)


def iso(instant: datetime | None) -> str | None:
    """Return an instant in city time, to the second: `2021-11-19T17:00:00+07:00`."""
    return None if instant is None else instant.astimezone(CITY).isoformat(timespec="seconds")


def number(value: Decimal | None) -> str | None:
    """Return a decimal as a program reads it, without a power of ten."""
    return None if value is None else format(value, "f")


def list_facts(session: Session, campaign: Campaign) -> dict[str, Any] | None:
    """Return the list that stands with the result of every group; None before one is frozen."""
    if latest(session, campaign) is None:
        return None
    frozen, found = results_of(session, campaign)
    return version_facts(frozen) | {"results": [result_facts(each) for each in found]}


def version_facts(frozen: Frozen) -> dict[str, Any]:
    """Return a frozen version without its results."""
    return {
        "version": frozen.version,
        "frozen_at": iso(frozen.frozen_at),
        "by": frozen.by,
        "reason": frozen.reason,
        "groups": frozen.groups,
        "recognised": frozen.recognised,
        "hash": frozen.hash,
    }


def result_facts(result: Result) -> dict[str, Any]:
    """Return the result of one group; decimals are text, each reason has its sentence."""
    return {
        "unit": result.unit,
        "group": result.group,
        "proposed": result.is_proposed,
        "recognised": result.is_recognised,
        "verdict": result.verdict.value,
        "level": result.level,
        "total": number(result.final_total),
        "totals": {
            "self": number(result.self_total),
            "agency": number(result.agency_total),
            "consolidated": number(result.consolidated_total),
            "final": number(result.final_total),
        },
        "reasons": [{**reason, "text": why_words(reason)} for reason in result.reasons],
    }
