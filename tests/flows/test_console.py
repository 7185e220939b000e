"""The commands as an operator meets them: what they print, and the code they end with."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from config.settings import settings
from tests import factories
from tests.factories import LETTER, ROOT, SCRIPT

REGISTER = ("register", "mau-2021")


def letters(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "data/mailbox").glob("*.eml"))


def state(tmp_path: Path) -> list[tuple]:
    with closing(sqlite3.connect(tmp_path / "data/congnhan.db")) as database:
        tables = ("campaigns", "work_items", "papers", "notices", "letters", "journal", "submissions")
        return [row for name in tables for row in database.execute(f"SELECT * FROM {name}")]


def one_line(words: str) -> str:
    assert len(words.strip().splitlines()) == 1, words
    return words


def test_check_says_that_the_letters_file_is_sound(run):
    code, out, err = run("check", LETTER)
    assert (code, err) == (0, "")
    assert "lai-chau-2021" in out


def test_check_names_what_of_the_criteria_nobody_can_score_yet(run):
    code, out, _ = run("check", LETTER.parent / "phuong-tan-phong-2026.yaml")
    told = [line for line in out.splitlines() if "chưa chấm được" in line]
    assert (code, len(told)) == (0, 1)
    assert [branch for branch in ("I (", "II (", "III (", "IV-V (") if branch not in told[0]] == []
    assert "chưa chấm được" not in run("check", LETTER)[1]


def test_check_names_the_file_and_the_line(run, tmp_path):
    path = factories.write_campaign(tmp_path / "files", factories.campaign_data(colour="red"))
    code, out, err = run("check", path)
    assert (code, out) == (2, "")
    assert one_line(err).startswith(f"{path}:")
    assert "colour" in err


def test_a_file_that_is_not_there_is_said_in_one_line(run):
    code, _, err = run("check", "nowhere.yaml")
    assert code == 2
    assert "nowhere.yaml" in one_line(err)


@pytest.mark.parametrize(
    "arguments",
    [
        ("fly",),
        ("check",),
        ("tick", "--now", "soon"),
        ("submit", "x"),
        ("rehearse", "--wings"),
        ("resend", 10**22),
        ("settle", 2**31, "send"),
        ("serve", "--web-port", 4200),
    ],
)
def test_bad_usage_ends_with_two_and_one_line(run, arguments):
    code, _, err = run(*arguments)
    assert code == 2
    one_line(err)


def test_opening_and_a_tick_send_the_first_letters(run, opened, tmp_path):
    code, out, _ = run("tick", "--now", "2021-11-11T07:30")
    assert code == 0
    assert "đã gửi 2" in out
    assert [name.split("-")[2] for name in letters(tmp_path)] == ["a", "b"]


def test_a_second_tick_at_the_same_instant_changes_and_sends_nothing(run, opened, tmp_path):
    run("tick", "--now", "2021-11-16T07:30")
    before, kept = state(tmp_path), letters(tmp_path)
    code, out, _ = run("tick", "--now", "2021-11-16T07:30")
    assert (code, state(tmp_path), letters(tmp_path)) == (0, before, kept)
    assert "đã gửi 0" in out


def test_opening_twice_is_refused_and_changes_nothing(run, opened, tmp_path):
    before = state(tmp_path)
    path = factories.write_campaign(tmp_path / "files")
    code, _, err = run("open", path, "--at", "2021-11-11T07:30")
    assert (code, state(tmp_path)) == (1, before)
    one_line(err)


def test_deadlines_that_have_passed_are_refused_unless_asked_for(run, tmp_path):
    path = factories.write_campaign(tmp_path / "files")
    code, _, err = run("open", path)
    assert code == 1
    assert "22/11/2021" in one_line(err)
    assert state(tmp_path) == []
    assert run("open", path, "--past", "--at", "2021-11-24T09:00")[0] == 0
    run("tick", "--now", "2021-11-24T09:00")
    # Nobody is asked for a dossier whose term is over; the agencies' term begins now.
    assert [name.split("-")[2] for name in letters(tmp_path)] == ["x"]


def test_a_dossier_of_friday_typed_in_on_monday_is_on_time_and_its_message_suppressed(run, opened, tmp_path):
    for moment in ("11T07:30", "22T08:30"):
        run("tick", "--now", f"2021-11-{moment}")
    at_gate = len(letters(tmp_path))
    code, _, err = run(
        "submit", opened, "a", "--at", "2021-11-19T16:50", "--via", "paper", "--number", "41/MẪU",
        "--by", "MẪU", "--now", "2021-11-22T09:00",
    )  # fmt: skip
    assert (code, err) == (0, "")
    run("tick", "--now", "2021-11-22T10:00")
    assert [name.split("-")[2] for name in letters(tmp_path)[at_gate:]] == ["a", "b.head"]
    shown = json.loads(run("status", opened, "--json", "--now", "2021-11-22T10:00")[1])
    items = {item["item"]: item for item in shown[0]["items"]}
    assert (items["dossier/a"]["state"], items["dossier/a"]["lateness"]) == ("done", "on_time")
    assert (items["dossier/b"]["state"], items["dossier/b"]["lateness"]) == ("open", "overdue")


def test_what_is_waived_is_not_overdue_and_a_second_receipt_keeps_the_first(run, opened):
    run("tick", "--now", "2021-11-11T07:30")
    assert run("waive", opened, "b", "--reason", "MẪU", "--now", "2021-11-12T09:00")[0] == 0
    assert run("submit", opened, "a", "--now", "2021-11-12T10:00")[0] == 0
    assert run("return", opened, "a", "--reason", "MẪU", "--now", "2021-11-15T09:00")[0] == 0
    assert run("submit", opened, "a", "--now", "2021-11-16T10:00")[0] == 0
    shown = json.loads(run("status", opened, "--json", "--now", "2021-11-23T10:00")[1])
    items = {item["item"]: item for item in shown[0]["items"]}
    assert (items["dossier/b"]["state"], items["dossier/b"]["lateness"]) == ("waived", None)
    a = items["dossier/a"]
    assert (a["received_at"], a["done_at"]) == ("2021-11-12T10:00:00+07:00", "2021-11-16T10:00:00+07:00")
    assert "quá hạn" not in run("status", opened, "--now", "2021-11-23T10:00")[1]


def test_a_whole_campaign_by_its_commands(run, opened, tmp_path):
    for moment, deeds in (
        ("11T07:30", ()),
        ("16T09:00", (("submit", opened, "a"), ("submit", opened, "b"))),
        ("18T09:00", (("review", opened, "x"),)),
        (
            "19T09:00",
            (("conclude", opened), ("register", opened, "--role", "submission", "--number", "8/TTr")),
        ),
        ("22T10:00", (("register", opened, "--role", "decision", "--kind", "QĐ", "--number", "9/QĐ"),)),
    ):
        for deed in deeds:
            named = ("--now" if deed[0] in ("submit", "review") else "--at", f"2021-11-{moment}")
            dated = ("--date", f"2021-11-{moment[:2]}") if deed[0] == "register" else ()
            code, out, err = run(*deed, *named, *dated, "--by", "MẪU")
            assert (code, err) == (0, "")
            assert opened in out
        assert run("tick", "--now", f"2021-11-{moment}")[0] == 0
    shown = json.loads(run("status", opened, "--json", "--now", "2021-11-22T10:00")[1])[0]
    assert shown["result"]["decision"] == {"number": "9/QĐ", "date": "2021-11-22"}
    assert (shown["stage"], shown["waits_for"]) == ("closed", [])
    last = [name.split("-")[2] for name in letters(tmp_path) if name.startswith("20211122")]
    assert last == ["a", "b", "x"]
    code, out, _ = run("status", opened, "--now", "2021-11-22T10:00")
    assert code == 0
    assert "đã kết thúc" in out


def test_not_proposing_counts_as_handed_in(run, opened):
    run("tick", "--now", "2021-11-11T07:30")
    assert run("submit", opened, "a", "--nothing", "--now", "2021-11-15T09:00")[0] == 0
    shown = json.loads(run("status", opened, "--json", "--now", "2021-11-15T09:00")[1])[0]
    assert (shown["dossiers"]["handed_in"], shown["dossiers"]["not_proposing"]) == (1, 1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("submit", "mau-2021", "nowhere"), "nowhere"),
        (("submit", "nothing-2021", "a"), "nothing-2021"),
        (("submit", "mau-2021", "a", "--at", "2031-01-01T00:00"), "--at"),
        (("review", "mau-2021", "x"), "thẩm định, tổng hợp"),
        (("conclude", "mau-2021"), "tổng hợp"),
        (("go-on", "mau-2021", "--reason", "MẪU", "--at", "2021-11-15T09:00"), "22/11/2021"),
        (
            ("register", "mau-2021", "--number", "9", "--date", "2031-01-01", "--role", "decision"),
            "tương lai",
        ),
        (
            ("register", "mau-2021", "--number", "1/KH-MẪU", "--date", "2021-01-04", "--role", "plan"),
            "đăng ký",
        ),
    ],
    ids=["unit", "campaign", "future", "review", "conclude", "go-on", "paper-of-tomorrow", "paper-twice"],
)
def test_a_refused_deed_says_so_in_one_line_and_changes_nothing(run, opened, tmp_path, arguments, words):
    run("tick", "--now", "2021-11-11T07:30")
    before = state(tmp_path)
    code, _, err = run(*arguments)
    assert (code, state(tmp_path)) == (1, before)
    assert words in one_line(err)


@pytest.mark.parametrize("number", ["", "   "])
def test_a_paper_without_a_number_is_refused(run, opened, tmp_path, number):
    before = state(tmp_path)
    code, _, err = run("register", opened, "--number", number, "--date", "2021-11-11", "--role", "submission")
    assert (code, state(tmp_path)) == (2, before)
    assert "số" in one_line(err)


def test_handing_in_twice_is_refused(run, opened):
    run("tick", "--now", "2021-11-11T07:30")
    assert run("submit", opened, "a", "--now", "2021-11-15T09:00")[0] == 0
    code, _, err = run("submit", opened, "a", "--now", "2021-11-15T09:05")
    assert code == 1
    assert "đã thực hiện" in one_line(err)


def test_a_campaign_that_refuses_late_dossiers_says_since_when(run, tmp_path):
    data = factories.campaign_data()
    data["stages"]["self_assessment"]["late"] = "refuse"
    run("open", factories.write_campaign(tmp_path / "files", data), "--at", "2021-11-11T07:30")
    run("tick", "--now", "2021-11-11T07:30")
    code, _, err = run("submit", "mau-2021", "a", "--now", "2021-11-22T00:00")
    assert code == 1
    assert "22/11/2021 00:00" in one_line(err)
    assert run("submit", "mau-2021", "a", "--at", "2021-11-21T23:59", "--now", "2021-11-22T00:00")[0] == 0


def test_a_database_of_a_newer_program_is_refused_by_every_command(run, opened, tmp_path):
    with sqlite3.connect(tmp_path / "data/congnhan.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    before = state(tmp_path)
    for arguments in (
        *(("tick",), ("status",), ("submit", opened, "a"), ("open", LETTER, "--past")),
        *(("web",), ("deploy",), ("watch", "--once"), ("backup", "sao-luu.tar.gz")),
    ):
        code, out, err = run(*arguments)
        assert (code, out) == (1, "")
        assert "9999" in one_line(err)
    assert state(tmp_path) == before


def test_a_simulated_clock_is_refused_with_a_real_mail_server(run, opened, monkeypatch):
    monkeypatch.setenv("CONGNHAN_SMTP_HOST", "127.0.0.1")
    settings.cache_clear()
    code, _, err = run("tick", "--now", "2021-11-11T07:30")
    assert code == 1
    assert "--force" in one_line(err)


def test_a_bad_setting_is_named_and_its_value_kept_quiet(run, monkeypatch):
    monkeypatch.setenv("CONGNHAN_SMTP_PORT", "geheim")
    settings.cache_clear()
    code, _, err = run("status")
    assert code == 2
    assert "CONGNHAN_SMTP_PORT" in one_line(err)
    assert "geheim" not in err


def test_a_script_that_names_an_unknown_unit_is_refused_with_its_line(run, tmp_path):
    broken = tmp_path / "broken.yaml"
    broken.write_text(
        SCRIPT.read_text(encoding="utf-8").replace("unit: doan-ket", "unit: doan-kit", 1), encoding="utf-8"
    )
    line = next(n for n, words in enumerate(broken.read_text().splitlines(), 1) if "doan-kit" in words)
    code, _, err = run("rehearse", LETTER, "--script", broken)
    assert code == 2
    assert one_line(err).startswith(f"{broken}:{line}: ")


def test_rehearse_leaves_letters_a_summary_and_its_object_and_no_real_data(run, opened, tmp_path):
    before = state(tmp_path)
    path = factories.write_campaign(tmp_path / "files")
    code, out, _ = run("rehearse", path, "--out", tmp_path / "out")
    assert code == 0
    assert "Nhắc hạn" in out
    told = json.loads((tmp_path / "out/rehearsal.json").read_text(encoding="utf-8"))
    kept = list((tmp_path / "out/letters").glob("*.eml"))
    assert len(kept) == len({each["letter"] for each in told["notices"] if each["letter"]}) > 0
    assert "Nhắc hạn" in (tmp_path / "out/tom-tat.txt").read_text(encoding="utf-8")
    assert (state(tmp_path), letters(tmp_path)) == (before, [])


def test_a_rehearsed_refusal_of_more_time_stands_in_the_timeline(run, tmp_path):
    script = tmp_path / "script.yaml"
    script.write_text(
        "- {at: 2021-11-15T09:00, do: request_extension, unit: a, reason: lũ}\n"
        "- {at: 2021-11-15T10:00, do: refuse_extension, unit: a, reason: không đủ căn cứ}\n"
    )
    code, out, _ = run("rehearse", factories.write_campaign(tmp_path / "files"), "--script", script)
    assert code == 0
    assert "Thông báo về gia hạn" in out


def test_a_line_of_the_script_that_is_refused_is_named(run, tmp_path):
    script = tmp_path / "script.yaml"
    script.write_text(
        "- {at: 2021-11-15T09:00, do: submit, unit: a}\n\n- {at: 2021-11-16T09:00, do: submit, unit: a}\n",
        encoding="utf-8",
    )
    code, out, err = run("rehearse", factories.write_campaign(tmp_path / "files"), "--script", script)
    assert (code, out) == (1, "")
    assert "dòng 3" in err.splitlines()[-1]
    assert "đã thực hiện" in err.splitlines()[-1]


def test_rehearse_prints_one_object_and_the_same_bytes_each_time_on_both_databases(
    run, empty_postgres, tmp_path
):
    path = factories.write_campaign(tmp_path / "files")  # the letter's own: tests/journeys
    address = empty_postgres.replace("+psycopg", "")
    code, first, _ = run("rehearse", path, "--json")
    assert (code, list(json.loads(first))) == (0, ["campaign", "deadlines", "events", "notices", "result"])
    assert run("rehearse", path, "--database", address, "--json")[:2] == (0, first)
    # By now that one is not empty any more.
    code, out, err = run("rehearse", path, "--database", address, "--json")
    assert (code, out) == (1, "")
    assert "trống" in one_line(err)


@pytest.mark.parametrize(
    "address", ["nonsense", "oracle://u:geheim@127.0.0.1/x", "postgresql://u:geheim@127.0.0.1:1/x"]
)
def test_a_database_that_cannot_be_used_is_said_in_one_line_without_its_password(run, tmp_path, address):
    code, _, err = run("rehearse", LETTER, "--database", address)
    assert code == 1
    assert "geheim" not in one_line(err)


def test_a_home_that_cannot_be_made_is_said_in_one_line(run, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("CONGNHAN_HOME", str(tmp_path / "file/home"))
    settings.cache_clear()
    code, _, err = run("status")
    assert code == 1
    assert "CONGNHAN_HOME" in one_line(err)


def test_a_folder_that_cannot_be_written_is_said_in_one_line(run, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    code, _, err = run("rehearse", LETTER, "--out", tmp_path / "file/out")
    assert code == 1
    assert "file/out" in one_line(err)


def test_the_command_is_installed_and_speaks_vietnamese(tmp_path):
    command = Path(sys.executable).with_name("congnhan")
    done = subprocess.run(
        [command, "check", LETTER.relative_to(ROOT)],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "CONGNHAN_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "Tệp hợp lệ" in done.stdout


def test_the_first_tick_after_an_outage_says_what_was_superseded_and_sends_the_newest_alone(
    run, opened, tmp_path
):
    """Stopped from Tuesday over a weekend to Monday 08:30: three reminders of each commune were missed."""
    run("tick", "--now", "2021-11-11T07:30")
    before = set(letters(tmp_path))
    _, out, _ = run("tick", "--now", "2021-11-21T10:00")  # a Sunday: what it finds waits for the window
    assert "2 thư mới, 4 nội dung cũ được thay, đã gửi 0" in out
    assert set(letters(tmp_path)) == before
    code, out, _ = run("tick", "--now", "2021-11-22T08:30")
    assert code == 0
    new = sorted(set(letters(tmp_path)) - before)
    assert [name.split("-")[2] for name in new if name.split("-")[2] in ("a", "b")] == []
    with closing(sqlite3.connect(tmp_path / "data/congnhan.db")) as database:
        missed = "SELECT state, COUNT(*) FROM notices WHERE kind = 'reminder' GROUP BY state"
        assert database.execute(missed).fetchall() == [("superseded", 6)]
    assert " 2 nội dung cũ được thay" in out
