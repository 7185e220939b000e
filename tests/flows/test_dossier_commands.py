"""Dossiers by command: parts put in and taken out, what is there and what is missing, what is not taken."""

import unicodedata
from hashlib import sha256
from pathlib import Path

import pytest

from rules.dossiers import MOST_BYTES
from tests.scored_homes import as_json, done, kept, refused

NOW = ("--now", "2021-11-12T09:00", "--by", "MẪU xã")
PDF = b"%PDF-1.7 MAU\n"
NOTHING = {
    "unit": "a",
    "not_proposing": False,
    "groups": 2,
    "groups_unlisted": 2,
    "scores_given": 0,
    "scores_missing": 4,
    "parts": [],
    "missing": [
        {"part": "report", "title": "Báo cáo", "count": None},
        {"part": "scores", "title": "Bảng tự chấm điểm", "count": 4},
        {"part": "lists", "title": "Danh sách", "count": 2},
    ],
}


def scan(tmp_path: Path, name: str = "Báo cáo.pdf", content: bytes = PDF) -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


def test_a_file_is_put_in_and_named_with_its_hash(run, in_self_assessment, tmp_path):
    digest = sha256(PDF).hexdigest()
    said = done(run, "attach", in_self_assessment, "a", "report", scan(tmp_path), *NOW)
    assert said == f"Đã ghi báo cáo vào hồ sơ của a: Báo cáo.pdf (SHA-256 {digest})."
    assert kept(tmp_path, "SELECT part, name, sha256, put_by FROM dossier_entries") == [
        ("report", "Báo cáo.pdf", digest, "MẪU xã")
    ]
    assert (tmp_path / "data/files" / digest[:2] / digest).read_bytes() == PDF


def test_what_came_on_paper_is_noted_for_a_group_and_a_leaf(run, in_self_assessment, tmp_path):
    words = ("evidence", "--group", "Bản MẪU a1", "--leaf", "I", "--note", "sổ họp bản")
    said = done(run, "attach", in_self_assessment, "a", *words, *NOW)
    assert said == "Đã ghi tài liệu kiểm chứng (bản giấy) vào hồ sơ của a."
    shown = as_json(run, "dossier", in_self_assessment, "a")
    assert shown["entries"] == [
        {
            "part": "evidence",
            "group": "Bản MẪU a1",
            "leaf": "I",
            "name": None,
            "sha256": None,
            "note": "sổ họp bản",
            "round": 1,
            "at": "2021-11-12T09:00:00+07:00",
            "by": "MẪU xã",
            "stands": True,
        }
    ]
    assert "tài liệu kiểm chứng (Bản MẪU a1, I), bản giấy" in done(run, "dossier", in_self_assessment, "a")


def test_what_is_sent_again_replaces_the_first_and_is_taken_out_by_name(run, in_self_assessment, tmp_path):
    for content in (PDF, PDF + b"2"):
        done(run, "attach", in_self_assessment, "a", "report", scan(tmp_path, content=content), *NOW)
    done(run, "attach", in_self_assessment, "a", "report", scan(tmp_path, "phu-luc.pdf"), *NOW)
    lines = done(run, "dossier", in_self_assessment, "a").splitlines()[1:]
    assert ["(đã thay)" in line for line in lines] == [True, False, False]
    out = ("detach", in_self_assessment, "a", "report", "--name", "phu-luc.pdf", *NOW)
    assert done(run, *out) == "Đã bỏ 1 mục báo cáo khỏi hồ sơ của a."
    entries = as_json(run, "dossier", in_self_assessment, "a")["entries"]
    assert [(each["name"], each["stands"]) for each in entries] == [
        ("Báo cáo.pdf", False),
        ("Báo cáo.pdf", True),
        ("phu-luc.pdf", False),
    ]
    assert "báo cáo" in refused(run, tmp_path, *out)


def test_a_dossier_shows_what_it_holds_and_lacks(run, in_self_assessment, tmp_path):
    assert as_json(run, "dossier", in_self_assessment) == [NOTHING, NOTHING | {"unit": "b"}]
    done(run, "attach", in_self_assessment, "a", "report", scan(tmp_path), *NOW)
    shown = as_json(run, "dossier", in_self_assessment, "a")
    assert [each["name"] for each in shown.pop("entries")] == ["Báo cáo.pdf"]
    assert (shown.pop("proposals"), shown.pop("explanations")) == ([], [])
    assert shown == NOTHING | {"parts": ["report"], "missing": NOTHING["missing"][1:]}
    assert done(run, "dossier", in_self_assessment).splitlines() == [
        "a: 2 tổ, bản; 0 điểm tự chấm; còn thiếu: Bảng tự chấm điểm (còn 4 điểm);"
        " Danh sách (còn 2 nơi chưa ghi đề nghị hay không)",
        "b: 2 tổ, bản; 0 điểm tự chấm; còn thiếu: Báo cáo; Bảng tự chấm điểm (còn 4 điểm);"
        " Danh sách (còn 2 nơi chưa ghi đề nghị hay không)",
    ]


FILES = {
    "empty": ("a.pdf", b"", "tệp trống"),
    "ending": ("a.exe", PDF, "chỉ nhận PDF"),
    "no-ending": ("baocao", PDF, "chỉ nhận PDF"),
    "not-what-it-says": ("a.pdf", b"MZ\x90\x00", "không đúng với đuôi tệp"),
    "an-image-as-pdf": ("a.pdf", b"\xff\xd8\xff\xe0", "không đúng với đuôi tệp"),
    "macros": ("a.xlsm", b"PK\x03\x04", "macro"),
}


@pytest.mark.parametrize(("name", "content", "why"), FILES.values(), ids=FILES)
def test_a_file_of_the_wrong_kind_is_not_taken(run, in_self_assessment, tmp_path, name, content, why):
    path = scan(tmp_path, name, content)
    line = refused(run, tmp_path, "attach", in_self_assessment, "a", "report", path, *NOW)
    assert name in line
    assert why in line


def test_a_file_is_taken_up_to_the_limit_and_not_one_byte_above(run, in_self_assessment, tmp_path):
    path = scan(tmp_path)
    with path.open("r+b") as file:
        file.truncate(MOST_BYTES + 1)
    attach = ("attach", in_self_assessment, "a", "report", path, *NOW)
    assert "30 MB" in refused(run, tmp_path, *attach)
    with path.open("r+b") as file:
        file.truncate(MOST_BYTES)
    done(run, *attach)
    assert kept(tmp_path, "SELECT size FROM kept_files") == [(MOST_BYTES,)]


REFUSED = {
    "no-such-unit": (("attach", "z", "report", "Báo cáo.pdf"), "z"),
    "an-agency-owes-no-dossier": (("attach", "x", "report", "Báo cáo.pdf"), "x"),
    "no-such-group": (
        ("attach", "a", "evidence", "Báo cáo.pdf", "--group", "Bản 9"),
        "Bản MẪU a1, Bản MẪU a2",
    ),
    "anothers-group": (("attach", "a", "evidence", "Báo cáo.pdf", "--group", "Bản MẪU b1"), "Bản MẪU a1"),
    "no-such-leaf": (("attach", "a", "evidence", "Báo cáo.pdf", "--leaf", "IX"), "I, II"),
    "no-such-file": (("attach", "a", "report", "không có.pdf"), "không có.pdf"),
    "a-folder": (("attach", "a", "report", "."), "."),
    "nothing-to-take-out": (("detach", "a", "minutes"), "biên bản họp"),
    "from-the-future": (("attach", "a", "report", "Báo cáo.pdf", "--at", "2031-01-01T00:00"), "--at"),
}


@pytest.mark.parametrize(("words", "told"), REFUSED.values(), ids=REFUSED)
def test_a_mistake_is_told_in_one_line_and_leaves_nothing_behind(
    run, in_self_assessment, tmp_path, words, told
):
    scan(tmp_path)
    assert told in refused(run, tmp_path, words[0], in_self_assessment, *words[1:], *NOW)


def test_an_unknown_part_is_bad_usage(run, in_self_assessment, tmp_path):
    assert "poem" in refused(run, tmp_path, "attach", in_self_assessment, "a", "poem", *NOW, code=2)


def test_nothing_is_shown_of_a_unit_that_owes_no_dossier(run, in_self_assessment, tmp_path):
    assert "a, b" in refused(run, tmp_path, "dossier", in_self_assessment, "x")


def test_what_is_handed_in_is_changed_only_after_it_was_sent_back(run, in_review, tmp_path):
    later = ("--now", "2021-11-15T14:00", "--by", "MẪU xã")
    attach = ("attach", in_review, "a", "report", scan(tmp_path))
    assert "12/11/2021 09:00" in refused(run, tmp_path, *attach, *later)
    # What lay with the paper dossier when it was received may be typed in afterwards.
    done(run, *attach, *later, "--at", "2021-11-12T08:59")
    done(run, "return", in_review, "a", "--reason", "thiếu phụ lục", *later)
    done(run, "attach", in_review, "a", "other", scan(tmp_path, "phu-luc.pdf"), *later)
    entries = as_json(run, "dossier", in_review, "a")["entries"]
    assert [(each["part"], each["round"]) for each in entries] == [("report", 1), ("other", 2)]


def test_a_clerk_types_what_a_commune_says_of_a_group(run, in_self_assessment, tmp_path):
    words = ("self-assess", in_self_assessment, "a", "--group", "Bản MẪU a1")
    scores = ("--score", "I=40,5", "--score", "II=45", "--evidence", "biên bản")
    said = done(run, *words, "--votes", "46-41-30", *scores, *NOW)
    assert said == "Đã ghi tự đánh giá của a: Bản MẪU a1; 2 điểm mới hoặc thay đổi."
    told = "SELECT is_proposed, reason, invited, attended, in_favour FROM group_cases"
    assert kept(tmp_path, told) == [(1, "", 46, 41, 30)]
    given = "SELECT leaf, points, evidence FROM marks ORDER BY id"
    assert kept(tmp_path, given) == [("I", 405000, "biên bản"), ("II", 450000, "biên bản")]
    done(run, *words, "--not-proposed", "--reason", "chưa đủ hộ", *NOW)
    assert kept(tmp_path, told) == [(0, "chưa đủ hộ", 46, 41, 30)]
    done(run, *words, "--proposed", *NOW)
    assert kept(tmp_path, told) == [(1, "", 46, 41, 30)]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        pytest.param((), 2, id="nothing"),
        pytest.param(("--votes", "46-41"), 2, id="two-counts"),
        pytest.param(("--votes", "46--1-30"), 2, id="below-nobody"),
        pytest.param(("--votes", "41-46-30"), 1, id="more-came-than-were-invited"),
        pytest.param(("--score", "I"), 2, id="no-mark"),
        pytest.param(("--score", "IX=1"), 1, id="no-such-leaf"),
        pytest.param(("--score", "I=51"), 1, id="above-the-maximum"),
        pytest.param(("--not-proposed",), 1, id="left-off-without-a-reason"),
        pytest.param(("--area-class", "sao-hoa"), 1, id="no-such-class"),
    ],
)
def test_what_cannot_be_said_of_a_group_is_refused_whole(run, in_self_assessment, tmp_path, words, code):
    more = ("--score", "II=45") if words else ()
    given = ("self-assess", in_self_assessment, "a", "--group", "Bản MẪU a1", *words, *more, *NOW)
    ended, out, err = run(*given)
    assert (ended, out, len(err.splitlines())) == (code, "", 1)
    assert kept(tmp_path, "SELECT COUNT(*) FROM marks") == [(0,)]
    assert kept(tmp_path, "SELECT COUNT(*) FROM group_cases") == [(0,)]


def test_words_that_are_no_text_are_refused_in_one_line(run, in_self_assessment):
    ended, out, err = run("attach", in_self_assessment, "a", "report", "bao-cao\udcff.pdf", *NOW)
    assert (ended, out) == (2, "")
    assert err == "Tham số có ký tự không phải UTF-8; đổi lại tên tệp hoặc gõ lại.\n"


def test_decomposed_letters_name_the_same_group(run, in_self_assessment, tmp_path):
    name = unicodedata.normalize("NFD", "Bản MẪU a1")
    done(run, "attach", in_self_assessment, "a", "evidence", "--group", name, *NOW)
    assert as_json(run, "dossier", in_self_assessment, "a")["entries"][0]["group"] == "Bản MẪU a1"
