"""What Prometheus reads is what stands in the tables, and it names nobody."""

from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import bindparam, event, text

from models.database import Database, UtcDateTime, transaction, using
from models.metrics import figures, last_tick
from models.pulses import DELIVERY, TICK, beat
from notifications.mailbox import Mailbox
from rules.notices import Channel, LetterState
from tests import factories
from tests.serving import serving
from tests.walking import Walk, at, begin, begun, change, rows

NOW = "2021-11-16 07:30"  # a Tuesday: the first reminder falls due
Samples = dict[tuple[str, ...], float]


def scraped(moment: str = NOW) -> dict[str, Samples]:
    """Return what Prometheus reads: each metric's values by the values of its labels, in their order."""
    with serving(at(moment)) as site:
        answer = site.get("/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    found: dict[str, Samples] = {}
    for family in text_string_to_metric_families(answer.text):
        assert family.type == "gauge"
        found[family.name] = {tuple(each.labels.values()): each.value for each in family.samples}
    return found


def counted(query: str) -> Samples:
    return {tuple(key): float(count) for *key, count in rows(query)}


def free_from(moment: str) -> None:
    """Let every queued letter be free to leave from this moment."""
    statement = text("UPDATE letters SET not_before = :t WHERE state = 'queued'")
    with transaction() as session:
        session.execute(statement.bindparams(bindparam("t", at(moment), UtcDateTime())))


@pytest.fixture
def walk(database, tmp_path: Path):
    """A campaign that has been opened and asked its communes; the first reminders wait to be sent."""
    with Mailbox(tmp_path / "mailbox") as mailbox:
        walk = begun(tmp_path / "files", mailbox, factories.units(communes=("a", "b", "c", "d")))
        walk.tick(NOW)
        yield walk


def test_every_letter_is_counted_by_its_channel_and_state(walk: Walk):
    # One of each state, whatever the program would have made of them.
    letters = [number for (number,) in rows("SELECT id FROM letters ORDER BY id")]
    assert len(letters) >= len(LetterState)
    for number, state in zip(letters, LetterState, strict=False):
        change("UPDATE letters SET state = :state WHERE id = :id", state=state.value, id=number)
    change("UPDATE letters SET channel = 'zalo' WHERE id = :id", id=letters[1])
    found = scraped()
    want = counted("SELECT channel, state, COUNT(*) FROM letters GROUP BY channel, state")
    none = {(channel.value, state.value): 0.0 for channel in Channel for state in LetterState}
    assert found["congnhan_letters"] == none | want
    assert found["congnhan_letters_queued"] == {
        (channel.value,): want.get((channel.value, "queued"), 0.0) for channel in Channel
    }
    assert sum(found["congnhan_letters"].values()) == len(letters)


def test_items_stages_and_waiting_notices_are_those_of_the_tables(walk: Walk):
    change(
        "UPDATE notices SET state = 'waiting_release', letter_id = NULL"
        " WHERE id IN (SELECT MIN(id) FROM notices WHERE state = 'queued')"
    )
    found = scraped()
    assert found["congnhan_up"] == {(): 1.0}
    assert found["congnhan_notices_waiting_release"] == {(): 1.0}
    assert found["congnhan_campaign_stage"] == counted("SELECT code, stage, 1 FROM campaigns")
    assert found["congnhan_campaign_stage"] == {("mau-2021", "self_assessment"): 1.0}
    want = counted(
        "SELECT c.code, i.kind, i.state, COUNT(*) FROM work_items i"
        " JOIN campaigns c ON c.id = i.campaign_id GROUP BY c.code, i.kind, i.state"
    )
    assert found["congnhan_items"] == want
    assert want[("mau-2021", "dossier", "open")] == 4.0


def test_the_oldest_letter_grows_older_until_it_is_sent(walk: Walk):
    assert rows("SELECT COUNT(*) FROM letters WHERE state = 'queued'") != [(0,)]
    free_from(NOW)
    ages = [scraped(moment)["congnhan_letters_oldest_seconds"] for moment in (NOW, "2021-11-16 08:00")]
    assert ages == [{("email",): 0.0, ("zalo",): 0.0}, {("email",): 1800.0, ("zalo",): 0.0}]
    walk.deliver("2021-11-16 08:00")
    assert scraped("2021-11-16 08:30")["congnhan_letters_oldest_seconds"][("email",)] == 0.0


@pytest.mark.parametrize(
    ("moment", "kind", "age"),
    [
        pytest.param("2021-11-16 07:29:59", "reminder", 0.0, id="its-hour-has-not-come"),
        pytest.param("2021-11-16 07:31", "reminder", 60.0, id="its-hour-has-come"),
        pytest.param("2021-11-16 23:00", "reminder", 0.0, id="at-night-it-may-not-leave"),
        pytest.param("2021-11-16 23:00", "receipt", 55_800.0, id="a-receipt-leaves-at-night-too"),
    ],
)
def test_only_a_letter_that_may_leave_now_grows_old(walk: Walk, moment: str, kind: str, age: float):
    free_from(NOW)
    change("UPDATE letters SET kind = :kind WHERE state = 'queued'", kind=kind)
    assert scraped(moment)["congnhan_letters_oldest_seconds"][("email",)] == age


def test_the_age_of_the_tick_counts_from_the_end_of_the_last_one(database):
    assert "congnhan_tick_age_seconds" not in scraped()
    with transaction() as session:
        beat(session, DELIVERY, at=at(NOW) - timedelta(hours=1))
        assert last_tick(session) is None
        beat(session, TICK, at=at(NOW) - timedelta(seconds=90))
        beat(session, TICK, at=at(NOW) - timedelta(hours=3))
        assert last_tick(session) == at(NOW) - timedelta(seconds=90)
    assert scraped()["congnhan_tick_age_seconds"] == {(): 90.0}
    assert scraped("2021-11-16 07:00")["congnhan_tick_age_seconds"] == {(): 0.0}


def test_an_installation_without_a_campaign_counts_nothing(database):
    found = scraped()
    assert found["congnhan_up"] == {(): 1.0}
    assert (found["congnhan_items"], found["congnhan_campaign_stage"]) == ({}, {})
    assert set(found["congnhan_letters"].values()) == {0.0}


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("postgresql+psycopg://somebody:geheim@127.0.0.1:1/nothing", id="away"),
        pytest.param("sqlite:///{folder}/empty.db", id="not-migrated"),
    ],
)
def test_without_the_database_there_is_an_answer_that_says_so(address: str, tmp_path: Path):
    with using(Database(address.format(folder=tmp_path))):
        assert scraped() == {"congnhan_up": {(): 0.0}}


def test_an_empty_postgresql_database_is_told_as_away(empty_postgres: str):
    empty = Database(empty_postgres)
    with using(empty):
        assert scraped() == {"congnhan_up": {(): 0.0}}
    empty.close()


def test_nothing_that_is_told_names_a_person(walk: Walk):
    people = rows("SELECT code, name, email FROM contacts")
    assert len(people) > 5
    with serving(at(NOW)) as site:
        told = site.get("/metrics").text
    labels = {value for samples in scraped().values() for key in samples for value in key}
    assert "mau-2021" in labels
    assert [each for person in people for each in person if each in labels] == []
    assert "@" not in told
    assert "MẪU" not in told


def test_statements_do_not_grow_with_what_is_counted(database, tmp_path: Path):
    issued: list[str] = []
    event.listen(database._engine, "before_cursor_execute", lambda *given: issued.append(given[2]))

    def statements() -> int:
        with database.reading() as session:
            figures(session, now=at(NOW))  # a campaign's file is read once
            issued.clear()
            figures(session, now=at(NOW))
        return len(issued)

    of_units = factories.units(communes=[f"c{number}" for number in range(40)])
    counts = [statements()]
    with Mailbox(tmp_path / "mailbox") as mailbox:
        walk = begin(tmp_path / "files", mailbox, of_units=of_units)
        walk.tick(NOW)
        counts.append(statements())
    assert rows("SELECT COUNT(*) FROM letters WHERE state = 'queued'")[0][0] >= 40
    assert counts == [7, 7]
