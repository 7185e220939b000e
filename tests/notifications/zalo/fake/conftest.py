"""A fake for each test, as new, with a clock that stands still; and somebody who calls it."""

from collections.abc import Iterator

import pytest

from notifications.zalo.fake import FakeZalo
from notifications.zalo.fake.state import State
from notifications.zalo.fake.webhooks import Webhooks
from tests.notifications.zalo.fake.asking import Caller, Clock
from tests.notifications.zalo.sending import furnished


@pytest.fixture(scope="module")
def server() -> Iterator[FakeZalo]:
    with FakeZalo() as fake:
        yield fake


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def zalo(server: FakeZalo, clock: Clock) -> FakeZalo:
    """Return the server of this module with everything it knew forgotten: starting one takes a while."""
    names = ("app_id", "app_secret", "oa_id", "oa_secret", "bot_token")
    vars(server.state).update(vars(State(clock=clock, **{name: getattr(server, name) for name in names})))
    server.webhooks = Webhooks(server.state)
    return furnished(server)


@pytest.fixture
def caller(zalo: FakeZalo) -> Iterator[Caller]:
    asking = Caller(zalo)
    yield asking
    asking.http.close()
