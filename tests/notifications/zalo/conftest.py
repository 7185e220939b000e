"""A fake Zalo for the tests of sending: one server for each module, furnished anew for each test."""

from collections.abc import Iterator

import pytest

from notifications.zalo.fake import FakeZalo, Faults
from tests.notifications.zalo.sending import NOW, furnished


@pytest.fixture(scope="module")
def server() -> Iterator[FakeZalo]:
    with FakeZalo(clock=lambda: NOW) as fake:
        yield fake


@pytest.fixture
def zalo(server: FakeZalo) -> FakeZalo:
    """Return a fake where everything is as it should be and nothing has been sent."""
    server.received.clear()
    server.calls.clear()
    server.state.requires_proof, server.state.faults = False, Faults()
    return furnished(server)
