"""A tick asks the database the same number of questions for two communes as for sixty."""

from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import event

from flows.campaign import tick
from models.campaigns import open_campaign
from models.database import Database, transaction
from models.due_steps import Gate
from rules.calendar import CITY
from tests import factories

OPENING = datetime(2021, 11, 11, 7, 30, tzinfo=CITY)


@pytest.fixture
def count(database: Database):
    """Count the statements that are issued while a function runs."""
    issued: list[str] = []
    event.listen(database._engine, "before_cursor_execute", lambda *given: issued.append(given[2]))

    def counted(work) -> int:
        issued.clear()
        work()
        return len(issued)

    return counted


def begin(folder: Path, code: str, communes: int) -> None:
    of_units = factories.units(communes=[f"{code}-{number}" for number in range(communes)])
    for unit in of_units:
        unit["code"] = unit["code"] if unit["kind"] == "commune" else f"{code}-{unit['code']}"
    file = factories.campaign(
        folder,
        of_units,
        code=code,
        organiser=f"{code}-city",
        standing_office=f"{code}-standing",
        reviews={f"{code}-x": ["I"]},
    )
    with transaction() as session:
        open_campaign(session, file, at=OPENING, by=None)


def test_statements_do_not_grow_with_the_units(database, tmp_path, count):
    moments = ["11T07:30", "16T07:30", "19T07:30", "22T08:30", "25T08:30"]
    counted = {}
    for code, communes in (("few", 2), ("many", 60)):
        begin(tmp_path / code, code, communes)
        counted[code] = [
            count(
                lambda moment=moment: tick(
                    datetime.fromisoformat(f"2021-11-{moment}").replace(tzinfo=CITY), gate=Gate(False)
                )
            )
            for moment in moments
        ]
        with transaction() as session:  # so that the next one is alone
            session.connection().exec_driver_sql("UPDATE campaigns SET side_state = 'suspended'")
    assert counted["few"] == counted["many"]
    assert all(counted["few"])
