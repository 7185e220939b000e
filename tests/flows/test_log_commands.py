"""`congnhan notices` and `congnhan proof` as a clerk and a program meet them."""

import json
from datetime import datetime

import pytest
from openpyxl import load_workbook

from flows import log_commands
from models.outcomes import Tried
from notifications.mailbox import Mailbox
from rules.calendar import CITY
from rules.sending import Outcome, Way
from tests.flows.test_console import one_line
from tests.proving import NOW, answer, issued, over_zalo, queued, refusing_mailbox, walked
from tests.walking import begin, change, rows

PROOF = ("proof", "mau-2021", "--now", NOW.replace(" ", "T"))


@pytest.fixture
def mailbox(tmp_path):
    with Mailbox(tmp_path / "mail") as opened:
        yield opened


def words(text: str) -> str:
    return " ".join(text.split())


def clock(iso: str) -> str:
    return f"{datetime.fromisoformat(iso).astimezone(CITY):%m-%d %H:%M}"


def log(run, *options: str) -> list[dict]:
    code, out, _ = run("notices", "--json", *options)
    assert code == 0
    return json.loads(out)


def test_both_commands_tell_of_a_whole_campaign(database, tmp_path, monkeypatch, run):
    with refusing_mailbox(tmp_path / "mail", monkeypatch) as opened:
        walk = walked(tmp_path / "files", opened)
    letters = log(run, walk.code)
    sent = [each for each in letters if each["state"] == "sent"]
    assert [
        (clock(each["at"]), each["address"].partition("@")[0], each["provider_id"]) for each in sent
    ] == sorted_like(sent, walk)
    assert {each["address"] for each in letters if each["state"] == "failed"} == {"f@mau.example"}
    assert [each["items"] for each in log(run, "--unit", "f", "--state", "failed")] == [["dossier/f"]] * 3
    # Units stand in official order, in whichever order their lines were queued.
    change("UPDATE notices SET id = -id")
    about_f = log(run, "--unit", "f", "--since", "2021-11-23T08:30", "--before", "2021-11-25T08:30")
    assert [(each["to"], each["steps"], each["items"]) for each in about_f] == [
        ("MẪU standing.head", ["after:1"], ["dossier/e", "dossier/f"])
    ]

    code, out, err = run(*PROOF)
    assert (code, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 120
    for told in (
        "Văn bản làm căn cứ: Công văn số 3/CV-MẪU ngày 11/11/2021 (triển khai)",
        "3. xã MẪU c (c) – hồ sơ: đã thực hiện, đúng hạn",
        "gia hạn theo Công văn số 7/CV-MẪU ngày 15/11/2021: lũ",
        "Nhận lần 1: 14h00 ngày 22/11/2021, cổng thông tin; sau thời hạn",
        "Miễn thực hiện từ 10h00 ngày 12/11/2021: mới sáp nhập",
        "Số thư, tin đã được tiếp nhận: 25",
        "Đơn vị chưa được thông báo: xã MẪU f: mọi lần gửi đều không được",
        "Nhật ký của đợt: nguyên vẹn; mục cuối số 14",
    ):
        assert told in words(out)
    of_stage = [path for path in walk.mailbox.letters() if path.stem.split("-")[2] != "x"]
    assert len(of_stage) == 25
    # Every letter of the mailbox is named, one that speaks of two units with each of them.
    assert {path.stem.rpartition("-")[2] for path in of_stage} == {
        mark for mark in (path.stem.rpartition("-")[2] for path in walk.mailbox.letters()) if mark in out
    }

    told = json.loads(run(*PROOF, "--json", "--xlsx", "proof.xlsx")[1])
    assert told["summary"] == {
        "units": 6,
        "handed_in": 3,
        "on_time": 2,
        "late": 1,
        "waived": 1,
        "owing": 2,
        "extended": 1,
        "notices": 36,
        "notices_by_fate": {"accepted": 29, "failed": 3, "superseded": 3, "suppressed": 1},
        "letters_accepted": 25,
        "tries": 28,
        "silent": [{"unit": "f", "item": "dossier/f", "why": "failed"}],
    }
    book = load_workbook(tmp_path / "proof.xlsx")
    counted = {page.title: page.max_row - 1 for page in book}
    assert counted["Từng đơn vị"] == len(told["items"]) == 6
    assert counted["Từng thông báo"] == sum(len(item["notices"]) for item in told["items"]) == 36
    assert counted["Từng lần gửi"] == sum(len(letter["tries"]) for letter in told["letters"]) == 28
    assert json.loads(run(*PROOF, "--json")[1]) == told


def sorted_like(sent: list[dict], walk) -> list[tuple[str, str, str]]:
    """Return what lies in the mailbox, letters of one instant in the order of the log."""
    order = {each["provider_id"]: place for place, each in enumerate(sent)}
    found = []
    for path in walk.mailbox.letters():
        day, hour, whom, mark = path.stem.split("-", 3)
        found.append((f"{day[4:6]}-{day[6:]} {hour[:2]}:{hour[2:]}", whom, mark))
    return sorted(found, key=lambda each: order[each[2]])


def test_a_letter_is_told_with_every_try_and_with_what_it_follows(database, tmp_path, mailbox, run):
    walk = over_zalo(tmp_path / "files", mailbox)
    passing = Tried(Outcome.TRANSIENT, "-32", words="limit [app]\x1b[31m", way=Way.ZALO_OA)
    number = answer("2021-11-19 07:30", passing)
    answer("2021-11-19 07:31", Tried(Outcome.PERMANENT, "-230", words="too late", way=Way.ZBS_UID))
    walk.deliver("2021-11-19 07:32")
    failed, followed = log(run, "--since", "2021-11-19")
    assert failed == {
        "number": number,
        "campaign": "mau-2021",
        "at": "2021-11-19T07:31:00+07:00",
        "state": "failed",
        "kind": "reminder",
        "steps": ["before:0"],
        "items": ["dossier/a"],
        "to": "MẪU a",
        "title": "chuyên viên",
        "unit": "a",
        "unit_name": "xã MẪU a",
        "role": "officer",
        "address": "uid-a",
        "channel": "zalo",
        "way": "zalozbs_uid",
        "not_before": "2021-11-19T07:31:00+07:00",
        "settled_at": "2021-11-19T07:31:00+07:00",
        "delivered_at": None,
        "seen_at": None,
        "attempts": 2,
        "repeats": 0,
        "message_id": failed["message_id"],
        "subject": "",
        "code": "-230",
        "provider_id": "",
        "words": "too late",
        "follows": None,
        "held": None,
        "tries": [
            {
                "at": "2021-11-19T07:30:00+07:00",
                "way": "zalooa",
                "outcome": "transient",
                "code": "-32",
                "provider_id": "",
                "words": "limit [app]\x1b[31m",
            },
            {
                "at": "2021-11-19T07:31:00+07:00",
                "way": "zalozbs_uid",
                "outcome": "permanent",
                "code": "-230",
                "provider_id": "",
                "words": "too late",
            },
        ],
    }
    assert followed["follows"] == {"why": "next_channel", "letter": number}
    told = words(run("notices", "--since", "2021-11-19")[1])
    for each in ("ZBS theo UID", "không gửi được", "mã -230, too late", "đã thử 2 lần"):
        assert each in told
    assert f"thay kênh cho thư số {number}" in told
    proof = words(run(*PROOF)[1])
    assert "ZBS theo UID: thất bại lúc 07h31 ngày 19/11/2021 (mã -230: too late)" in proof
    assert "→ thư điện tử:" in proof


def test_what_zalo_says_is_shown_as_it_is(database, tmp_path, mailbox, run):
    over_zalo(tmp_path / "files", mailbox)
    odd = "limit [red]:bomb: [/app]\x1b[31m"
    answer("2021-11-19 07:30", Tried(Outcome.PERMANENT, "-9", words=odd, way=Way.ZALO_OA))
    for command in (("notices", "--state", "failed"), PROOF):
        out = run(*command)[1]
        assert "\x1b" not in out
        assert "[red]:bomb:" in words(out)


def test_an_uncertain_letter_says_what_to_decide(database, tmp_path, mailbox, run):
    over_zalo(tmp_path / "files", mailbox)
    number = answer("2021-11-19 07:30", Tried(Outcome.UNKNOWN, words="no answer", way=Way.ZALO_OA))
    told = words(run("notices", "--state", "uncertain")[1])
    assert "chưa rõ đã gửi hay chưa" in told
    assert f"congnhan settle {number} send|drop" in told
    assert "chưa rõ đã gửi hay chưa (lúc 07h30 ngày 19/11/2021)" in words(run(*PROOF)[1])


def test_an_uncertain_mail_goes_again_by_itself(database, tmp_path, mailbox, run):
    begin(tmp_path / "files", mailbox)
    change("UPDATE letters SET state = 'uncertain', settled_at = NULL WHERE address = 'a@mau.example'")
    told = words(run("notices", "--state", "uncertain")[1])
    assert "tự gửi lại từ T5 11/11/2021 07:30, cùng Message-ID" in told
    assert "settle" not in told


def test_a_held_channel_is_told_first_and_what_waits_for_it_is_marked(database, tmp_path, mailbox, run):
    walk = over_zalo(tmp_path / "files", mailbox)
    refused = Tried(Outcome.CONFIGURATION, "-242", words="invalid appsecret_proof", way=Way.ZALO_OA)
    answer("2021-11-19 07:30", refused)
    out = run("notices", walk.code)[1]
    assert words(out).startswith(
        "Kênh Zalo đang tạm dừng từ T6 19/11/2021 07:30 (mã -242: invalid appsecret_proof); "
        "tự thử lại sau T6 19/11/2021 07:35."
    )
    assert [each["held"] for each in log(run) if each["channel"] == "zalo"] == [
        {
            "since": "2021-11-19T07:30:00+07:00",
            "until": "2021-11-19T07:35:00+07:00",
            "code": "-242",
            "words": "invalid appsecret_proof",
        }
    ]
    assert [each["held"] for each in log(run) if each["channel"] == "email"] == [None]


def test_only_the_newest_are_shown_unless_all_are_asked_for(database, tmp_path, mailbox, run, monkeypatch):
    walk = begin(tmp_path / "files", mailbox)
    walk.visit("2021-11-16 07:30")
    monkeypatch.setattr(log_commands, "NEWEST", 3)
    numbers = [row[0] for row in rows("SELECT id FROM letters ORDER BY id")]
    code, out, err = run("notices", "--json")
    assert [each["number"] for each in json.loads(out)] == numbers[-3:]
    assert (code, "--all" in one_line(err)) == (0, True)
    code, out, err = run("notices", "--json", "--all")
    assert ([each["number"] for each in json.loads(out)], err) == (numbers, "")


def test_an_empty_log_says_so(database, run):
    assert run("notices") == (0, "Không có thư, tin nào như vậy.\n", "")
    assert run("notices", "--json") == (0, "[]\n", "")


REFUSED = {
    "campaign": (("notices", "nowhere"), 1, "mau-2021"),
    "proof-of-nothing": (("proof", "nowhere"), 1, "mau-2021"),
    "stage": (("proof", "mau-2021", "--stage", "decision"), 1, "self_assessment"),
    "no-such-stage": (("proof", "mau-2021", "--stage", "spring"), 2, "agency_review"),
    "no-such-state": (("notices", "--state", "gone"), 2, "uncertain"),
    "no-instant": (("notices", "--since", "yesterday"), 2, "2021-11-19T16:50"),
    "no-folder": (("proof", "mau-2021", "--xlsx", "no/such/folder.xlsx"), 1, "folder.xlsx"),
    "a-folder": (("proof", "mau-2021", "--xlsx", "."), 1, "Không đọc hoặc ghi được"),
}


def test_what_cannot_be_shown_is_refused_in_one_line(database, tmp_path, mailbox, run):
    begin(tmp_path / "files", mailbox)
    for name, (command, ends_with, allowed) in REFUSED.items():
        code, out, err = run(*command)
        assert (name, code, out) == (name, ends_with, "")
        assert allowed in one_line(err), name


def test_a_file_is_written_and_said(database, tmp_path, mailbox, run):
    begin(tmp_path / "files", mailbox)
    code, out, err = run(*PROOF, "--xlsx", "proof.xlsx")
    assert (code, out, err) == (0, "Đã ghi báo cáo minh chứng của 2 đơn vị vào proof.xlsx.\n", "")
    assert load_workbook(tmp_path / "proof.xlsx")["Tóm tắt"]["B2"].value == (
        "Công nhận tổ dân phố MẪU năm 2021 (mau-2021)"
    )


def test_the_log_asks_as_often_for_many_letters_as_for_few(database, tmp_path, run):
    counted = []
    for code, communes in (("few", 2), ("many", 30)):
        queued(tmp_path / code, code, communes)
        statements = issued(database, lambda code=code: run("notices", code, "--json"))
        counted.append(len(statements))
        assert [each for each in statements if "letters.html" in each or "letters.text" in each] == []
    assert counted[0] == counted[1] > 3
