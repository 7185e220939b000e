"""Letters: one digest a day, claimed by one sender, settled by their receipts, never lost."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from models import due_steps, letters, notices, outbox, outcomes
from models.campaigns import enter_stage, file_of, get_campaign, open_campaign
from models.channels import Channels
from models.database import transaction
from models.due_steps import Gate
from models.handing_in import hand_in
from models.outcomes import Said, Tried
from models.people import people_of
from rules.calendar import CITY
from rules.notices import Channel
from rules.sending import Outcome
from rules.stages import Stage
from rules.work_items import ItemKind
from tests import factories

OPENING = datetime(2021, 11, 11, 7, 30, tzinfo=CITY)


def at(text: str) -> datetime:
    day, clock = text.split()
    return datetime.fromisoformat(f"2021-11-{day}T{clock}").replace(tzinfo=CITY)


def begin(folder: Path, of_units=None, **more) -> str:
    file = factories.campaign(folder, of_units, **more)
    with transaction() as session:
        campaign = open_campaign(session, file, at=OPENING, by=None)
        enter_stage(session, campaign, Stage.SELF_ASSESSMENT, at=OPENING)
    return file.code


def queue(code: str, now: datetime) -> None:
    with transaction() as session:
        campaign = get_campaign(session, code)
        calendar = file_of(campaign).calendar
        notices.queue_openings(session, campaign, Stage.SELF_ASSESSMENT, at=now)
        due_steps.queue_due(
            session,
            campaign,
            now=now,
            people=people_of(session, campaign, today=file_of(campaign).calendar.day_of(now)),
            gate=Gate(is_for_all=False),
            calendar=calendar,
        )
        email = (Channel.EMAIL,)
        letters.make_letters(session, campaign, now=now, channels=Channels(email, email), calendar=calendar)


def claim(now: datetime, by: str = "one", limit: int = 100, windows: bool = True) -> list[int]:
    with transaction() as session:
        ids = [row[0] for row in session.execute(text("SELECT id FROM campaigns"))] if windows else []
        return (
            outbox.claim(
                session, now=now, by=by, open_windows=ids, mail_domain="congnhan.example", limit=limit
            )
            or []
        )


def said(letter_id: int, outcome: str = "accepted") -> Said:
    return Said(letter_id, (Tried(Outcome(outcome), "250", "q1", "OK"),), "subject", "text", "html")


def record(letter_ids: list[int], now: datetime, outcome: str = "accepted", by: str = "one") -> None:
    with transaction() as session:
        outcomes.record(session, [said(each, outcome) for each in letter_ids], by=by, at=now)


def rows(query: str) -> list[tuple]:
    with transaction() as session:
        return [tuple(row) for row in session.execute(text(query))]


def states() -> list[str]:
    return [row[0] for row in rows("SELECT state FROM letters ORDER BY id")]


def test_each_officer_gets_a_letter_of_his_own(database, tmp_path):
    code = begin(tmp_path / "files")
    queue(code, at("11 07:30"))
    assert rows("SELECT address, state, channel FROM letters ORDER BY address") == [
        ("a@mau.example", "queued", "email"),
        ("b@mau.example", "queued", "email"),
    ]


def test_a_leader_gets_one_letter_for_all_units(database, tmp_path):
    code = begin(tmp_path / "files")
    queue(code, at("23 08:30"))
    query = """
        SELECT l.address, COUNT(*) FROM letters l JOIN notices n ON n.letter_id = l.id
        WHERE l.kind = 'escalation' GROUP BY l.address ORDER BY l.address
    """
    assert rows(query) == [
        ("a.head@mau.example", 1),
        ("b.head@mau.example", 1),
        ("standing.head@mau.example", 2),
    ]


def test_a_second_digest_waits_for_the_next_day(database, tmp_path):
    steps = [{"after": 0, "to": "chairman"}, {"repeat": {"every": 1, "until": 1}}]
    code = begin(tmp_path / "files", escalate=steps, remind=[])
    queue(code, at("22 08:30"))
    record(claim(at("22 08:30")), at("22 08:30"))
    with transaction() as session:  # something else falls due for him on the same day
        session.execute(
            text("UPDATE deadline_steps SET fires_at = '2021-11-22 07:00:00+00:00' WHERE step = 'after:1'")
        )
    queue(code, at("22 14:00"))
    assert rows("SELECT COUNT(*) FROM letters WHERE kind = 'escalation'") == [(1,)]
    queue(code, at("23 07:30"))
    assert rows("SELECT state FROM letters WHERE kind = 'escalation' ORDER BY id") == [("sent",), ("queued",)]


def test_two_senders_never_claim_the_same_letter(database, tmp_path):
    code = begin(tmp_path / "files")
    queue(code, at("11 07:30"))
    first, second = claim(at("11 07:30"), "one", limit=1), claim(at("11 07:30"), "two", limit=5)
    assert len(first) == 1
    assert len(second) == 1
    assert set(first).isdisjoint(second)
    assert claim(at("11 07:30"), "three") == []


def test_outside_the_window_nothing_is_claimed_but_receipts(database, tmp_path):
    code = begin(tmp_path / "files")
    queue(code, at("11 07:30"))
    record(claim(at("11 07:30")), at("11 07:30"))
    with transaction() as session:
        campaign = get_campaign(session, code)
        hand_in(
            session, campaign, ItemKind.DOSSIER, "a", at=at("13 20:00"), recorded_at=at("13 20:00"), by=None
        )
    queue(code, at("16 07:30"))
    claimed = claim(at("16 07:30"), windows=False)
    assert rows("SELECT kind FROM letters WHERE state = 'sending'") == [("receipt",)]
    assert len(claimed) == 1


def test_a_letter_queued_at_night_waits_for_the_morning(database, tmp_path):
    code = begin(tmp_path / "files")
    queue(code, at("12 20:00"))
    assert claim(at("12 20:00")) == []
    assert len(claim(at("15 07:30"))) == 2


def test_a_line_that_is_no_longer_true_drops_out_and_an_empty_letter_is_suppressed(database, tmp_path):
    code = begin(tmp_path / "files")
    queue(code, at("11 07:30"))
    with transaction() as session:
        session.execute(
            text("UPDATE work_items SET state = 'done', done_at = opened_at WHERE name = 'dossier/a'")
        )
    claimed = claim(at("11 07:30"))
    assert len(claimed) == 1
    assert sorted(states()) == ["sending", "suppressed"]


@pytest.mark.parametrize(
    ("outcome", "letter", "notice"),
    [
        ("accepted", "sent", "said"),
        ("transient", "queued", "queued"),
        ("permanent", "failed", "failed"),
        ("configuration", "queued", "queued"),
        ("unknown", "uncertain", "queued"),
    ],
)
def test_what_the_channel_answered_decides_what_becomes_of_a_letter(
    database, tmp_path, outcome, letter, notice
):
    code = begin(tmp_path / "files", of_units=factories.units(communes=("a",)))
    queue(code, at("11 07:30"))
    record(claim(at("11 07:30")), at("11 07:30"), outcome)
    assert states() == [letter]
    assert rows("SELECT state FROM notices WHERE kind = 'opening'") == [(notice,)]


def test_a_passing_failure_is_tried_again_after_a_pause(database, tmp_path):
    code = begin(tmp_path / "files", of_units=factories.units(communes=("a",)))
    queue(code, at("11 07:30"))
    record(claim(at("11 07:30")), at("11 07:30"), "transient")
    assert claim(at("11 07:30")) == []
    assert len(claim(at("11 07:31"))) == 1


def test_a_letter_that_cannot_be_delivered_is_told_to_the_standing_office(database, tmp_path):
    code = begin(tmp_path / "files", of_units=factories.units(communes=("a",)))
    queue(code, at("11 07:30"))
    record(claim(at("11 07:30")), at("11 07:30"), "permanent")
    queue(code, at("11 07:31"))
    assert rows("SELECT address, state FROM letters WHERE kind = 'undeliverable'") == [
        ("standing@mau.example", "queued")
    ]


def test_an_officer_without_an_address_is_told_to_the_standing_office(database, tmp_path):
    silent = factories.unit("a", contacts=[{"name": "MẪU a", "title": "tổ trưởng", "role": "officer"}])
    code = begin(tmp_path / "files", of_units=[*factories.units(communes=()), silent])
    queue(code, at("11 07:30"))
    queue(code, at("11 07:31"))
    assert rows("SELECT state, reason FROM notices WHERE kind = 'opening'") == [("failed", "no_address")]
    assert rows("SELECT address, kind FROM letters") == [("standing@mau.example", "undeliverable")]


def test_a_letter_whose_sender_died_is_uncertain_and_then_goes_again(database, tmp_path):
    code = begin(tmp_path / "files", of_units=factories.units(communes=("a",)))
    queue(code, at("11 07:30"))
    claim(at("11 07:30"), "the one who dies")
    with transaction() as session:
        assert outbox.recover(session, now=at("11 07:34")) == 0
        assert outbox.recover(session, now=at("11 07:36")) == 1
    assert len(claim(at("11 07:36"), "another")) == 1


def test_what_a_sender_records_after_his_lease_ended_does_not_count(database, tmp_path):
    code = begin(tmp_path / "files", of_units=factories.units(communes=("a",)))
    queue(code, at("11 07:30"))
    claimed = claim(at("11 07:30"), "slow")
    with transaction() as session:
        outbox.recover(session, now=at("11 07:36"))
    assert claim(at("11 07:36"), "quick") == claimed
    record(claimed, at("11 07:37"), "permanent", by="slow")
    assert states() == ["sending"]
    record(claimed, at("11 07:37") + timedelta(seconds=1), by="quick")
    assert states() == ["sent"]
