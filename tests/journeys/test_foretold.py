"""What a rehearsal foretells is what the ticks then do."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as some

from config.campaign_file import CampaignFile, read_campaign
from config.script_file import ScriptLine, Verb, read_script
from flows.campaign import tick
from flows.deeds import carry_out
from flows.delivery import deliver_letters
from flows.office import RehearsedOffice
from flows.rehearsal import OF_THE_HEAD, rehearse
from models.campaigns import get_campaign, open_campaign
from models.database import Database, transaction, using
from models.due_steps import Gate
from notifications.mailbox import Mailbox
from rules.calendar import CITY, By
from tests import factories
from tests.drawn import WALKS
from tests.walking import FROM, rows

DAY = timedelta(days=1)
CLOCKS = [time(0), time(7, 30), time(8, 30), time(10), time(13, 30)]
TOLD = """
    SELECT CASE n.state WHEN 'said' THEN n.settled_at ELSE n.due_at END AS at, n.kind, n.step, n.about,
           c.code, n.role, n.copy_no, n.state, n.reason
    FROM notices n JOIN contacts c ON c.id = n.contact_id
    WHERE NOT (n.kind = 'draft_waiting' AND n.state = 'suppressed')
"""  # a word that something waits is prepared at midnight and nobody's business where nothing waits any more


def foretold(file: CampaignFile, script: Sequence[ScriptLine], folder: Path, database: Database) -> Counter:
    """Return every notice of the rehearsal."""
    rehearse(file, script, database=database, letters=folder / "foretold")
    with using(database):
        return Counter(rows(TOLD))


def instants(file: CampaignFile, script: Sequence[ScriptLine], until: datetime) -> list[datetime]:
    """Return the instants of regular ticks: at midnight and through the hours of working days."""
    calendar = file.calendar
    day = file.self_assessment.opens_on
    found = {line.recorded_at for line in script} | {line.until for line in script if line.do is Verb.OUTAGE}
    while calendar.midnight(day) <= until:
        clocks = CLOCKS if calendar.is_working_day(day) else CLOCKS[:1]
        found |= {calendar.at(day, clock) for clock in clocks}
        day += DAY
    first = calendar.at(file.self_assessment.opens_on, calendar.office_hours[0])
    return sorted(each for each in found if each is not None and first <= each <= until)


def done(
    file: CampaignFile, script: Sequence[ScriptLine], until: datetime, folder: Path, database: Database
) -> Counter:
    """Return every notice of a campaign that regular ticks have led through the same deeds."""
    office = RehearsedOffice(script)
    with using(database), Mailbox(folder / "done") as mailbox:
        coming = instants(file, script, until)
        with transaction() as session:
            open_campaign(session, file, at=coming[0], by=None)
        for now in coming:
            for line in script:
                if line.recorded_at == now:
                    carry_out(file.code, line)
            if any(line.do is Verb.OUTAGE and line.at <= now < line.until for line in script):
                continue
            later = [line for line in script if line.do in OF_THE_HEAD and line.recorded_at > now]
            units = frozenset(line.unit for line in later if line.unit)
            gate = Gate(is_for_all=any(line.unit is None for line in later), units=units)
            while True:
                with transaction() as session:
                    acted = office.act(session, get_campaign(session, file.code), now)
                assert tick(now, gate=gate).failed == ()
                if not acted:
                    break
            deliver_letters(now, mailbox.server(FROM))
        return Counter(rows(TOLD))


def last(told: Counter) -> datetime:
    """Return a moment after everything that was foretold."""
    moments = [datetime.fromisoformat(row[0]) for row in told]
    return (max(moments) + 2 * DAY).replace(tzinfo=CITY)


# Without its script the campaign is walked by `make soak`.
@pytest.mark.parametrize("has_script", [True, *([False] if WALKS > 2 else [])])
def test_the_campaign_of_the_letter_goes_as_it_was_foretold(tmp_path, emptied, has_script):
    file = read_campaign(factories.LETTER)
    script = read_script(factories.SCRIPT, file) if has_script else ()
    told = foretold(file, script, tmp_path, emptied())
    assert done(file, script, last(told), tmp_path, emptied()) == told


def line(place: int, verb: Verb, now: datetime, *units: str, **more: Any) -> ScriptLine:
    return ScriptLine(place, now, more.pop("recorded_at", now), verb, units, **more)


def drawn(number: int, folder: Path) -> tuple[CampaignFile, list[ScriptLine]]:
    """Return the campaign and the script that a number stands for; no deed of it is refused."""
    chance = Random(number)
    opens_on = datetime(2021, 11, 11, tzinfo=CITY)

    def moment(first: int, past: int) -> datetime:
        clock = chance.choice([time(6), time(7, 40), time(10, 10), time(12), time(15, 20), time(19)])
        return datetime.combine(opens_on + chance.randrange(first, past) * DAY, clock, CITY)

    escalate: list[dict[str, Any]] = [
        {"after": days, "to": chance.choice(["unit_head", "standing_head", "chairman"])}
        for days in sorted(chance.sample(range(4), 2))
    ]
    escalate[-1] |= {"copy": ["office"]} if chance.random() < 0.5 else {}
    if chance.random() < 0.5:
        escalate.append({"repeat": {"every": 2, "until": 5}})
    file = factories.campaign(
        folder,
        remind=[{"before": 2, "at": chance.choice(["07:30", "20:00"])}, {"before": 0}],
        escalate=escalate,
        stages={
            "self_assessment": {
                "opens_on": "2021-11-11",
                "due": {"before": "2021-11-22"},
                "wait_for_all": False,
            },
            "agency_review": {"due": {"within_working_days": 3, "from": "stage"}},
        },
        calendar={
            "overrides": [
                {"date": f"2021-11-{chance.choice([16, 17, 23, 24])}", "working": False, "source": "MẪU"},
                {"date": f"2021-11-{chance.choice([13, 20, 27])}", "working": True, "source": "MẪU"},
            ]
        },
    )
    script = [
        line(1, Verb.SUBMIT, handed := moment(2, 6), "a", recorded_at=handed + chance.choice([0, 1]) * DAY),
        line(2, Verb.RETURN, moment(7, 9), "a", reasons=("MẪU",)),
        line(3, Verb.EXTEND, moment(3, 9), "b", term=_by("2021-11-24"), number="9/GH", reasons=("MẪU",)),
    ]
    kind = chance.choice(["release", "outage", "suspend"])
    if kind == "release":
        script.append(line(4, Verb.RELEASE, moment(18, 26), "b"))
    elif kind == "outage":
        begin = moment(4, 14)
        script.append(line(4, Verb.OUTAGE, begin, until=begin + chance.randint(1, 4) * DAY))
    else:
        begin = moment(10, 14)
        script.append(line(4, Verb.SUSPEND, begin, reasons=("MẪU",)))
        script.append(line(5, Verb.RESUME, begin + chance.randint(1, 4) * DAY))
    return file, sorted(script, key=lambda each: each.recorded_at)


def _by(day: str) -> By:
    return By(datetime.fromisoformat(day).date())


@given(number=some.integers(0, 2**32))
@settings(
    max_examples=max(WALKS // 6, 1),
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_a_campaign_drawn_at_random_goes_as_it_was_foretold(emptied, number):
    with TemporaryDirectory() as name:
        folder = Path(name)
        file, script = drawn(number, folder / "files")
        told = foretold(file, script, folder, emptied())
        assert done(file, script, last(told), folder, emptied()) == told
