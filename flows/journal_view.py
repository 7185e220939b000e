"""The audit trail for those who ask: a table for people, an object for programs, a proof that it is whole."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import typer

from config.messages import say
from flows.chronicle import event_words
from flows.list_facts import iso
from flows.showing import plain_table, when
from models import journal
from models.campaigns import file_of
from models.database import Session
from models.tables import Campaign


@dataclass(frozen=True, slots=True)
class Asked:
    """Which entries are asked for; None asks for all. Instants are those of recording."""

    unit: str | None = None
    what: str | None = None
    by: str | None = None
    since: datetime | None = None
    before: datetime | None = None

    def wants(self, event: journal.Event) -> bool:
        """Say whether an entry is asked for."""
        return (
            self.unit in (None, event.unit)
            and self.what in (None, event.what)
            and self.by in (None, event.by)
            and (self.since is None or event.recorded_at >= self.since)
            and (self.before is None or event.recorded_at < self.before)
        )


def show(session: Session, campaign: Campaign, asked: Asked, *, as_json: bool) -> None:
    """Print the entries that are asked for, in the order in which they were recorded."""
    found = [event for event in journal.events(session, campaign) if asked.wants(event)]
    if as_json:
        typer.echo(json.dumps([_entry(event) for event in found], ensure_ascii=False, indent=2))
        return
    names = {unit.code: unit.name for unit in file_of(campaign).units}
    rows = [
        (
            str(event.number),
            when(event.recorded_at),
            when(event.happened_at) if event.happened_at != event.recorded_at else "",
            event.by or say("journal.program"),
            event_words(event),
            names.get(event.unit or "", event.unit or ""),
        )
        for event in found
    ]
    plain_table(("number", "recorded", "at", "by", "what", "whom"), rows)


def verified(session: Session, campaign: Campaign, *, as_json: bool) -> bool:
    """Print whether the journal is whole, with the hash of its last entry; return that."""
    verdict = journal.verify(session, campaign)
    if as_json:
        told = {
            "campaign": campaign.code,
            "is_whole": verdict.broken_at is None,
            "entries": verdict.entries,
            "hash": verdict.hash,
            "broken_at": verdict.broken_at,
        }
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
    elif verdict.broken_at is None:
        typer.echo(say("done.journal_whole", code=campaign.code, entries=verdict.entries, hash=verdict.hash))
    else:
        typer.echo(say("done.journal_broken", code=campaign.code, number=verdict.broken_at), err=True)
    return verdict.broken_at is None


def _entry(event: journal.Event) -> dict[str, Any]:
    return {
        "number": event.number,
        "happened_at": iso(event.happened_at),
        "recorded_at": iso(event.recorded_at),
        "by": event.by,
        "what": event.what,
        "unit": event.unit,
        "stage": event.stage.value,
        "detail": event.detail,
        "hash": event.hash,
    }
