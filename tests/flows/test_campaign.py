"""The tick: what it does to a campaign, and that doing it twice does nothing more."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import SQLModel

from flows.campaign import tick
from flows.delivery import deliver_letters
from models.campaigns import get_campaign, go_on, open_campaign
from models.database import transaction
from models.due_steps import Gate
from models.handing_in import hand_in
from models.leases import only_one, take
from models.papers import register_paper
from models.results import freeze_list
from notifications.mailbox import Mailbox
from rules.calendar import CITY
from rules.letters import Paper
from rules.stages import PaperRole, Stage
from rules.work_items import ItemKind
from tests import factories

OPENING = datetime(2021, 11, 11, 7, 30, tzinfo=CITY)
OPEN_GATE = Gate(is_for_all=False)


def at(text: str) -> datetime:
    day, clock = text.split()
    return datetime.fromisoformat(f"2021-{day}T{clock}").replace(tzinfo=CITY)


def begin(folder: Path, at: datetime = OPENING, **more) -> str:
    file = factories.campaign(folder, **more)
    with transaction() as session:
        open_campaign(session, file, at=at, by="MẪU")
    return file.code


def stage(code: str) -> Stage:
    with transaction() as session:
        return get_campaign(session, code).stage


def everything() -> dict[str, list[tuple]]:
    """Every row of every table, as it stands."""
    with transaction() as session:
        return {
            name: sorted(map(tuple, session.execute(text(f"SELECT * FROM {name}"))), key=str)
            for name in SQLModel.metadata.tables
        }


def submit(code: str, unit: str, now: datetime, kind: ItemKind = ItemKind.DOSSIER) -> None:
    with transaction() as session:
        hand_in(session, get_campaign(session, code), kind, unit, at=now, recorded_at=now, by=None)


def register(code: str, role: PaperRole, now: datetime) -> None:
    with transaction() as session:
        paper = Paper("QĐ", f"9/{role}", now.date())
        register_paper(session, get_campaign(session, code), paper, [role], today=now.date(), at=now, by=None)


def test_a_tick_goes_on_until_nothing_moves(database, tmp_path):
    code = begin(tmp_path / "files")
    tick(OPENING)
    assert stage(code) is Stage.SELF_ASSESSMENT


def test_a_campaign_waits_for_the_paper_that_launches_it(database, tmp_path):
    basis = [each for each in factories.campaign_data()["legal_basis"] if each["role"] != "launch"]
    code = begin(tmp_path / "files", legal_basis=basis)
    tick(OPENING)
    assert stage(code) is Stage.TEAM
    register(code, PaperRole.LAUNCH, OPENING)
    tick(OPENING)
    assert stage(code) is Stage.SELF_ASSESSMENT


def test_a_campaign_waits_for_its_opening_day(database, tmp_path):
    code = begin(tmp_path / "files", at=at("11-05 08:00"))
    register(code, PaperRole.LAUNCH, at("11-05 08:00"))
    tick(at("11-10 16:00"))
    assert stage(code) is Stage.TEAM
    tick(at("11-11 00:00"))
    assert stage(code) is Stage.SELF_ASSESSMENT


def test_a_paper_dated_later_than_the_opening_is_not_registered_by_itself(database, tmp_path):
    code = begin(tmp_path / "files", at=at("11-05 08:00"))
    tick(at("11-12 08:00"))
    assert stage(code) is Stage.TEAM


def test_with_every_dossier_in_the_review_begins_at_once(database, tmp_path):
    code = begin(tmp_path / "files")
    tick(OPENING)
    submit(code, "a", at("11-15 09:00"))
    tick(at("11-15 09:00"))
    assert stage(code) is Stage.SELF_ASSESSMENT
    submit(code, "b", at("11-16 09:00"))
    tick(at("11-16 09:00"))
    assert stage(code) is Stage.AGENCY_REVIEW


def test_after_the_deadline_the_review_does_not_wait_for_the_silent(database, tmp_path):
    code = begin(tmp_path / "files")
    tick(OPENING)
    tick(at("11-21 23:59"))
    assert stage(code) is Stage.SELF_ASSESSMENT
    tick(at("11-22 00:00"))
    assert stage(code) is Stage.AGENCY_REVIEW


def test_leaving_a_stage_leaves_its_ladders_running(database, tmp_path):
    code = begin(tmp_path / "files")
    tick(OPENING)
    tick(at("11-22 00:00"), gate=OPEN_GATE)
    tick(at("11-25 08:30"), gate=OPEN_GATE)
    with transaction() as session:
        query = "SELECT COUNT(*) FROM notices WHERE step = 'after:3' AND about LIKE 'dossier/%'"
        assert session.execute(text(query)).scalar_one() == 6
    assert stage(code) is Stage.AGENCY_REVIEW


def test_the_whole_way_to_the_end(database, tmp_path):
    code = begin(tmp_path / "files")
    tick(OPENING)
    for unit in ("a", "b"):
        submit(code, unit, at("11-16 09:00"))
    tick(at("11-16 09:00"))
    submit(code, "x", at("11-18 09:00"), ItemKind.REVIEW)
    tick(at("11-18 09:00"))
    assert stage(code) is Stage.CONSOLIDATION
    with transaction() as session:
        freeze_list(
            session,
            get_campaign(session, code),
            at=at("11-19 09:00"),
            recorded_at=at("11-19 09:00"),
            by=None,
        )
    register(code, PaperRole.SUBMISSION, at("11-19 10:00"))
    tick(at("11-19 10:00"))
    assert stage(code) is Stage.DECISION
    register(code, PaperRole.DECISION, at("11-22 10:00"))
    assert tick(at("11-22 10:00")).failed == ()
    assert stage(code) is Stage.CLOSED
    with Mailbox(tmp_path / "mail") as mailbox:
        deliver_letters(at("11-22 10:00"), mailbox.server("office@mau.example"))
        told = sorted(path.name.split("-")[2] for path in mailbox.letters())
    assert told == ["a", "a", "b", "b", "x"]  # the receipts of both dossiers, and the decision to all three


def test_the_office_goes_on_without_a_review_and_says_why(database, tmp_path):
    code = begin(tmp_path / "files")
    tick(OPENING)
    tick(at("11-22 00:00"))
    with transaction() as session:
        go_on(
            session,
            get_campaign(session, code),
            at=at("12-02 00:00"),
            recorded_at=at("12-02 00:00"),
            by="MẪU",
            reason="MẪU",
        )
    tick(at("12-02 00:00"))
    assert stage(code) is Stage.CONSOLIDATION


@pytest.mark.parametrize("moment", ["11-11 07:30", "11-16 07:30", "11-22 08:30", "11-25 08:30"])
def test_a_second_tick_at_the_same_instant_changes_nothing_and_sends_nothing(database, tmp_path, moment):
    begin(tmp_path / "files")
    tick(OPENING, gate=OPEN_GATE)
    now = at(moment)
    with Mailbox(tmp_path / "mail") as mailbox:
        server = mailbox.server("office@mau.example")
        tick(now, gate=OPEN_GATE)
        deliver_letters(now, server)
        before, sent = everything(), len(mailbox.letters())
        assert sent > 0
        tick(now, gate=OPEN_GATE)
        deliver_letters(now, server)
        assert everything() == before
        assert len(mailbox.letters()) == sent


def test_a_tick_ends_at_once_while_another_is_at_work(database, tmp_path):
    code = begin(tmp_path / "files")
    with only_one("tick", at=OPENING) as is_alone:
        assert is_alone
        assert not tick(OPENING).is_alone
    assert stage(code) is Stage.PLANNING
    assert tick(OPENING).is_alone


def test_the_lease_of_a_tick_that_died_ends_after_five_minutes(database, tmp_path):
    begin(tmp_path / "files")
    with transaction() as session:
        assert take(session, "tick", "one that died", at=OPENING)
    assert not tick(OPENING + timedelta(minutes=4)).is_alone
    assert tick(OPENING + timedelta(minutes=5)).is_alone


def test_a_broken_campaign_does_not_stop_the_others(database, tmp_path):
    begin(tmp_path / "one", code="mau-broken")
    begin(tmp_path / "two", code="mau-sound")
    with transaction() as session:
        session.execute(text("UPDATE campaigns SET files = '{}', files_hash = 'x' WHERE code = 'mau-broken'"))
    report = tick(OPENING)
    assert report.failed == ("mau-broken",)
    assert stage("mau-sound") is Stage.SELF_ASSESSMENT
    with transaction() as session:
        assert session.execute(text("SELECT what FROM journal WHERE what = 'tick_failed'")).all() == [
            ("tick_failed",)
        ]
