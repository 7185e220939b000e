"""The delivery log for those who ask: a table for people, a list of objects for programs."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import typer

from config.messages import say
from documents.words import notice_words, way_words
from flows.list_facts import iso
from flows.proof_view import attempt_data
from flows.screen import clean, columns, screen
from flows.showing import when
from models.delivery_log import LoggedLetter
from models.tables import ChannelHold
from rules.notices import Channel, LetterState
from rules.sending import SENT_AGAIN_WHEN_UNCERTAIN, Follows

MOST_ITEMS = 1


def print_log(letters: Sequence[LoggedLetter], holds: Iterable[ChannelHold]) -> None:
    """Print the held channels, then a row for each letter, the newest last."""
    console = screen()
    for hold in holds:
        console.print(clean(_held_words(hold)), style="bold")
    if not letters:
        typer.echo(say("log.none"))
        return
    table = columns((("letter", 5), ("when", 13), ("who", 28), ("what", 24), ("result", None)))
    for letter in letters:
        table.add_row(
            str(letter.number),
            when(letter.at),
            _whom(letter),
            "\n".join((_what(letter), way_words(letter.channel, letter.way))),
            "\n".join(_result(letter)),
        )
    console.print(table)


def log_as_json(letters: Iterable[LoggedLetter]) -> str:
    """Return the letters for other programs; `number` is what `settle` and `resend` take."""
    return json.dumps([_letter(letter) for letter in letters], ensure_ascii=False, indent=2)


def _letter(letter: LoggedLetter) -> dict[str, Any]:
    follows = {"why": letter.follows, "letter": letter.follows_number} if letter.follows else None
    return {
        "number": letter.number,
        "campaign": letter.campaign,
        "at": iso(letter.at),
        "state": letter.state,
        "kind": letter.kind,
        "steps": [step for step in letter.steps if step != "-"],
        "items": list(letter.items),
        "to": letter.to,
        "title": letter.title,
        "unit": letter.unit,
        "unit_name": letter.unit_name,
        "role": letter.role,
        "address": letter.address,
        "channel": letter.channel,
        "way": letter.way,
        "not_before": iso(letter.not_before),
        "settled_at": iso(letter.settled_at),
        "delivered_at": iso(letter.delivered_at),
        "seen_at": iso(letter.seen_at),
        "attempts": letter.attempts,
        "repeats": letter.repeats,
        "message_id": letter.message_id,
        "subject": letter.subject,
        "code": letter.code,
        "provider_id": letter.provider_id,
        "words": letter.provider_words,
        "follows": follows,
        "held": _hold(letter.held) if letter.held else None,
        "tries": [attempt_data(attempt) for attempt in letter.tries],
    }


def _hold(hold: ChannelHold) -> dict[str, Any]:
    return {"since": iso(hold.since), "until": iso(hold.until), "code": hold.code, "words": hold.words}


def _held_words(hold: ChannelHold) -> str:
    return say(
        "log.held",
        channel=way_words(hold.channel, None),
        since=when(hold.since),
        until=when(hold.until),
        code=hold.code or say("log.no_code"),
        words=hold.words,
    )


def _whom(letter: LoggedLetter) -> str:
    return "\n".join((letter.to, letter.unit_name, letter.address))


def _what(letter: LoggedLetter) -> str:
    """Return kind and step; where a letter speaks of several things, how many."""
    steps = {step for step in letter.steps if step != "-"}
    words = notice_words(letter.kind, next(iter(steps)) if len(steps) == 1 else "-")
    if len(letter.items) > MOST_ITEMS:
        return f"{words}: {say('log.many', count=len(letter.items))}"
    return words


def _result(letter: LoggedLetter) -> list[str]:
    """Return how a letter stands, line by line: state, answer, what it follows, what is to be done."""
    lines = [_state(letter)]
    words, number = letter.provider_words or "", letter.provider_id or ""
    answer = [say("log.code", code=letter.code)] if letter.code else []
    # A mail server says the number in its own words.
    answer += [say("log.provider_id", id=number)] if number not in words else []
    answer += [words] if words else []
    lines += [", ".join(answer)] if answer else []
    lines += [say("log.seen", at=when(letter.seen_at))] if letter.seen_at else []
    if letter.attempts > 1:
        lines.append(say("log.tried", count=letter.attempts))
    if letter.follows is not None:
        lines.append(say(f"log.{letter.follows}", number=letter.follows_number))
    if letter.repeats and letter.follows is not Follows.AGAIN:
        lines.append(say("log.repeated", count=letter.repeats))
    if letter.state is LetterState.UNCERTAIN:
        lines.append(_advice(letter))
    return lines


def _state(letter: LoggedLetter) -> str:
    on = "email" if letter.channel is Channel.EMAIL else "zalo"
    facts = {"not_before": when(letter.not_before), "delivered_at": _when(letter.delivered_at)}
    match letter.state:
        case LetterState.SENT | LetterState.DELIVERED:
            return say(f"letter_state.{letter.state}_{on}", **facts)
        case LetterState.QUEUED if letter.tries:
            return say("letter_state.retried", **facts)
    return say(f"letter_state.{letter.state}", **facts)


def _advice(letter: LoggedLetter) -> str:
    """Return what happens to a letter of which nobody knows whether it went, or what to decide."""
    if letter.channel in SENT_AGAIN_WHEN_UNCERTAIN:
        return say("log.goes_again", at=when(letter.not_before))
    return say("log.settle", number=letter.number)


def _when(at: datetime | None) -> str:
    return when(at) if at else ""
