"""The chronicle of a campaign: one object for programs, and the rows of a table for people."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from config.campaign_file import CampaignFile
from config.messages import say
from documents.words import step_words
from flows.list_facts import iso, list_facts
from models import journal
from models.account import NoticeAccount, notices_of
from models.campaigns import file_of, stages_entered
from models.database import Session
from models.papers import find_paper
from models.standings import Standing, standings, terms
from models.tables import Campaign
from rules.calendar import CITY, Deadline, parse_wording
from rules.notices import NoticeState
from rules.stages import PaperRole
from rules.work_items import ItemKind, ItemState, Lateness, lateness

# What the table leaves out: every stage says by itself what it has opened.
QUIET = frozenset({"released"})

# What an entry of the journal may have to tell beside what it is.
TOLD = (
    *("number", "paper", "reason", "note", "round", "subject", "from", "to", "absent"),
    *("scores", "proposed", "not_proposed", "what", "leaf", "words", "person", "code"),
    *("members", "present", "in_writing"),
)
MOST_NAMES = 8


def chronicle(session: Session, campaign: Campaign, *, now: datetime) -> dict[str, Any]:
    """Return the object of `rehearse --json` (design.md §8); the same campaign gives the same object."""
    standing = standings(session, campaign)
    return {
        "campaign": campaign.code,
        "deadlines": sorted(
            (
                {
                    "item": term.item,
                    "unit": term.unit,
                    "kind": term.kind.value,
                    "version": term.version,
                    "wording": term.wording,
                    "closes_at": iso(term.closes_at),
                    "late_from": iso(term.late_from),
                }
                for term in terms(session, campaign)
            ),
            key=lambda each: (each["late_from"], each["kind"], each["unit"], each["item"], each["version"]),
        ),
        "events": sorted(
            (
                {
                    "at": iso(event.happened_at),
                    "what": event.what,
                    "unit": event.unit,
                    "stage": event.stage.value,
                    "detail": event.detail
                    | ({"by": event.by} if event.by else {})
                    | (
                        {"recorded_at": iso(event.recorded_at)}
                        if event.recorded_at != event.happened_at
                        else {}
                    ),
                }
                for event in journal.events(session, campaign)
            ),
            key=lambda each: str(each["at"]),
        ),
        "notices": [_notice(notice) for notice in notices_of(session, campaign)],
        "result": result(session, campaign, standing, now=now),
    }


def _notice(notice: NoticeAccount) -> dict[str, Any]:
    return {
        "at": iso(notice.at),
        "kind": notice.kind.value,
        "step": notice.step,
        "item": notice.item,
        "unit": notice.unit,
        "to": notice.to,
        "role": notice.role,
        "channel": notice.channel.value if notice.channel else None,
        "state": notice.state.value,
        "subject": notice.subject,
        "letter": notice.letter,
    }


def result(
    session: Session, campaign: Campaign, standing: Iterable[Standing], *, now: datetime
) -> dict[str, Any]:
    """Return where the campaign ended and how each dossier stood against its deadline."""
    decision = find_paper(session, campaign, PaperRole.DECISION)
    return {
        "stage": campaign.stage.value,
        "mode": campaign.mode.value,
        "stages": [
            {"stage": entry.stage.value, "entered_at": iso(entry.entered_at)}
            for entry in stages_entered(session, campaign)
        ],
        "dossiers": [
            {
                "unit": item.unit,
                "state": item.state.value,
                "received_at": iso(item.first_received_at),
                "lateness": item_lateness(item, now),
                "not_proposing": item.is_not_proposing,
                "rounds": item.rounds,
                "last_received_at": iso(item.done_at),
            }
            for item in standing
            if item.kind is ItemKind.DOSSIER
        ],
        "decision": {"number": decision.number, "date": decision.issued_on.isoformat()} if decision else None,
        "list": list_facts(session, campaign),
    }


def item_lateness(item: Standing, now: datetime) -> str | None:
    """Return how an item stands against its deadline, as `rules.work_items.lateness` names it.

    What was handed in is judged by its first handing-in, against the version in force then. None for what
    is no longer owed.
    """
    if item.state in (ItemState.WAIVED, ItemState.CANCELLED):
        return None
    if item.done_at is not None and item.first_received_at is not None and item.first_late_from is not None:
        is_late = item.first_received_at >= item.first_late_from
        return (Lateness.LATE if is_late else Lateness.ON_TIME).value
    meant = None
    if item.wording and item.closes_at and item.late_from:
        meant = Deadline(parse_wording(item.wording), item.closes_at, item.late_from)
    return lateness(meant, done_at=item.done_at, now=now).value


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the timeline a clerk reads."""

    at: datetime
    what: str
    whom: str
    letters: int = 0


def timeline(session: Session, campaign: Campaign) -> list[Row]:
    """Return what happened and what was said, in the order of time, like lines put together."""
    file = file_of(campaign)
    names = {unit.code: unit.name for unit in file.units}
    rows = [
        Row(
            event.recorded_at,
            event_words(event),
            names.get(event.unit or "", ""),
        )
        for event in journal.events(session, campaign)
        if event.what not in QUIET
    ]
    told = sorted(
        (notice for notice in notices_of(session, campaign)),
        key=lambda each: (each.at, each.kind, each.step, each.role, each.state),
    )
    for (at, kind, step, role, state), group in groupby(
        told, key=lambda each: (each.at, each.kind, each.step, each.role, each.state)
    ):
        notices = list(group)
        whom = unit_words(notices, file)
        what = say(
            f"said.{kind}" if state is NoticeState.SAID else "said.not_sent",
            step=step_words(step),
            role=say(f"role.{role}"),
            state=say(f"notice_state.{state}"),
            kind=say(f"kind.{kind}"),
        )
        letters = len({notice.letter for notice in notices if notice.letter})
        rows.append(Row(at, what, whom, letters))
    return sorted(rows, key=lambda row: row.at)


def unit_words(notices: Iterable[NoticeAccount], file: CampaignFile) -> str:
    """Return the names of the units spoken of, in official order; many of them as a number."""
    spoken_of = {each.unit for each in notices if each.unit}
    owing = "whom.all_groups" if file.self_assessment.dossier_of == "group" else "whom.all_communes"
    for code, known in ((owing, file.owing), ("whom.all_agencies", file.agencies)):
        if spoken_of == {unit.code for unit in known}:
            return say(code, count=f"{len(known):02d}")
    if len(spoken_of) > MOST_NAMES:
        return say("whom.many", count=len(spoken_of))
    return ", ".join(unit.name for unit in file.units if unit.code in spoken_of)


def event_words(event: journal.Event) -> str:
    """Return what an entry of the journal says, in a clerk's words."""
    return say(f"event.{event.what}", **_event_facts(event))


def _event_facts(event: journal.Event) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "stage": say(f"stage.{event.stage}"),
        "happened_at": f"{event.happened_at.astimezone(CITY):%d/%m %H:%M}",
    }
    for name in TOLD:
        found = event.detail.get(name)
        facts[name] = "" if found is None else found
    facts["reasons"] = "; ".join(event.detail.get("reasons", []))
    facts["step"] = step_words(event.detail.get("step", ""))
    facts["deputy"] = event.detail.get("deputy") or say("role.standing_office")
    facts["item"] = say(f"item.{event.detail.get('item', 'dossier/').partition('/')[0]}")
    facts["via"] = say(f"via.{event.detail['via']}") if "via" in event.detail else ""
    facts["late"] = say("late.yes" if event.detail.get("late") else "late.no")
    facts["part"] = say(f"part.{event.detail['part']}") if "part" in event.detail else ""
    facts["in_group"] = f" ({event.detail['group']})" if event.detail.get("group") else ""
    facts["score_kind"] = say(f"score_kind.{event.detail['kind']}") if event.what == "scores_settled" else ""
    facts["leaves"] = "; ".join(event.detail.get("leaves", []))
    facts["counts"] = say("frozen_counts", **event.detail) if "recognised" in event.detail else ""
    held = event.detail.get("holds_at")
    facts["holds_at"] = f"{datetime.fromisoformat(held).astimezone(CITY):%d/%m/%Y %H:%M}" if held else ""
    roles = event.detail.get("roles", [])
    facts["roles"] = ", ".join(say(f"paper_role.{role}") for role in roles) or say("paper_role.none")
    return facts
