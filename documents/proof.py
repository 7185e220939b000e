"""The proof of one deadline as a workbook: the summary, the units, their notices, and every try."""

from collections.abc import Iterable, Iterator, Sequence

from config.messages import say
from documents.sheets import Cell, Column, Sheet, workbook
from documents.words import (
    done_words,
    lateness_words,
    notice_words,
    paper_words,
    result_words,
    state_words,
    term_words,
    way_words,
    wording_words,
)
from rules.fates import NOT_SENT, UNKNOWN, WAITING, Fate
from rules.notices import Channel
from rules.proof import Proof, Sending

MOST_UNITS = 8

# A heading and its width in characters.
SUMMARY = (("name", 34), ("value", 110))
UNITS = (
    ("row", 5),
    ("unit", 22),
    ("item", 11),
    ("state", 13),
    ("lateness", 12),
    ("closes_at", 17),
    ("late_from", 17),
    ("terms", 42),
    ("first_received", 17),
    ("last_received", 17),
    ("handed_in", 32),
    ("said", 11),
    ("first_said", 17),
    ("last_said", 17),
    ("failed", 8),
    ("unknown", 8),
    ("to_others", 12),
    ("silence", 20),
)
NOTICES = (
    ("row", 5),
    ("unit", 22),
    ("item", 11),
    ("what", 24),
    ("of_term", 17),
    ("due_at", 17),
    ("said_at", 17),
    ("to", 18),
    ("title", 18),
    ("to_unit", 22),
    ("channel", 16),
    ("fate", 13),
    ("course", 56),
    ("letters", 8),
)
TRIES = (
    ("letter", 8),
    ("try", 5),
    ("at", 17),
    ("channel", 16),
    ("address", 26),
    ("subject", 34),
    ("outcome", 14),
    ("code", 8),
    ("provider_id", 18),
    ("words", 30),
    ("message_id", 54),
    ("repeats", 8),
    ("about", 24),
)


def proof_workbook(proof: Proof) -> bytes:
    """Return the report as an Excel file; the same report gives the same cells."""
    sheets = (
        _sheet("summary", SUMMARY, head(proof) + summary(proof)),
        _sheet("units", UNITS, _units(proof)),
        _sheet("notices", NOTICES, _notices(proof)),
        _sheet("tries", TRIES, _tries(proof)),
    )
    return workbook(sheets, title=f"{say('proof.title')}: {proof.title}", made_at=proof.as_of)


def head(proof: Proof) -> list[tuple[str, Cell]]:
    """Return what the report is about, line by line: a name and a value."""
    found: list[tuple[str, Cell]] = [
        (say("proof.campaign"), f"{proof.title} ({proof.campaign})"),
        (say("proof.organiser"), proof.organiser),
        (say("proof.standing_office"), proof.standing_office),
        (say("proof.stage"), say(f"stage.{proof.stage}")),
        (say("proof.as_of"), proof.as_of),
    ]
    first, *amended = proof.terms
    if first.paper is not None:
        role = say(f"paper_role.{first.role or 'none'}")
        named = say("proof.set_by_paper", paper=paper_words(first.paper), role=role)
        found.append((say("proof.set_by"), named))
    found += [
        (say("proof.wording"), wording_words(first.wording)),
        (say("proof.closes_at"), first.closes_at),
        (say("proof.late_from"), first.late_from),
    ]
    return found + [(say("proof.amended"), term_words(term)) for term in amended]


def summary(proof: Proof) -> list[tuple[str, Cell]]:
    """Return what the report adds up to, line by line, ending with the journal to which it is tied."""
    tally, trail = proof.tally(), proof.trail
    accepted, delivered = tally.of([Fate.ACCEPTED]), tally.of([Fate.DELIVERED])
    done = say("proof.done_value", count=tally.handed_in, on_time=tally.on_time, late=tally.late)
    said = say("proof.said_value", count=accepted + delivered, delivered=delivered, accepted=accepted)
    silent = [
        say("proof.silent_unit", unit=item.unit_name, why=say(f"silence.{why}")) for item, why in proof.silent
    ]
    whole = say("proof.trail_whole", entries=trail.entries, hash=trail.hash)
    broken = say(
        "proof.trail_broken", number=trail.broken_at, entries=(trail.broken_at or 1) - 1, hash=trail.hash
    )
    return [
        (say("proof.units"), tally.units),
        (say("proof.done_items"), done),
        (say("proof.extended"), tally.extended),
        (say("proof.waived_count"), tally.waived),
        (say("proof.owing"), tally.owing),
        (say("proof.notices"), tally.notices),
        (say("proof.said"), said),
        (say("proof.failed"), tally.of([Fate.FAILED])),
        (say("proof.unknown"), tally.of(UNKNOWN)),
        (say("proof.waiting"), tally.of(WAITING)),
        (say("proof.not_sent"), tally.of(NOT_SENT)),
        (say("proof.letters"), tally.letters),
        (say("proof.tries"), tally.tries),
        (say("proof.silent_units"), "\n".join(silent) or say("proof.nobody")),
        (say("proof.trail"), whole if trail.broken_at is None else broken),
        (say("proof.acceptance"), say("proof.acceptance_note")),
    ]


def _sheet(name: str, columns: Iterable[tuple[str, int]], rows: Iterable[Sequence[Cell]]) -> Sheet:
    return Sheet(
        say(f"sheet.{name}"),
        tuple(Column(say(f"proof_column.{column}"), width) for column, width in columns),
        rows,
    )


def _units(proof: Proof) -> Iterator[Sequence[Cell]]:
    for number, item in enumerate(proof.items, start=1):
        term = item.terms[-1] if item.terms else None
        said = [line.at for line in item.to_unit if line.is_said]
        fates = [line.fate for line in item.to_unit]
        received = [each.received_at for each in item.handed_in] or ([item.done_at] if item.done_at else [])
        yield (
            number,
            item.unit_name,
            say(f"item.{item.kind}"),
            state_words(item),
            lateness_words(item, proof.as_of),
            term.closes_at if term else None,
            term.late_from if term else None,
            "\n".join(term_words(term) for term in item.terms),
            received[0] if received else None,
            received[-1] if received else None,
            "\n".join(done_words(item)),
            len(said),
            min(said, default=None),
            max(said, default=None),
            fates.count(Fate.FAILED),
            sum(fates.count(fate) for fate in UNKNOWN),
            sum(line.is_said for line in item.notices if not line.is_to_unit),
            say(f"silence.{item.silence}") if item.silence else None,
        )


def _notices(proof: Proof) -> Iterator[Sequence[Cell]]:
    number = 0
    for item in proof.items:
        closes_at = {term.version: term.closes_at for term in item.terms}
        for line in item.notices:
            number += 1
            yield (
                number,
                item.unit_name,
                say(f"item.{item.kind}"),
                notice_words(line.kind, line.step),
                closes_at.get(line.version or 0),
                line.due_at,
                line.settled_at if line.is_said else None,
                line.to,
                line.title,
                line.to_unit,
                _ways(line.letters),
                say(f"fate.{line.fate}"),
                result_words(line),
                " → ".join(str(each.number) for each in line.letters),
            )


def _tries(proof: Proof) -> Iterator[Sequence[Cell]]:
    about = _about(proof)
    for letter in proof.letters:
        for number, attempt in enumerate(letter.tries, start=1):
            yield (
                letter.number,
                number,
                attempt.at,
                _ways([letter]) if attempt.way is None else way_words(letter.channel, attempt.way),
                letter.address,
                letter.subject,
                say(f"outcome.{attempt.outcome}"),
                attempt.code,
                attempt.provider_id,
                attempt.words,
                letter.message_id if letter.channel is Channel.EMAIL else None,
                letter.repeats,
                about[letter.number],
            )


def _ways(letters: Sequence[Sending]) -> str:
    return " → ".join(way_words(each.channel, each.way) for each in letters)


def _about(proof: Proof) -> dict[int, str]:
    """Return for each letter the units it spoke of; many of them as a number."""
    units: dict[int, dict[str, None]] = {}
    for item in proof.items:
        for line in item.notices:
            for letter in line.letters:
                units.setdefault(letter.number, {})[item.unit_name] = None
    return {
        number: ", ".join(names) if len(names) <= MOST_UNITS else say("whom.many", count=len(names))
        for number, names in units.items()
    }
