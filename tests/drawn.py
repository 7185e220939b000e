"""Campaigns, deeds and outages drawn at random, and the way through time that they make."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from hypothesis import strategies as some

from config.script_file import ScriptLine, Verb
from rules.calendar import CITY, By
from tests.walking import dated

# How many campaigns are drawn; `make soak` draws more.
WALKS = int(os.environ.get("WALKS", "2"))

OPENS_ON = date(2021, 11, 11)  # a Thursday; no public holiday until the new year
DAYS = 14  # of deeds and outages
QUIET_DAYS = 4  # at the end: nobody does anything, and the office works
DAY = timedelta(days=1)

PEOPLE = ("unit_head", "standing_head", "office", "vice_chairman", "chairman")


@dataclass(frozen=True)
class Deed:
    """What somebody does; `wakes` says whether the machine looks at once."""

    number: int
    at: datetime
    verb: Verb
    unit: str
    until: date | None
    whom: str
    wakes: bool

    def line(self) -> ScriptLine:
        """Return it as a line of a script."""
        more: dict[str, Any] = {"reasons": (f"lý do {self.number}",)}
        if self.until:
            more |= {"number": f"{self.number}/GH", "term": By(self.until)}
        if self.verb is Verb.REPLACE_CONTACT:
            more |= {"person": f"MẪU {self.unit}{self.whom}", "name": f"MẪU mới {self.number}"}
            more |= {"title": "chuyên viên", "email": f"new{self.number}@mau.example"}
        units = () if self.verb in (Verb.SUSPEND, Verb.RESUME) else (self.unit,)
        return ScriptLine(self.number, self.at, self.at, self.verb, units, **more)


@dataclass(frozen=True)
class Plan:
    """What a walk is made of; whatever can be drawn."""

    due: int
    off: tuple[int, ...]
    worked: tuple[int, ...]
    remind: tuple[tuple[int, str | None], ...]
    escalate: tuple[tuple[int, str, bool], ...]
    repeat: int
    grace: int
    gated: tuple[str, ...]
    deeds: tuple[Deed, ...]
    outage: tuple[int, int]
    no_mail: tuple[int, int]

    def file(self) -> dict[str, Any]:
        """Return what the campaign file says."""
        overrides = [(day, False) for day in self.off] + [(day, True) for day in self.worked]
        remind = [{"before": days} | ({"at": at} if at else {}) for days, at in self.remind]
        escalate: list[Mapping[str, Any]] = [
            {"after": days, "to": to} | ({"copy": ["office"]} if has_copy and to != "office" else {})
            for days, to, has_copy in self.escalate
        ]
        if self.repeat and escalate:
            last = self.escalate[-1][0]
            escalate.append({"repeat": {"every": self.repeat, "until": last + 6}})
        return dated(
            OPENS_ON.isoformat(),
            {"before": (OPENS_ON + self.due * DAY).isoformat()},
            remind=remind,
            escalate=escalate,
            grace_working_days=self.grace,
            calendar={
                "overrides": [
                    {"date": (OPENS_ON + day * DAY).isoformat(), "working": works, "source": "MẪU"}
                    for day, works in overrides
                ]
            },
        )

    def is_working(self, day: date) -> bool:
        """Say whether the office works on a day, by a count of our own."""
        number = (day - OPENS_ON).days
        return number in self.worked or (day.weekday() < 5 and number not in self.off)

    def may_send(self, now: datetime) -> bool:
        """Say whether letters may leave at an instant, by a count of our own."""
        clock = now.astimezone(CITY).time()
        is_open = time(7, 30) <= clock < time(11, 30) or time(13, 30) <= clock < time(17)
        return is_open and self.is_working(now.astimezone(CITY).date())

    def works(self, now: datetime) -> bool:
        """Say whether the machine runs."""
        return not _is_within(now, self.outage)

    def delivers(self, now: datetime) -> bool:
        """Say whether letters are delivered, as far as the machine is concerned."""
        return self.works(now) and not _is_within(now, self.no_mail)

    def instants(self) -> list[datetime]:
        """Return every instant at which something is done, by people or the machine."""
        found = {deed.at for deed in self.deeds} | {self.quiet_from}
        for number in range(DAYS + QUIET_DAYS):
            day = OPENS_ON + number * DAY
            clocks = ["07:30", "08:30", *(["14:00"] if number % 2 else [])]
            clocks = clocks if self.is_working(day) else ["09:00"]
            found |= {datetime.combine(day, time.fromisoformat(clock), CITY) for clock in clocks}
        return sorted(each for each in found if each >= datetime.combine(OPENS_ON, time(7, 30), CITY))

    @property
    def quiet_from(self) -> datetime:
        """The instant after which nobody does anything any more."""
        return datetime.combine(OPENS_ON + DAYS * DAY, time(0), CITY)


def _is_within(now: datetime, days: tuple[int, int]) -> bool:
    """Say whether an instant lies between the morning of a day and the dawn of a later one."""
    first, count = days
    begin = datetime.combine(OPENS_ON + first * DAY, time(8), CITY)
    end = datetime.combine(OPENS_ON + min(first + count, DAYS) * DAY, time(7), CITY)
    return begin <= now < end


VERBS = (
    *[Verb.SUBMIT, Verb.RETURN, Verb.RETURN, Verb.EXTEND, Verb.EXTEND, Verb.WAIVE, Verb.REVIEW],
    *[Verb.REQUEST_EXTENSION, Verb.REPLACE_CONTACT, Verb.HOLD, Verb.RELEASE, Verb.ACKNOWLEDGE],
    *[Verb.SUSPEND, Verb.RESUME],
)
CLOCKS = [time(6), time(7, 31), time(8, 15), time(12), time(15, 10), time(17, 20), time(21)]


def _deed(chance: Random, number: int) -> Deed:
    now = datetime.combine(OPENS_ON + chance.randrange(1, DAYS) * DAY, chance.choice(CLOCKS), CITY)
    verb = chance.choice(VERBS)
    unit = "x" if verb is Verb.REVIEW else chance.choice(["a", "b"])
    until = now.date() + chance.randint(1, 7) * DAY if verb is Verb.EXTEND else None
    whom = chance.choice(["", ".head"]) if verb is Verb.REPLACE_CONTACT else ""
    return Deed(number, now, verb, unit, until, whom, chance.random() < 0.5)


def plan_of(number: int) -> Plan:
    """Return the plan that a number stands for; its file may still be one that is refused."""
    chance = Random(number)
    days = range(1, DAYS + 1)
    weekdays = [n for n in days if (OPENS_ON + n * DAY).weekday() < 5]
    saturdays = [n for n in days if (OPENS_ON + n * DAY).weekday() == 5]
    afters = sorted(chance.sample(range(4), chance.randint(1, 3)))
    reminders = sorted(chance.sample(range(3), chance.randint(0, 3)), reverse=True)
    deeds = sorted((_deed(chance, n) for n in range(chance.randint(2, 9))), key=lambda deed: deed.at)
    return Plan(
        due=chance.randint(4, 8),
        off=tuple(sorted(chance.sample(weekdays, chance.randint(0, 2)))),
        worked=tuple(sorted(chance.sample(saturdays, chance.randint(0, 2)))),
        remind=tuple((n, chance.choice([None, None, "10:00", "20:00"])) for n in reminders),
        escalate=tuple((n, chance.choice(PEOPLE), chance.random() < 0.4) for n in afters),
        repeat=chance.randint(0, 2),
        grace=chance.choice([0, 0, 1]),
        gated=tuple(chance.choice([[], [], ["a"], ["b"]])),
        deeds=tuple(deeds),
        outage=(chance.randint(1, DAYS), chance.choice([0, 0, 1, 3, 6])),
        no_mail=(chance.randint(4, DAYS), chance.choice([0, 0, 1, 2])),
    )


# Numbers rather than draws of each part: few walks, as unlike one another as can be.
PLANS = some.integers(0, 2**62).map(plan_of)


@dataclass
class Left:
    """What a walk has left behind, in rows of our own reading."""

    plan: Plan
    notices: list[Mapping[str, Any]] = field(default_factory=list)
    steps: list[Mapping[str, Any]] = field(default_factory=list)
    letters: list[Mapping[str, Any]] = field(default_factory=list)
    untrue: list[tuple] = field(default_factory=list)
    mails: list[str] = field(default_factory=list)
    mailed: list[datetime] = field(default_factory=list)
    dropped: set[tuple[str, str]] = field(default_factory=set)
    is_whole: bool = False
    failed: list[datetime] = field(default_factory=list)
