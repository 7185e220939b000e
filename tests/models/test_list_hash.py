"""The hash of a frozen list: the same for the same content however it lies, another for any other."""

import pytest

from models.campaigns import get_campaign
from models.database import transaction
from models.results import freeze_list, list_hash
from notifications.mailbox import Mailbox
from tests import worlds
from tests.models.test_results import do, walked
from tests.walking import Walk, change, rows

NOW = "2021-11-22 09:00"
A1_AND_A2 = "(SELECT id FROM residential_groups WHERE name IN ('Bản MẪU a1', 'Bản MẪU a2'))"


@pytest.fixture
def walk(database, tmp_path) -> Walk:
    with Mailbox(tmp_path / "mail") as mailbox:
        worlds.once("consolidation", mailbox, lambda: walked(tmp_path, mailbox))
        yield Walk("mau-2021", mailbox)


def freeze(walk: Walk, **more):
    return do(walk, freeze_list, NOW, **more)


def exchange(table: str, column: str, one: str, other: str, where: str) -> None:
    change(
        f"UPDATE {table} SET {column} = CASE {column} WHEN {one} THEN {other} ELSE {one} END WHERE {where}"
    )


def test_the_hash_is_that_of_the_content_whatever_numbers_the_rows_have(walk):
    """a1 and a2 exchange everything but the numbers of their rows."""
    first = freeze(walk)
    (one, here), (other, there) = rows(
        f"SELECT id, position FROM residential_groups WHERE id IN {A1_AND_A2} ORDER BY id"
    )
    exchange("marks", "group_id", one, other, f"group_id IN {A1_AND_A2}")
    exchange("scores", "agency_points", 400_000, 349_900, f"leaf = 'I' AND group_id IN {A1_AND_A2}")
    exchange("scores", "agency_points", 410_000, 450_000, f"leaf = 'II' AND group_id IN {A1_AND_A2}")
    put = "UPDATE residential_groups SET name = :name, position = :place WHERE id = :number"
    change(put, name="-", place=99, number=one)
    change(put, name="Bản MẪU a1", place=here, number=other)
    change(put, name="Bản MẪU a2", place=there, number=one)
    again = freeze(walk)
    assert (again.version, again.hash) == (1, first.hash)
    assert rows("SELECT COUNT(*) FROM list_versions") == [(1,)]


def test_the_hash_is_the_same_on_both_databases_and_from_one_run_to_the_next(walk):
    """It is proof of what was decided: another value for this content breaks every proof that was given."""
    assert freeze(walk).hash == "28ed4da833728643ead9079053240de169fd674047a93da6e2558b97ea6fcdf5"


A1 = "group_id = (SELECT id FROM residential_groups WHERE name LIKE 'Bản MẪU a1%')"
CHANGES = {
    "recognised": f"UPDATE results SET is_recognised = NOT is_recognised WHERE {A1}",
    "proposed": f"UPDATE results SET is_proposed = NOT is_proposed WHERE {A1}",
    "verdict": f"UPDATE results SET verdict = 'incomplete' WHERE {A1}",
    "level": f"UPDATE results SET level = 'cao' WHERE {A1}",
    "self-total": f"UPDATE results SET self_total = self_total + 1 WHERE {A1}",
    "agency-total": f"UPDATE results SET agency_total = agency_total + 1 WHERE {A1}",
    "consolidated-total": f"UPDATE results SET consolidated_total = 0 WHERE {A1}",
    "final-total": f"UPDATE results SET final_total = final_total + 1 WHERE {A1}",
    "a-reason": "UPDATE results SET reasons = '[]' WHERE verdict = 'not_met'",
    "a-score": f"UPDATE scores SET agency_points = agency_points + 1 WHERE leaf = 'II' AND {A1}",
    "a-settled-score": f"UPDATE scores SET final_points = 1, final_is = 'counted' WHERE leaf = 'I' AND {A1}",
    "what-a-score-says": f"UPDATE scores SET final_is = 'left_out' WHERE leaf = 'I' AND {A1}",
    "a-score-gone": f"DELETE FROM scores WHERE leaf = 'II' AND {A1}",
    "the-name-of-a-group": "UPDATE residential_groups SET name = 'Bản MẪU a1 mới' WHERE name = 'Bản MẪU a1'",
    "a-group-gone": f"DELETE FROM results WHERE {A1}",
    "the-unit-of-a-group": "UPDATE units SET code = 'c' WHERE code = 'b'",
    "the-campaign": "UPDATE campaigns SET code = 'khac-2021'",
}
NOT_OF_THE_CONTENT = {
    "who-gave-a-mark": "UPDATE marks SET given_by = 'MẪU khác', reason = 'khác'",
    "a-score-that-does-not-count": "UPDATE scores SET self_points = 0",
    "who-froze-it": "UPDATE list_versions SET frozen_by = 'MẪU khác', reason = 'khác'",
}


def hashed() -> str:
    ((code,),) = rows("SELECT code FROM campaigns")
    ((version,),) = rows("SELECT id FROM list_versions")
    with transaction() as session:
        return list_hash(session, get_campaign(session, code), version)


def test_whatever_changes_on_the_list_changes_the_hash(walk):
    seen = {freeze(walk).hash}
    assert seen == {hashed()}
    for name, statement in CHANGES.items():
        change(statement)
        now = hashed()
        assert now not in seen, name
        seen.add(now)


def test_what_is_not_of_the_list_does_not_change_its_hash(walk):
    frozen = freeze(walk)
    for name, statement in NOT_OF_THE_CONTENT.items():
        change(statement)
        assert hashed() == frozen.hash, name


def test_a_group_that_is_no_longer_proposed_makes_the_next_version(walk):
    first = freeze(walk)
    change(f"UPDATE group_cases SET is_proposed = :no, reason = 'rút' WHERE {A1}", no=False)
    second = freeze(walk, reason="xã rút đề nghị")
    assert (second.version, second.recognised) == (2, first.recognised - 1)
