"""Where other programs fail with sending: doubles, losses, and letters that say what is no longer so."""

import threading
from contextvars import copy_context
from datetime import timedelta

import pytest
from sqlalchemy import text

from config.campaign_file import read_campaign
from config.script_file import Verb
from flows.campaign import tick
from flows.delivery import deliver_letters
from models.campaigns import get_campaign
from models.database import transaction
from models.directory import update_directory
from models.due_steps import Gate
from models.facts import letters_to_say
from models.leases import take
from models.outbox import claim, recover
from models.outcomes import Said, Tried, record
from notifications.compose import compose
from notifications.mailbox import Mailbox
from rules.calendar import By
from rules.sending import Outcome
from tests import factories
from tests.posting import deliver as send
from tests.walking import FROM, OPEN_GATE, at, begin, begun, rows


@pytest.fixture
def mailbox(tmp_path):
    with Mailbox(tmp_path / "mail") as opened:
        yield opened


@pytest.fixture
def walk(database, tmp_path, mailbox):
    """Communes a and b, open since Thursday 11/11/2021, due before Monday the 22nd."""
    return begun(tmp_path / "files", mailbox)


def together(*jobs):
    """Run jobs at one instant, each in a thread of its own, and return their results."""
    start, results = threading.Barrier(len(jobs)), [None] * len(jobs)

    def run(place, job):
        start.wait()
        results[place] = job()

    threads = [
        threading.Thread(target=copy_context().run, args=(run, place, job)) for place, job in enumerate(jobs)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.parametrize("moment", ["2021-11-16 07:30", "2021-11-25 08:30"])
def test_two_ticks_at_once_double_nothing(walk, moment):
    reports = together(*[lambda: tick(at(moment), gate=OPEN_GATE)] * 2)
    assert any(report.is_alone for report in reports)
    assert [report.failed for report in reports] == [(), ()]
    keys = rows("SELECT about, step, contact_id, deadline_id FROM notices WHERE step <> '-'")
    assert len(keys) == len(set(keys)) > 0
    walk.deliver(moment)
    letters = walk.letters()[2:]
    assert len(letters) == len(set(letters)) > 0


def test_two_deliverers_at_once_double_nothing(database, tmp_path, mailbox):
    communes = tuple(f"c{n}" for n in range(60))
    walk = begin(tmp_path / "files", mailbox, of_units=factories.units(communes=communes))
    now, server = at("2021-11-16 07:30"), mailbox.server(FROM)
    walk.tick("2021-11-16 07:30")
    reports = together(*[lambda: deliver_letters(now, server)] * 3)
    assert sum(report.sent for report in reports) == 60
    assert sorted(walk.letters()[60:]) == sorted([("11-16 07:30", commune) for commune in communes])
    assert rows("SELECT state, COUNT(*) FROM letters GROUP BY state") == [("sent", 120)]


def send_oldest(walk, moment: str) -> Said:
    """Send the oldest letter as a deliverer does; returns what he has yet to write down."""
    with transaction() as session:
        campaigns = [row[0] for row in session.execute(text("SELECT id FROM campaigns"))]
        claimed = claim(
            session, now=at(moment), by="one", open_windows=campaigns, mail_domain="congnhan.example", limit=1
        )
    with transaction() as session:
        (letter,) = letters_to_say(
            session, claimed, now=at(moment), mail_domain="congnhan.example", link=None
        )
    message = compose(letter.says, from_name=None, to_address=letter.address)
    (receipt,) = send([message], walk.mailbox.server(FROM))
    assert receipt.outcome.value == "accepted"
    tried = Tried(receipt.outcome, receipt.code, receipt.provider_id, receipt.words)
    return Said(letter.letter_id, (tried,), "s", "t", "h")


def test_a_letter_whose_sender_died_is_seen_and_goes_again_as_the_same_letter(walk):
    walk.tick("2021-11-16 07:30")
    send_oldest(walk, "2021-11-16 07:30")
    walk.deliver("2021-11-16 07:34")
    assert rows("SELECT state, COUNT(*) FROM letters GROUP BY state ORDER BY state") == [
        ("sending", 1),
        ("sent", 3),
    ]
    walk.deliver("2021-11-16 07:36")
    twice = [str(mail["Message-ID"]) for mail in walk.mails() if mail["To"].startswith("MẪU a")][1:]
    assert len(twice) == 2
    assert twice[0] == twice[1]
    assert walk.told("dossier/a", "reminder") == [("11-16 07:36", "before:3", "a.1")]


def test_a_letter_whose_sender_died_does_not_go_again_once_it_is_untrue(walk):
    walk.tick("2021-11-16 07:30")
    send_oldest(walk, "2021-11-16 07:30")
    walk.do(Verb.SUBMIT, "2021-11-16 07:33", "a")
    walk.visit("2021-11-16 07:36")
    assert len(walk.letters("a")) == 3  # the opening, the reminder before the dossier, the receipt


def test_the_lock_of_a_killed_worker_holds_nobody_up_for_long(walk):
    with transaction() as session:
        assert take(session, "tick", "killed", at=at("2021-11-16 07:29"))
    assert not walk.tick("2021-11-16 07:30").is_alone
    walk.visit("2021-11-16 07:34")
    assert walk.told("dossier/a", "reminder") == [("11-16 07:34", "before:3", "a.1")]


def test_a_digest_that_could_not_leave_yesterday_is_the_one_of_today(database, tmp_path, mailbox):
    steps = [{"after": 0, "to": "chairman"}, {"repeat": {"every": 1, "until": 1}}]
    walk = begin(tmp_path / "files", mailbox, escalate=steps, remind=[])
    walk.tick("2021-11-22 16:50")
    walk.deliver("2021-11-22 17:10")  # too late for this day
    walk.visit("2021-11-23 07:30", "2021-11-23 08:30", "2021-11-24 07:30")
    assert walk.letters("chairman") == [("11-23 07:30", "chairman"), ("11-24 07:30", "chairman")]
    assert walk.steps("dossier/a", "said") == ["after:0", "after:1"]


def test_a_digest_that_was_emptied_does_not_use_up_the_day(walk):
    gate = Gate()
    walk.visit("2021-11-25 08:30", gate=gate)
    walk.do(Verb.RELEASE, "2021-11-25 12:00", "a", step="after:3")
    walk.tick("2021-11-25 12:00", gate)
    walk.do(Verb.SUBMIT, "2021-11-25 12:30", "a")
    walk.visit("2021-11-25 13:30", gate=gate)
    assert walk.letters("chairman") == []
    walk.do(Verb.RELEASE, "2021-11-25 14:00", "b", step="after:3")
    walk.visit("2021-11-25 14:00", gate=gate)
    assert walk.letters("chairman") == [("11-25 14:00", "chairman")]


def test_what_was_held_back_and_released_on_one_day_goes_on_that_day(walk):
    walk.tick("2021-11-25 08:30")
    walk.do(Verb.HOLD, "2021-11-25 08:31", reasons=("MẪU",))
    walk.visit("2021-11-25 08:32")
    walk.do(Verb.RELEASE, "2021-11-25 09:00")
    walk.visit("2021-11-25 09:00")
    assert walk.letters("chairman") == [("11-25 09:00", "chairman")]


def test_nobody_is_silent_before_he_could_read(database, tmp_path, mailbox):
    late = [{"after": 0, "to": "unit_head", "at": "20:00"}]
    walk = begin(tmp_path / "files", mailbox, escalate=late, remind=[])
    walk.visit("2021-11-22 20:00", "2021-11-22 20:30", "2021-11-23 00:00", "2021-11-23 07:30", gate=Gate())
    assert walk.letters("standing.head") == [("11-23 07:30", "standing.head")]
    assert walk.letters("a.head") == []
    walk.visit("2021-11-23 08:00", "2021-11-23 10:00", gate=Gate())
    assert len(walk.letters("a.head")) == 1


def test_nobody_is_silent_on_a_day_of_rest(walk):
    walk.visit("2021-11-27 09:00", "2021-11-27 10:00", "2021-11-28 10:00", "2021-11-29 07:30", gate=Gate())
    assert "standing.head" in {whom for _, whom in walk.letters()}
    assert walk.letters("a.head") == []


def test_what_waits_over_a_weekend_is_spoken_of_once(walk):
    gate = Gate()
    walk.visit("2021-11-25 08:30", "2021-11-26 08:30", gate=gate)
    before = len(walk.letters("standing.head"))
    walk.visit("2021-11-27 00:00", "2021-11-28 00:00", "2021-11-29 00:00", "2021-11-29 07:30", gate=gate)
    assert len(walk.letters("standing.head")) == before + 1


def test_nobody_is_asked_to_complete_what_he_has_completed(walk):
    walk.do(Verb.SUBMIT, "2021-11-15 09:00", "a")
    walk.visit("2021-11-15 09:00")
    walk.do(Verb.RETURN, "2021-11-15 18:00", "a", reasons=("thiếu biên bản",))
    walk.tick("2021-11-15 18:00")
    walk.do(Verb.SUBMIT, "2021-11-15 19:00", "a")
    walk.visit("2021-11-15 19:00", "2021-11-16 07:30")
    assert walk.told("dossier/a", "returned") == []


def test_of_two_extensions_in_one_night_the_last_is_spoken_of(walk):
    for number, until, clock in (("7/CV", "2021-11-24", "18:00"), ("8/CV", "2021-11-26", "19:00")):
        day = at(f"{until} 00:00").date()
        moment = f"2021-11-15 {clock}"
        walk.do(Verb.EXTEND, moment, "a", term=By(day), reasons=("MẪU",), number=number)
        walk.tick(moment)
    walk.visit("2021-11-16 07:30")
    assert len(walk.told("dossier/a", "extended")) == 1


def people(folder, *contacts):
    """Return units in which commune a has these people."""
    others = [each for each in factories.units() if each["code"] != "a"]
    return [*others, factories.unit("a", contacts=list(contacts))]


def renew(walk, folder, moment, *contacts):
    file = read_campaign(factories.write_campaign(folder, of_units=people(folder, *contacts)))
    now = at(moment)
    with transaction() as session:
        update_directory(
            session,
            get_campaign(session, walk.code),
            file.units,
            directory="city",
            today=now.date(),
            at=now,
            recorded_at=now,
            by=None,
        )


ONE, TWO = factories.contact("one", "officer"), factories.contact("two", "officer")
HEAD, NEW_HEAD = factories.contact("old.head", "unit_head"), factories.contact("new.head", "unit_head")


def test_who_stays_is_not_told_twice_for_his_colleague_who_has_gone(database, tmp_path, mailbox):
    walk = begin(tmp_path / "files", mailbox, of_units=people(tmp_path, ONE, TWO, HEAD))
    walk.tick("2021-11-16 07:30")
    renew(walk, tmp_path / "new", "2021-11-16 07:31", TWO, HEAD)
    walk.visit("2021-11-16 07:32")
    assert walk.letters("one") == [("11-11 07:30", "one")]
    assert walk.letters("two") == [("11-11 07:30", "two"), ("11-16 07:32", "two")]


def test_a_head_who_has_gone_is_not_written_to(database, tmp_path, mailbox):
    walk = begin(tmp_path / "files", mailbox, of_units=people(tmp_path, ONE, HEAD))
    walk.tick("2021-11-22 08:30")
    renew(walk, tmp_path / "new", "2021-11-22 08:31", ONE, NEW_HEAD)
    walk.visit("2021-11-22 08:32")
    assert walk.letters("old.head") == []
    assert walk.letters("new.head") == [("11-22 08:32", "new.head")]


def test_a_repeat_goes_to_the_last_recipient_even_where_no_step_before_it_fired(database, tmp_path, mailbox):
    walk = begin(
        tmp_path / "files",
        mailbox,
        stages={
            "self_assessment": {"opens_on": "2021-11-11", "due": {"before": "2021-11-22"}},
            "agency_review": {"due": {"by": "2021-11-24"}},
        },
        remind=[],
        escalate=[{"after": 0, "to": "standing_head"}, {"repeat": {"every": 2, "until": 8}}],
    )
    for unit in ("a", "b"):
        walk.do(Verb.SUBMIT, "2021-11-26 09:00", unit)
    walk.visit("2021-11-26 09:00", "2021-11-29 08:30")
    assert walk.told("review/x", "escalation") == [("11-29 08:30", "after:2", "standing.2")]


def test_what_has_left_was_said_whatever_happened_meanwhile(walk):
    walk.tick("2021-11-16 07:30")
    said = send_oldest(walk, "2021-11-16 07:30")
    walk.do(Verb.SUBMIT, "2021-11-16 07:31", "a")
    with transaction() as session:
        record(session, [said], by="one", at=at("2021-11-16 07:31"))
    assert walk.letters("a")[1:] == [("11-16 07:30", "a")]
    assert walk.told("dossier/a", "reminder") == [("11-16 07:31", "before:3", "a.1")]


def test_a_leader_whose_digest_was_on_its_way_hears_of_the_extension(walk):
    walk.tick("2021-11-22 08:30")
    said = send_oldest(walk, "2021-11-22 08:30")
    day = at("2021-11-26 00:00").date()
    walk.do(Verb.EXTEND, "2021-11-22 08:31", "a", term=By(day), reasons=("MẪU",), number="7/CV")
    with transaction() as session:
        record(session, [said], by="one", at=at("2021-11-22 08:31"))
    assert walk.letters("a.head") == [("11-22 08:30", "a.head")]
    walk.visit("2021-11-22 08:32", "2021-11-29 08:30")
    assert walk.told("dossier/a", "extended")[1:] == [("11-29 08:30", "extended", "a.2")]


def test_a_server_that_never_answers_is_not_written_to_for_ever(walk):
    walk.tick("2021-11-16 07:30")
    tries = 0
    for minute in range(0, 3 * 24 * 60, 10):
        moment = at("2021-11-16 07:30") + timedelta(minutes=minute)
        with transaction() as session:
            campaigns = [row[0] for row in session.execute(text("SELECT id FROM campaigns"))]
            recover(session, now=moment)
            claimed = claim(
                session, now=moment, by="one", open_windows=campaigns, mail_domain="congnhan.example", limit=1
            )
            unknown = [
                Said(each, (Tried(Outcome.UNKNOWN, words="no answer"),), "s", "t", "h")
                for each in claimed or []
            ]
            record(session, unknown, by="one", at=moment)
        tries += len(unknown)
    assert 1 < tries < 100


def test_on_resuming_only_the_newest_is_sent_whoever_comes_first(walk):
    walk.tick("2021-11-16 07:30")
    walk.do(Verb.SUSPEND, "2021-11-16 07:31", reasons=("MẪU",))
    walk.visit("2021-11-16 07:32", "2021-11-18 07:30", "2021-11-18 16:00")
    assert walk.letters("a") == [("11-11 07:30", "a")]
    walk.do(Verb.RESUME, "2021-11-18 16:10")
    walk.deliver("2021-11-18 16:10")  # the deliverer wakes before the tick
    walk.visit("2021-11-18 16:15")
    assert walk.told("dossier/a", "reminder") == [("11-18 16:15", "before:1", "a.1")]
