"""The letter's campaign with its dates moved: it checks, it rehearses, it falls as it fell in 2021."""

import re
from datetime import date
from pathlib import Path

import pytest

from config.campaign_file import read_campaign
from config.script_file import read_script
from flows.example import DayOfRest, ExampleExists, write_example
from flows.rehearsal import rehearse
from models.account import notices_of
from models.campaigns import get_campaign
from models.database import Database, transaction, using
from rules.calendar import Before
from rules.notices import NoticeState
from rules.stages import Stage
from tests.factories import LETTER, SCRIPT


def said(database: Database, folder: Path, campaign: Path, script: Path) -> list[tuple[str, ...]]:
    """What a rehearsal says to whom, in the order of time, without days and numbers."""
    file = read_campaign(campaign)
    rehearse(file, read_script(script, file), database=database, letters=folder)
    with using(database), transaction() as session:
        notices = notices_of(session, get_campaign(session, file.code))
    return [
        (f"{each.at.astimezone(file.calendar.zone):%H:%M}", each.kind, each.step, each.role, each.to)
        for each in notices
        if each.state is NoticeState.SAID
    ]


@pytest.fixture(scope="module")
def letter(tmp_path_factory, emptied) -> list[tuple[str, ...]]:
    """What the letter's own rehearsal says."""
    return said(emptied(), tmp_path_factory.mktemp("letter"), LETTER, SCRIPT)


@pytest.mark.parametrize("opens_on", ["2026-02-10"], ids=["over-tet"])
def test_the_moved_campaign_says_what_the_letters_campaign_says(tmp_path, emptied, letter, opens_on):
    written = write_example(date.fromisoformat(opens_on), tmp_path / "moved")
    moved = said(emptied(), tmp_path / "a", written.campaign, written.script)
    assert sorted(moved) == sorted(letter)


def test_the_deadline_keeps_its_distance_in_working_days(tmp_path):
    written = write_example(date(2026, 2, 10), tmp_path)  # Tết lies in between
    file = read_campaign(written.campaign)
    assert file.due[Stage.SELF_ASSESSMENT] == Before(date(2026, 2, 26))
    assert file.code == "mau-2026-02-10"


def test_no_real_paper_gets_a_day_it_never_had(tmp_path):
    written = write_example(date(2026, 12, 1), tmp_path)
    for path in (written.campaign, written.script):
        body = "\n".join(line for line in path.read_text(encoding="utf-8").splitlines() if line[:1] != "#")
        numbers = re.findall(r"(?:number|paper): ([^,}\n]+)", body)
        assert len(numbers) > 5
        assert [number for number in numbers if not number.startswith("MẪU ")] == []
        assert "2021-" not in body.replace("lai-chau-2021", "").replace("2021-2025", "")


def test_a_day_of_rest_is_refused_with_the_next_working_day(tmp_path):
    with pytest.raises(DayOfRest) as refused:
        write_example(date(2026, 11, 22), tmp_path / "out")
    assert refused.value.next_day == date(2026, 11, 23)
    assert not (tmp_path / "out").exists()


def test_an_example_is_not_written_over(tmp_path):
    write_example(date(2026, 12, 1), tmp_path)
    with pytest.raises(ExampleExists):
        write_example(date(2026, 12, 1), tmp_path)
