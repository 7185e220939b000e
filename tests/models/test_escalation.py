"""Escalation up the organisation: who is told instead of whom, and what is dropped."""

from pathlib import Path

import pytest

from config.script_file import Verb
from models.due_steps import Gate
from notifications.mailbox import Mailbox
from rules.calendar import By
from tests import factories
from tests.walking import Walk, at, begin, rows


@pytest.fixture
def mailbox(tmp_path: Path):
    with Mailbox(tmp_path / "mail") as open_box:
        yield open_box


def led(folder: Path, mailbox: Mailbox, escalate: list, **more) -> Walk:
    """A campaign with these steps after the deadline and none before it."""
    return begin(folder / "files", mailbox, escalate=escalate, remind=[], **more)


def addressed(walk: Walk, item: str = "dossier/a") -> list[tuple]:
    """What each step about an item became: step, role, to whom, state, copy."""
    return rows(
        """
        SELECT n.step, n.role, c.code, n.state, n.copy_no FROM notices n JOIN contacts c
        ON c.id = n.contact_id WHERE n.kind = 'escalation' AND n.about = :item ORDER BY n.due_at, n.copy_no
        """,
        item=item,
    )


def test_who_was_told_by_an_earlier_step_is_passed_over_for_the_one_above(database, tmp_path, mailbox):
    walk = led(tmp_path, mailbox, [{"after": 0, "to": "standing_head"}, {"after": 1, "to": "standing_head"}])
    walk.visit("2021-11-22 08:30", "2021-11-23 08:30")
    assert addressed(walk) == [
        ("after:0", "standing_head", "standing.2", "said", 0),
        ("after:1", "vice_chairman", "city.2", "said", 0),
    ]


def test_the_head_of_the_standing_office_is_one_man_in_two_roles(database, tmp_path, mailbox):
    """What his own office owes rises past him; what others owe he is told as always."""
    walk = led(tmp_path, mailbox, [{"after": 0, "to": "unit_head"}, {"after": 1, "to": "standing_head"}])
    walk.do(Verb.COMPLAIN, "2021-11-12 09:00", "a", subject="MẪU")
    walk.visit("2021-11-12 09:00", "2021-12-14 08:30", "2021-12-15 08:30")
    assert addressed(walk, "complaint/a.1") == [
        ("after:0", "unit_head", "standing.2", "said", 0),
        ("after:1", "vice_chairman", "city.2", "said", 0),
    ]


def test_who_owes_it_himself_is_passed_over(database, tmp_path, mailbox):
    group = factories.unit("a", "group", contacts=[factories.contact("a", "officer")])
    walk = led(
        tmp_path,
        mailbox,
        [{"after": 0, "to": "unit_head"}],
        of_units=[*factories.units(communes=()), group],
        stages={
            "self_assessment": {
                "opens_on": "2021-11-11",
                "due": {"before": "2021-11-22"},
                "dossier_of": "group",
            },
            "agency_review": {"due": {"within_working_days": 7, "from": "stage"}},
        },
    )
    walk.visit("2021-11-22 08:30")
    assert addressed(walk) == [("after:0", "standing_head", "standing.2", "said", 0)]


def test_at_the_top_a_step_is_dropped_seen_and_journaled_once(database, tmp_path, mailbox):
    walk = led(
        tmp_path,
        mailbox,
        [
            {"after": 0, "to": "chairman"},
            {"after": 1, "to": "chairman", "copy": ["office"]},
            {"after": 2, "to": "vice_chairman"},
        ],
    )
    walk.visit("2021-11-22 08:30", "2021-11-23 08:30", "2021-11-23 09:00", "2021-11-24 08:30")
    assert addressed(walk) == [
        ("after:0", "chairman", "city.1", "said", 0),
        ("after:1", "chairman", "city.1", "suppressed", 0),
        ("after:2", "vice_chairman", "city.2", "said", 0),
    ]
    assert rows("SELECT reason FROM notices WHERE step = 'after:1' AND about = 'dossier/a'") == [
        ("at_the_top",)
    ]
    assert rows("SELECT unit FROM journal WHERE what = 'step_dropped' ORDER BY unit") == [("a",), ("b",)]


def test_a_copy_goes_to_nobody_who_is_addressed_or_has_one(database, tmp_path, mailbox):
    leaders = [factories.contact("chairman", "chairman")]  # no office: its copy falls to the standing office
    of_units = [
        factories.unit("city", "government", name="Ủy ban nhân dân MẪU", contacts=leaders),
        *factories.units()[1:],
    ]
    copies = ["chairman", "office", "standing_office"]
    walk = led(tmp_path, mailbox, [{"after": 0, "to": "chairman", "copy": copies}], of_units=of_units)
    walk.visit("2021-11-22 08:30")
    assert addressed(walk) == [
        ("after:0", "chairman", "city.1", "said", 0),
        ("after:0", "office", "standing.1", "said", 2),
    ]


def test_what_repeats_goes_to_whoever_the_last_step_went_to(database, tmp_path, mailbox):
    steps = [
        {"after": 0, "to": "standing_head"},
        {"after": 1, "to": "standing_head"},
        {"repeat": {"every": 1, "until": 3}},
    ]
    walk = led(tmp_path, mailbox, steps)
    walk.visit("2021-11-22 08:30", "2021-11-23 08:30", "2021-11-24 08:30", "2021-11-25 08:30")
    assert [(step, whom) for step, _, whom, _, _ in addressed(walk)] == [
        ("after:0", "standing.2"),
        ("after:1", "city.2"),
        ("after:2", "city.2"),
        ("after:3", "city.2"),
    ]


def test_grace_delays_escalation_and_not_lateness(database, tmp_path, mailbox):
    walk = led(tmp_path, mailbox, [{"after": 0, "to": "unit_head"}], grace_working_days=2)
    walk.visit("2021-11-22 08:30", "2021-11-23 08:30")
    assert addressed(walk) == []
    walk.visit("2021-11-24 08:30")
    assert [row[0] for row in addressed(walk)] == ["after:0"]
    assert {row[0] for row in rows("SELECT version FROM deadlines WHERE stage = 'self_assessment'")} == {1}
    walk.do(Verb.SUBMIT, "2021-11-22 09:00", "a")
    assert '"late": true' in rows("SELECT CAST(detail AS TEXT) FROM journal WHERE what = 'handed_in'")[0][0]


def test_a_step_that_rises_takes_the_gate_of_the_level_it_has_risen_to(database, tmp_path, mailbox):
    """To the standing head it goes by itself; to the vice-chairman only when he lets it."""
    walk = led(tmp_path, mailbox, [{"after": 0, "to": "standing_head"}, {"after": 1, "to": "standing_head"}])
    walk.visit("2021-11-22 08:30", "2021-11-23 08:30", "2021-11-23 10:00", gate=Gate())
    assert [(step, state) for step, _, _, state, _ in addressed(walk)] == [
        ("after:0", "said"),
        ("after:1", "waiting_release"),
    ]


def test_a_leader_of_two_roles_reads_one_letter_a_day(database, tmp_path, mailbox):
    """The head of the standing office hears of his own complaint and of the communes in one letter."""
    walk = led(tmp_path, mailbox, [{"after": 0, "to": "unit_head"}, {"after": 1, "to": "standing_head"}])
    walk.do(Verb.COMPLAIN, "2021-11-12 09:00", "b", subject="MẪU", term=By(at("2021-11-22 00:00").date()))
    walk.visit("2021-11-22 08:30", "2021-11-23 08:30")
    lines = rows(
        "SELECT n.about, n.role FROM notices n JOIN contacts c ON c.id = n.contact_id"
        " WHERE c.code = 'standing.2' AND n.state = 'said' AND n.kind = 'escalation' ORDER BY n.about"
    )
    assert lines == [
        ("complaint/b.1", "unit_head"),
        ("dossier/a", "standing_head"),
        ("dossier/b", "standing_head"),
    ]
    assert walk.letters("standing.head") == [("11-23 08:30", "standing.head")]
