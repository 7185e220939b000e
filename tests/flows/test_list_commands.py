"""From a dossier to the frozen list by commands: done, shown, refused in one line that changes nothing."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from flows.campaign import tick
from models import dossiers
from models.campaigns import get_campaign, open_campaign
from models.database import Database, transaction, using
from models.handing_in import hand_in
from rules.work_items import ItemKind
from tests import factories
from tests.flows.test_console import one_line
from tests.scored import CRITERIA
from tests.scored import marks as self_marks
from tests.walking import at

RULED = CRITERIA | {
    "recognition": {
        "total_min": 80,
        "each_criterion_min_percent": 50,
        "vetoes": [{"code": "ky-luat", "title": "MẪU"}],
        "ranking": {"max_share_percent": 50, "tie_break": "votes"},
    },
}
REVIEW = ("--now", "2021-11-16T09:00", "--by", "MẪU thẩm định")
LATER = ("--now", "2021-11-22T10:00", "--by", "MẪU thường trực")
GROUP = ("--group", "Bản MẪU a1")
TABLES = ("scores", "marks", "vetoes", "meetings", "meeting_votes", "list_versions", "results", "journal")


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with a campaign in agency review: communes a and b have handed in, x and y review."""
    folder = tmp_path_factory.mktemp("prepared")
    units = factories.units(agencies=("x", "y"))
    for unit in units:
        if unit["kind"] == "commune":
            unit["groups"] = [f"Bản MẪU {unit['code']}{n}" for n in (1, 2)]
    file = factories.campaign(
        folder / "files",
        units,
        scored_by=RULED,
        reviews={"x": ["I"], "y": ["II"]},
        stages=factories.campaign_data()["stages"]
        | {"consolidation": {"meeting": {"quorum": "2/3", "papers_ahead": 3}}},
    )
    database = Database(f"sqlite:///{folder}/x.db")
    with using(database):
        database.migrate()
        with transaction() as session:
            open_campaign(session, file, at=at("2021-11-11 07:30"), by="MẪU")
        tick(at("2021-11-11 07:30"))
        now = at("2021-11-12 09:00")
        for commune in ("a", "b"):
            names = [f"Bản MẪU {commune}{n}" for n in (1, 2)]
            with transaction() as session:
                campaign = get_campaign(session, "mau-2021")
                dossiers.assess_self(
                    session,
                    campaign,
                    commune,
                    cases=[dossiers.Case(name, True) for name in names],
                    marks=[each for name in names for each in self_marks(name, I="40", II="45")],
                    at=now,
                    recorded_at=now,
                    by="MẪU xã",
                )
                hand_in(session, campaign, ItemKind.DOSSIER, commune, at=now, recorded_at=now, by=None)
        tick(at("2021-11-15 13:30"))
    database.close()
    return folder / "x.db"


@pytest.fixture
def opened(prepared: Path, tmp_path: Path) -> str:
    """The code of that campaign, in a home of this test's own."""
    home = tmp_path / "data"
    home.mkdir()
    with sqlite3.connect(prepared) as source, sqlite3.connect(home / "congnhan.db") as copy:
        source.backup(copy)
    return "mau-2021"


def kept(tmp_path: Path, query: str | None = None) -> list[tuple]:
    """Every row that a deed of these could write, or those of a query."""
    queries = [query] if query else [f"SELECT * FROM {name}" for name in TABLES]
    with closing(sqlite3.connect(tmp_path / "data/congnhan.db")) as database:
        return [row for each in queries for row in database.execute(each)]


def as_json(run, *words: str):
    code, out, err = run(*words, "--json")
    assert (code, err) == (0, "")
    return json.loads(out)


def done(run, *words: str) -> str:
    code, out, err = run(*words)
    assert (code, err) == (0, ""), err
    return out


def test_from_the_first_score_to_the_frozen_list(run, opened, tmp_path):
    assess = ("assess", opened, "x", "a", "I")
    assert done(run, *assess, "34,99", *GROUP, "--reason", "thiếu ảnh", *REVIEW)
    for agency in ("x", "y"):
        done(run, "review", opened, agency, "--agree", *REVIEW)
    done(run, "explain", opened, "a", "I", "đã nộp ảnh", *GROUP, *REVIEW)
    done(run, *assess, "35,5", *GROUP, "--reason", "đã có ảnh, còn thiếu chữ ký", *REVIEW)
    done(run, "review", opened, "x", *REVIEW)
    done(run, "veto", opened, "b", "ky-luat", "--group", "Bản MẪU b1", "--reason", "Thông báo MẪU", *REVIEW)
    done(run, "tick", "--now", "2021-11-16T13:30")

    sides = as_json(run, "scores", opened, "a", *GROUP)
    assert [(each["leaf"], each["scores"]["self"]["points"]) for each in sides] == [("I", "40"), ("II", "45")]
    assert sides[0]["scores"]["agency"]["reason"] == "đã có ảnh, còn thiếu chữ ký"
    differing = as_json(run, "disagreements", opened)
    assert [(each["group"], each["leaf"], each["change"]) for each in differing] == [
        ("Bản MẪU a1", "I", "4.5")
    ]
    people = [word for n in (1, 2, 3) for word in ("--member", f"MẪU {n}")]
    done(run, "meeting", "convene", opened, "--on", "2021-11-22T08:00", *people, "--with-papers", *REVIEW)
    done(run, "settle-score", opened, "a", "I", "36", *GROUP, "--final", "--reason", "theo biên bản", *LATER)
    code, _, err = run("conclude", opened, *LATER)
    assert code == 1
    assert "họp" in one_line(err)
    minutes = ("--present", "MẪU 1", "--present", "MẪU 2", "--vote", "2-0", "--vote", "b/Bản MẪU b2=0-2")
    done(run, "meeting", "hold", opened, *minutes, *LATER)
    done(run, "meeting", "opinion", opened, "MẪU 3", "nhất trí", *LATER)
    shown = as_json(run, "meeting", "show", opened)
    assert [each["attendance"] for each in shown["members"]] == ["present", "present", "in_writing"]
    frozen = as_json(run, "conclude", opened, *LATER)
    assert (frozen["version"], frozen["groups"], frozen["recognised"]) == (1, 4, 2)

    found = as_json(run, "results", opened)
    assert found["list"]["hash"] == frozen["hash"]
    assert [(each["group"], each["recognised"], each["total"]) for each in found["results"]] == [
        ("Bản MẪU a1", True, "81"),
        ("Bản MẪU a2", True, "85"),
        ("Bản MẪU b1", False, "85"),
        ("Bản MẪU b2", False, "85"),
    ]
    whys = [[reason["rule"] for reason in each["reasons"]] for each in found["results"]]
    assert whys == [[], [], ["veto"], ["meeting_vote"]]
    assert [each["group"] for each in as_json(run, "ranking", opened)] == ["Bản MẪU a2", "Bản MẪU a1"]
    words = done(run, "results", opened)
    assert "Bản MẪU a1" in words
    assert "ky-luat" in words
    assert frozen["hash"][:12] in words

    done(run, "veto", opened, "b", "ky-luat", "--group", "Bản MẪU b1", "--lift", "--reason", "nhầm", *LATER)
    code, _, err = run("conclude", opened, *LATER)
    assert code == 1
    assert "--reason" in one_line(err)
    again = as_json(run, "conclude", opened, "--reason", "thôi loại trừ b1", *LATER)
    assert (again["version"], again["recognised"]) == (2, 3)
    assert as_json(run, "results", opened, "--version", "1")["list"]["hash"] == frozen["hash"]
    assert kept(tmp_path, "SELECT version, reason FROM list_versions ORDER BY version") == [
        (1, ""),
        (2, "thôi loại trừ b1"),
    ]
    assert done(run, "journal", opened, "--verify")


REFUSED = {
    "no-reason": (("assess", "x", "a", "I", "20", *GROUP), "lý do"),
    "not-its-own": (("assess", "x", "a", "II", "20", *GROUP, "--reason", "MẪU"), "'II'"),
    "too-many-points": (("assess", "x", "a", "I", "51", *GROUP, "--reason", "MẪU"), "50"),
    "no-number": (("assess", "x", "a", "I", "khá", *GROUP, "--reason", "MẪU"), "I"),
    "no-such-group": (("assess", "x", "a", "I", "20", "--group", "Bản 9", "--reason", "MẪU"), "Bản MẪU a2"),
    "own-unit": (("assess", "x", "a", "I", "40", *GROUP, "--by", "MẪU a"), "MẪU a"),
    "not-complete": (("review", "x"), "4"),
    "nothing-to-explain": (("explain", "a", "I", "MẪU", *GROUP), "I"),
    "no-such-veto": (("veto", "a", "la-mau", *GROUP, "--reason", "MẪU"), "ky-luat"),
    "nothing-to-lift": (("veto", "a", "ky-luat", *GROUP, "--lift", "--reason", "MẪU"), "ky-luat"),
    "too-early-to-meet": (("meeting", "convene", "--on", "2021-11-22T08:00"), "tổng hợp"),
    "too-early-to-conclude": (("conclude",), "tổng hợp"),
    "nothing-frozen": (("results",), "chốt"),
    "nothing-ranked": (("ranking",), "chốt"),
    "no-such-campaign": (("take-over", "khac-2021"), "mau-2021"),
    "refers-to-nothing": (("take-over", "mau-2021"), "chốt"),
}


@pytest.mark.parametrize(("words", "told"), REFUSED.values(), ids=REFUSED)
def test_a_mistake_is_refused_in_one_line_and_leaves_nothing_behind(run, opened, tmp_path, words, told):
    before = kept(tmp_path)
    head = 2 if words[0] == "meeting" else 1
    by = () if words[0] in ("results", "ranking") else REVIEW[:2] if "--by" in words else REVIEW
    code, out, err = run(*words[:head], opened, *words[head:], *by)
    assert (code, out) == (1, "")
    assert told in one_line(err)
    assert kept(tmp_path) == before


def test_what_cannot_be_read_is_bad_usage(run, opened):
    for words in (
        ("meeting", "hold", opened, "--vote", "bảy-một"),
        ("meeting", "hold", opened, "--opinion", "MẪU 3"),
        ("meeting", "convene", opened, "--on", "mai"),
        ("ranking", opened, "--years", "a=5"),
    ):
        code, _, err = run(*words)
        assert code == 2
        assert one_line(err)


def test_a_dossier_by_commands(run, opened, tmp_path):
    folder = tmp_path / "tep"
    folder.mkdir()
    (folder / "bao-cao.pdf").write_bytes(b"%PDF-1.7\nMAU\n%%EOF\n")
    (folder / "bao-cao.exe").write_bytes(b"MZ")
    done(run, "return", opened, "a", "--reason", "thiếu báo cáo", *REVIEW)
    attach = ("attach", opened, "a", "report")
    done(run, *attach, str(folder / "bao-cao.pdf"), *REVIEW)
    code, _, err = run(*attach, str(folder / "bao-cao.exe"), *REVIEW)
    assert code == 1
    assert "bao-cao.exe" in one_line(err)
    shown = as_json(run, "dossier", opened, "a")
    assert "report" in json.dumps(shown)
    assert "báo cáo" in done(run, "dossier", opened, "a").casefold()
    assert len(list((tmp_path / "data").rglob("*"))) > 2
    done(run, "detach", opened, "a", "report", *REVIEW)
    assert kept(tmp_path, "SELECT COUNT(*) FROM kept_files") == [(1,)]
