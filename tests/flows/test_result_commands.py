"""The list by command: what is settled, frozen, frozen again with a reason, and shown with its reasons."""

import pytest

from tests.scored_homes import as_json, done, kept, refused

NOW = ("--now", "2021-11-22T10:00", "--by", "MẪU thường trực")
A2 = ("--group", "Bản MẪU a2")
PEOPLE = ("MẪU 1", "MẪU 2", "MẪU 3")
FAILS = {"rule": "total_min", "code": None, "need": "80", "got": "79.5", "outcome": "failed"}
FAILS_IN_WORDS = "Tổng điểm 79,5, cần từ 80 (thiếu 0,5)."
SETTLED = (
    "SELECT consolidated_points / 10000.0, final_points / 10000.0 FROM scores WHERE agency_points = 345000"
)


@pytest.fixture
def met(run, in_consolidation) -> str:
    """The code of the campaign after its meeting, which was for the whole list."""
    invited = [word for person in PEOPLE for word in ("--member", person)]
    there = [word for person in PEOPLE for word in ("--present", person)]
    called = ("--on", "2021-11-22T08:00", "--with-papers", "--now", "2021-11-16T14:00")
    done(run, "meeting", "convene", in_consolidation, *invited, *called)
    done(run, "meeting", "hold", in_consolidation, *there, "--vote", "3-0", *NOW)
    return in_consolidation


def recognised(run, code: str, *more: str) -> dict[str, bool]:
    return {each["group"]: each["recognised"] for each in as_json(run, "results", code, *more)["results"]}


def test_the_list_is_frozen_and_named_by_its_hash(run, met, tmp_path):
    said = done(run, "conclude", met, *NOW)
    version = kept(tmp_path, "SELECT version, groups, recognised, hash, reason, frozen_by FROM list_versions")
    digest = version[0][3]
    assert version == [(1, 4, 3, digest, "", "MẪU thường trực")]
    assert len(digest) == 64
    assert said == (f"Đã chốt danh sách đợt {met}, bản 1: 3/4 nơi đủ điều kiện công nhận. Mã bản: {digest}")
    # Frozen again unchanged it is the version it was.
    assert as_json(run, "conclude", met, *NOW) == {
        "version": 1,
        "frozen_at": "2021-11-22T10:00:00+07:00",
        "by": "MẪU thường trực",
        "reason": "",
        "groups": 4,
        "recognised": 3,
        "hash": digest,
    }


def test_results_are_shown_group_by_group_with_the_reasons(run, met):
    frozen = as_json(run, "conclude", met, *NOW)
    shown = as_json(run, "results", met)
    assert (shown["campaign"], shown["list"]) == (met, frozen)
    assert recognised(run, met) == {
        "Bản MẪU a1": True,
        "Bản MẪU a2": False,
        "Bản MẪU b1": True,
        "Bản MẪU b2": True,
    }
    assert shown["results"][1] == {
        "unit": "a",
        "group": "Bản MẪU a2",
        "proposed": True,
        "recognised": False,
        "verdict": "not_met",
        "level": None,
        "total": "79.5",
        "totals": {"self": "85", "agency": "79.5", "consolidated": "79.5", "final": "79.5"},
        "reasons": [FAILS | {"text": FAILS_IN_WORDS}],
    }
    assert done(run, "results", met).splitlines() == [
        "Danh sách bản 1, chốt lúc 22/11/2021 10:00: 3/4 nơi đủ điều kiện công nhận"
        f" (mã {frozen['hash'][:12]})",
        "Đủ điều kiện công nhận (3):",
        "  xã MẪU a: Bản MẪU a1, 85 điểm",
        "  xã MẪU b: Bản MẪU b1, 85 điểm",
        "  xã MẪU b: Bản MẪU b2, 85 điểm",
        "Chưa đủ điều kiện (1):",
        "  xã MẪU a: Bản MẪU a2, 79,5 điểm",
        f"    - {FAILS_IN_WORDS}",
    ]
    assert recognised(run, met, "--unit", "a") == {"Bản MẪU a1": True, "Bản MẪU a2": False}


def test_a_change_after_freezing_becomes_a_version_with_its_reason_and_the_first_stays(run, met, tmp_path):
    first = as_json(run, "conclude", met, *NOW)
    # 35 and 45 are 80, which is what a group needs.
    settle = ("settle-score", met, "a", "I", "35", *A2, "--reason", "đã có ảnh")
    said = done(run, *settle, *NOW).splitlines()
    assert said == [
        "Đã ghi điểm: Bản MẪU a2, tiêu chí I.",
        f"Danh sách đã chốt trước đó; chạy `congnhan conclude {met} --reason …` để chốt bản mới.",
    ]
    assert "bản 1" in refused(run, tmp_path, "conclude", met, *NOW)
    second = as_json(run, "conclude", met, "--reason", "bổ sung ảnh", *NOW)
    assert (second["version"], second["recognised"], second["reason"]) == (2, 4, "bổ sung ảnh")
    assert second["hash"] != first["hash"]
    earlier = as_json(run, "results", met, "--version", "1")
    assert earlier["list"] == first
    assert earlier["results"][1]["reasons"] == [FAILS | {"text": FAILS_IN_WORDS}]
    assert recognised(run, met)["Bản MẪU a2"] is True
    assert done(run, "results", met).splitlines()[-1] == "Bản trước: bản 1, chốt lúc 22/11/2021 10:00."


def test_what_is_found_after_freezing_says_that_the_list_is_to_be_frozen_again(run, met):
    done(run, "conclude", met, *NOW)
    assessed = ("assess", met, "x", "b", "I", "39", "--group", "Bản MẪU b2", "--reason", "thiếu ảnh")
    found = ("veto", met, "b", "ky-luat", "--group", "Bản MẪU b1", "--reason", "Thông báo MẪU 15")
    again = f"Danh sách đã chốt trước đó; chạy `congnhan conclude {met} --reason …` để chốt bản mới."
    assert [done(run, *deed, *NOW).splitlines()[-1] for deed in (assessed, found)] == [again, again]
    assert recognised(run, met)["Bản MẪU b1"] is True
    done(run, "conclude", met, "--reason", "có trường hợp loại trừ", *NOW)
    assert recognised(run, met)["Bản MẪU b1"] is False


def test_the_office_settles_a_score_and_the_meeting_has_the_last_word(run, in_consolidation, tmp_path):
    settle = ("settle-score", in_consolidation, "a", "I")
    said = done(run, *settle, "35", *A2, "--reason", "thống nhất", *NOW)
    assert said == "Đã ghi điểm: Bản MẪU a2, tiêu chí I."
    assert kept(tmp_path, SETTLED) == [(35, None)]
    done(run, *settle, "38,25", *A2, "--final", "--reason", "theo biên bản", *NOW)
    assert kept(tmp_path, SETTLED) == [(35, 38.25)]
    sides = as_json(run, "scores", in_consolidation, "a", *A2)[0]["scores"]
    assert {kind: (side["points"], side["reason"]) for kind, side in sides.items()} == {
        "self": ("40", None),
        "agency": ("34.5", "thiếu ảnh"),
        "consolidated": ("35", "thống nhất"),
        "final": ("38.25", "theo biên bản"),
    }


def test_what_decides_a_result_is_shown_before_a_greater_difference(run, in_consolidation):
    settle = ("settle-score", in_consolidation, "b", "I", "50", "--group", "Bản MẪU b2")
    done(run, *settle, "--reason", "thêm ảnh", *NOW)
    shown = as_json(run, "disagreements", in_consolidation)
    assert [(each["group"], each["change"], each["changes_the_result"]) for each in shown] == [
        ("Bản MẪU a2", "5.5", True),
        ("Bản MẪU b2", "10", False),
    ]
    assert shown[0] == {
        "unit": "a",
        "group": "Bản MẪU a2",
        "leaf": "I",
        "changes_the_result": True,
        "verdict": "not_met",
        "verdict_as_self": "met",
        "change": "5.5",
        "scores": {
            "self": {"points": "40", "standing": "counted", "reason": None, "by": "MẪU xã"},
            "agency": {"points": "34.5", "standing": "counted", "reason": "thiếu ảnh", "by": "MẪU X"},
        },
    }
    assert done(run, "disagreements", in_consolidation).splitlines() == [
        "(quyết định kết quả) a/Bản MẪU a2, tiêu chí I: tự chấm: 40  thẩm định: 34,5. thiếu ảnh",
        "b/Bản MẪU b2, tiêu chí I: tự chấm: 40  thẩm định: 40  tổng hợp: 50. thêm ảnh",
    ]


def test_no_disagreement_is_said_so(run, in_review):
    assert as_json(run, "disagreements", in_review) == []
    assert done(run, "disagreements", in_review) == "Không có chỗ chênh lệch điểm."


SETTLE = ("settle-score", "a", "I")
WHY = ("--reason", "MẪU")
REFUSED = {
    "no-reason": ((*SETTLE, "36", *A2), "Bản MẪU a2, I"),
    "no-reason-for-the-last-word": ((*SETTLE, "36", *A2, "--final"), "Bản MẪU a2, I"),
    "blank-reason": ((*SETTLE, "36", *A2, "--reason", " "), "Bản MẪU a2, I"),
    "above-the-maximum": ((*SETTLE, "51", *A2, *WHY), "50"),
    "no-such-leaf": (("settle-score", "a", "IX", "36", *A2, *WHY), "I, II"),
    "no-such-group": ((*SETTLE, "36", "--group", "Bản 9", *WHY), "Bản MẪU a1, Bản MẪU a2"),
    "no-such-unit": (("settle-score", "q", "I", "36", *WHY), "q"),
    "own-unit": ((*SETTLE, "36", *A2, *WHY, "--by", "MẪU a"), "MẪU a không được chấm"),
    "nobody-named": ((*SETTLE, "36", *A2, *WHY, "--by", ""), "--by"),
    "no-meeting": (("conclude",), "Chưa mời họp."),
    "no-meeting-whatever-the-reason": (("conclude", *WHY), "Chưa mời họp."),
    "scores-of-no-unit": (("scores", "q"), "q"),
    "scores-of-no-group": (("scores", "a", "--group", "Bản 9"), "Bản MẪU a1, Bản MẪU a2"),
    "nothing-frozen": (("results",), "Chưa chốt danh sách"),
}
SHOWN = ("scores", "results", "disagreements")


@pytest.mark.parametrize(("words", "told"), REFUSED.values(), ids=REFUSED)
def test_a_mistake_is_told_in_one_line_and_leaves_nothing_behind(
    run, in_consolidation, tmp_path, words, told
):
    by = () if words[0] in SHOWN else NOW[:2] if "--by" in words else NOW
    assert told in refused(run, tmp_path, words[0], in_consolidation, *words[1:], *by)


@pytest.mark.parametrize("version", ["0", "2", "-1"])
def test_a_version_the_list_does_not_have_is_refused(run, met, tmp_path, version):
    done(run, "conclude", met, *NOW)
    assert "các bản: 1" in refused(run, tmp_path, "results", met, f"--version={version}")


def test_results_of_a_unit_that_is_on_no_list_are_refused(run, met, tmp_path):
    done(run, "conclude", met, *NOW)
    for unit in ("q", "x"):
        assert "a, b" in refused(run, tmp_path, "results", met, "--unit", unit)


def test_a_group_without_a_result_is_named_and_left_off_only_with_a_reason(run, in_review, tmp_path):
    code = in_review
    done(run, "review", code, "x", "--agree", "--now", "2021-11-16T09:00", "--by", "MẪU")
    late = ("--now", "2021-12-01T09:00", "--by", "MẪU")
    done(run, "go-on", code, "--reason", "cơ quan y chưa gửi kết quả", *late)
    done(run, "tick", "--now", "2021-12-01T09:30")
    assert kept(tmp_path, "SELECT stage FROM campaigns") == [("consolidation",)]
    there = [word for person in PEOPLE for word in ("--present", person)]
    invited = [word for person in PEOPLE for word in ("--member", person)]
    called = ("--on", "2021-12-07T08:00", "--with-papers", "--now", "2021-12-01T10:00")
    done(run, "meeting", "convene", code, *invited, *called)
    held = ("--now", "2021-12-07T10:00", "--by", "MẪU")
    done(run, "meeting", "hold", code, *there, "--vote", "3-0", *held)
    assert "Còn 4 nơi" in refused(run, tmp_path, "conclude", code, *held)
    frozen = as_json(run, "conclude", code, "--reason", "cơ quan y chưa gửi kết quả", *held)
    assert (frozen["version"], frozen["recognised"]) == (1, 0)
    assert frozen["reason"] == "cơ quan y chưa gửi kết quả"
