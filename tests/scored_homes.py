"""A small scored campaign in a home of its own, left in each stage; and how commands about it are run."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from flows.campaign import tick
from models import dossiers, reviews
from models.campaigns import get_campaign, open_campaign
from models.database import Database, transaction, using
from models.handing_in import hand_in
from models.reviews import AgencyMark
from rules.work_items import ItemKind
from tests import factories
from tests.scored import CRITERIA, mark, marks
from tests.walking import at

CODE = "mau-2021"
COMMUNES = ("a", "b")
Run = Callable[..., tuple[int, str, str]]

RULED = CRITERIA | {
    "recognition": {
        "total_min": 80,
        "each_criterion_min_percent": 50,
        "vetoes": [{"code": "ky-luat", "title": "MẪU"}],
    },
}


def make_homes(folder: Path) -> dict[str, Path]:
    """Return a database for each stage a deed about scores belongs to.

    Communes a and b have two groups each. Agency x reviews criterion I and y criterion II; in
    consolidation x has overruled one score, of a2, which keeps that group below the total.
    """
    units = factories.units(agencies=("x", "y"))
    for unit in units:
        if unit["code"] in COMMUNES:
            unit["groups"] = names(unit["code"])
    stages = factories.campaign_data()["stages"]
    stages["self_assessment"]["dossier"] = [
        {"part": "report", "title": "Báo cáo"},
        {"part": "scores", "title": "Bảng tự chấm điểm"},
        {"part": "lists", "title": "Danh sách"},
    ]
    stages["consolidation"] = {"meeting": {"quorum": "2/3", "papers_ahead": 3}}
    file = factories.campaign(
        folder / "files", units, scored_by=RULED, reviews={"x": ["I"], "y": ["II"]}, stages=stages
    )
    homes = {name: folder / f"{name}.db" for name in ("self_assessment", "agency_review", "consolidation")}
    database = Database(f"sqlite:///{folder}/world.db")
    with using(database):
        database.migrate()
        with transaction() as session:
            open_campaign(session, file, at=at("2021-11-11 07:30"), by="MẪU")
        tick(at("2021-11-11 07:30"))
        _copy(folder / "world.db", homes["self_assessment"])
        for commune in COMMUNES:
            _hand_in(commune, "2021-11-12 09:00")
        tick(at("2021-11-15 13:30"))
        _copy(folder / "world.db", homes["agency_review"])
        for agency in ("x", "y"):
            _review(agency, "2021-11-16 09:00")
        tick(at("2021-11-16 13:30"))
        _copy(folder / "world.db", homes["consolidation"])
    database.close()
    for name, path in homes.items():
        with closing(sqlite3.connect(path)) as opened:
            assert opened.execute("SELECT stage FROM campaigns").fetchall() == [(name,)]
    return homes


def names(commune: str) -> list[str]:
    """Return the groups of a commune."""
    return [f"Bản MẪU {commune}{n}" for n in (1, 2)]


def _hand_in(commune: str, moment: str) -> None:
    now = at(moment)
    with transaction() as session:
        campaign = get_campaign(session, CODE)
        dossiers.assess_self(
            session,
            campaign,
            commune,
            cases=[dossiers.Case(name, True) for name in names(commune)],
            marks=[each for name in names(commune) for each in marks(name, I="40", II="45")],
            at=now,
            recorded_at=now,
            by="MẪU xã",
        )
        hand_in(session, campaign, ItemKind.DOSSIER, commune, at=now, recorded_at=now, by=None)


def _review(agency: str, moment: str) -> None:
    now = at(moment)
    with transaction() as session:
        campaign = get_campaign(session, CODE)
        if agency == "x":
            overruled = AgencyMark("a", "Bản MẪU a2", "I", mark("34,5"), "thiếu ảnh")
            reviews.assess(session, campaign, agency, [overruled], at=now, recorded_at=now, by="MẪU X")
        reviews.agree_with_the_rest(session, campaign, agency, at=now, recorded_at=now, by="MẪU X")
        hand_in(session, campaign, ItemKind.REVIEW, agency, at=now, recorded_at=now, by="MẪU X")


def _copy(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source)) as opened, closing(sqlite3.connect(target)) as copy:
        opened.backup(copy)


def move_in(source: Path, tmp_path: Path) -> str:
    """Put a database into the home of a test and return the code of its campaign."""
    (tmp_path / "data").mkdir()
    _copy(source, tmp_path / "data/congnhan.db")
    return CODE


def kept(tmp_path: Path, query: str, *values: object) -> list[tuple]:
    """Return what a query of the test's own finds in its home."""
    with closing(sqlite3.connect(tmp_path / "data/congnhan.db")) as database:
        return database.execute(query, values).fetchall()


def everything(tmp_path: Path) -> dict[str, list[tuple]]:
    """Return every row of every table, and the names of all kept files: what a refused deed leaves alone."""
    tables = [name for (name,) in kept(tmp_path, "SELECT name FROM sqlite_master WHERE type = 'table'")]
    files = [(path.name,) for path in sorted((tmp_path / "data").glob("files/**/*")) if path.is_file()]
    return {name: kept(tmp_path, f"SELECT * FROM {name}") for name in tables} | {"files": files}


def done(run: Run, *words: object) -> str:
    """Run a command that succeeds and return what it says."""
    code, out, err = run(*words)
    assert (code, err) == (0, ""), err
    return out.strip()


def as_json(run: Run, *words: object) -> Any:
    """Run a command that succeeds with `--json` and return what it prints."""
    return json.loads(done(run, *words, "--json"))


def refused(run: Run, tmp_path: Path, *words: object, code: int = 1) -> str:
    """Run a command that is refused and return its one line; nothing at all may have changed."""
    before = everything(tmp_path)
    ended, out, err = run(*words)
    assert (ended, out) == (code, ""), (ended, out, err)
    assert len(err.strip().splitlines()) == 1, err
    assert everything(tmp_path) == before
    return err.strip()
