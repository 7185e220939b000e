"""Letters over Zalo: on to the next channel, to a person where nobody knows, held where set up wrong."""

from collections.abc import Iterator

import pytest

from config.script_file import Verb
from models.bounces import CameBack, record_bounces
from models.database import transaction
from models.settling import NoLongerTrue, NotUncertain, drop_uncertain, resend, send_uncertain
from notifications.mailbox import Mailbox
from notifications.zalo.fake import FakeGroup, FakeZalo
from rules.notices import NoticeKind
from tests import worlds, zalo
from tests.walking import Walk, at, begin, change, rows
from tests.zalo import LAST_DAY, UID, Clock, Given


@pytest.fixture
def fake() -> Iterator[FakeZalo]:
    with FakeZalo(clock=Clock(LAST_DAY)) as server:
        zalo.know(server)
        yield server


@pytest.fixture
def mailbox(tmp_path) -> Iterator[Mailbox]:
    with Mailbox(tmp_path / "mailbox") as opened:
        yield opened


@pytest.fixture
def walk(database, tmp_path, mailbox) -> Walk:
    """A campaign of one commune whose officer has linked his account; the last reminder waits for Zalo."""

    def make() -> None:
        zalo.remind(begin(tmp_path / "files", mailbox, of_units=zalo.units(a=UID)))

    worlds.once("reminded over Zalo", mailbox, make)
    return Walk("mau-2021", mailbox)


def mailed(walk: Walk) -> list[str]:
    """Return the subjects of the last day's mails to the officer."""
    return [mail["Subject"] for mail in walk.mails() if mail["To"].addresses[0].username == "a"][3:]


def alarms(walk: Walk) -> list[str]:
    """Return the subjects of what the standing office was alarmed with."""
    return [m["Subject"] for m in walk.mails() if m["Subject"].startswith("[") and "Zalo" in m["Subject"]] + [
        m["Subject"] for m in walk.mails() if "Chưa rõ" in m["Subject"]
    ]


def test_the_last_day_goes_over_zalo_and_not_by_mail_too(walk, fake):
    assert zalo.deliver(walk, fake) == {"accepted": 1}
    assert [(each.host, each.to) for each in fake.received] == [("oa", UID)]
    assert zalo.letters() == [("zalo", "sent")]
    assert mailed(walk) == []
    assert walk.told("dossier/a", "reminder")[-1] == ("11-19 07:30", "before:0", "a.1")


def test_what_fails_for_good_goes_over_the_next_channel_at_once(walk, fake):
    fake.users[UID].restricted = True
    assert zalo.deliver(walk, fake) == {"accepted": 1, "permanent": 1}
    assert zalo.letters() == [("zalo", "failed"), ("email", "sent")]
    assert len(mailed(walk)) == 1
    assert walk.told("dossier/a", "reminder")[-1] == ("11-19 07:30", "before:0", "a.1")
    assert rows("SELECT follows FROM letters WHERE follows IS NOT NULL") == [("next_channel",)]


def test_what_fails_over_every_channel_is_told_the_standing_office_once(walk, fake):
    fake.users[UID].restricted = True
    change("UPDATE contacts SET email = NULL WHERE code = 'a.1'")
    zalo.deliver(walk, fake)
    walk.visit("2021-11-19 07:45")
    assert zalo.letters() == [("zalo", "failed")]
    told = [m for m in walk.mails() if "Chưa gửi được" in m["Subject"]]
    assert len(told) == 1
    assert "không gửi được qua kênh nào" in told[0].get_body(("plain",)).get_content()


def test_a_passing_failure_is_tried_again_over_the_same_channel(walk, fake):
    fake.faults.next(-214)
    assert zalo.deliver(walk, fake) == {"transient": 1}
    assert zalo.letters() == [("zalo", "queued")]
    assert zalo.deliver(walk, fake, "2021-11-19 07:31") == {"accepted": 1}
    assert zalo.letters() == [("zalo", "sent")]
    assert len(fake.received) == 1


def test_an_unknown_code_is_tried_twice_more_then_shown_and_the_next_channel_taken(walk, fake):
    fake.faults.next_many([-9999] * 5)
    for moment in ("07:30", "07:31", "07:36", "07:51", "08:52"):
        zalo.deliver(walk, fake, f"2021-11-19 {moment}")
    sends = [call for call in fake.calls if call.path == "/v3.0/oa/message/cs"]
    assert len(sends) == 3
    assert zalo.letters() == [("zalo", "failed"), ("email", "sent")]
    walk.visit("2021-11-19 09:00")
    assert [s for s in alarms(walk) if "không được chấp nhận" in s] != []


@pytest.mark.parametrize(
    ("code", "moment"),
    [
        pytest.param(-211, "2021-11-22 07:30", id="tomorrow-is-a-saturday"),
        pytest.param(-234, "2021-11-22 07:30", id="morning"),
        pytest.param(-32, "2021-11-19 07:31", id="next-minute"),
    ],
)
def test_what_is_put_off_keeps_to_the_sending_windows(walk, fake, code, moment):
    fake.faults.next(code)
    zalo.deliver(walk, fake)
    for quiet in ("2021-11-19 07:30", "2021-11-20 09:00", "2021-11-21 09:00"):
        if quiet < moment:
            zalo.deliver(walk, fake, quiet)
            assert fake.received == []
    walk.tick(moment)
    zalo.deliver(walk, fake, moment)
    (went,) = fake.received
    # Over the weekend the deadline has closed, and the reminder says so.
    tag = "[Hạn hôm nay]" if moment == "2021-11-19 07:31" else "[Đã qua thời hạn]"
    assert went.body["message"]["text"].startswith(tag)


@pytest.mark.parametrize("fault", ["hang", "drop", "http", "html", "empty"])
def test_what_may_have_gone_is_held_and_shown_and_never_sent_again_unasked(walk, fake, fault):
    spoil = {"hang": (1.5,), "http": (503,)}.get(fault, ())
    getattr(fake.faults, fault)(*spoil)
    assert zalo.deliver(walk, fake) == {"unknown": 1}
    for moment in ("07:35", "08:35", "10:00"):
        walk.tick(f"2021-11-19 {moment}")
        zalo.deliver(walk, fake, f"2021-11-19 {moment}")
    assert len(fake.received) == 1
    assert zalo.letters() == [("zalo", "uncertain")]
    assert mailed(walk) == []
    assert len([s for s in alarms(walk) if "Chưa rõ" in s]) == 1


def uncertain(walk, fake) -> int:
    """Leave the officer's letter uncertain and return its number."""
    fake.faults.drop()
    zalo.deliver(walk, fake)
    ((number,),) = rows("SELECT id FROM letters WHERE state = 'uncertain'")
    return number


def test_a_person_has_an_uncertain_letter_sent_once_more(walk, fake):
    number = uncertain(walk, fake)
    with transaction() as session:
        send_uncertain(session, number, at=at("2021-11-19 08:00"), by="MẪU")
    assert zalo.deliver(walk, fake, "2021-11-19 08:00")["accepted"] >= 1
    assert zalo.letters() == [("zalo", "sent")]
    assert rows("SELECT repeats FROM letters WHERE id = :id", id=number) == [(1,)]
    assert rows("SELECT done_by FROM journal WHERE what = 'letter_sent_again'") == [("MẪU",)]
    with transaction() as session, pytest.raises(NotUncertain):
        send_uncertain(session, number, at=at("2021-11-19 08:00"), by="MẪU")


def test_what_is_no_longer_true_is_not_sent_once_more(walk, fake):
    number = uncertain(walk, fake)
    walk.do(Verb.SUBMIT, "2021-11-19 07:50", "a")
    with transaction() as session:
        send_uncertain(session, number, at=at("2021-11-19 08:00"), by="MẪU")
    zalo.deliver(walk, fake, "2021-11-19 08:00")
    assert zalo.letters()[0] == ("zalo", "suppressed")
    assert len(fake.received) == 1


def test_a_person_drops_an_uncertain_letter(walk, fake):
    number = uncertain(walk, fake)
    with transaction() as session:
        drop_uncertain(session, number, at=at("2021-11-19 08:00"), by="MẪU")
    zalo.deliver(walk, fake, "2021-11-19 08:00")
    assert zalo.letters() == [("zalo", "failed")]
    assert walk.steps("dossier/a", "failed") == ["before:0"]
    assert len(fake.received) == 1


def test_a_letter_is_resent_with_what_is_true_now_and_not_when_nothing_is(walk, fake):
    zalo.deliver(walk, fake)
    ((number,),) = rows("SELECT id FROM letters WHERE channel = 'zalo'")
    with transaction() as session:
        resend(session, number, at=at("2021-11-19 09:00"), by="MẪU")
    zalo.deliver(walk, fake, "2021-11-19 09:00")
    assert [each.to for each in fake.received] == [UID, UID]
    walk.do(Verb.SUBMIT, "2021-11-19 09:30", "a")
    with transaction() as session, pytest.raises(NoLongerTrue):
        resend(session, number, at=at("2021-11-19 09:40"), by="MẪU")


def test_a_mail_is_resent_under_its_own_id_and_marked(database, tmp_path, mailbox):
    walk = begin(tmp_path / "files", mailbox, of_units=zalo.units(a=UID))
    walk.visit("2021-11-16 07:30")
    ((number,),) = rows("SELECT id FROM letters WHERE kind = 'reminder'")
    with transaction() as session:
        resend(session, number, at=at("2021-11-16 09:00"), by="MẪU")
    walk.deliver("2021-11-16 09:00")
    first, again = [mail for mail in walk.mails() if "Nhắc hạn" in mail["Subject"]]
    assert first["Message-ID"] == again["Message-ID"]
    assert (first["X-Congnhan-Repeat"], again["X-Congnhan-Repeat"]) == (None, "1")


def test_a_channel_that_is_set_up_wrongly_is_held_for_everybody_and_alarms_once(database, tmp_path, fake):
    uids = {code: f"{UID}{code}" for code in ("a", "b", "c")}
    for uid in uids.values():
        zalo.know(fake, uid)
    with Mailbox(tmp_path / "mailbox") as mailbox:
        walk = begin(tmp_path / "files", mailbox, of_units=zalo.units(**uids))
        fake.faults.next_many([-224, -224])
        zalo.remind(walk)
        for moment in ("07:30", "07:31", "07:34", "07:35", "07:36"):
            zalo.deliver(walk, fake, f"2021-11-19 {moment}")
            walk.tick(f"2021-11-19 {moment}")
        sends = [call for call in fake.calls if call.path == "/v3.0/oa/message/cs"]
        assert len(sends) == 2  # one letter found it out, one tried again after five minutes
        assert [zalo.letters(code) for code in uids] == [[("zalo", "queued")]] * 3
        zalo.deliver(walk, fake, "2021-11-19 07:41")
        assert sorted(each.to for each in fake.received) == sorted(uids.values())
        assert rows("SELECT COUNT(*) FROM channel_holds") == [(0,)]
        assert len([s for s in alarms(walk) if "tạm dừng" in s]) == 1
        assert [mail for mail in walk.mails() if "Hạn hôm nay" in mail["Subject"]] == []


def test_without_consent_the_channel_is_held_and_nothing_falls_back(walk, fake):
    assert zalo.deliver(walk, fake, tokens=Given(None)) == {"configuration": 1}
    assert zalo.letters() == [("zalo", "queued")]
    assert rows("SELECT channel FROM channel_holds") == [("zalo",)]


def test_letters_for_a_channel_that_is_set_up_no_more_are_held_not_forgotten(walk, fake):
    walk.deliver(LAST_DAY)
    assert rows("SELECT channel FROM channel_holds") == [("zalo",)]
    walk.visit("2021-11-19 07:40")
    assert len([s for s in alarms(walk) if "tạm dừng" in s]) == 1


def test_a_refused_token_is_renewed_once_and_the_letter_sent_once(walk, fake):
    stale, good = fake.pair()[0], fake.pair()[0]
    fake.state.grants[0].access_until = at("2021-11-18 07:30")
    tokens = Given(stale, good)
    assert zalo.deliver(walk, fake, tokens=tokens) == {"accepted": 1}
    assert (tokens.refused, len(fake.received)) == ([stale], 1)


def test_a_number_alone_is_reached_by_template_where_there_is_one(database, tmp_path, fake):
    zalo.reachable(fake)
    of_units = zalo.units(a=None)
    of_units[-1]["contacts"][0]["phone"] = "0987 654 321"
    with Mailbox(tmp_path / "mailbox") as mailbox:
        walk = begin(tmp_path / "files", mailbox, of_units=of_units)
        zalo.remind(walk, by_phone=(NoticeKind.REMINDER,))
        zalo.deliver(walk, fake, reminder=zalo.template(fake))
        (message,) = fake.received
    assert (message.host, message.to) == ("zbs", "84987654321")
    assert message.body["template_data"] == {
        "don_vi": "Ủy ban nhân dân xã MẪU a",
        "han": "trước 22/11/2021",
        "nhan_den": "17:00 19/11/2021",
    }
    assert rows("SELECT way, text FROM letters WHERE channel = 'zalo'")[0][0] == "zalozbs_phone"


def test_what_must_go_by_official_mail_goes_there_besides(database, tmp_path, fake):
    with Mailbox(tmp_path / "mailbox") as mailbox:
        walk = zalo.opened(tmp_path / "files", mailbox)
        zalo.deliver(walk, fake, "2021-11-11 07:30")
        assert [each.to for each in fake.received] == [UID]
        assert [mail["To"].addresses[0].username for mail in walk.mails()] == ["a"]


def test_where_the_mail_besides_has_gone_a_failed_message_needs_no_second_one(database, tmp_path, fake):
    fake.users[UID].restricted = True
    with Mailbox(tmp_path / "mailbox") as mailbox:
        walk = zalo.opened(tmp_path / "files", mailbox)
        zalo.deliver(walk, fake, "2021-11-11 07:30")
        walk.visit("2021-11-11 08:00")
        assert [mail["To"].addresses[0].username for mail in walk.mails()] == ["a"]


def test_what_concerns_one_unit_is_never_said_in_a_group(database, tmp_path, fake):
    fake.groups["g1"] = FakeGroup()
    with Mailbox(tmp_path / "mailbox") as mailbox:
        walk = begin(tmp_path / "files", mailbox, of_units=zalo.units(a="group:g1"))
        zalo.remind(walk)
        zalo.deliver(walk, fake)
        assert fake.received == []
        assert zalo.letters() == [("zalo", "failed"), ("email", "sent")]


def test_a_mail_that_comes_back_is_failed_and_told_and_said_over_the_next_channel(database, tmp_path, fake):
    order = {"default": ["email", "zalo"], "urgent": ["email", "zalo"]}
    with Mailbox(tmp_path / "mailbox") as mailbox:
        walk = begin(tmp_path / "files", mailbox, of_units=zalo.units(a=UID), channels=order)
        zalo.remind(walk)
        zalo.deliver(walk, fake)
        assert zalo.letters() == [("email", "sent")]
        ((name, address),) = rows(
            "SELECT message_id, address FROM letters WHERE kind = 'reminder' ORDER BY id DESC LIMIT 1"
        )
        report = CameBack(name, address.upper(), "5.1.1", "MẪU")
        for count in (1, 0):  # read again it changes nothing
            with transaction() as session:
                assert record_bounces(session, [report], at=at("2021-11-19 08:00")) == count
        stranger = CameBack(name, "khac@mau.example", "5.1.1", "MẪU")
        with transaction() as session:
            assert record_bounces(session, [stranger], at=at("2021-11-19 08:00")) == 0
        walk.tick("2021-11-19 08:00")
        zalo.deliver(walk, fake, "2021-11-19 08:00")
        assert zalo.letters() == [("email", "failed"), ("zalo", "sent")]
        assert [each.to for each in fake.received] == [UID]
        told = [mail for mail in walk.mails() if "Chưa gửi được" in mail["Subject"]]
        assert ["thư bị trả lại" in mail.get_body(("plain",)).get_content() for mail in told] == [True]
