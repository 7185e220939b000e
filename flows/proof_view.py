"""The proof of one deadline for those who ask: a report for people, an object for programs."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.padding import Padding

from config.messages import say
from documents.proof import head, summary
from documents.sheets import Cell
from documents.words import (
    done_words,
    lateness_words,
    moment,
    notice_words,
    result_words,
    state_words,
    term_words,
)
from flows.list_facts import iso
from flows.screen import CleanTable, clean, columns, screen
from flows.showing import when
from rules.proof import Attempt, HandedIn, ItemLine, NoticeLine, Proof, Sending, Term

INDENT = 3


def print_proof(proof: Proof) -> None:
    """Print the report, a page of 120 columns wide where it does not go to a terminal."""
    console = screen()
    console.print(say("proof.title"), style="bold")
    console.print(_pairs(head(proof)))
    for number, item in enumerate(proof.items, start=1):
        _print_item(console, number, item, proof.as_of)
    console.print(f"\n{say('proof.summary')}", style="bold")
    console.print(_pairs(summary(proof)))


def _pairs(rows: Iterable[tuple[str, Cell]]) -> CleanTable:
    table = CleanTable(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(f"{name}:", moment(value) if isinstance(value, datetime) else str(value))
    return table


def _print_item(console: Console, number: int, item: ItemLine, as_of: datetime) -> None:
    stands = ", ".join(filter(None, (state_words(item), lateness_words(item, as_of))))
    name = clean(item.unit_name)
    console.print(f"\n{number}. {name} ({item.unit}) – {say(f'item.{item.kind}')}: {stands}", style="bold")
    lines = [f"{say('proof.term')}: {term_words(term)}" for term in item.terms] + list(done_words(item))
    if item.silence is not None:
        lines.append(say("proof.silent", why=say(f"silence.{item.silence}")))
    for line in lines:
        console.print(Padding(clean(line), (0, 0, 0, INDENT)))
    if not item.notices:
        console.print(Padding(say("proof.no_notice"), (0, 0, 0, INDENT)))
        return
    table = columns((("when", 19), ("what", 22), ("who", 24), ("result", None)))
    for notice in item.notices:
        words = notice_words(notice.kind, notice.step)
        table.add_row(when(notice.at), words, _whom(notice), result_words(notice))
    console.print(Padding(table, (0, 0, 0, INDENT)))


def _whom(notice: NoticeLine) -> str:
    if notice.is_to_unit:
        return say("proof.to_own", name=notice.to, title=notice.title)
    return say("proof.to", name=notice.to, title=notice.title, unit=notice.to_unit)


def proof_as_json(proof: Proof) -> str:
    """Return the report for other programs: one object; the same campaign gives the same object."""
    tally = proof.tally()
    told = {
        "campaign": proof.campaign,
        "title": proof.title,
        "stage": proof.stage,
        "as_of": iso(proof.as_of),
        "organiser": proof.organiser,
        "standing_office": proof.standing_office,
        "terms": [_term(term) for term in proof.terms],
        "items": [_item(item, proof.as_of) for item in proof.items],
        "letters": [_sending(letter) for letter in proof.letters],
        "summary": {
            "units": tally.units,
            "handed_in": tally.handed_in,
            "on_time": tally.on_time,
            "late": tally.late,
            "waived": tally.waived,
            "owing": tally.owing,
            "extended": tally.extended,
            "notices": tally.notices,
            "notices_by_fate": tally.fates,
            "letters_accepted": tally.letters,
            "tries": tally.tries,
            "silent": [{"unit": item.unit, "item": item.name, "why": why} for item, why in proof.silent],
        },
        "journal": {
            "entries": proof.trail.entries,
            "hash": proof.trail.hash,
            "is_whole": proof.trail.broken_at is None,
            "broken_at": proof.trail.broken_at,
        },
    }
    return json.dumps(told, ensure_ascii=False, indent=2)


def attempt_data(attempt: Attempt) -> dict[str, Any]:
    """Return one try for other programs."""
    return {
        "at": iso(attempt.at),
        "way": attempt.way,
        "outcome": attempt.outcome,
        "code": attempt.code,
        "provider_id": attempt.provider_id,
        "words": attempt.words,
    }


def _item(item: ItemLine, as_of: datetime) -> dict[str, Any]:
    waiver = item.waiver
    return {
        "unit": item.unit,
        "unit_name": item.unit_name,
        "item": item.name,
        "kind": item.kind,
        "state": item.state,
        "done_at": iso(item.done_at),
        "lateness": item.lateness(as_of),
        "terms": [_term(term) for term in item.terms],
        "handed_in": [_handed_in(each) for each in item.handed_in],
        "waived": {"at": iso(waiver.at), "reason": waiver.reason} if waiver else None,
        "silent_because": item.silence,
        "notices": [_notice(notice) for notice in item.notices],
    }


def _term(term: Term) -> dict[str, Any]:
    paper = term.paper and {
        "kind": term.paper.kind,
        "number": term.paper.number,
        "date": term.paper.issued_on.isoformat(),
        "role": term.role,
    }
    return {
        "version": term.version,
        "wording": str(term.wording),
        "closes_at": iso(term.closes_at),
        "late_from": iso(term.late_from),
        "since": iso(term.since),
        "cause": term.cause,
        "paper": paper,
        "reason": term.reason,
    }


def _handed_in(handed_in: HandedIn) -> dict[str, Any]:
    return {
        "round": handed_in.round,
        "received_at": iso(handed_in.received_at),
        "recorded_at": iso(handed_in.recorded_at),
        "via": handed_in.via,
        "number": handed_in.number,
        "by": handed_in.by,
        "not_proposing": handed_in.is_not_proposing,
        "late": handed_in.is_late,
    }


def _notice(notice: NoticeLine) -> dict[str, Any]:
    return {
        "kind": notice.kind,
        "step": "" if notice.step == "-" else notice.step,
        "version": notice.version,
        "due_at": iso(notice.due_at),
        "settled_at": iso(notice.settled_at),
        "to": notice.to,
        "title": notice.title,
        "to_unit": notice.to_unit,
        "role": notice.role,
        "to_the_unit_itself": notice.is_to_unit,
        "fate": notice.fate,
        "unsent_because": notice.unsent,
        "reason": notice.reason,
        "letters": [letter.number for letter in notice.letters],
    }


def _sending(letter: Sending) -> dict[str, Any]:
    return {
        "number": letter.number,
        "channel": letter.channel,
        "way": letter.way,
        "address": letter.address,
        "state": letter.state,
        "message_id": letter.message_id,
        "subject": letter.subject,
        "provider_id": letter.provider_id,
        "not_before": iso(letter.not_before),
        "settled_at": iso(letter.settled_at),
        "delivered_at": iso(letter.delivered_at),
        "seen_at": iso(letter.seen_at),
        "follows": letter.follows,
        "repeats": letter.repeats,
        "tries": [attempt_data(attempt) for attempt in letter.tries],
    }
