"""What agencies find: their own criteria only, with a reason, never their own group; and the second look."""

import unicodedata

import pytest

from config.script_file import Verb
from models import (
    agencies,
    assessors,
    completions,
    dossiers,
    explanations,
    groups,
    marks,
    results,
    reviews,
    vetoes,
)
from models.campaigns import get_campaign
from models.database import transaction
from models.reviews import AgencyMark
from notifications.mailbox import Mailbox
from rules.deeds import Why
from rules.reviews import Conflict
from tests import factories
from tests.scored import CRITERIA, mark
from tests.scored import marks as self_marks
from tests.walking import Walk, at, begin, rows, shown

REVIEW = "2021-11-16 09:00"


@pytest.fixture
def walk(database, tmp_path) -> Walk:
    """Communes a and b, two groups each, handed in; agencies x (criterion I) and y (II) review."""
    units = factories.units(agencies=("x", "y"))
    for unit in units:
        if unit["kind"] == "commune":
            unit["groups"] = [f"Bản MẪU {unit['code']}1", f"Bản MẪU {unit['code']}2"]
    with Mailbox(tmp_path / "mail") as mailbox:
        walk = begin(
            tmp_path / "files",
            mailbox,
            of_units=units,
            scored_by=CRITERIA,
            reviews={"x": ["I"], "y": ["II"]},
        )
        for commune in ("a", "b"):
            names = [f"Bản MẪU {commune}1", f"Bản MẪU {commune}2"]
            do(
                walk,
                dossiers.assess_self,
                "2021-11-12 09:00",
                commune,
                cases=[dossiers.Case(name, True) for name in names],
                marks=[each for name in names for each in self_marks(name, I="40", II="45")],
                by="MẪU cán bộ xã",
            )
            walk.do(Verb.SUBMIT, "2021-11-15 09:00", commune)
        walk.visit("2021-11-15 13:30")
        assert rows("SELECT stage FROM campaigns") == [("agency_review",)]
        yield walk


def do(walk: Walk, deed, moment: str, *args, **more):
    with transaction() as session:
        now = at(moment)
        return deed(
            session,
            get_campaign(session, walk.code),
            *args,
            **{"at": now, "recorded_at": now, "by": "MẪU thẩm định", **more},
        )


def found(group: str, leaf: str, points: str, reason: str | None = None, unit: str = "a") -> AgencyMark:
    return AgencyMark(unit, group, leaf, mark(points), reason)


def scores(group: str = "Bản MẪU a1") -> dict[str, tuple]:
    """The self-score and the agency's of each leaf of a group."""
    return {
        leaf: (own, agency)
        for leaf, own, agency in rows(
            "SELECT s.leaf, s.self_points / 10000, s.agency_points / 10000 FROM scores s"
            " JOIN residential_groups g ON g.id = s.group_id WHERE g.name = :group",
            group=group,
        )
    }


def test_an_agency_agrees_or_overrules_with_a_reason_and_the_self_score_stays(walk):
    given = do(
        walk,
        reviews.assess,
        REVIEW,
        "x",
        [found("Bản MẪU a1", "I", "40"), found("Bản MẪU a2", "I", "20", "thiếu minh chứng")],
    )
    assert given == 2
    assert scores() == {"I": (40, 40), "II": (45, None)}
    assert scores("Bản MẪU a2") == {"I": (40, 20), "II": (45, None)}
    assert rows("SELECT reason, given_by FROM marks WHERE kind = 'agency' ORDER BY id") == [
        (None, "MẪU thẩm định"),
        ("thiếu minh chứng", "MẪU thẩm định"),
    ]


@pytest.mark.parametrize(
    ("agency", "what", "more", "error"),
    [
        pytest.param("x", [found("Bản MẪU a2", "I", "20")], {}, marks.ReasonMissing, id="no-reason"),
        pytest.param("x", [found("Bản MẪU a2", "I", "20", "  ")], {}, marks.ReasonMissing, id="blank-reason"),
        pytest.param("x", [found("Bản MẪU a2", "II", "45")], {}, groups.UnknownLeaf, id="anothers-criterion"),
        pytest.param("x", [found("Bản MẪU b1", "I", "40")], {}, groups.UnknownGroup, id="not-of-this-unit"),
        pytest.param("x", [found("Bản MẪU a2", "I", "40")], {"by": None}, assessors.NobodyNamed, id="nobody"),
        pytest.param(
            "x",
            [found("Bản MẪU a2", "I", "40")],
            {"by": "MẪU a.head"},
            assessors.ConflictOfInterest,
            id="own-unit",
        ),
        pytest.param(
            "x",
            [found("Bản MẪU a2", "I", "40")],
            {"by": unicodedata.normalize("NFD", "  mẫu  A.head ")},
            assessors.ConflictOfInterest,
            id="own-unit-typed-otherwise",
        ),
    ],
)
def test_a_refused_finding_leaves_nothing_behind(walk, agency, what, more, error):
    before = rows("SELECT COUNT(*) FROM journal")
    with pytest.raises(error):
        do(walk, reviews.assess, REVIEW, agency, [found("Bản MẪU a1", "I", "40"), *what], **more)
    assert scores() == {"I": (40, None), "II": (45, None)}
    assert rows("SELECT COUNT(*) FROM journal") == before


def test_an_officer_of_one_commune_assesses_anothers_groups(walk):
    """Who serves in commune a and sits in the team too steps aside for a alone."""
    do(walk, reviews.assess, REVIEW, "x", [found("Bản MẪU b1", "I", "40", unit="b")], by="MẪU a.head")
    assert scores("Bản MẪU b1")["I"] == (40, 40)


def test_who_has_stepped_aside_for_a_group_assesses_the_others(walk):
    do(
        walk,
        assessors.recuse,
        REVIEW,
        "MẪU thẩm định",
        "a",
        group="Bản MẪU a1",
        reason="gia đình ở bản này",
    )
    with pytest.raises(assessors.ConflictOfInterest) as refused:
        do(walk, reviews.assess, REVIEW, "x", [found("Bản MẪU a1", "I", "40")])
    assert refused.value.why is Conflict.OWN_GROUP
    with pytest.raises(assessors.ConflictOfInterest):
        do(walk, reviews.assess, REVIEW, "x", [found("Bản MẪU a1", "I", "40")], by="mẫu  Thẩm Định")
    with pytest.raises(assessors.ConflictOfInterest):
        do(walk, reviews.agree_with_the_rest, REVIEW, "x")
    do(walk, reviews.assess, REVIEW, "x", [found("Bản MẪU a2", "I", "40")])
    assert (scores()["I"], scores("Bản MẪU a2")["I"]) == ((40, None), (40, 40))


def test_a_dossier_that_has_not_come_is_not_assessed(database, tmp_path):
    units = factories.units(agencies=("x", "y"))
    for unit in units:
        if unit["kind"] == "commune":
            unit["groups"] = [f"Bản MẪU {unit['code']}1"]
    with Mailbox(tmp_path / "mail") as mailbox:
        walk = begin(
            tmp_path / "files", mailbox, of_units=units, scored_by=CRITERIA, reviews={"x": ["I", "II"]}
        )
        walk.do(Verb.SUBMIT, "2021-11-15 09:00", "a")
        walk.visit("2021-11-22 07:30")
        with pytest.raises(agencies.NotHandedIn):
            do(walk, reviews.assess, "2021-11-22 09:00", "x", [found("Bản MẪU b1", "I", "40", unit="b")])


def test_agreeing_with_the_rest_leaves_what_was_overruled_and_the_others_criteria(walk):
    do(walk, reviews.assess, REVIEW, "x", [found("Bản MẪU a2", "I", "20", "thiếu minh chứng")])
    assert do(walk, reviews.agree_with_the_rest, REVIEW, "x") == 3
    assert do(walk, reviews.agree_with_the_rest, REVIEW, "x") == 0
    assert [scores(name)["I"] for name in ("Bản MẪU a1", "Bản MẪU a2", "Bản MẪU b1", "Bản MẪU b2")] == [
        (40, 40),
        (40, 20),
        (40, 40),
        (40, 40),
    ]
    assert rows("SELECT COUNT(*) FROM scores WHERE leaf = 'II' AND agency_is IS NOT NULL") == [(0,)]
    assert rows("SELECT COUNT(*) FROM marks WHERE kind = 'agency' AND given_by = 'MẪU thẩm định'") == [(4,)]


def test_a_review_is_concluded_when_nothing_is_left_open(walk):
    with pytest.raises(reviews.ReviewIncomplete) as refused:
        walk.do(Verb.REVIEW, REVIEW, "x")
    assert (refused.value.unscored, refused.value.unanswered) == (4, 0)
    walk.do(Verb.REVIEW, REVIEW, "x", agree=True, by="MẪU thẩm định")
    assert rows("SELECT state FROM work_items WHERE name = 'review/x'") == [("done",)]


def test_what_agencies_propose_goes_to_the_commune_in_one_request_with_one_term(walk):
    do(
        walk,
        completions.propose_completion,
        REVIEW,
        "x",
        "a",
        what="bổ sung ảnh",
        group="Bản MẪU a1",
        leaf="I",
    )
    do(walk, completions.propose_completion, REVIEW, "y", "a", what="bổ sung biên bản")
    do(walk, completions.propose_completion, REVIEW, "y", "b", what="bổ sung danh sách")
    walk.do(Verb.RETURN, "2021-11-16 14:00", "a", reasons=("tờ trình chưa ký",))
    assert rows("SELECT COUNT(*) FROM returns") == [(1,)]
    assert rows("SELECT what, return_id IS NOT NULL FROM completions ORDER BY id") == [
        ("bổ sung ảnh", 1),
        ("bổ sung biên bản", 1),
        ("bổ sung danh sách", 0),
    ]
    walk.visit("2021-11-16 14:30")
    request = next(mail for mail in walk.mails() if "bổ sung ảnh" in mail.get_body(("plain",)).get_content())
    body = request.get_body(("plain",)).get_content()
    asked = [line for line in body.splitlines() if line[:2] in ("1.", "2.", "3.")]
    assert asked == [
        "1. Tờ trình chưa ký.",
        "2. Bản MẪU a1, tiêu chí I: bổ sung ảnh (ý kiến của phòng MẪU x).",
        "3. Bổ sung biên bản (ý kiến của phòng MẪU y).",
    ]
    assert "bổ sung danh sách" not in body
    with pytest.raises(dossiers.DossierHandedIn):
        do(walk, dossiers.assess_self, "2021-11-16 15:00", "b", marks=self_marks("Bản MẪU b1", I="1"))


def test_a_proposal_needs_no_other_reason_to_become_a_request(walk):
    do(walk, completions.propose_completion, REVIEW, "x", "a", what="bổ sung ảnh")
    walk.do(Verb.RETURN, "2021-11-16 14:00", "a")
    assert [row[0] for row in rows("SELECT state FROM work_items WHERE name = 'dossier/a'")] == ["open"]


def test_an_explanation_is_looked_at_again_and_answered(walk):
    do(walk, reviews.assess, REVIEW, "x", [found("Bản MẪU a2", "I", "20", "thiếu minh chứng")])
    walk.do(Verb.REVIEW, "2021-11-16 10:00", "x", agree=True, by="MẪU thẩm định")
    agency = do(
        walk,
        explanations.explain,
        "2021-11-17 09:00",
        "a",
        "I",
        group="Bản MẪU a2",
        words="minh chứng gửi kèm",
    )
    assert agency == "x"
    assert rows("SELECT state FROM work_items WHERE name = 'review/x'") == [("open",)]
    assert rows("SELECT state FROM work_items WHERE name = 'review/y'") == [("open",)]
    with pytest.raises(reviews.ReviewIncomplete) as refused:
        walk.do(Verb.REVIEW, "2021-11-17 10:00", "x")
    assert (refused.value.unscored, refused.value.unanswered) == (0, 1)
    do(
        walk,
        reviews.assess,
        "2021-11-18 09:00",
        "x",
        [found("Bản MẪU a2", "I", "38", "đã có minh chứng, thiếu một ảnh")],
    )
    walk.do(Verb.REVIEW, "2021-11-18 10:00", "x")
    with transaction() as session:
        said = explanations.explanations_of(session, get_campaign(session, walk.code))
    assert [(each.words, each.answer) for each in said] == [
        ("minh chứng gửi kèm", "đã có minh chứng, thiếu một ảnh")
    ]
    first_look = rows("SELECT points / 10000 FROM marks WHERE kind = 'agency' AND leaf = 'I' ORDER BY id")[0]
    assert first_look == (20,)
    assert scores("Bản MẪU a2")["I"] == (40, 38)


def test_there_is_nothing_to_explain_where_the_agency_agreed(walk):
    do(walk, reviews.assess, REVIEW, "x", [found("Bản MẪU a1", "I", "40")])
    with pytest.raises(explanations.NothingToExplain):
        do(walk, explanations.explain, REVIEW, "a", "I", group="Bản MẪU a1", words="không đồng ý")


def test_a_late_dossier_joins_with_its_scores_and_the_agency_is_asked_again(walk):
    walk.do(Verb.REVIEW, "2021-11-16 10:00", "x", agree=True, by="MẪU thẩm định")
    walk.do(Verb.RETURN, "2021-11-16 11:00", "a", reasons=("thiếu ảnh",))
    do(walk, dossiers.assess_self, "2021-11-17 09:00", "a", marks=self_marks("Bản MẪU a1", I="42"))
    walk.do(Verb.SUBMIT, "2021-11-17 10:00", "a")
    assert rows("SELECT state FROM work_items WHERE name = 'review/x'") == [("open",)]
    assert rows(
        "SELECT round, points / 10000 FROM marks m JOIN residential_groups g ON g.id = m.group_id"
        " WHERE g.name = 'Bản MẪU a1' AND leaf = 'I' AND kind = 'self' ORDER BY m.id"
    ) == [(1, 40), (2, 42)]
    received = rows("SELECT received_at FROM submissions ORDER BY item_id, round")
    assert [shown(row[0]) for row in received][:2] == ["11-15 09:00", "11-17 10:00"]
    assert scores()["I"] == (42, None)
    with pytest.raises(reviews.ReviewIncomplete):
        walk.do(Verb.REVIEW, "2021-11-17 14:00", "x")
    do(walk, reviews.assess, "2021-11-17 15:00", "x", [found("Bản MẪU a1", "I", "42")])
    walk.do(Verb.REVIEW, "2021-11-17 16:00", "x")


def test_a_dossier_completed_after_the_last_review_asks_the_agencies_again(walk):
    for agency in ("x", "y"):
        walk.do(Verb.REVIEW, "2021-11-16 10:00", agency, agree=True, by="MẪU thẩm định")
    walk.do(Verb.RETURN, "2021-11-16 10:05", "a", reasons=("thiếu ảnh",))
    walk.visit("2021-11-16 13:30")
    assert rows("SELECT stage FROM campaigns") == [("consolidation",)]
    do(walk, dossiers.assess_self, "2021-11-17 09:00", "a", marks=self_marks("Bản MẪU a1", I="42"))
    walk.do(Verb.SUBMIT, "2021-11-17 10:00", "a")
    assert rows("SELECT state FROM work_items WHERE kind = 'review'") == [("open",), ("open",)]
    do(walk, reviews.assess, "2021-11-17 15:00", "x", [found("Bản MẪU a1", "I", "42")])
    walk.do(Verb.REVIEW, "2021-11-17 16:00", "x")
    assert rows("SELECT name FROM work_items WHERE kind = 'review' AND state = 'open'") == [("review/y",)]


def test_the_score_of_the_last_agency_is_explained_in_consolidation(walk):
    do(walk, reviews.assess, REVIEW, "y", [found("Bản MẪU a2", "II", "30", "thiếu minh chứng")])
    for agency in ("x", "y"):
        walk.do(Verb.REVIEW, "2021-11-16 10:00", agency, agree=True, by="MẪU thẩm định")
    walk.visit("2021-11-16 13:30")
    assert rows("SELECT stage FROM campaigns") == [("consolidation",)]
    words = {"group": "Bản MẪU a2", "words": "minh chứng gửi kèm"}
    do(walk, explanations.explain, "2021-11-17 09:00", "a", "II", **words)
    assert rows("SELECT name FROM work_items WHERE kind = 'review' AND state = 'open'") == [("review/y",)]
    with pytest.raises(results.ExplanationsUnanswered):
        do(walk, results.freeze_list, "2021-11-17 10:00")
    do(walk, reviews.assess, "2021-11-17 11:00", "y", [found("Bản MẪU a2", "II", "30", "chưa đủ")])
    frozen = do(walk, results.freeze_list, "2021-11-17 12:00")
    assert frozen.groups == 4


def test_a_veto_stands_until_it_is_lifted_with_a_reason(walk):
    for _ in range(2):
        do(walk, vetoes.veto, REVIEW, "a", "ky-luat", group="Bản MẪU a1", reason="Thông báo MẪU 01")
    with transaction() as session:
        standing = vetoes.vetoes_of(session, get_campaign(session, walk.code))
    assert [(each.unit, each.group, each.code) for each in standing] == [("a", "Bản MẪU a1", "ky-luat")]
    do(walk, vetoes.lift_veto, REVIEW, "a", "ky-luat", group="Bản MẪU a1", reason="nhầm bản")
    assert rows("SELECT code, reason, lifted_because FROM vetoes") == [
        ("ky-luat", "Thông báo MẪU 01", "nhầm bản")
    ]
    with pytest.raises(vetoes.NoVeto):
        do(walk, vetoes.lift_veto, REVIEW, "a", "ky-luat", group="Bản MẪU a1", reason="nhầm bản")


def test_nothing_is_assessed_before_the_dossiers_are_in(database, tmp_path):
    with Mailbox(tmp_path / "mail") as mailbox:
        walk = begin(tmp_path / "files", mailbox, scored_by=CRITERIA, reviews={"x": ["I", "II"]})
        with pytest.raises(Exception, match="wrong_stage") as refused:
            do(walk, reviews.agree_with_the_rest, "2021-11-12 09:00", "x")
        assert refused.value.refusal.why is Why.WRONG_STAGE
