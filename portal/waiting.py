"""How long a page that a monitor asks for waits for the database."""

from collections.abc import Callable
from typing import TypeVar

import anyio
from anyio.to_thread import run_sync

PATIENCE = 5.0  # seconds; a monitor waits ten, and wants to hear which part does not answer

Found = TypeVar("Found")


async def within_patience(look: Callable[[], Found], otherwise: Found) -> Found:
    """Return what `look` finds, or `otherwise` where it takes longer than a monitor has patience.

    A network that swallows what is sent to the database lets a connection wait for minutes.
    """
    with anyio.move_on_after(PATIENCE):
        return await run_sync(look, abandon_on_cancel=True)
    return otherwise
