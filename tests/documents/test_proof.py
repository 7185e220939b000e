"""The proof as a workbook, read back as whoever opens it finds it, and the words it says."""

from dataclasses import replace
from datetime import datetime
from io import BytesIO

import pytest
from openpyxl import load_workbook

from documents.proof import proof_workbook
from documents.sheets import LONGEST_TEXT, Column, Sheet, workbook
from documents.words import notice_words, result_words, term_words
from rules.calendar import CITY, Before, By, InYear, WithinDays, WithinWorkingDays
from rules.fates import Fate, Unsent
from rules.letters import Paper
from rules.notices import RIDES_ALONG, Channel, LetterState, NoticeKind
from rules.proof import Attempt, HandedIn, ItemLine, NoticeLine, Proof, Sending, Term, Trail
from rules.sending import Follows, Outcome, Way
from rules.stages import PaperRole, Stage
from rules.work_items import ItemKind, ItemState, VersionCause, Via


def at(moment: str) -> datetime:
    return datetime.fromisoformat(f"2021-{moment}").replace(tzinfo=CITY)


def on_the_wall(moment: str) -> datetime:
    """Return what Excel holds: the time on the city's clocks, without a zone."""
    return at(moment).replace(tzinfo=None)


LAUNCH = Paper("CV", "3/CV-MẪU", at("11-11").date())
TERM = Term(
    version=1,
    wording=Before(at("11-22").date()),
    closes_at=at("11-19 17:00"),
    late_from=at("11-22 00:00"),
    since=at("11-11 07:30"),
    cause=VersionCause.ENTERED,
    paper=LAUNCH,
    role=PaperRole.LAUNCH,
)
ACCEPTED = Attempt(at("11-16 07:30"), Way.EMAIL, Outcome.ACCEPTED, "250", "abc", "OK")
MAIL = Sending(
    number=1,
    channel=Channel.EMAIL,
    way=Way.EMAIL,
    address="a@mau.example",
    state=LetterState.SENT,
    not_before=at("11-16 07:30"),
    message_id="<1@mau.example>",
    subject="=Nhắc hạn",
    settled_at=at("11-16 07:30"),
    tries=(ACCEPTED,),
)
ZALO = replace(
    MAIL,
    channel=Channel.ZALO,
    way=Way.ZALO_OA,
    address="uid",
    tries=(replace(ACCEPTED, way=Way.ZALO_OA, code="0", provider_id="z1"),),
)
REFUSED = replace(
    ZALO,
    state=LetterState.FAILED,
    tries=(Attempt(at("11-16 07:30"), Way.ZALO_OA, Outcome.PERMANENT, "-230", "", "no interaction"),),
)
BY_TEMPLATE = replace(ZALO.tries[0], way=Way.ZBS_UID)
UNKNOWN = Attempt(at("11-16 07:30"), Way.ZALO_OA, Outcome.UNKNOWN)
LINE = NoticeLine(
    kind=NoticeKind.REMINDER,
    step="before:3",
    due_at=at("11-16 07:30"),
    to="MẪU a",
    title="chuyên viên",
    to_unit="xã MẪU a",
    role="officer",
    fate=Fate.ACCEPTED,
    version=1,
    settled_at=at("11-16 07:30"),
    letters=(MAIL,),
)
ITEM = ItemLine(
    name="dossier/a",
    kind=ItemKind.DOSSIER,
    unit="a",
    unit_name="@xã MẪU a",
    state=ItemState.DONE,
    done_at=at("11-19 16:00"),
    terms=(TERM,),
    handed_in=(
        HandedIn(1, at("11-19 16:00"), at("11-22 09:00"), Via.PAPER, "12/BC", "MẪU", False, is_late=False),
    ),
    notices=(LINE,),
)
PROOF = Proof(
    campaign="mau-2021",
    title="Công nhận & tôn vinh MẪU",
    stage=Stage.SELF_ASSESSMENT,
    organiser="Ủy ban nhân dân MẪU",
    standing_office="phòng MẪU",
    as_of=at("11-29 09:00"),
    terms=(TERM,),
    items=(ITEM,),
    trail=Trail(9, "hash"),
)


def opened(content: bytes):
    return load_workbook(BytesIO(content))


def table(page) -> list[dict[str, object]]:
    """Return the rows of a sheet by their headings, without the cells that are empty."""
    headings, *rows = page.iter_rows(values_only=True)
    return [
        {name: value for name, value in zip(headings, row, strict=True) if value is not None} for row in rows
    ]


def test_the_workbook_says_what_the_report_says():
    book = opened(proof_workbook(PROOF))
    assert book.sheetnames == ["Tóm tắt", "Từng đơn vị", "Từng thông báo", "Từng lần gửi"]
    (unit,) = table(book["Từng đơn vị"])
    (notice,) = table(book["Từng thông báo"])
    (attempt,) = table(book["Từng lần gửi"])
    assert unit == {
        "TT": 1,
        "Đơn vị": "@xã MẪU a",
        "Nhiệm vụ": "hồ sơ",
        "Tình trạng": "đã thực hiện",
        "So với thời hạn": "đúng hạn",
        "Tiếp nhận đến": on_the_wall("11-19 17:00"),
        "Tính là chậm từ": on_the_wall("11-22 00:00"),
        "Các lần quy định thời hạn": term_words(TERM),
        "Nhận lần đầu": on_the_wall("11-19 16:00"),
        "Nhận lần cuối": on_the_wall("11-19 16:00"),
        "Đã nhận": "Nhận lần 1: 16h00 ngày 19/11/2021, bản giấy; văn bản đến số 12/BC; đúng hạn; "
        "ghi nhận lúc 09h00 ngày 22/11/2021",
        "Số thông báo đã được tiếp nhận": 1,
        "Thông báo đầu": on_the_wall("11-16 07:30"),
        "Thông báo cuối": on_the_wall("11-16 07:30"),
        "Không gửi được": 0,
        "Chưa rõ": 0,
        "Báo cáo, đôn đốc tới người khác": 0,
    }
    assert (notice["Nội dung"], notice["Kênh"], notice["Kết quả"], notice["Thư số"]) == (
        "nhắc hạn (trước 03 ngày làm việc)",
        "thư điện tử",
        "đã tiếp nhận",
        "1",
    )
    assert notice["Diễn biến"] == result_words(LINE)
    assert (attempt["Thư số"], attempt["Mã"], attempt["Số hiệu của máy chủ"]) == (1, "250", "abc")
    summary = {name: value for name, value in book["Tóm tắt"].iter_rows(min_row=2, values_only=True)}
    assert summary["Văn bản làm căn cứ"] == "Công văn số 3/CV-MẪU ngày 11/11/2021 (triển khai)"
    assert summary["Nhật ký của đợt"] == "nguyên vẹn; mục cuối số 9, mã hash"
    assert summary["Tính đến"] == on_the_wall("11-29 09:00")


def test_the_same_report_gives_the_same_cells():
    first, second = (
        [[[cell.value for cell in row] for row in page] for page in opened(proof_workbook(PROOF))]
        for _ in range(2)
    )
    assert first == second


def test_a_sheet_is_ready_to_be_read_and_printed():
    for page in opened(proof_workbook(PROOF)):
        assert page.freeze_panes == "A2"
        assert page.print_title_rows == "$1:$1"
        assert (page.page_setup.orientation, page.page_setup.paperSize) == ("landscape", 9)
        assert (page.page_setup.fitToWidth, page.page_setup.fitToHeight) == (1, 0)
        assert page.sheet_properties.pageSetUpPr.fitToPage
        assert page["A1"].font.bold
        widths = [page.column_dimensions[cell.column_letter].width for cell in page[1]]
        # Every heading has room in three lines, and every word of it in one.
        for cell, width in zip(page[1], widths, strict=True):
            assert len(cell.value) <= 3 * width
            assert max(map(len, cell.value.split())) <= width
        assert all(cell.alignment.wrap_text for row in page for cell in row)


def test_an_instant_is_a_date_of_excel_in_city_time():
    page = opened(proof_workbook(PROOF))["Từng lần gửi"]
    (cell,) = [each for each in page[2] if each.is_date]
    assert (cell.number_format, cell.value) == ("dd/mm/yyyy hh:mm", on_the_wall("11-16 07:30"))


@pytest.mark.parametrize("text", ["=1+1", "+84213", "-230", "@SUM(A1)", "\tx", "\rx", "#N/A", "xã MẪU"])
def test_a_text_is_never_a_formula(text):
    sheet = Sheet("MẪU", (Column("MẪU", 9),), [(text,)])
    cell = opened(workbook([sheet], title="MẪU", made_at=at("11-29 09:00")))["MẪU"]["A2"]
    # What Excel might take for a formula is a string, and marked as one typed after an apostrophe.
    is_armed = text[0] in "=+-@\t\r"
    assert (cell.data_type, cell.value, bool(cell.quotePrefix)) == ("s", text.replace("\r", "\n"), is_armed)


def test_a_text_that_excel_could_not_hold_is_made_to_fit():
    sheet = Sheet("MẪU", (Column("MẪU", 9),), [("a\x00b\x1b[31m",), ("x" * (LONGEST_TEXT + 1),)])
    page = opened(workbook([sheet], title="MẪU", made_at=at("11-29 09:00")))["MẪU"]
    assert (page["A2"].value, len(page["A3"].value)) == ("a b [31m", LONGEST_TEXT)


RESULTS = {
    "accepted": (
        LINE,
        "Thư điện tử: máy chủ thư của người nhận/chuyển tiếp đã tiếp nhận lúc 07h30 ngày 16/11/2021, "
        "mã 250, số hiệu abc",
    ),
    "zalo-accepted": (
        replace(LINE, letters=(ZALO,)),
        "Zalo OA – tin tư vấn: Zalo đã tiếp nhận lúc 07h30 ngày 16/11/2021, mã 0, số hiệu z1, "
        "chưa có xác nhận chuyển đến",
    ),
    "zalo-delivered": (
        replace(
            LINE,
            letters=(replace(ZALO, state=LetterState.DELIVERED, delivered_at=at("11-16 07:31")),),
        ),
        "Zalo OA – tin tư vấn: Zalo xác nhận đã chuyển đến máy người nhận lúc 07h31 ngày 16/11/2021, "
        "mã 0, số hiệu z1",
    ),
    "zalo-delivered-after-all": (
        replace(
            LINE,
            letters=(
                replace(
                    ZALO,
                    state=LetterState.DELIVERED,
                    tries=(UNKNOWN,),
                    provider_id="z2",
                    delivered_at=at("11-16 07:31"),
                    seen_at=at("11-16 08:00"),
                ),
            ),
        ),
        "Zalo OA – tin tư vấn: Zalo xác nhận đã chuyển đến máy người nhận lúc 07h31 ngày 16/11/2021, "
        "số hiệu z2; người nhận đã xem lúc 08h00 ngày 16/11/2021",
    ),
    "fallback": (
        replace(LINE, letters=(REFUSED, replace(MAIL, number=2, follows=Follows.NEXT_CHANNEL))),
        "Zalo OA – tin tư vấn: thất bại lúc 07h30 ngày 16/11/2021 (mã -230: no interaction)\n→ thư điện tử: "
        "máy chủ thư của người nhận/chuyển tiếp đã tiếp nhận lúc 07h30 ngày 16/11/2021, mã 250, số hiệu abc",
    ),
    "besides": (
        replace(LINE, fate=Fate.FAILED, unsent=Unsent.BESIDES, letters=(REFUSED,)),
        "Zalo OA – tin tư vấn: thất bại lúc 07h30 ngày 16/11/2021 (mã -230: no interaction); "
        "nội dung này đã gửi song song bằng thư điện tử",
    ),
    "uncertain": (
        replace(
            LINE,
            fate=Fate.UNCERTAIN,
            letters=(replace(ZALO, state=LetterState.UNCERTAIN, tries=(UNKNOWN,)),),
        ),
        "Zalo OA – tin tư vấn: chưa rõ đã gửi hay chưa (lúc 07h30 ngày 16/11/2021)",
    ),
    "dropped": (
        replace(
            LINE,
            fate=Fate.FAILED,
            letters=(
                replace(ZALO, state=LetterState.FAILED, tries=(UNKNOWN,), settled_at=at("11-16 09:00")),
            ),
        ),
        "Zalo OA – tin tư vấn: chưa rõ đã gửi hay chưa (lúc 07h30 ngày 16/11/2021); đã quyết định không "
        "gửi lại, lúc 09h00 ngày 16/11/2021",
    ),
    "tried-twice": (
        replace(
            LINE,
            letters=(
                replace(
                    MAIL,
                    repeats=1,
                    tries=(
                        Attempt(at("11-16 07:29"), Way.EMAIL, Outcome.UNKNOWN),
                        ACCEPTED,
                    ),
                ),
            ),
        ),
        "Thư điện tử: máy chủ thư của người nhận/chuyển tiếp đã tiếp nhận lúc 07h30 ngày 16/11/2021, mã 250, "
        "số hiệu abc; các lần thử: 07h29 ngày 16/11/2021 chưa rõ đã gửi hay chưa; "
        "07h30 ngày 16/11/2021 đã tiếp nhận, mã 250 [gửi lại lần 1, cùng Message-ID]",
    ),
    "two-ways": (
        replace(
            LINE,
            letters=(replace(ZALO, way=Way.ZBS_UID, tries=(*REFUSED.tries, BY_TEMPLATE)),),
        ),
        "ZBS theo UID: Zalo đã tiếp nhận lúc 07h30 ngày 16/11/2021, mã 0, số hiệu z1, chưa có xác nhận "
        "chuyển đến; các lần thử: 07h30 ngày 16/11/2021 qua Zalo OA – tin tư vấn không gửi được, mã -230; "
        "07h30 ngày 16/11/2021 qua ZBS theo UID đã tiếp nhận, mã 0",
    ),
    "again": (
        replace(LINE, letters=(replace(MAIL, follows=Follows.AGAIN, repeats=1),)),
        "Thư điện tử: máy chủ thư của người nhận/chuyển tiếp đã tiếp nhận lúc 07h30 ngày 16/11/2021, mã 250, "
        "số hiệu abc [gửi lại theo yêu cầu, cùng Message-ID]",
    ),
    "came-back": (
        replace(
            LINE,
            fate=Fate.FAILED,
            letters=(
                replace(
                    MAIL,
                    state=LetterState.FAILED,
                    settled_at=at("11-16 08:00"),
                    tries=(
                        ACCEPTED,
                        Attempt(
                            at("11-16 08:00"), Way.EMAIL, Outcome.PERMANENT, "5.1.1", "abc", "no such user"
                        ),
                    ),
                ),
            ),
        ),
        "Thư điện tử: máy chủ thư đã tiếp nhận lúc 07h30 ngày 16/11/2021, mã 250, số hiệu abc, sau đó thư "
        "bị trả lại lúc 08h00 ngày 16/11/2021 (mã 5.1.1: no such user)",
    ),
    "put-off": (
        replace(
            LINE,
            fate=Fate.QUEUED,
            letters=(
                replace(
                    MAIL,
                    state=LetterState.QUEUED,
                    not_before=at("11-16 07:31"),
                    settled_at=None,
                    tries=(Attempt(at("11-16 07:30"), Way.EMAIL, Outcome.TRANSIENT, "451"),),
                ),
            ),
        ),
        "Thư điện tử: chưa gửi được (mã 451), thử lại từ 07h31 ngày 16/11/2021",
    ),
    "handed-in": (
        replace(LINE, fate=Fate.SUPPRESSED, unsent=Unsent.HANDED_IN, letters=()),
        "Không gửi: đơn vị đã gửi trước đó",
    ),
    "held": (
        replace(LINE, fate=Fate.HELD, letters=()),
        "Trưởng cơ quan thường trực để lại, chưa cho gửi",
    ),
    "rides-along": (
        replace(LINE, step=RIDES_ALONG, fate=Fate.QUEUED, letters=()),
        "Sẽ nêu trong báo cáo nhanh kế tiếp",
    ),
}


@pytest.mark.parametrize(("line", "words"), RESULTS.values(), ids=RESULTS)
def test_what_became_of_a_notice_is_said_as_an_inspection_may_read_it(line, words):
    assert result_words(line) == words


@pytest.mark.parametrize("fate", Fate)
@pytest.mark.parametrize("unsent", [None, *Unsent])
def test_every_fate_and_reason_has_its_words(fate, unsent):
    for state in LetterState:
        assert result_words(replace(LINE, fate=fate, unsent=unsent, letters=(replace(MAIL, state=state),)))


@pytest.mark.parametrize(
    ("wording", "words"),
    [
        (Before(at("11-22").date()), "trước ngày 22/11/2021"),
        (By(at("11-22").date()), "chậm nhất ngày 22/11/2021"),
        (By(at("11-22").date(), at("11-22 16:30").time()), "chậm nhất 16h30 ngày 22/11/2021"),
        (WithinDays(5, at("11-22").date()), "trong thời hạn 05 ngày kể từ ngày 22/11/2021"),
        (WithinWorkingDays(7, None), "trong thời hạn 07 ngày làm việc kể từ ngày bắt đầu thực hiện"),
        (InYear(2021), "trong năm 2021"),
    ],
    ids=["before", "by", "by-hour", "days", "working-days", "year"],
)
def test_a_term_is_said_in_its_own_wording(wording, words):
    assert term_words(replace(TERM, wording=wording)) == (
        f"{words}; nhận đến 17h00 ngày 19/11/2021; tính là chậm từ 00h00 ngày 22/11/2021; "
        "theo Công văn số 3/CV-MẪU ngày 11/11/2021"
    )


@pytest.mark.parametrize("cause", VersionCause)
def test_every_cause_of_a_term_has_its_words(cause):
    assert term_words(replace(TERM, cause=cause, paper=None, reason="lũ"))


@pytest.mark.parametrize("kind", NoticeKind)
@pytest.mark.parametrize("step", ["-", "before:0", "after:3", RIDES_ALONG, "refused"])
def test_every_notice_has_its_words(kind, step):
    assert notice_words(kind, step)
