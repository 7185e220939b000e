"""The meeting by command: called with its papers, held with its votes, completed by opinions in writing."""

import pytest

from tests.scored_homes import as_json, done, kept, refused

CALLED = ("--now", "2021-11-16T14:00", "--by", "MẪU thường trực")
HELD = ("--now", "2021-11-22T10:00", "--by", "MẪU thường trực")
MEMBERS = ("--member", "MẪU 1", "--member", "MẪU 2", "--member", "MẪU 3")
TWO = ("--present", "MẪU 1", "--present", "MẪU 2")


def convene(run, code: str, *more: str) -> str:
    return done(run, "meeting", "convene", code, "--on", "2021-11-22T08:00", *MEMBERS, *more, *CALLED)


def hold(run, code: str, *more: str) -> str:
    return done(run, "meeting", "hold", code, *TWO, *more, *HELD)


def test_a_meeting_is_called_sent_its_papers_held_and_shown(run, in_consolidation, tmp_path):
    code = in_consolidation
    people = ("--chair", "MẪU 1", "--secretary", "MẪU 2", "--place", "Hội trường MẪU")
    assert convene(run, code, *people) == "Đã mời họp lần 1, 22/11/2021 08:00, 3 thành viên."
    assert done(run, "meeting", "papers", code, *CALLED) == "Đã ghi việc gửi tài liệu họp."
    said = hold(
        run, code, "--opinion", "MẪU 3=nhất trí, trừ b2", "--vote", "3-0", "--vote", "b/Bản MẪU b2=1-2"
    )
    assert said == "Đã ghi cuộc họp."
    assert as_json(run, "meeting", "show", code) == {
        "number": 1,
        "holds_at": "2021-11-22T08:00:00+07:00",
        "place": "Hội trường MẪU",
        "invited_at": "2021-11-16T14:00:00+07:00",
        "papers_sent_at": "2021-11-16T14:00:00+07:00",
        "held_at": "2021-11-22T10:00:00+07:00",
        "members": [
            {"person": "MẪU 1", "attendance": "present", "opinion": None},
            {"person": "MẪU 2", "attendance": "present", "opinion": None},
            {"person": "MẪU 3", "attendance": "in_writing", "opinion": "nhất trí, trừ b2"},
        ],
        "votes": [
            {
                "unit": None,
                "group": None,
                "in_favour": 3,
                "against": 0,
                "abstained": 0,
                "ballot": "show_of_hands",
            },
            {
                "unit": "b",
                "group": "Bản MẪU b2",
                "in_favour": 1,
                "against": 2,
                "abstained": 0,
                "ballot": "show_of_hands",
            },
        ],
        "gaps": [],
    }
    assert done(run, "meeting", "show", code).splitlines() == [
        "Cuộc họp lần 1, 22/11/2021 08:00, Hội trường MẪU",
        "  MẪU 1: có mặt",
        "  MẪU 2: có mặt",
        "  MẪU 3: vắng mặt, có ý kiến bằng văn bản",
        "  Biểu quyết toàn danh sách: 3 tán thành, 0 không tán thành, 0 không có ý kiến",
        "  Biểu quyết b/Bản MẪU b2: 1 tán thành, 2 không tán thành, 0 không có ý kiến",
    ]
    assert kept(tmp_path, "SELECT chair, secretary FROM meetings") == [("MẪU 1", "MẪU 2")]


def test_nothing_is_shown_before_a_meeting_is_called(run, in_consolidation):
    assert as_json(run, "meeting", "show", in_consolidation) is None
    assert done(run, "meeting", "show", in_consolidation) == "Chưa mời họp."


def test_a_secret_ballot_with_abstentions_is_kept_as_one(run, in_consolidation, tmp_path):
    convene(run, in_consolidation, "--with-papers")
    done(
        run,
        "meeting",
        "hold",
        in_consolidation,
        *TWO,
        "--present",
        "MẪU 3",
        "--vote",
        "1-1-1",
        "--secret",
        *HELD,
    )
    assert kept(tmp_path, "SELECT subject, in_favour, against, abstained, ballot FROM meeting_votes") == [
        ("*", 1, 1, 1, "secret")
    ]


def test_what_a_meeting_lacks_is_said_at_once_and_when_the_list_is_to_be_frozen(
    run, in_consolidation, tmp_path
):
    code = in_consolidation
    conclude = ("conclude", code, *HELD)
    assert "Chưa mời họp." in refused(run, tmp_path, *conclude)
    convene(run, code)
    line = refused(run, tmp_path, *conclude)
    assert line.endswith("Chưa gửi tài liệu họp. Chưa họp.")
    # Three working days before Mon 22/11/2021 is Wed 17/11.
    done(run, "meeting", "papers", code, "--now", "2021-11-18T07:30")
    assert done(run, "meeting", "hold", code, "--present", "MẪU 1", *HELD).splitlines() == [
        "Đã ghi cuộc họp.",
        "Tài liệu họp gửi muộn hơn số ngày làm việc kế hoạch yêu cầu.",
        "Chưa đủ số thành viên có mặt theo quy định.",
        "Có thành viên vắng mặt chưa gửi ý kiến bằng văn bản.",
        "Chưa ghi biểu quyết.",
    ]
    line = refused(run, tmp_path, *conclude)
    assert line.startswith("Kế hoạch yêu cầu họp thông qua danh sách; chưa chốt được:")
    assert "Chưa ghi biểu quyết." in line


def test_a_meeting_called_again_calls_off_the_one_that_was_not_held(run, in_consolidation, tmp_path):
    convene(run, in_consolidation)
    assert convene(run, in_consolidation).startswith("Đã mời họp lần 2,")
    assert kept(tmp_path, "SELECT number, called_off_because FROM meetings ORDER BY number") == [
        (1, "convened_again"),
        (2, None),
    ]
    hold(run, in_consolidation, "--vote", "2-0")
    assert kept(tmp_path, "SELECT number FROM meetings WHERE held_at IS NOT NULL") == [(2,)]


def test_an_opinion_comes_before_the_meeting_or_after_it(run, in_consolidation):
    code = in_consolidation
    convene(run, code, "--with-papers")
    said = done(run, "meeting", "opinion", code, "MẪU 3", "nhất trí", *CALLED)
    assert said == "Đã ghi ý kiến bằng văn bản của MẪU 3."
    assert hold(run, code, "--vote", "3-0") == "Đã ghi cuộc họp."
    members = as_json(run, "meeting", "show", code)["members"]
    assert [(each["attendance"], each["opinion"]) for each in members] == [
        ("present", None),
        ("present", None),
        ("in_writing", "nhất trí"),
    ]


BEFORE = {
    "no-meeting-to-hold": ("hold", *TWO),
    "no-meeting-for-papers": ("papers",),
    "no-meeting-for-an-opinion": ("opinion", "MẪU 1", "nhất trí"),
}


@pytest.mark.parametrize("words", BEFORE.values(), ids=BEFORE)
def test_nothing_happens_at_a_meeting_that_was_not_called(run, in_consolidation, tmp_path, words):
    line = refused(run, tmp_path, "meeting", words[0], in_consolidation, *words[1:], *HELD)
    assert "meeting convene" in line


REFUSED = {
    "invited-twice": (
        ("convene", "--on", "2021-11-23T08:00", *MEMBERS, *MEMBERS[:2]),
        "MẪU 1 được ghi hai lần",
    ),
    "not-invited": (("hold", *TWO, "--present", "MẪU 9"), "MẪU 1, MẪU 2, MẪU 3"),
    "an-opinion-of-nobody": (("hold", *TWO, "--opinion", "MẪU 9=nhất trí"), "MẪU 1, MẪU 2, MẪU 3"),
    "there-and-in-writing": (("hold", *TWO, "--opinion", "MẪU 1=nhất trí"), "MẪU 1 được ghi hai lần"),
    "there-twice": (("hold", *TWO, *TWO), "MẪU 1 được ghi hai lần"),
    "two-opinions": (
        ("hold", *TWO, "--opinion", "MẪU 3=nhất trí", "--opinion", "MẪU 3=không nhất trí"),
        "MẪU 3 được ghi hai lần",
    ),
    "more-votes-than-people": (("hold", *TWO, "--vote", "2-1"), "“toàn danh sách” có 3 phiếu, nhiều hơn 2"),
    "more-votes-on-a-group": (("hold", *TWO, "--vote", "b/Bản MẪU b1=1-1-1"), "“Bản MẪU b1” có 3 phiếu"),
    "two-votes-on-the-list": (("hold", *TWO, "--vote", "2-0", "--vote", "1-1"), "“toàn danh sách”"),
    "two-votes-on-a-group": (
        ("hold", *TWO, "--vote", "b/Bản MẪU b1=2-0", "--vote", "b/Bản MẪU b1=1-1"),
        "“Bản MẪU b1”",
    ),
    "no-such-group": (("hold", *TWO, "--vote", "b/Bản 9=2-0"), "Bản MẪU b1, Bản MẪU b2"),
    "from-the-future": (("hold", *TWO, "--at", "2031-01-01T00:00"), "--at"),
}


@pytest.mark.parametrize(("words", "told"), REFUSED.values(), ids=REFUSED)
def test_a_mistake_is_told_in_one_line_and_leaves_nothing_behind(
    run, in_consolidation, tmp_path, words, told
):
    convene(run, in_consolidation)
    assert told in refused(run, tmp_path, "meeting", words[0], in_consolidation, *words[1:], *HELD)


def test_a_meeting_is_held_once_and_who_was_there_writes_no_opinion(run, in_consolidation, tmp_path):
    convene(run, in_consolidation)
    hold(run, in_consolidation)
    for words in (("hold", *TWO), ("papers",)):
        line = refused(run, tmp_path, "meeting", words[0], in_consolidation, *words[1:], *HELD)
        assert "đã họp xong" in line
    line = refused(run, tmp_path, "meeting", "opinion", in_consolidation, "MẪU 1", "nhất trí", *HELD)
    assert "MẪU 1" in line


MISUSED = {
    "vote-of-words": ("hold", "--vote", "bảy-một"),
    "vote-of-one": ("hold", "--vote", "7"),
    "vote-of-nobody": ("hold", "--vote", "=7-1"),
    "opinion-without-words": ("hold", "--opinion", "MẪU 3="),
    "opinion-without-a-person": ("hold", "--opinion", "nhất trí"),
    "blank-opinion": ("opinion", "MẪU 3", " "),
    "when": ("convene", "--on", "mai"),
    "never": ("convene",),
}


@pytest.mark.parametrize("words", MISUSED.values(), ids=MISUSED)
def test_what_cannot_be_read_is_bad_usage(run, in_consolidation, tmp_path, words):
    refused(run, tmp_path, "meeting", words[0], in_consolidation, *words[1:], *HELD, code=2)


def test_no_meeting_is_called_before_the_reviews_are_over(run, in_review, tmp_path):
    assert "tổng hợp" in refused(
        run, tmp_path, "meeting", "convene", in_review, "--on", "2021-11-22T08:00", *MEMBERS, *CALLED
    )
