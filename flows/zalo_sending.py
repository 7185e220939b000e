"""The sender over Zalo of this installation, with its kept tokens."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from flows.servers import zalo_platform
from flows.zalo_tokens import kept_tokens
from notifications.zalo.sender import ZaloSender


@contextmanager
def zalo_sender(now: datetime) -> Iterator[ZaloSender | None]:
    """Yield what sends over Zalo, or None where nothing of it is set up; raises KeyUnusable."""
    platform = zalo_platform()
    if platform is None:
        yield None
        return
    tokens = kept_tokens(now) if platform.app is not None else None
    with ZaloSender(platform, tokens) as sender:
        yield sender
