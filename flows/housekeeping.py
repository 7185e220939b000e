"""Housekeeping in the engine: runs and artifacts that nobody will look at again."""

from datetime import datetime, timedelta

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterEndTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import TERMINAL_STATES

KEPT_FOR = timedelta(days=30)
PAGE = 200
MOST = 20_000  # of a night: the rest waits for the next one


def remove_old(now: datetime) -> tuple[int, int]:
    """Remove runs that ended, and artifacts made, more than 30 days ago; returns how many of each."""
    with get_client(sync_client=True) as client:
        return _runs(client, now - KEPT_FOR), _artifacts(client, now - KEPT_FOR)


def _runs(client: SyncPrefectClient, before: datetime) -> int:
    removed = 0
    while removed < MOST:
        page = client.read_flow_runs(
            flow_run_filter=FlowRunFilter(
                end_time=FlowRunFilterEndTime.model_validate({"before_": before}),
                state=FlowRunFilterState(type=FlowRunFilterStateType(any_=list(TERMINAL_STATES))),
            ),
            limit=PAGE,
        )
        for run in page:
            client.delete_flow_run(run.id)
        removed += len(page)
        if len(page) < PAGE:
            break
    return removed


def _artifacts(client: SyncPrefectClient, before: datetime) -> int:
    removed = 0
    while removed < MOST:
        page = client._client.post(
            "/artifacts/filter",
            json={"sort": "CREATED_DESC", "limit": PAGE, "offset": removed},
        ).json()
        old = [each for each in page if datetime.fromisoformat(each["created"]) < before]
        for each in old:
            client._client.delete(f"/artifacts/{each['id']}").raise_for_status()
        removed += len(old)
        if len(page) < PAGE or not old:
            break
    return removed
