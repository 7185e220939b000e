"""Where scores differ: four beside each other, and first of all those on which a result hangs."""

import pytest

from models import reviews, settled_scores
from models.campaigns import get_campaign
from models.database import transaction
from models.disagreements import Disagreement, disagreements
from models.groups import groups_of
from models.reviews import AgencyMark
from models.settled_scores import SettledMark
from models.sheets import known_of
from notifications.mailbox import Mailbox
from rules.reviews import ScoreKind
from tests import worlds
from tests.models.test_results import do, walked
from tests.scored import mark
from tests.walking import Walk, change

NOW = "2021-11-22 09:00"
# What the walk leaves: self-scores of 40 and 45; x gave a2 34,99 at I, 5,01 less, and a1 41 at II, 4 less.
LEFT = [("a2", "I", True, "5.01"), ("a1", "II", False, "4")]


@pytest.fixture
def walk(database, tmp_path) -> Walk:
    """A campaign in consolidation; a group is recognised from 80 points, with half of each criterion."""
    with Mailbox(tmp_path / "mail") as mailbox:
        worlds.once("consolidation", mailbox, lambda: walked(tmp_path, mailbox))
        yield Walk("mau-2021", mailbox)


def settle(walk: Walk, group: str, leaf: str, points: str, kind: ScoreKind = ScoreKind.CONSOLIDATED) -> None:
    settled = SettledMark(group[0], f"Bản MẪU {group}", leaf, mark(points), f"lý do {points}")
    do(walk, settled_scores.settle_scores, NOW, kind, [settled])


def found(walk: Walk) -> list[Disagreement]:
    with transaction() as session:
        return disagreements(session, get_campaign(session, walk.code))


def told(walk: Walk) -> list[tuple[str, str, bool, str]]:
    """The group, the leaf, whether a result hangs on it, and by how many points it differs."""
    return [
        (each.group.split()[-1], each.leaf, each.changes_the_result, str(each.change)) for each in found(walk)
    ]


def test_four_scores_stand_beside_each_other_with_who_gave_them_and_why(walk):
    settle(walk, "a2", "I", "36")
    settle(walk, "a2", "I", "38,5", ScoreKind.FINAL)
    each = next(each for each in found(walk) if each.group == "Bản MẪU a2")
    assert {kind.value: (str(side.points), side.reason, side.by) for kind, side in each.sides.items()} == {
        "self": ("40", None, "MẪU"),
        "agency": ("34.99", "thiếu minh chứng", "MẪU"),
        "consolidated": ("36", "lý do 36", "MẪU"),
        "final": ("38.5", "lý do 38,5", "MẪU"),
    }
    with transaction() as session:
        campaign = get_campaign(session, walk.code)
        (known,) = known_of(
            session, campaign, [group for group in groups_of(session, campaign) if group.name == "Bản MẪU a2"]
        )
    assert sorted((leaf, kind.value) for leaf, kind in known.marks) == [
        ("I", "agency"),
        ("I", "consolidated"),
        ("I", "final"),
        ("I", "self"),
        ("II", "agency"),
        ("II", "self"),
    ]


def test_what_flips_a_verdict_comes_before_a_greater_difference_that_does_not(walk):
    assert told(walk) == LEFT
    settle(walk, "b1", "I", "50")
    assert told(walk) == [LEFT[0], ("b1", "I", False, "10"), LEFT[1]]


def test_among_those_that_flip_one_and_among_the_others_the_greater_comes_first(walk):
    # b1 falls below the floor of a criterion, by which it loses far more than a2 lost.
    settle(walk, "b1", "I", "24,99")
    settle(walk, "a1", "I", "44,5")
    assert told(walk) == [
        ("b1", "I", True, "15.01"),
        LEFT[0],
        ("a1", "I", False, "4.5"),
        LEFT[1],
    ]


def test_a_verdict_flips_up_as_well_as_down(walk):
    do(
        walk,
        settled_scores.settle_scores,
        NOW,
        ScoreKind.FINAL,
        [
            SettledMark("b", "Bản MẪU b1", "II", mark("30"), "MẪU"),
            SettledMark("b", "Bản MẪU b1", "I", mark("50"), "MẪU"),
        ],
    )
    # 80 as it stands. The commune's own 40 at I would leave 70: its result hangs on what was added.
    first, *_ = found(walk)
    assert (first.group, first.leaf) == ("Bản MẪU b1", "I")
    assert (first.verdict.value, first.verdict_as_self.value) == ("met", "not_met")


def test_what_is_settled_back_to_the_communes_own_score_still_stands_there_and_changes_nothing(walk):
    settle(walk, "a2", "I", "40")
    assert told(walk) == [LEFT[1], ("a2", "I", False, "0")]


def test_a_score_settled_where_no_agency_looked_is_set_against_the_communes_own(walk):
    change("UPDATE scores SET agency_points = NULL, agency_is = NULL WHERE agency_points = 349900")
    assert told(walk) == [LEFT[1]]
    settle(walk, "a2", "I", "30")
    assert told(walk) == [("a2", "I", True, "10"), LEFT[1]]


def test_where_all_agree_there_is_nothing_to_tell(walk):
    found_again = [
        AgencyMark("a", "Bản MẪU a2", "I", mark("40")),
        AgencyMark("a", "Bản MẪU a1", "II", mark("45")),
    ]
    change("UPDATE campaigns SET stage = 'agency_review'")
    do(walk, reviews.assess, NOW, "x", found_again)
    assert told(walk) == []
