"""The letter's campaign with its dates moved, to try it live."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import yaml

from config import campaign_file
from config.campaign_file import CampaignFile, read_campaign
from config.messages import say

DATA = Path(campaign_file.__file__).parent
LETTER = "lai-chau-2021"
DAY = re.compile(r"(?<!\d)(\d{4}-\d{2}-\d{2})(?!\d)")
FOLDERS = ("campaigns", "units", "criteria")


@dataclass(frozen=True, slots=True)
class Written:
    """The files of a moved campaign."""

    campaign: Path
    script: Path


class ExampleExists(Exception):
    """The folder holds an example already; it is not written over."""


class DayOfRest(Exception):
    """The example opens on a working day, as the letter's campaign did; `next_day` is the next one."""

    def __init__(self, next_day: date) -> None:
        super().__init__(str(next_day))
        self.next_day = next_day


def write_example(opens_on: date, out: Path) -> Written:
    """Write the letter's campaign, units, criteria and script into a folder, opening on another day.

    Every day keeps its distance from the opening, counted in working days, so that the reminders,
    the deadline's weekend and the script fall as they fell in 2021. Real papers of 2021 become
    marked ones: no real number gets a day it never had. Raises ExampleExists, DayOfRest.
    """
    letter = read_campaign(DATA / "campaigns" / f"{LETTER}.yaml")
    if not letter.calendar.is_working_day(opens_on):
        raise DayOfRest(letter.calendar.working_day_after(opens_on, 1))
    code = f"mau-{opens_on.isoformat()}"
    written = Written(out / "campaigns" / f"{code}.yaml", out / "campaigns" / f"{code}.script.yaml")
    if written.campaign.exists():
        raise ExampleExists
    for folder in FOLDERS:
        (out / folder).mkdir(parents=True, exist_ok=True)
    move = _mover(letter, opens_on)
    text = (DATA / "campaigns" / f"{LETTER}.yaml").read_text(encoding="utf-8")
    script = (DATA / "campaigns" / f"{LETTER}.script.yaml").read_text(encoding="utf-8")
    for wanted, moved in ((written.campaign, text), (written.script, script)):
        wanted.write_text(_marked(move(moved), letter, code, opens_on), encoding="utf-8")
    for kind in ("units", "criteria"):
        referred = DATA / "campaigns" / yaml.safe_load(text)[kind]
        (out / kind / referred.name).write_text(referred.read_text(encoding="utf-8"), encoding="utf-8")
    return written


def last_working_day(now: datetime) -> date:
    """Return today where the letter's office works today, else the last day on which it did."""
    calendar = read_campaign(DATA / "campaigns" / f"{LETTER}.yaml").calendar
    return next(calendar.working_days_until(calendar.day_of(now)))


def _mover(letter: CampaignFile, opens_on: date) -> Callable[[str], str]:
    """Return what replaces every day in a text by the one as far from the new opening."""
    calendar, before = letter.calendar, letter.self_assessment.opens_on

    def moved(found: re.Match[str]) -> str:
        day = date.fromisoformat(found[1])
        if day >= before:
            away = calendar.working_days_between(before, day)
            return (calendar.working_day_after(opens_on, away) if away else opens_on).isoformat()
        away = calendar.working_days_between(day, before)
        return calendar.working_day_before(opens_on, away).isoformat()

    return lambda text: DAY.sub(moved, text)


def _marked(text: str, letter: CampaignFile, code: str, opens_on: date) -> str:
    """Mark every paper as made up and give the campaign the name of its year."""
    for cited in letter.legal_basis:
        text = re.sub(rf"(?<!MẪU ){re.escape(cited.paper.number)}", f"MẪU {cited.paper.number}", text)
    body = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    body = body.replace(LETTER, code, 1) if body.lstrip().startswith("code:") else body
    body = body.replace(f"năm {letter.year}", f"năm {opens_on.year}")
    body = body.replace(f"in_year: {letter.year}", f"in_year: {_decided_in(opens_on)}")
    return say("example.head") + "\n" + body.strip() + "\n"


def _decided_in(opens_on: date) -> int:
    """Return the year in which the decision falls: the letter's took less than two months."""
    return opens_on.year if opens_on.month < 11 else opens_on.year + (opens_on.month == 12)
