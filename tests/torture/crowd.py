"""A campaign with as many letters to write as are wanted, and what became of them."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flows.campaign import tick
from models.campaigns import open_campaign
from models.database import transaction
from tests import factories
from tests.torture.desk import Taken
from tests.walking import OPEN_GATE, at, change, rows

OPENING = "2021-11-11 07:30"
OFFICERS = 5


def queue(folder: Path, count: int) -> str:
    """Open a campaign with so many officers, each of whom is to be asked; returns its code.

    Their addresses are `m-00001@mau.example` and on.
    """
    units: list[dict[str, Any]] = factories.units([f"xa-{n:05d}" for n in range(count // OFFICERS)])
    numbers = iter(range(1, count + 1))
    for unit in units:
        if unit["kind"] == "commune":
            head = unit["contacts"][1]
            unit["contacts"] = [
                factories.contact(f"m-{next(numbers):05d}", "officer") for _ in range(OFFICERS)
            ] + [head]
    file = factories.campaign(folder, units)
    with transaction() as session:
        open_campaign(session, file, at=at(OPENING), by="MẪU")
    tick(at(OPENING), gate=OPEN_GATE)
    change("UPDATE letters SET state = 'suppressed' WHERE address NOT LIKE 'm-%'")
    return file.code


def states() -> dict[str, int]:
    """Return how many of the letters are in each state."""
    return {
        state: count
        for state, count in rows(
            "SELECT state, COUNT(*) FROM letters WHERE address LIKE 'm-%' GROUP BY state"
        )
    }


def accounts() -> dict[str, tuple[str, str, str, str]]:
    """Return for each address the state, code, provider's id and Message-ID of its letter."""
    query = """
        SELECT address, state, outcome_code, provider_id, message_id FROM letters
        WHERE address LIKE 'm-%'
    """
    return {row[0]: tuple(row[1:]) for row in rows(query)}


def check(taken: Sequence[Taken], count: int, *, unreachable: Sequence[str] = ()) -> Counter[str]:
    """Compare what the server has taken with what our rows say; returns how often each was taken.

    Nobody is left out, nobody who cannot be reached has anything; whoever has more than one letter
    has the same one, and each but the first says that it may have gone before.
    """
    mine = [each for each in taken if each.recipient.startswith("m-")]
    times = Counter(each.recipient for each in mine)
    everybody = {f"m-{number:05d}@mau.example" for number in range(1, count + 1)}
    assert set(times) == everybody - set(unreachable)
    names: dict[str, set[str]] = {}
    for each in mine:
        names.setdefault(each.recipient, set()).add(each.message_id)
    assert [recipient for recipient, ids in names.items() if len(ids) > 1] == []
    assert len({min(ids) for ids in names.values()}) == len(names)
    unmarked = Counter(each.recipient for each in mine if not each.repeat)
    assert [recipient for recipient, number in unmarked.items() if number > 1] == []
    last = {each.recipient: each for each in mine if each.is_answered}
    for recipient, (state, code, provider_id, message_id) in accounts().items():
        if recipient in unreachable:
            assert (recipient, state, code) == (recipient, "failed", "550")
        else:
            told = last[recipient]
            expected = (recipient, "sent", "250", told.number, told.message_id)
            assert (recipient, state, code, provider_id, message_id) == expected
    return times
