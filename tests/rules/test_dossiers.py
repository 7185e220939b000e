"""What a dossier lacks, and which files are taken."""

import pytest

from rules.dossiers import (
    ENDINGS,
    MOST_BYTES,
    Content,
    DossierPart,
    FileProblem,
    MediaType,
    Missing,
    WantedPart,
    missing_parts,
    problem_of_file,
)

REPORT = WantedPart("Báo cáo", DossierPart.REPORT)
SUBMISSION = WantedPart("Tờ trình", DossierPart.SUBMISSION)
SCORES = WantedPart("Bảng tự chấm điểm", DossierPart.SCORES)
LISTS = WantedPart("Danh sách", DossierPart.LISTS)
IN_WORDS = WantedPart("Tài liệu khác theo yêu cầu")
WANTED = (REPORT, IN_WORDS, SUBMISSION, SCORES, LISTS)
WHOLE = Content(parts=frozenset({DossierPart.REPORT, DossierPart.SUBMISSION}), groups=3, scores_given=15)


def test_a_whole_dossier_lacks_nothing():
    assert missing_parts(WANTED, WHOLE) == ()


def test_what_is_missing_stands_in_the_order_of_the_plan_with_how_much():
    content = Content(groups=3, scores_given=11, scores_missing=4, groups_unlisted=1)
    assert missing_parts(WANTED, content) == (
        Missing(REPORT),
        Missing(SUBMISSION),
        Missing(SCORES, 4),
        Missing(LISTS, 1),
    )


def test_who_proposes_nobody_still_owes_report_and_scores():
    content = Content(groups=3, scores_missing=15, groups_unlisted=3)
    assert missing_parts(WANTED, content, is_not_proposing=True) == (Missing(REPORT), Missing(SCORES, 15))


def test_a_unit_without_groups_owes_no_scores():
    assert missing_parts((SCORES,), Content()) == ()


@pytest.mark.parametrize(
    ("name", "size", "seen", "problem"),
    [
        pytest.param("Tờ trình.pdf", 10, MediaType.PDF, None, id="a-scan"),
        pytest.param("ANH.JPG", MOST_BYTES, MediaType.JPEG, None, id="as-big-as-may-be"),
        pytest.param("anh.jpg", MOST_BYTES + 1, MediaType.JPEG, FileProblem.TOO_BIG, id="a-byte-more"),
        pytest.param("a.pdf", 0, None, FileProblem.EMPTY, id="empty"),
        pytest.param("a.exe", 10, None, FileProblem.UNKNOWN_ENDING, id="a-program"),
        pytest.param("pdf", 10, MediaType.PDF, FileProblem.UNKNOWN_ENDING, id="no-ending"),
        pytest.param("a.pdf", 10, None, FileProblem.NOT_WHAT_IT_SAYS, id="a-program-named-pdf"),
        pytest.param("a.pdf", 10, MediaType.PNG, FileProblem.NOT_WHAT_IT_SAYS, id="a-picture-named-pdf"),
        pytest.param("a.xlsm", 10, MediaType.XLSX, FileProblem.MACROS, id="macros"),
    ],
)
def test_a_file_is_taken_for_what_it_is(name, size, seen, problem):
    assert problem_of_file(name, size, seen) is problem


def test_every_kind_of_file_has_an_ending():
    assert set(ENDINGS.values()) == set(MediaType)
