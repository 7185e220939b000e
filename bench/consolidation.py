"""Consolidating a country's scores, beside the bare SQL that computes the same totals.

100,000 groups, 20 leaves in five criteria, four scores each: every leaf has a self-score and an
agency's, one in ten a consolidated one, one in a hundred a final one. The set has the rules of a
real one: a total by class of area, a floor of half for each criterion, a vote, vetoes.

Ours is `models.consolidation.consolidate`, whole: the four totals, the five criteria, what each
rule says, and a row for each group with its verdict. `bare` computes the four totals and the five
criteria of the score that counts, and leaves one row for each group too, in hand-written SQL of
the kind one would type at the prompt. Both run in a transaction that is committed, on the same
database, in turn; the totals they leave are compared, and the program ends where they differ.

Beside the ratio stands what explaining and hashing the list costs, which `conclude` does besides.
"""

import json
import platform
import tempfile
import time
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Annotated

import typer
from sqlalchemy import text

from bench.stores import Store, store
from models.campaigns import get_campaign, open_campaign
from models.consolidation import consolidate
from models.database import Database, transaction, using
from models.results import freeze_list
from rules.calendar import CITY
from rules.stages import Stage
from tests import factories

OPENING = datetime(2021, 11, 11, 7, 30, tzinfo=CITY)
FREEZING = datetime(2021, 12, 6, 15, 0, tzinfo=CITY)
COMMUNES = 100
CRITERIA, LEAVES = 5, 4

SETS = {
    "id": "mau-bench",
    "title": "Bộ tiêu chí MẪU",
    "method": "points",
    "total_max": 100,
    "criteria": [
        {
            "code": f"{number}",
            "title": f"Tiêu chí MẪU {number}",
            "max_points": 20,
            "children": [
                {"code": f"{number}.{leaf}", "title": f"Tiêu chuẩn MẪU {number}.{leaf}", "max_points": 5}
                for leaf in range(1, LEAVES + 1)
            ],
        }
        for number in range(1, CRITERIA + 1)
    ],
    "recognition": {
        "each_criterion_min_percent": 50,
        "total_min_by_area": [
            {"code": "mien-nui", "area": "MẪU miền núi", "points": 60},
            {"code": "con-lai", "area": "MẪU còn lại", "points": 80},
        ],
        "vote_min": {"percent": 60, "of": "attendees", "quorum_percent_of_invited": 60},
        "vetoes": None,
    },
}

# Numbers that look drawn at random and are the same in every run.
POINTS = "((g.id * 7919 + l.position * 104729 + {salt}) % 401) * 125"

FILL = (
    """INSERT INTO residential_groups (unit_id, position, name, valid_from)
       SELECT u.id, n.n, 'Tổ MẪU ' || n.n, '2021-01-01' FROM units u CROSS JOIN numbers n
       WHERE u.kind = 'commune'""",
    """INSERT INTO campaign_groups (campaign_id, group_id)
       SELECT c.id, g.id FROM campaigns c CROSS JOIN residential_groups g""",
    """INSERT INTO group_cases (campaign_id, group_id, is_proposed, reason, area_class,
                                invited, attended, in_favour, recorded_at)
       SELECT c.id, g.id, g.id % 20 <> 0, CASE WHEN g.id % 20 = 0 THEN 'MẪU' ELSE '' END, NULL,
              50, 40, 20 + g.id % 20, '2021-11-15 01:00:00'
       FROM campaigns c CROSS JOIN residential_groups g""",
    f"""INSERT INTO scores (campaign_id, group_id, leaf, self_points, self_is, agency_points, agency_is,
                           consolidated_points, consolidated_is, final_points, final_is)
       SELECT c.id, g.id, l.leaf, {POINTS.format(salt=1)}, 'counted', {POINTS.format(salt=2)}, 'counted',
              CASE WHEN (g.id + l.position) % 10 = 0 THEN {POINTS.format(salt=3)} END,
              CASE WHEN (g.id + l.position) % 10 = 0 THEN 'counted' END,
              CASE WHEN (g.id + l.position) % 100 = 0 THEN {POINTS.format(salt=4)} END,
              CASE WHEN (g.id + l.position) % 100 = 0 THEN 'counted' END
       FROM campaigns c CROSS JOIN residential_groups g CROSS JOIN campaign_leaves l""",
    # How each score came about, which is kept beside the four of them.
    *(
        f"""INSERT INTO marks (campaign_id, group_id, leaf, kind, round, found, points, standing, reason,
                               given_at, recorded_at)
            SELECT campaign_id, group_id, leaf, '{kind}', 1, '{{"value": "1"}}', {kind}_points, 'counted',
                   'MẪU', '2021-11-15 01:00:00', '2021-11-15 01:00:00'
            FROM scores WHERE {kind}_is IS NOT NULL"""
        for kind in ("self", "agency", "consolidated", "final")
    ),
)

FINAL = "COALESCE(s.final_points, s.consolidated_points, s.agency_points)"
BARE = f"""INSERT INTO bare_totals
    SELECT s.group_id, SUM(s.self_points), SUM(s.agency_points),
           SUM(COALESCE(s.consolidated_points, s.agency_points)), SUM({FINAL}), COUNT(*),
           {", ".join(f"SUM(CASE WHEN l.criterion = '{n}' THEN {FINAL} END)" for n in range(1, CRITERIA + 1))}
    FROM scores s JOIN campaign_leaves l ON l.campaign_id = s.campaign_id AND l.leaf = s.leaf
    GROUP BY s.group_id"""

COMPARED = """SELECT COUNT(*) FROM bare_totals b JOIN results r ON r.group_id = b.group_id
    WHERE r.self_total = b.self_total AND r.agency_total = b.agency_total
      AND r.consolidated_total = b.consolidated_total AND r.final_total = b.final_total"""


@dataclass(frozen=True, slots=True)
class Measured:
    """What consolidating cost, in seconds: medians over the runs, and conclude once."""

    database: str
    groups: int
    scores: int
    ours_s: float
    bare_s: float
    ratio: float
    conclude_s: float


def main(
    groups: Annotated[int, typer.Option(help="How many groups.")] = 100_000,
    runs: Annotated[int, typer.Option(help="How often each is timed.")] = 5,
    out: Annotated[Path | None, typer.Option(help="Write the figures as JSON.")] = None,
) -> None:
    """Print what consolidating costs on both databases."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("sqlite", "postgresql"):
            with store(kind, Path(folder) / kind) as kept:
                found.append(_measured(kind, kept, Path(folder), groups, runs))
    typer.echo(f"Python {platform.python_version()}, {groups} groups, {runs} runs\n")
    typer.echo(
        "| database | groups | scores | ours s | bare s | ratio | conclude s |\n|---|--:|--:|--:|--:|--:|--:|"
    )
    for each in found:
        typer.echo(
            f"| {each.database} | {each.groups} | {each.scores} | {each.ours_s:.2f} | {each.bare_s:.2f} "
            f"| {each.ratio:.2f} | {each.conclude_s:.1f} |"
        )
    if out is not None:
        out.write_text(json.dumps([asdict(each) for each in found], indent=2))


def _measured(kind: str, kept: Store, folder: Path, groups: int, runs: int) -> Measured:
    database = kept.open("consolidation")
    with using(database):
        database.migrate()
        code = _fill(database, folder / f"{kind}-files", groups)
        kept.settle("consolidation")
        ours, bare = [], []
        for run in range(runs + 1):
            taken = _bare(database), _ours(database, code)
            _compare(database, groups)
            if run:  # the first run warms the cache
                bare.append(taken[0])
                ours.append(taken[1])
        _forget(database)
        started = time.perf_counter()
        with transaction() as session:
            campaign = get_campaign(session, code)
            freeze_list(session, campaign, at=FREEZING, recorded_at=FREEZING, by="MẪU", reason="MẪU")
        concluded = time.perf_counter() - started
    database.close()
    mine, floor = median(ours), median(bare)
    return Measured(kind, groups, groups * CRITERIA * LEAVES * 4, mine, floor, mine / floor, concluded)


def _fill(database: Database, folder: Path, groups: int) -> str:
    """Open a campaign and put in its groups and scores; returns its code."""
    communes = [f"x{n}" for n in range(COMMUNES)]
    file = factories.campaign(
        folder,
        factories.units(communes),
        scored_by=SETS,
        reviews={"x": [str(n + 1) for n in range(CRITERIA)]},
        area_class="con-lai",
    )
    with transaction() as session:
        campaign = open_campaign(session, file, at=OPENING, by="MẪU")
        campaign.stage = Stage.CONSOLIDATION
        session.add(campaign)
        session.flush()
        connection = session.connection()
        connection.execute(text("CREATE TABLE numbers (n INTEGER)"))
        connection.execute(
            text("INSERT INTO numbers VALUES (:n)"), [{"n": n + 1} for n in range(groups // COMMUNES)]
        )
        for statement in FILL:
            connection.execute(text(statement))
        sums = ", ".join(f"c{n} BIGINT" for n in range(CRITERIA))
        connection.execute(
            text(
                "CREATE TABLE bare_totals (group_id INTEGER PRIMARY KEY, self_total BIGINT,"
                " agency_total BIGINT, consolidated_total BIGINT, final_total BIGINT, given BIGINT,"
                f" {sums})"
            )
        )
    return file.code


def _bare(database: Database) -> float:
    with transaction() as session:
        session.connection().execute(text("DELETE FROM bare_totals"))
    started = time.perf_counter()
    with transaction() as session:
        session.connection().execute(text(BARE))
    return time.perf_counter() - started


def _forget(database: Database) -> None:
    with transaction() as session:
        session.connection().execute(text("DELETE FROM results"))
        session.connection().execute(text("DELETE FROM list_versions"))


def _ours(database: Database, code: str) -> float:
    _forget(database)
    with transaction() as session:
        session.connection().execute(
            text(
                "INSERT INTO list_versions (id, campaign_id, version, frozen_at, recorded_at, reason, groups,"
                " recognised, hash) SELECT 1, id, 1, opened_at, opened_at, '', 0, 0, '' FROM campaigns"
            )
        )
    started = time.perf_counter()
    with transaction() as session:
        consolidate(session, get_campaign(session, code), 1)
    return time.perf_counter() - started


def _compare(database: Database, groups: int) -> None:
    with transaction() as session:
        same = session.connection().execute(text(COMPARED)).scalar_one()
    if same != groups:
        raise SystemExit(f"the totals of {groups - same} groups differ")


if __name__ == "__main__":
    typer.run(main)
