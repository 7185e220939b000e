"""What is owed to be said: queued once, the newest only, never about what is done."""

from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from models import due_steps, leaders
from models.campaigns import enter_stage, file_of, get_campaign, open_campaign
from models.database import transaction
from models.due_steps import Gate
from models.handing_in import hand_in
from models.people import people_of
from rules.calendar import CITY
from rules.notices import NoticeKind, notice_key
from rules.stages import Stage
from rules.work_items import ItemKind
from tests import factories

OPENING = datetime(2021, 11, 11, 7, 30, tzinfo=CITY)
OPEN_GATE = Gate(is_for_all=False)


def at(text: str) -> datetime:
    """Read `16 07:30` as a moment of November 2021."""
    day, clock = text.split()
    return datetime.fromisoformat(f"2021-11-{day}T{clock}").replace(tzinfo=CITY)


@pytest.fixture
def code(database, tmp_path: Path) -> str:
    """A campaign of communes a and b in self-assessment."""
    file = factories.campaign(tmp_path / "files")
    with transaction() as session:
        campaign = open_campaign(session, file, at=OPENING, by=None)
        enter_stage(session, campaign, Stage.TEAM, at=OPENING)
        enter_stage(session, campaign, Stage.SELF_ASSESSMENT, at=OPENING)
    return file.code


def queue(code: str, now: datetime, gate: Gate = OPEN_GATE) -> None:
    with transaction() as session:
        campaign = get_campaign(session, code)
        due_steps.queue_due(
            session,
            campaign,
            now=now,
            people=people_of(session, campaign, today=file_of(campaign).calendar.day_of(now)),
            gate=gate,
            calendar=file_of(campaign).calendar,
        )


def told() -> list[tuple[str, str, str, str]]:
    """Read the notices by SQL of our own: about, step, to whom, state."""
    query = """
        SELECT n.about, n.step, c.code, n.state FROM notices n JOIN contacts c ON c.id = n.contact_id
        WHERE n.kind IN ('reminder', 'escalation') ORDER BY n.due_at, n.about, c.code
    """
    with transaction() as session:
        return [tuple(row) for row in session.execute(text(query))]


def submit(code: str, unit: str, now: datetime) -> None:
    with transaction() as session:
        campaign = get_campaign(session, code)
        hand_in(session, campaign, ItemKind.DOSSIER, unit, at=now, recorded_at=now, by=None)


def test_a_reminder_is_queued_when_its_moment_has_come_and_not_before(code):
    queue(code, at("16 07:29"))
    assert told() == []
    queue(code, at("16 07:30"))
    assert told() == [
        ("dossier/a", "before:3", "a.1", "queued"),
        ("dossier/b", "before:3", "b.1", "queued"),
    ]


def test_queueing_twice_adds_nothing(code):
    queue(code, at("16 07:30"))
    first = told()
    queue(code, at("16 07:30"))
    queue(code, at("17 09:00"))
    assert told() == first


def test_after_an_outage_only_the_newest_reminder_is_queued(code):
    queue(code, at("18 09:00"))
    assert [row[1:] for row in told() if row[0] == "dossier/a"] == [
        ("before:3", "a.1", "superseded"),
        ("before:1", "a.1", "queued"),
    ]


def test_a_reminder_still_waiting_is_superseded_by_the_next_one(code):
    queue(code, at("16 07:30"))
    queue(code, at("18 07:30"))
    assert [row[1:] for row in told() if row[0] == "dossier/a"] == [
        ("before:3", "a.1", "superseded"),
        ("before:1", "a.1", "queued"),
    ]


def test_the_first_late_step_supersedes_a_waiting_reminder(code):
    queue(code, at("19 07:30"))
    queue(code, at("22 08:30"))
    assert [row[1:] for row in told() if row[0] == "dossier/a"] == [
        ("before:3", "a.1", "superseded"),
        ("before:1", "a.1", "superseded"),
        ("before:0", "a.1", "superseded"),
        ("after:0", "a.2", "queued"),
    ]


def test_a_reminder_that_comes_after_the_deadline_is_not_sent_as_one(code):
    queue(code, at("22 07:45"))
    assert {row[3] for row in told()} == {"superseded"}


def test_without_escalation_a_late_reminder_is_still_sent(database, tmp_path):
    file = factories.campaign(tmp_path / "files", escalate=[])
    with transaction() as session:
        campaign = open_campaign(session, file, at=OPENING, by=None)
        enter_stage(session, campaign, Stage.SELF_ASSESSMENT, at=OPENING)
    queue(file.code, at("22 07:45"))
    assert [row[1:] for row in told() if row[0] == "dossier/a"] == [
        ("before:3", "a.1", "superseded"),
        ("before:1", "a.1", "superseded"),
        ("before:0", "a.1", "queued"),
    ]


def test_after_an_outage_each_leader_gets_the_newest_step_meant_for_him(code):
    queue(code, at("26 09:00"))
    assert [row[1:] for row in told() if row[0] == "dossier/a" and row[1].startswith("after")] == [
        ("after:0", "a.2", "queued"),
        ("after:1", "standing.2", "queued"),
        ("after:3", "city.1", "queued"),
        ("after:3", "city.2", "queued"),
        ("after:3", "city.3", "queued"),
    ]


def test_steps_after_the_deadline_do_not_need_the_steps_before_it(database, tmp_path):
    file = factories.campaign(tmp_path / "files", remind=[])
    with transaction() as session:
        campaign = open_campaign(session, file, at=OPENING, by=None)
        enter_stage(session, campaign, Stage.SELF_ASSESSMENT, at=OPENING)
    queue(file.code, at("22 08:30"))
    assert [row[1] for row in told()] == ["after:0", "after:0"]


def test_nobody_is_reminded_of_what_was_handed_in(code):
    submit(code, "a", at("15 09:00"))
    queue(code, at("16 07:30"))
    assert [row[0] for row in told()] == ["dossier/b"]


def test_handing_in_suppresses_what_was_queued(code):
    queue(code, at("16 07:30"))
    submit(code, "a", at("16 07:31"))
    assert [row[3] for row in told()] == ["suppressed", "queued"]


def test_a_step_that_lies_before_the_opening_of_its_item_does_not_fire(database, tmp_path):
    late_start = at("18 08:00")
    file = factories.campaign(tmp_path / "files")
    with transaction() as session:
        campaign = open_campaign(session, file, at=late_start, by=None)
        enter_stage(session, campaign, Stage.SELF_ASSESSMENT, at=late_start)
    queue(file.code, at("19 07:30"))
    assert [row[1] for row in told()] == ["before:0", "before:0"]


def test_a_campaign_opened_late_on_purpose_records_the_old_steps_as_superseded(database, tmp_path):
    file = factories.campaign(tmp_path / "files")
    with transaction() as session:
        campaign = open_campaign(session, file, at=at("24 09:00"), by=None, past=True)
        enter_stage(session, campaign, Stage.SELF_ASSESSMENT, at=at("24 09:00"))
    queue(file.code, at("25 08:30"))
    assert [row[1:] for row in told() if row[0] == "dossier/a"] == [
        ("before:3", "a.1", "superseded"),
        ("before:1", "a.1", "superseded"),
        ("before:0", "a.1", "superseded"),
        ("after:0", "a.2", "superseded"),
        ("after:1", "standing.2", "superseded"),
        ("after:3", "city.1", "queued"),
        ("after:3", "city.2", "queued"),
        ("after:3", "city.3", "queued"),
    ]


def test_messages_to_leaders_wait_for_the_standing_head(code):
    queue(code, at("22 08:30"), Gate())
    assert {row[3] for row in told() if row[1] == "after:0"} == {"waiting_release"}
    with transaction() as session:
        assert leaders.let_go(session, get_campaign(session, code), now=at("22 09:59")) == 0
        assert leaders.let_go(session, get_campaign(session, code), now=at("22 10:00")) == 2
    assert {row[3] for row in told() if row[1] == "after:0"} == {"queued"}


def test_what_waits_for_the_chairman_is_held_until_it_is_released(code):
    queue(code, at("25 08:30"), Gate())
    with transaction() as session:
        campaign = get_campaign(session, code)
        leaders.let_go(session, campaign, now=at("26 17:00"))
        assert leaders.count_waiting(session, campaign) == 6
        released = leaders.release(
            session,
            campaign,
            unit="a",
            step="after:3",
            at=at("26 17:00"),
            recorded_at=at("26 17:00"),
            by="MẪU",
        )
        assert (released, leaders.count_waiting(session, campaign)) == (3, 3)


def test_a_deputy_stands_in_for_an_absent_head(database, tmp_path):
    people = [
        factories.contact("a", "officer"),
        factories.contact("a.head", "unit_head"),
        factories.contact(
            "a.deputy",
            "officer",
            acting_for="MẪU a.head",
            acting_from="2021-11-20",
            acting_until="2021-11-30",
        ),
    ]
    of_units = [*factories.units(communes=()), factories.unit("a", contacts=people)]
    file = factories.campaign(tmp_path / "files", of_units, remind=[])
    with transaction() as session:
        campaign = open_campaign(session, file, at=OPENING, by=None)
        enter_stage(session, campaign, Stage.SELF_ASSESSMENT, at=OPENING)
    queue(file.code, at("22 08:30"))
    assert told() == [("dossier/a", "after:0", "a.3", "queued")]


def test_a_missing_head_is_replaced_by_the_standing_office(database, tmp_path):
    of_units = [
        *factories.units(communes=()),
        factories.unit("a", contacts=[factories.contact("a", "officer")]),
    ]
    file = factories.campaign(tmp_path / "files", of_units, remind=[])
    with transaction() as session:
        campaign = open_campaign(session, file, at=OPENING, by=None)
        enter_stage(session, campaign, Stage.SELF_ASSESSMENT, at=OPENING)
    queue(file.code, at("22 08:30"))
    assert told() == [("dossier/a", "after:0", "standing.1", "queued")]


def test_a_step_may_go_to_a_person_by_name(database, tmp_path):
    file = factories.campaign(tmp_path / "files", remind=[], escalate=[{"after": 0, "to": "MẪU b.head"}])
    with transaction() as session:
        campaign = open_campaign(session, file, at=OPENING, by=None)
        enter_stage(session, campaign, Stage.SELF_ASSESSMENT, at=OPENING)
    queue(file.code, at("22 08:30"))
    assert [row[2] for row in told()] == ["b.2", "b.2"]


def test_the_key_built_in_sql_is_the_key_of_the_rules(code):
    queue(code, at("25 08:30"))
    with transaction() as session:
        rows = session.execute(
            text(
                "SELECT n.key, n.kind, n.about, n.step, c.code, n.copy_no FROM notices n"
                " JOIN contacts c ON c.id = n.contact_id WHERE n.kind IN ('reminder', 'escalation')"
            )
        ).all()
    assert len(rows) > 10
    for key, kind, about, step, recipient, copy in rows:
        assert key == notice_key(
            campaign=code,
            kind=NoticeKind(kind),
            about=about,
            step=step,
            version=1,
            recipient=recipient,
            copy=copy,
        )
