"""Runs in the Prefect UI: named after what was done in them, and asked for when there is something to do."""

from contextlib import suppress

from prefect import runtime
from prefect.client.orchestration import get_client

SWEEP, DELIVERY = "campaign-tick/sweep", "deliver-letters/delivery"


def name_run(name: str) -> None:
    """Name the flow run that this is called in; does nothing outside of one.

    Where the engine does not answer the run keeps its name: what it has done is done.
    """
    run_id = runtime.flow_run.id
    if run_id is not None:
        with suppress(Exception), get_client(sync_client=True) as client:
            client.update_flow_run(run_id, name=name)


def ask_for(deployment: str) -> None:
    """Ask for a run now; where it is not deployed, or nobody answers, the schedule is soon enough."""
    with suppress(Exception), get_client(sync_client=True) as client:
        client.create_flow_run_from_deployment(client.read_deployment_by_name(deployment).id)
