"""People and units over time: places taken, deputies, lists brought up to date, codes used again."""

from datetime import date
from pathlib import Path

import pytest

from config.campaign_file import read_directory
from config.script_file import Verb
from models.campaigns import get_campaign, open_campaign
from models.database import transaction
from models.directory import NobodyLeft, update_directory
from models.permits import FromTheFuture
from models.replacements import DaysBackwards, DeputyOfHimself, UnknownPerson
from notifications.mailbox import Mailbox
from tests import factories
from tests.walking import Walk, at, begin, begun, rows


@pytest.fixture
def mailbox(tmp_path: Path):
    with Mailbox(tmp_path / "mail") as open_box:
        yield open_box


@pytest.fixture
def walk(database, tmp_path, mailbox) -> Walk:
    return begun(tmp_path / "files", mailbox)


def replaced(walk: Walk, moment: str, person: str = "MẪU a") -> None:
    """Let a new officer of commune a take a person's place."""
    walk.do(
        Verb.REPLACE_CONTACT,
        moment,
        "a",
        person=person,
        name="MẪU new",
        title="chuyên viên",
        email="new@mau.example",
    )


def deputised(walk: Walk, first: str, last: str | None, name: str | None = "MẪU deputy") -> None:
    walk.do(
        Verb.DEPUTISE,
        "2021-11-12 09:00",
        "a",
        person="MẪU a.head",
        first_day=date.fromisoformat(first),
        last_day=date.fromisoformat(last) if last else None,
        name=name,
        title="Phó Chủ tịch",
        email="deputy@mau.example",
    )


def test_who_takes_over_is_told_what_comes_and_nothing_old(walk):
    walk.visit("2021-11-16 07:30")
    replaced(walk, "2021-11-17 09:00")
    walk.visit("2021-11-17 09:00", "2021-11-18 07:30")
    assert walk.letters("a") == [("11-11 07:30", "a"), ("11-16 07:30", "a")]
    assert walk.letters("new") == [("11-18 07:30", "new")]


def test_a_letter_that_was_queued_goes_to_the_new_address(walk):
    walk.tick("2021-11-16 07:30")
    replaced(walk, "2021-11-16 07:31")
    walk.visit("2021-11-16 07:32")
    assert walk.letters("a") == [("11-11 07:30", "a")]
    assert walk.letters("new") == [("11-16 07:32", "new")]


def test_what_was_said_stays_said_to_whom_it_was_said(walk):
    replaced(walk, "2021-11-17 09:00")
    assert walk.told("dossier/a") == [("11-11 07:30", "opening", "a.1")]
    assert rows("SELECT name, left_at IS NULL FROM contacts WHERE code IN ('a.1', 'a.3') ORDER BY code") == [
        ("MẪU a", False),
        ("MẪU new", True),
    ]


@pytest.mark.parametrize(
    ("day", "whom"),
    [("2021-11-23", "a.head"), ("2021-11-22", "deputy")],
    ids=["the-day-after", "the-last-day"],
)
def test_a_deputy_stands_in_until_his_last_day(walk, day, whom):
    deputised(walk, "2021-11-15", "2021-11-22")
    walk.visit(f"{day} 08:30")
    assert [person for _, person in walk.letters() if person in ("a.head", "deputy")] == [whom]


@pytest.mark.parametrize(
    ("first", "whom"), [("2021-11-22", "deputy"), ("2021-11-23", "a.head")], ids=["first-day", "day-before"]
)
def test_a_deputy_stands_in_from_his_first_day(walk, first, whom):
    deputised(walk, first, None)
    walk.visit("2021-11-22 08:30")
    assert [person for _, person in walk.letters() if person in ("a.head", "deputy")] == [whom]


def test_who_is_absent_without_a_deputy_is_replaced_by_the_standing_office(walk):
    deputised(walk, "2021-11-15", None, name=None)
    walk.visit("2021-11-22 08:30")
    assert walk.told("dossier/a", "escalation") == [("11-22 08:30", "after:0", "standing.1")]


def test_a_deputy_who_is_absent_himself_stands_in_for_nobody(walk):
    deputised(walk, "2021-11-15", None)
    walk.do(
        Verb.DEPUTISE, "2021-11-15 09:00", "a", person="MẪU deputy", first_day=date(2021, 11, 22), name=None
    )
    walk.visit("2021-11-22 08:30")
    assert walk.told("dossier/a", "escalation") == [("11-22 08:30", "after:0", "standing.1")]


@pytest.mark.parametrize(
    ("facts", "refusal"),
    [
        ({"person": "nobody"}, UnknownPerson),
        ({"name": "MẪU a.head"}, DeputyOfHimself),
        ({"last_day": date(2021, 11, 1)}, DaysBackwards),
        ({"happened_at": at("2021-11-30 09:00")}, FromTheFuture),
    ],
    ids=["unknown", "himself", "backwards", "future"],
)
def test_an_absence_that_cannot_be_is_refused_and_nothing_changed(walk, facts, refusal):
    before = rows("SELECT * FROM contacts ORDER BY id")
    usual = {"person": "MẪU a.head", "first_day": date(2021, 11, 22), "name": "MẪU deputy"}
    with pytest.raises(refusal):
        walk.do(Verb.DEPUTISE, "2021-11-12 09:00", "a", **(usual | facts))
    assert rows("SELECT * FROM contacts ORDER BY id") == before


def renewed(walk: Walk, folder: Path, of_units: list, moment: str = "2021-11-17 09:00") -> None:
    path = factories.write_campaign(folder, of_units=of_units).with_name("units.yaml")
    with transaction() as session:
        update_directory(
            session,
            get_campaign(session, walk.code),
            read_directory(path),
            directory="city",
            today=at(moment).date(),
            at=at(moment),
            recorded_at=at(moment),
            by="MẪU",
        )


def frozen() -> list[tuple]:
    return rows(
        "SELECT g.name FROM campaign_groups c JOIN residential_groups g ON g.id = c.group_id ORDER BY g.id"
    )


def with_groups(*names: str) -> list:
    return [*factories.units(communes=("b",)), factories.unit("a", groups=list(names))]


def test_groups_are_merged_and_split_while_the_campaign_keeps_its_list(database, tmp_path, mailbox):
    walk = begin(tmp_path / "files", mailbox, of_units=with_groups("Tổ 1", "Tổ 2", "Tổ 3"))
    renewed(walk, tmp_path / "merged", with_groups("Tổ 1", "Tổ 4"))
    renewed(walk, tmp_path / "split", with_groups("Tổ 1", "Tổ 2", "Tổ 5"), "2021-11-18 09:00")
    assert frozen() == [("Tổ 1",), ("Tổ 2",), ("Tổ 3",)]
    present = "SELECT name FROM residential_groups WHERE closed_on IS NULL ORDER BY position"
    assert rows(present) == [("Tổ 1",), ("Tổ 2",), ("Tổ 5",)]
    # The name was used again for another group; the one of the campaign stays the old one.
    assert rows("SELECT COUNT(*) FROM residential_groups WHERE name = 'Tổ 2'") == [(2,)]


def test_a_list_that_leaves_a_unit_without_an_officer_is_refused(walk, tmp_path):
    before = rows("SELECT * FROM contacts ORDER BY id")
    alone = factories.unit("a", contacts=[factories.contact("a.head", "unit_head")])
    with pytest.raises(NobodyLeft) as refused:
        renewed(walk, tmp_path / "new", [*factories.units(communes=("b",)), alone])
    assert refused.value.unit == "a"
    assert rows("SELECT * FROM contacts ORDER BY id") == before


def test_two_offices_may_use_one_code_for_two_bodies(database, tmp_path):
    for code, organiser in (("one", "city"), ("two", "town")):
        of_units = factories.units(communes=("a",))
        of_units[0]["code"] = organiser
        of_units[-1]["name"] = f"xã MẪU {organiser}"
        file = factories.campaign(tmp_path / code, of_units, code=code, organiser=organiser)
        with transaction() as session:
            open_campaign(session, file, at=at("2021-11-11 07:30"), by=None)
    assert rows("SELECT directory, name FROM units WHERE code = 'a' ORDER BY directory") == [
        ("city", "xã MẪU city"),
        ("town", "xã MẪU town"),
    ]


def test_codes_and_names_used_again_on_1_7_2025_are_other_units(database, tmp_path):
    """03408 was phường Đông Phong and is phường Tân Phong, a name that was another ward's before."""
    for year, of_communes in (
        ("2021", [("dong-phong", "phường Đông Phong", "03408"), ("tan-phong", "phường Tân Phong", "03387")]),
        ("2025", [("tan-phong", "phường Tân Phong", "03408")]),
    ):
        begun = "2021-02-01" if year == "2021" else "2025-07-01"
        communes = [
            factories.unit(code, name=name, official_code=official, valid_from=begun)
            for code, name, official in of_communes
        ]
        file = factories.campaign(tmp_path / year, [*factories.units(communes=()), *communes], code=year)
        with transaction() as session:
            open_campaign(session, file, at=at("2021-11-11 07:30"), by=None)
    kept = "SELECT code, official_code, CAST(valid_from AS TEXT) FROM units WHERE official_code IS NOT NULL"
    assert sorted(rows(kept)) == [
        ("dong-phong", "03408", "2021-02-01"),
        ("tan-phong", "03387", "2021-02-01"),
        ("tan-phong", "03408", "2025-07-01"),
    ]
    owing = (
        "SELECT p.unit_id FROM campaign_units p JOIN units u ON u.id = p.unit_id WHERE u.code = 'tan-phong'"
    )
    assert len({row[0] for row in rows(owing)}) == 2
