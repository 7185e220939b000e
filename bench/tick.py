"""One tick over campaigns of several sizes, beside the bare SQL that leaves the same rows.

The campaign stands in self-assessment, opened by `models.campaigns.open_campaign` with one open
dossier for each commune, and has its first days behind it: openings, reminders and escalations
queued by earlier ticks and sent. All communes had until Mon 2021-11-22; every tenth was given one
more day by `models.extensions.extend`. At each measured instant only that tenth has a step due:

- `reminders`, Wed 2021-11-17 07:30: its `before:3`, one notice and one letter to each officer;
- `escalations`, Tue 2021-11-23 08:30: its `after:0`, one notice and one digest to each unit's head,
  with no gate, so that the letters are made at once;
- `nothing`, Tue 2021-11-23 08:15: no step of anybody.

The tick is `flows.campaign.tick`, whole: lease, work of the stage, due steps, letters. `bare`
(`bench.bare`) finds the same items, steps and recipients, inserts the same notices and letters,
ties them together and marks the steps fired, in one transaction on an identical copy, through the
same driver and with the same durability. What both left is compared row by row, all columns; the
program ends where it differs.

Not timed: connecting to PostgreSQL, compiling statements, and reading the campaign's kept file,
which a process does once (the seconds that takes are printed). Each run has a fresh copy; runs of
tick and bare alternate. Statements and memory are counted in runs of their own.
"""

import gc
import json
import os
import platform
import sqlite3
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer
from sqlalchemy import Engine, event, text

from bench import bare
from bench.bare import CASES, Case
from bench.stores import UNGATED, Store, build, store, written
from flows.campaign import tick
from models.database import Database, using

IDLE_TICKS = 20
NOTHING = CASES[-1]


@dataclass(frozen=True, slots=True)
class Measured:
    """What one case cost; `statements` and `peak_mb` are the tick's, `grown_mb` is of 20 idle ticks."""

    database: str
    units: int
    case: str
    rows: int
    tick_ms: float
    tick_min_ms: float
    bare_ms: float
    bare_min_ms: float
    ratio: float
    statements: int
    peak_mb: float
    grown_mb: float | None


@dataclass(frozen=True, slots=True)
class Bench:
    """Two databases that are copied anew for each run: one is ticked, beside the other in bare SQL.

    They stay the same two for the engine, so that its compiled statements are kept between runs.
    """

    kind: str
    kept: Store
    ticked: Database
    beside: Database
    runs: int

    def measure(self, case: Case, template: str, units: int) -> Measured:
        """Run a case as often as asked and return what it cost."""
        rows = self._compared(case, template)
        ticks, bares = [], []
        for _ in range(self.runs):
            with self._fresh(self.ticked, "ticked", template):
                ticks.append(_milliseconds(lambda: _tick(case.now)))
            with self._fresh(self.beside, "beside", template):
                bares.append(_milliseconds(lambda: bare.do(self.beside, case)))
        return Measured(
            database=self.kind,
            units=units,
            case=case.name,
            rows=rows,
            tick_ms=median(ticks),
            tick_min_ms=min(ticks),
            bare_ms=median(bares),
            bare_min_ms=min(bares),
            ratio=median(ticks) / median(bares),
            statements=self._statements(case, template),
            peak_mb=self._peak(case, template),
            grown_mb=self._growth(template) if case is NOTHING else None,
        )

    def _compared(self, case: Case, template: str) -> int:
        """Return how many rows the tick inserts; ends the program where the bare SQL leaves others."""
        with self._fresh(self.ticked, "ticked", template):
            _tick(case.now)
            by_tick = bare.left(self.ticked)
        with self._fresh(self.beside, "beside", template):
            bare.do(self.beside, case)
            by_bare = bare.left(self.beside)
        for what, rows in by_tick.items():
            if rows != by_bare[what]:
                raise SystemExit(
                    f"{self.kind}, {case.name}: tick and bare SQL left different {what}, "
                    f"{len(rows)} and {len(by_bare[what])} rows"
                )
        return len(by_tick["notices"]) + len(by_tick["letters"])

    def _statements(self, case: Case, template: str) -> int:
        """Count what a tick asks of the database, without what opens and prepares a transaction."""
        issued: list[str] = []

        def note(*given: Any) -> None:
            issued.append(given[2])

        with self._fresh(self.ticked, "ticked", template):
            event.listen(Engine, "before_cursor_execute", note)
            try:
                _tick(case.now)
            finally:
                event.remove(Engine, "before_cursor_execute", note)
        return sum(not each.startswith(("BEGIN", "COMMIT", "PRAGMA")) for each in issued)

    def _peak(self, case: Case, template: str) -> float:
        """Return the most memory that Python held at once for a tick, in MB."""
        with self._fresh(self.ticked, "ticked", template):
            gc.collect()
            tracemalloc.start()
            try:
                _tick(case.now)
                return tracemalloc.get_traced_memory()[1] / 2**20
            finally:
                tracemalloc.stop()

    def _growth(self, template: str) -> float:
        """Return by how much the process grows over further ticks with nothing to do, in MB."""
        with self._fresh(self.ticked, "ticked", template):
            _tick(NOTHING.now)
            before = _resident()
            for number in range(IDLE_TICKS):
                _tick(NOTHING.now + timedelta(seconds=number))
            return _resident() - before

    @contextmanager
    def _fresh(self, database: Database, name: str, template: str) -> Iterator[None]:
        """Use a fresh copy of a template inside this block, already connected to."""
        database.close()
        self.kept.copy(template, name)
        with database.transaction() as session:
            session.connection().execute(text("SELECT 1"))
        with using(database):
            yield


def _tick(now: datetime) -> None:
    report = tick(now, gate=UNGATED)
    if report.failed or not report.is_alone:
        raise SystemExit(f"the tick at {now} did not do its work: {report}")


def _milliseconds(work: Callable[[], None]) -> float:
    gc.collect()
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def _resident() -> float:
    """Return how much memory this process holds, in MB."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def measure_all(sizes: list[int], kinds: list[str], runs: int) -> list[Measured]:
    """Build each size once on each kind of database, run every case and return what they cost."""
    found = []
    with tempfile.TemporaryDirectory(prefix="congnhan-bench-") as folder:
        for units in sizes:
            file, seconds = written(Path(folder, f"file_{units}"), units)
            typer.echo(f"{units} units: the campaign file was read in {seconds:.1f} s", err=True)
            for kind in kinds:
                with store(kind, Path(folder, f"{kind}_{units}")) as kept:
                    began = time.perf_counter()
                    templates = build(kept, file)
                    seconds = time.perf_counter() - began
                    typer.echo(f"{units} units: built on {kind} in {seconds:.1f} s", err=True)
                    bench = Bench(kind, kept, kept.open("ticked"), kept.open("beside"), runs)
                    found += [bench.measure(case, templates[case.template], units) for case in CASES]
                    bench.ticked.close()
                    bench.beside.close()
    return found


def table(found: list[Measured]) -> str:
    """Return what was measured as text, a line for each case, then how it grows."""
    lines = [
        f"{'database':<11}{'units':>7}  {'case':<12}{'rows':>7}{'tick ms':>10}{'bare ms':>10}"
        f"{'ratio':>8}{'statements':>12}{'peak MB':>9}"
    ]
    lines += [
        f"{each.database:<11}{each.units:>7}  {each.case:<12}{each.rows:>7}{each.tick_ms:>10.1f}"
        f"{each.bare_ms:>10.1f}{each.ratio:>8.2f}{each.statements:>12}{each.peak_mb:>9.1f}"
        for each in found
    ]
    lines.append("")
    for kind, case in dict.fromkeys((each.database, each.case) for each in found):
        of_case = [each for each in found if (each.database, each.case) == (kind, case)]
        lines += [
            f"{kind}, {case}: {less.units} to {more.units} units is ×{more.units / less.units:.0f}, "
            f"the tick ×{more.tick_ms / less.tick_ms:.1f}, bare ×{more.bare_ms / less.bare_ms:.1f}"
            for less, more in pairwise(of_case)
        ]
        if len({each.statements for each in of_case}) > 1:
            lines.append(f"{kind}, {case}: THE NUMBER OF STATEMENTS GROWS WITH THE UNITS")
    lines += [
        f"{each.database}, {each.units} units: {each.grown_mb:+.1f} MB after {IDLE_TICKS} idle ticks"
        for each in found
        if each.grown_mb is not None
    ]
    return "\n".join(lines)


def main(
    units: Annotated[str, typer.Option(help="how many communes, separated by commas")] = "7,3321,33210",
    databases: Annotated[str, typer.Option(help="sqlite, postgresql or both")] = "sqlite,postgresql",
    runs: Annotated[int, typer.Option(min=1, help="timed runs of tick and of bare SQL each")] = 5,
    json_file: Annotated[Path | None, typer.Option("--json", help="also write the results here")] = None,
) -> None:
    """Measure one tick beside the bare SQL that leaves the same rows."""
    found = measure_all([int(each) for each in units.split(",")], databases.split(","), runs)
    typer.echo(table(found))
    if json_file is not None:
        machine = {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version, "runs": runs}
        json_file.parent.mkdir(parents=True, exist_ok=True)
        results = json.dumps({**machine, "results": [asdict(each) for each in found]}, indent=1)
        json_file.write_text(f"{results}\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
