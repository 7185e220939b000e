"""The review by command: what agencies find and ask for, what communes explain, who may not assess."""

import pytest

from tests.scored_homes import as_json, done, kept, refused

NOW = ("--now", "2021-11-16T09:00", "--by", "MẪU thẩm định")
LATER = ("--now", "2021-11-17T09:00", "--by", "MẪU thẩm định")
A1, A2 = ("--group", "Bản MẪU a1"), ("--group", "Bản MẪU a2")
SCORES = (
    "SELECT g.name, s.leaf, s.self_points / 10000.0, s.agency_points / 10000.0 FROM scores s"
    " JOIN residential_groups g ON g.id = s.group_id WHERE s.agency_is IS NOT NULL ORDER BY g.name, s.leaf"
)


def state(tmp_path, item: str) -> str:
    return kept(tmp_path, "SELECT state FROM work_items WHERE name = ?", item)[0][0]


def test_a_finding_is_recorded_with_its_reason_and_evidence(run, in_review, tmp_path):
    words = ("--reason", "thiếu ảnh", "--evidence", "tờ 4")
    said = done(run, "assess", in_review, "x", "a", "I", "34,25", *A1, *words, *NOW)
    assert said == "Đã ghi điểm thẩm định của x: Bản MẪU a1, tiêu chí I."
    assert kept(tmp_path, SCORES) == [("Bản MẪU a1", "I", 40, 34.25)]
    assert kept(tmp_path, "SELECT reason, evidence, given_by FROM marks WHERE kind = 'agency'") == [
        ("thiếu ảnh", "tờ 4", "MẪU thẩm định")
    ]
    assert kept(tmp_path, "SELECT done_by FROM journal WHERE what = 'assessed'") == [("MẪU thẩm định",)]


def test_agreeing_needs_no_reason(run, in_review, tmp_path):
    done(run, "assess", in_review, "y", "a", "II", "45", *A1, *NOW)
    assert kept(tmp_path, SCORES) == [("Bản MẪU a1", "II", 45, 45)]


def test_a_review_agrees_with_the_rest_of_its_own_criteria_and_is_concluded(run, in_review, tmp_path):
    done(run, "assess", in_review, "x", "a", "I", "20", *A2, "--reason", "thiếu ảnh", *NOW)
    assert "còn 3 điểm" in refused(run, tmp_path, "review", in_review, "x", *NOW)
    said = done(run, "review", in_review, "x", "--agree", *NOW)
    assert "x" in said
    assert kept(tmp_path, SCORES) == [
        ("Bản MẪU a1", "I", 40, 40),
        ("Bản MẪU a2", "I", 40, 20),
        ("Bản MẪU b1", "I", 40, 40),
        ("Bản MẪU b2", "I", 40, 40),
    ]
    assert (state(tmp_path, "review/x"), state(tmp_path, "review/y")) == ("done", "open")


def test_a_review_is_told_to_programs(run, in_review):
    told = as_json(run, "review", in_review, "x", "--agree", *NOW)
    at = told.pop("received_at")
    assert told == {"campaign": in_review, "unit": "x", "agreed": 4}
    assert at.endswith("+07:00")


def test_a_commune_explains_and_the_agency_looks_again(run, in_review, tmp_path):
    done(run, "assess", in_review, "x", "a", "I", "20", *A2, "--reason", "thiếu ảnh", *NOW)
    done(run, "review", in_review, "x", "--agree", *NOW)
    explain = ("explain", in_review, "a", "I", "ảnh ở tờ 7", *A2, *LATER)
    assert done(run, *explain) == "Đã ghi giải trình của a về tiêu chí I; x xem lại."
    assert state(tmp_path, "review/x") == "open"
    assert "1 giải trình" in refused(run, tmp_path, "review", in_review, "x", "--agree", *LATER)
    assert "giải trình 17/11/2021 09:00 (Bản MẪU a2, I): ảnh ở tờ 7; chưa trả lời" in done(
        run, "dossier", in_review, "a"
    )
    done(run, "assess", in_review, "x", "a", "I", "20", *A2, "--reason", "ảnh năm 2020", *LATER)
    assert as_json(run, "dossier", in_review, "a")["explanations"] == [
        {
            "group": "Bản MẪU a2",
            "leaf": "I",
            "words": "ảnh ở tờ 7",
            "at": "2021-11-17T09:00:00+07:00",
            "by": "MẪU thẩm định",
            "answer": "ảnh năm 2020",
            "answered_at": "2021-11-17T09:00:00+07:00",
        }
    ]
    done(run, "review", in_review, "x", *LATER)
    assert kept(tmp_path, "SELECT words, answer, answered_by FROM explanations") == [
        ("ảnh ở tờ 7", "ảnh năm 2020", "MẪU thẩm định")
    ]


def test_what_agencies_propose_waits_for_one_request(run, in_review, tmp_path):
    propose = ("propose-completion", in_review)
    done(run, *propose, "x", "a", "bổ sung ảnh", *A1, "--leaf", "I", *NOW)
    said = done(run, *propose, "y", "a", "ký biên bản", *NOW)
    assert said == "Đã ghi; a có 2 nội dung chờ gửi trong yêu cầu bổ sung (`congnhan return`)."
    assert as_json(run, "dossier", in_review, "a")["proposals"] == [
        {"agency": "x", "group": "Bản MẪU a1", "leaf": "I", "what": "bổ sung ảnh"},
        {"agency": "y", "group": None, "leaf": None, "what": "ký biên bản"},
    ]
    assert "chờ yêu cầu bổ sung, phòng MẪU x (Bản MẪU a1, I): bổ sung ảnh" in done(
        run, "dossier", in_review, "a"
    )
    assert kept(tmp_path, "SELECT leaf, what, proposed_by, return_id FROM completions ORDER BY id") == [
        ("I", "bổ sung ảnh", "MẪU thẩm định", None),
        (None, "ký biên bản", "MẪU thẩm định", None),
    ]
    done(run, "return", in_review, "a", *NOW)
    assert kept(tmp_path, "SELECT COUNT(*) FROM completions WHERE return_id IS NOT NULL") == [(2,)]
    assert state(tmp_path, "dossier/a") == "open"


def test_who_has_stepped_aside_is_refused_for_that_group_alone(run, in_review, tmp_path):
    said = done(run, "recuse", in_review, "MẪU thẩm định", "a", *A1, "--reason", "gia đình ở bản", *NOW)
    assert said == "Đã ghi: MẪU thẩm định không thẩm định a (tổ, bản: Bản MẪU a1)."
    assess = ("assess", in_review, "x", "a", "I", "40")
    assert "Bản MẪU a1" in refused(run, tmp_path, *assess, *A1, *NOW)
    assert "Bản MẪU a1" in refused(run, tmp_path, "review", in_review, "x", "--agree", *NOW)
    done(run, *assess, *A2, *NOW)


def test_nobody_steps_aside_without_a_name(run, in_review, tmp_path):
    ended, out, err = run("recuse", in_review, " ", "a", "--reason", "quê ở xã", *NOW)
    assert (ended, out, err) == (2, "", "Nội dung hoặc lý do phải ghi không được để trống.\n")
    assert kept(tmp_path, "SELECT COUNT(*) FROM recusals") == [(0,)]


def test_who_has_stepped_aside_for_a_unit_is_refused_for_all_its_groups(run, in_review, tmp_path):
    done(run, "recuse", in_review, "MẪU thẩm định", "a", "--reason", "quê ở xã", *NOW)
    for group in (A1, A2):
        line = refused(run, tmp_path, "assess", in_review, "x", "a", "I", "40", *group, *NOW)
        assert "không tham gia" in line
    done(run, "assess", in_review, "x", "b", "I", "40", "--group", "Bản MẪU b1", *NOW)


def test_a_case_that_excludes_is_recorded_once_and_lifted(run, in_review, tmp_path):
    veto = ("veto", in_review, "a", "ky-luat", *A1)
    for _ in range(2):
        said = done(run, *veto, "--reason", "Thông báo MẪU 01", *NOW)
        assert said == "Đã ghi trường hợp loại trừ ky-luat của a."
    said = done(run, *veto, "--lift", "--reason", "nhầm bản", *LATER)
    assert said == "Đã thôi áp dụng trường hợp loại trừ ky-luat của a."
    assert kept(tmp_path, "SELECT code, reason, found_by, lifted_because FROM vetoes") == [
        ("ky-luat", "Thông báo MẪU 01", "MẪU thẩm định", "nhầm bản")
    ]


def test_scores_stand_side_by_side(run, in_review):
    done(run, "assess", in_review, "x", "a", "I", "20", *A2, "--reason", "thiếu ảnh", *NOW)
    sides = as_json(run, "scores", in_review, "a")
    assert [(each["group"], each["leaf"]) for each in sides] == [
        ("Bản MẪU a1", "I"),
        ("Bản MẪU a1", "II"),
        ("Bản MẪU a2", "I"),
        ("Bản MẪU a2", "II"),
    ]
    assert sides[2] == {
        "unit": "a",
        "group": "Bản MẪU a2",
        "leaf": "I",
        "title": "Tiêu chí MẪU một",
        "scores": {
            "self": {
                "points": "40",
                "standing": "counted",
                "reason": None,
                "evidence": None,
                "by": "MẪU xã",
                "at": "2021-11-12T09:00:00+07:00",
            },
            "agency": {
                "points": "20",
                "standing": "counted",
                "reason": "thiếu ảnh",
                "evidence": None,
                "by": "MẪU thẩm định",
                "at": "2021-11-16T09:00:00+07:00",
            },
            "consolidated": None,
            "final": None,
        },
    }
    assert done(run, "scores", in_review, "a", *A2).splitlines() == [
        "Bản MẪU a2",
        "  I        tự chấm: 40  thẩm định: 20  tổng hợp: –  chốt: –",
        "  II       tự chấm: 45  thẩm định: –  tổng hợp: –  chốt: –",
    ]


ASSESS = ("assess", "x", "a", "I")
WHY = ("--reason", "MẪU")
REFUSED = {
    "no-reason": ((*ASSESS, "20", *A1), "Bản MẪU a1, I"),
    "blank-reason": ((*ASSESS, "20", *A1, "--reason", " "), "Bản MẪU a1, I"),
    "anothers-criterion": (("assess", "x", "a", "II", "45", *A1), "I."),
    "no-such-criterion": (("assess", "x", "a", "IX", "45", *A1), "I, II"),
    "above-the-maximum": ((*ASSESS, "50,01", *A1, *WHY), "50"),
    "no-mark": ((*ASSESS, "", *A1), "cần một số"),
    "no-such-group": ((*ASSESS, "40", "--group", "Bản 9"), "Bản MẪU a1, Bản MẪU a2"),
    "which-group": ((*ASSESS, "40"), "Bản MẪU a1, Bản MẪU a2"),
    "no-such-agency": (("assess", "q", "a", "I", "40", *A1), "x, y"),
    "no-such-commune": (("assess", "x", "q", "I", "40", *A1), "q"),
    "own-unit": ((*ASSESS, "40", *A1, "--by", "MẪU a"), "MẪU a không được chấm"),
    "own-unit-as-its-head": ((*ASSESS, "40", *A1, "--by", "MẪU a.head"), "đơn vị đó"),
    "own-unit-agreeing": (("review", "x", "--agree", "--by", "MẪU b"), "Bản MẪU b1"),
    "nobody-named": ((*ASSESS, "40", *A1, "--by", " "), "--by"),
    "review-of-a-commune": (("review", "a", "--agree"), "x, y"),
    "propose-anothers-criterion": (("propose-completion", "x", "a", "MẪU", "--leaf", "II"), "I."),
    "propose-to-nobody": (("propose-completion", "x", "q", "MẪU"), "q"),
    "explain-what-is-shared": (("explain", "a", "I", "MẪU", *A1), "Bản MẪU a1"),
    "explain-no-criterion": (("explain", "a", "IX", "MẪU", *A1), "I, II"),
    "recuse-for-an-agency": (("recuse", "MẪU", "x", *WHY), "a, b"),
    "veto-unknown": (("veto", "a", "khac", *A1, *WHY), "ky-luat"),
    "veto-no-group": (("veto", "a", "ky-luat", *WHY), "Bản MẪU a1, Bản MẪU a2"),
    "lift-nothing": (("veto", "a", "ky-luat", "--lift", *A1, *WHY), "ky-luat"),
    "settle-too-early": (("settle-score", "a", "I", "40", *A1), "tổng hợp"),
}


@pytest.mark.parametrize(("words", "told"), REFUSED.values(), ids=REFUSED)
def test_a_mistake_is_told_in_one_line_and_leaves_nothing_behind(run, in_review, tmp_path, words, told):
    by = NOW[:2] if "--by" in words else NOW
    line = refused(run, tmp_path, words[0], in_review, *words[1:], *by)
    assert told in line


def test_nobody_assesses_before_the_dossiers_are_with_the_agencies(run, in_self_assessment, tmp_path):
    line = refused(run, tmp_path, "assess", in_self_assessment, "x", "a", "I", "40", *A1, *NOW)
    assert "thẩm định" in line


def test_a_reason_that_must_be_given_is_bad_usage_without_it(run, in_review, tmp_path):
    for words in (("veto", in_review, "a", "ky-luat", *A1), ("recuse", in_review, "MẪU", "a")):
        assert "--reason" in refused(run, tmp_path, *words, *NOW, code=2)


def test_blank_words_say_nothing_and_are_bad_usage(run, in_review, tmp_path):
    for words in (
        ("veto", "a", "ky-luat", *A1, "--reason", " "),
        ("recuse", "MẪU", "a", "--reason", ""),
        ("explain", "a", "I", " ", *A1),
        ("propose-completion", "x", "a", " "),
    ):
        assert "để trống" in refused(run, tmp_path, words[0], in_review, *words[1:], *NOW, code=2)
