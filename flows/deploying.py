"""The work pool and the deployments of `prefect.yaml`, put into whichever Prefect server is addressed."""

import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import yaml
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState, FlowRunFilterStateType
from prefect.client.schemas.objects import StateType
from prefect.client.schemas.schedules import CronSchedule
from prefect.deployments.runner import RunnerDeployment
from prefect.exceptions import ObjectAlreadyExists
from prefect.states import Crashed

from config.messages import say

# Beside the packages in a checkout, with the shared data of the environment where a wheel was installed.
PLACES = (
    Path(__file__).parent.parent / "prefect.yaml",
    Path(sys.prefix) / "share/congnhan/prefect.yaml",
)
POOL = "congnhan"
PAGE = 200
# What a server that is not there, or does not let us in, looks like.
NOT_REACHED = (httpx.HTTPError, RuntimeError, ValueError)
LEFT_BEHIND = [StateType.RUNNING, StateType.PENDING, StateType.CANCELLING]


def declared() -> list[dict[str, Any]]:
    """Return the deployments as `prefect.yaml` declares them."""
    path = next(each for each in PLACES if each.is_file())
    found: list[dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))["deployments"]
    return found


def deploy_all() -> list[str]:
    """Create the work pool and bring every deployment up to date; returns their names."""
    with get_client(sync_client=True) as client, suppress(ObjectAlreadyExists):
        client.create_work_pool(WorkPoolCreate(name=POOL, type="process"))
    names = []
    for each in declared():
        deployment = RunnerDeployment.from_entrypoint(
            entrypoint=each["entrypoint"],
            name=each["name"],
            description=each["description"],
            tags=each["tags"],
            work_pool_name=each["work_pool"]["name"],
            schedules=[
                CronSchedule(cron=schedule["cron"], timezone=schedule["timezone"])
                for schedule in each.get("schedules", ())
            ],
        )
        deployment.apply()
        names.append(f"{deployment.flow_name}/{each['name']}")
    return names


def settle_left_behind() -> int:
    """End every run that an earlier crash left running or submitted; returns how many.

    To be called only where no worker is at work: on one machine, before its worker starts.
    """
    settled = 0
    with get_client(sync_client=True) as client:
        while True:
            page = _left_behind(client)
            for run in page:
                client.set_flow_run_state(run.id, Crashed(message=say("serve.left_behind")), force=True)
            settled += len(page)
            if len(page) < PAGE:
                return settled


def _left_behind(client: SyncPrefectClient) -> list[Any]:
    return list(
        client.read_flow_runs(
            flow_run_filter=FlowRunFilter(
                state=FlowRunFilterState(type=FlowRunFilterStateType(any_=LEFT_BEHIND))
            ),
            limit=PAGE,
        )
    )
