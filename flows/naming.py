"""The name of a run in the Prefect UI says what was done in it."""

from prefect import runtime
from prefect.client.orchestration import get_client


def name_run(name: str) -> None:
    """Name the flow run that this is called in; does nothing outside of one."""
    run_id = runtime.flow_run.id
    if run_id is not None:
        with get_client(sync_client=True) as client:
            client.update_flow_run(run_id, name=name)
