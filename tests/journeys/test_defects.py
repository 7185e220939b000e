"""Where other programs fail with reminders: each of their defects, looked for from outside."""

from datetime import timedelta

import pytest

from config.script_file import Verb
from notifications.mailbox import Mailbox
from rules.calendar import By
from tests import factories
from tests.walking import at, begin, begun, change, dated, rows

ONE_UNIT = factories.units(communes=("a",))


@pytest.fixture
def mailbox(tmp_path):
    with Mailbox(tmp_path / "mail") as opened:
        yield opened


@pytest.fixture
def walk(database, tmp_path, mailbox):
    """Communes a and b, open since Thursday 11/11/2021, due before Monday the 22nd."""
    return begun(tmp_path / "files", mailbox)


@pytest.mark.parametrize(
    ("missed_until", "said", "superseded"),
    [
        pytest.param("2021-11-16 15:00", "before:3", [], id="same-day"),
        pytest.param("2021-11-17 09:00", "before:3", [], id="a-day-late"),
        pytest.param("2021-11-18 09:00", "before:1", ["before:3"], id="overtaken"),
        pytest.param("2021-11-19 16:59", "before:0", ["before:3", "before:1"], id="last-minute"),
    ],
)
def test_a_missed_run_is_made_up_for_and_only_the_newest_is_sent(walk, missed_until, said, superseded):
    walk.visit(missed_until)
    assert walk.steps("dossier/a", "said") == [said]
    assert walk.steps("dossier/a", "superseded") == superseded
    assert walk.letters("a") == [("11-11 07:30", "a"), (missed_until[5:], "a")]


def test_a_machine_that_stood_still_past_the_deadline_speaks_to_the_head_and_reminds_nobody(walk):
    walk.visit("2021-11-22 08:30")
    assert walk.steps("dossier/a", "superseded") == ["before:3", "before:1", "before:0"]
    assert walk.told("dossier/a", "reminder", "escalation") == [("11-22 08:30", "after:0", "a.2")]


@pytest.mark.parametrize(
    ("opens_on", "due", "last_tick", "back", "said"),
    [
        pytest.param(
            "2024-01-22",
            "2024-02-15",
            "2024-02-01 16:00",
            "2024-02-19 09:00",
            [("02-19 09:00", "after:0", "a.2"), ("02-19 09:00", "after:1", "standing.2")],
            id="tet-2024",
        ),
        pytest.param(
            "2025-01-06",
            "2025-02-10",
            "2025-01-24 16:00",
            "2025-02-04 09:00",
            [("02-04 09:00", "before:3", "a.1")],
            id="tet-2025",
        ),
    ],
)
def test_an_outage_over_tet_loses_nothing_and_repeats_nothing(
    database, tmp_path, mailbox, opens_on, due, last_tick, back, said
):
    walk = begin(tmp_path / "f", mailbox, f"{opens_on} 07:30", **dated(opens_on, {"before": due}))
    walk.visit(last_tick)
    assert walk.told("dossier/a", "reminder", "escalation") == []
    walk.visit(back, back, back.replace("09:00", "09:15"))
    assert walk.told("dossier/a", "reminder", "escalation") == said


def test_the_steps_after_the_deadline_need_none_before_it(database, tmp_path, mailbox):
    walk = begin(tmp_path / "files", mailbox, remind=[])
    walk.visit("2021-11-19 07:30", "2021-11-22 08:30", "2021-11-23 08:30")
    assert walk.told("dossier/a", "reminder", "escalation") == [
        ("11-22 08:30", "after:0", "a.2"),
        ("11-23 08:30", "after:1", "standing.2"),
    ]


def test_the_steps_before_the_deadline_need_none_after_it(database, tmp_path, mailbox):
    walk = begin(tmp_path / "files", mailbox, escalate=[])
    walk.visit("2021-11-19 07:30", "2021-11-22 08:30", "2021-11-25 08:30")
    assert walk.told("dossier/a", "reminder") == [("11-19 07:30", "before:0", "a.1")]
    assert walk.told("dossier/a", "escalation") == []


def test_what_is_handed_in_at_night_is_not_reminded_of_in_the_morning(database, tmp_path, mailbox):
    walk = begin(tmp_path / "files", mailbox, remind=[{"before": 1, "at": "20:00"}])
    walk.visit("2021-11-18 20:00")
    assert rows("SELECT COUNT(*) FROM letters WHERE state = 'queued'") == [(2,)]
    walk.do(Verb.SUBMIT, "2021-11-18 21:00", "a")
    walk.deliver("2021-11-19 07:30")  # before the next tick
    assert walk.letters()[2:] == [("11-19 07:30", "b")]
    walk.visit("2021-11-19 07:31")
    assert walk.letters("a")[1:] == [("11-19 07:31", "a")]  # the receipt
    assert walk.told("dossier/a", "reminder") == []


@pytest.mark.parametrize("verb", [Verb.WAIVE, Verb.CANCEL])
def test_nobody_is_reminded_of_what_was_waived_or_cancelled(walk, verb):
    walk.tick("2021-11-16 07:30")
    walk.do(verb, "2021-11-16 07:31", "a" if verb is Verb.WAIVE else None, reasons=("MẪU",))
    walk.visit("2021-11-16 07:32", "2021-11-19 07:30", "2021-11-22 08:30", "2021-11-25 08:30")
    assert walk.told("dossier/a", "reminder", "escalation") == []
    others = ["before:3", "before:0", "after:0", "after:1", "after:3", "after:3", "after:3"]
    assert walk.steps("dossier/b", "said") == ([] if verb is Verb.CANCEL else others)


def extend(walk, moment: str, until: str, number: str = "7/CV") -> None:
    day = at(f"{until} 00:00").date()
    walk.do(Verb.EXTEND, moment, "a", term=By(day), reasons=("MẪU",), number=number)


def test_an_extension_resets_the_reminders_and_sends_nothing_twice(walk):
    walk.visit("2021-11-16 07:30")
    extend(walk, "2021-11-17 09:00", "2021-11-26")
    walk.visit(*[f"2021-11-{day} 07:30" for day in range(17, 27)])
    assert walk.told("dossier/a", "reminder") == [
        ("11-16 07:30", "before:3", "a.1"),
        ("11-23 07:30", "before:3", "a.1"),
        ("11-25 07:30", "before:1", "a.1"),
        ("11-26 07:30", "before:0", "a.1"),
    ]
    assert walk.told("dossier/a", "escalation") == []
    assert walk.steps("dossier/b", "said")[:3] == ["before:3", "before:1", "before:0"]


def test_an_extension_before_a_leader_was_told_tells_him_nothing(walk):
    walk.visit("2021-11-22 08:30")
    extend(walk, "2021-11-22 15:00", "2021-11-26")
    walk.visit("2021-11-22 15:00", "2021-11-23 08:30", "2021-11-25 08:30")
    about = [row[2] for row in walk.told("dossier/a", "escalation", "extended")]
    assert about == ["a.2", "a.1"]  # the head before it, then the officer of the extension


def test_an_extension_after_a_leader_was_told_stands_in_his_next_digest(walk):
    walk.visit("2021-11-23 08:30")
    extend(walk, "2021-11-23 15:00", "2021-11-29")
    walk.visit("2021-11-23 15:00", "2021-11-24 08:30")
    assert walk.told("dossier/a", "extended") == [("11-23 15:00", "extended", "a.1")]
    walk.visit("2021-11-30 08:30", "2021-12-01 08:30")
    assert walk.told("dossier/a", "extended")[1:] == [
        ("11-30 08:30", "extended", "a.2"),
        ("12-01 08:30", "extended", "standing.2"),
    ]
    (digest,) = [mail for mail in walk.mails() if "standing.head" in mail["To"] and "01 Dec" in mail["Date"]]
    assert "gia hạn" in digest.get_body(("plain",)).get_content()


def test_a_returned_dossier_has_a_ladder_of_its_own(walk):
    walk.do(Verb.SUBMIT, "2021-11-15 09:00", "a")
    walk.visit("2021-11-15 09:00", "2021-11-16 07:30")
    walk.do(Verb.RETURN, "2021-11-16 10:00", "a", reasons=("thiếu biên bản",))
    walk.visit(*[f"2021-11-{day} 10:00" for day in (16, 17, 18, 19, 22, 23)])
    assert walk.told("dossier/a", "reminder", "escalation", "returned") == [
        ("11-16 10:00", "returned", "a.1"),
        ("11-18 10:00", "before:1", "a.1"),
        ("11-19 10:00", "before:0", "a.1"),
        ("11-22 10:00", "after:0", "a.2"),
        ("11-23 10:00", "after:1", "standing.2"),
    ]


def test_who_takes_over_is_told_and_who_has_gone_is_not(walk):
    walk.tick("2021-11-16 07:30")
    walk.do(
        Verb.REPLACE_CONTACT,
        "2021-11-16 07:31",
        "a",
        person="MẪU a",
        name="MẪU mới",
        title="chuyên viên",
        email="new@mau.example",
    )
    walk.visit("2021-11-16 07:32", "2021-11-18 07:30")
    assert walk.letters("a") == [("11-11 07:30", "a")]
    assert walk.letters("new") == [("11-16 07:32", "new"), ("11-18 07:30", "new")]


@pytest.mark.parametrize(
    ("due", "said"),
    [
        pytest.param(
            {"before": "2024-05-06"},
            ["04-26", "05-03", "05-04", "05-06", "05-07"],
            id="before-a-monday-after-a-worked-saturday",
        ),
        pytest.param(
            {"before": "2024-05-02"},
            ["04-23", "04-25", "04-26", "05-02", "05-03"],
            id="before-the-day-after-the-holiday-of-30-april",
        ),
    ],
)
def test_steps_fall_on_working_days_around_a_long_holiday(database, tmp_path, mailbox, due, said):
    walk = begin(tmp_path / "files", mailbox, "2024-04-15 07:30", **dated("2024-04-15", due))
    days = [at("2024-04-16 00:00") + timedelta(days=n) for n in range(23)]
    walk.visit(*[f"{day:%Y-%m-%d} {clock}" for day in days for clock in ("00:00", "07:30", "08:30", "16:45")])
    told = walk.told("dossier/a", "reminder", "escalation")
    assert [when[:5] for when, _, _ in told][:5] == said
    assert {when[6:] for when, _, _ in told} == {"07:30", "08:30"}


def test_a_working_day_after_a_friday_is_a_monday(database, tmp_path, mailbox):
    walk = begin(tmp_path / "files", mailbox, **dated("2021-11-11", {"before": "2021-11-19"}))
    walk.visit("2021-11-19 08:30", "2021-11-20 08:30", "2021-11-21 16:00", "2021-11-22 08:29")
    assert walk.steps("dossier/a", "said") == ["after:0"]
    walk.visit("2021-11-22 08:30")
    assert walk.told("dossier/a", "escalation")[1] == ("11-22 08:30", "after:1", "standing.2")


@pytest.mark.parametrize("clock", ["05:00", "12:00", "20:00"])
def test_a_step_outside_the_windows_is_put_off_and_not_dropped(database, tmp_path, mailbox, clock):
    walk = begin(tmp_path / "files", mailbox, remind=[{"before": 1, "at": clock}])
    walk.visit(f"2021-11-18 {clock}")
    assert walk.told("dossier/a", "reminder") == []
    opening = {"05:00": "11-18 07:30", "12:00": "11-18 13:30", "20:00": "11-19 07:30"}[clock]
    walk.visit(f"2021-{opening}")
    assert walk.told("dossier/a", "reminder") == [(opening, "before:1", "a.1")]


def test_a_broken_campaign_harms_no_other(database, tmp_path, mailbox):
    broken = begin(
        tmp_path / "one", mailbox, code="mau-broken", of_units=organised("thi-tran"), organiser="thi-tran"
    )
    sound = begin(tmp_path / "two", mailbox, code="mau-sound")
    weekend = begin(
        tmp_path / "three",
        mailbox,
        code="mau-weekend",
        of_units=organised("xa-khac"),
        calendar={"overrides": [{"date": "2021-11-20", "working": True, "source": "MẪU"}]},
        organiser="xa-khac",
    )
    broken.tick("2021-11-16 07:30")  # its letters are waiting when it breaks
    garbage = """files = '{"campaign.yaml": "garbage: ["}', files_hash = 'x'"""
    change(f"UPDATE campaigns SET {garbage} WHERE code = 'mau-broken'")
    report = sound.tick("2021-11-16 07:31")
    assert report.failed == ("mau-broken",)
    sound.visit("2021-11-16 07:31", "2021-11-20 07:30", "2021-11-22 08:30")
    assert broken.steps("dossier/a", "said") == []
    assert sound.told("dossier/a", "reminder", "escalation") == [
        ("11-16 07:31", "before:3", "a.1"),
        ("11-22 08:30", "after:0", "a.2"),
    ]
    assert weekend.told("dossier/a", "reminder", "escalation") == [
        ("11-20 07:30", "before:0", "a.1"),
        ("11-22 08:30", "after:0", "a.2"),
    ]
    failures = """
        SELECT DISTINCT c.code FROM journal j JOIN campaigns c ON c.id = j.campaign_id
        WHERE j.what = 'tick_failed'
    """
    assert rows(failures) == [("mau-broken",)]


def organised(organiser: str) -> list[dict]:
    """The usual units below another organiser."""
    city, *others = factories.units()
    return [city | {"code": organiser}, *others]
