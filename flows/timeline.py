"""The coming weeks in the Prefect UI: one scheduled run for each instant at which something will change.

They are hints: each runs the same tick as the sweep, which alone would do everything (design.md §7).
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import (
    DeploymentFilter,
    DeploymentFilterId,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, StateType
from prefect.exceptions import ObjectNotFound
from prefect.states import Scheduled

from config.messages import say
from documents.words import step_words
from models.campaigns import get_campaign_by_id, running_campaigns
from models.database import transaction
from models.timeline import LATE_FROM, OPENING, RELEASE, Coming, coming
from rules.calendar import CITY

LOG = logging.getLogger("congnhan")
DEPLOYMENT = "campaign-tick/timeline"
PAGE = 200


@dataclass(frozen=True, slots=True)
class Planned:
    """A run to be scheduled: its key makes it the only one of its campaign and instant."""

    key: str
    at: datetime
    name: str
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Synced:
    """How many runs were put in, renamed and taken out, and how many stand now."""

    put_in: int
    renamed: int
    taken_out: int
    standing: int


def planned(now: datetime) -> list[Planned]:
    """Return the runs that should stand: one for each campaign and instant, with a speaking name."""
    found = []
    with transaction() as session:
        for campaign_id in running_campaigns(session):
            campaign = get_campaign_by_id(session, campaign_id)
            try:
                ahead = coming(session, campaign, now=now)
            except Exception as error:  # whatever is wrong with one, the others have their runs
                LOG.warning("campaign %d has no timeline: %s", campaign_id, type(error).__name__)
                continue
            for at, same in groupby(ahead, key=lambda each: each.at):
                city = at.astimezone(CITY)
                found.append(
                    Planned(
                        key=f"congnhan|{campaign.code}|{city:%Y-%m-%dT%H:%M}",
                        at=at,
                        name=f"{campaign.code} · {city:%d/%m %H:%M} · {_words(same)}",
                        tags=("congnhan", campaign.code, campaign.stage.value),
                    )
                )
    return found


def _words(happening: Iterable[Coming]) -> str:
    parts = []
    for each in happening:
        if each.what in (OPENING, LATE_FROM, RELEASE):
            parts.append(say(f"coming.{each.what}", count=each.units))
        else:
            side, _, days = each.what.partition(":")
            parts.append(say(f"coming.{side}", days=days, count=each.units, step=step_words(each.what)))
    return "; ".join(parts)


def sync_timeline(now: datetime) -> Synced | None:
    """Make the scheduled runs those that should stand; None where the deployment is not there."""
    wanted = {each.key: each for each in planned(now)}
    with get_client(sync_client=True) as client:
        try:
            deployment = client.read_deployment_by_name(DEPLOYMENT)
        except ObjectNotFound:
            return None
        standing = {run.idempotency_key: run for run in _scheduled(client, deployment.id)}
        gone = [run for key, run in standing.items() if key not in wanted]
        for run in gone:
            # Deleted and not cancelled: a cancelled run would keep its key for ever.
            client.delete_flow_run(run.id)
        new = [each for key, each in wanted.items() if key not in standing]
        for each in new:
            client.create_flow_run_from_deployment(
                deployment.id,
                state=Scheduled(scheduled_time=each.at),
                name=each.name,
                tags=each.tags,
                idempotency_key=each.key,
            )
        renamed = [
            (run, wanted[key])
            for key, run in standing.items()
            if key in wanted and (run.name, set(run.tags)) != (wanted[key].name, set(wanted[key].tags))
        ]
        for run, each in renamed:
            client.update_flow_run(run.id, name=each.name, tags=each.tags)
    return Synced(len(new), len(renamed), len(gone), len(wanted))


def _scheduled(client: SyncPrefectClient, deployment_id: UUID) -> list[FlowRun]:
    found: list[FlowRun] = []
    while True:
        page = client.read_flow_runs(
            deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[deployment_id])),
            flow_run_filter=FlowRunFilter(
                state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED]))
            ),
            limit=PAGE,
            offset=len(found),
        )
        found += page
        if len(page) < PAGE:
            return [run for run in found if run.idempotency_key]
