"""A fake of its own for each test, with a clock that stands still, and somebody who calls it."""

from collections.abc import Iterator

import pytest

from notifications.zalo.fake import FakeZalo
from tests.notifications.zalo.fake.asking import Caller, Clock
from tests.notifications.zalo.sending import furnished


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def zalo(clock: Clock) -> Iterator[FakeZalo]:
    with FakeZalo(clock=clock) as fake:
        yield furnished(fake)


@pytest.fixture
def caller(zalo: FakeZalo) -> Iterator[Caller]:
    asking = Caller(zalo)
    yield asking
    asking.http.close()
