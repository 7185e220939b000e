"""Prefect's own harness: a real server on loopback, for the few tests that run real flow runs."""

from collections.abc import Iterator

import pytest
from prefect.testing.utilities import prefect_test_harness


@pytest.fixture(scope="module")
def prefect() -> Iterator[None]:
    """A Prefect server of this module's own."""
    with prefect_test_harness(server_startup_timeout=120):
        yield
