"""A Zalo of one's own: a real HTTP server on loopback that keeps the wire contract, faults included."""

from notifications.zalo.fake.server import FakeZalo
from notifications.zalo.fake.state import (
    Call,
    FakeGroup,
    FakeParam,
    FakePhone,
    FakeTemplate,
    FakeUser,
    Faults,
    Received,
)

__all__ = [
    "Call",
    "FakeGroup",
    "FakeParam",
    "FakePhone",
    "FakeTemplate",
    "FakeUser",
    "FakeZalo",
    "Faults",
    "Received",
]
