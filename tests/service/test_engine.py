"""A tick and a delivery as real Prefect flow runs, against a real Prefect server."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowFilter, FlowFilterName
from prefect.client.schemas.sorting import FlowRunSort
from sqlalchemy import text

from config.settings import settings
from flows.campaign import tick
from flows.engine import campaign_tick, deliver
from models.campaigns import open_campaign
from models.database import transaction
from rules.calendar import CITY
from tests import factories

pytestmark = pytest.mark.usefixtures("prefect")


@pytest.fixture
def opened(database, tmp_path: Path) -> str:
    """A campaign that opened this minute, in an office that works day and night."""
    now = datetime.now(CITY)
    days = [(now + timedelta(days=n)).date().isoformat() for n in range(-10, 40)]
    file = factories.campaign(
        tmp_path / "files",
        calendar={
            "office_hours": ["00:00", "23:59"],
            "sending_windows": [["00:00", "23:59"]],
            "overrides": [{"date": day, "working": True, "source": "MẪU"} for day in days],
        },
        stages={
            "self_assessment": {"opens_on": days[10], "due": {"before": days[25]}, "wait_for_all": False},
            "agency_review": {"due": {"within_working_days": 7, "from": "stage"}},
        },
        legal_basis=[
            {"number": f"{role}/MẪU", "date": days[9], "kind": "CV", "role": role}
            for role in ("plan", "team", "launch")
        ],
    )
    with transaction() as session:
        open_campaign(session, file, at=now, by=None)
    return file.code


def flow_runs() -> list[tuple[str, str]]:
    """Ask the Prefect server which flows ran and how they ended."""

    async def ask() -> list[tuple[str, str]]:
        async with get_client() as client:
            flows = {flow.id: flow.name for flow in await client.read_flows()}
            runs = await client.read_flow_runs()
            return sorted((flows[run.flow_id], run.state.name if run.state else "") for run in runs)

    return asyncio.run(ask())


def test_a_tick_and_a_delivery_run_as_flows_and_the_letters_arrive(opened):
    before = flow_runs()
    assert campaign_tick() == "1 campaigns, 2 letters queued, 0 superseded"
    assert deliver() == "accepted 2"
    ran = list(flow_runs())
    for each in before:
        ran.remove(each)
    assert ran == sorted(
        [
            ("campaign-tick", "Completed"),
            ("announce-plan", "Completed"),
            ("announce-review-team", "Completed"),
            ("collect-dossiers", "Completed"),
            *[("move-on", "Completed")] * 3,
            ("queue-what-is-due", "Completed"),
            ("deliver-letters", "Completed"),
            ("send-batch", "Completed"),
        ]
    )
    assert tags_of("announce-plan") == {opened, "planning"}
    assert tags_of("queue-what-is-due") == {opened, "self_assessment"}
    assert kept() == ["a", "b"]
    # And once more, with nothing left to do.
    assert campaign_tick() == "1 campaigns, 0 letters queued, 0 superseded"
    assert deliver() == "nothing to send"
    assert kept() == ["a", "b"]


def tags_of(flow: str) -> set[str]:
    """The tags of the last run of a flow."""
    with get_client(sync_client=True) as client:
        (run, *_) = client.read_flow_runs(
            flow_filter=FlowFilter(name=FlowFilterName(any_=[flow])), sort=FlowRunSort.START_TIME_DESC
        )
        return set(run.tags)


def kept() -> list[str]:
    """To whom the letters in the mailbox went."""
    return sorted(path.name.split("-")[2] for path in (settings().home / "mailbox").glob("*.eml"))


def test_a_campaign_that_fails_makes_the_run_fail_and_the_others_are_served(opened, tmp_path):
    with transaction() as session:
        open_campaign(
            session,
            factories.campaign(tmp_path / "two", code="mau-broken"),
            at=datetime.now(CITY),
            by=None,
            past=True,
        )
        session.execute(text("UPDATE campaigns SET files = '{}', files_hash = 'x' WHERE code = 'mau-broken'"))
    tick(datetime.now(CITY))  # brings the sound one forward without the engine, which takes its time
    with pytest.raises(RuntimeError, match="mau-broken"):
        campaign_tick()
    assert deliver() == "accepted 2"
    assert kept() == ["a", "b"]
