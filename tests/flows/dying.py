"""Processes that renew tokens and are killed in the midst of it, for the tests of what a crash leaves."""

import os
import signal
import sys
from dataclasses import dataclass, field
from datetime import datetime
from types import FrameType
from typing import Any

from flows.running import standing_still
from flows.zalo_tokens import KeptTokens
from models.database import Database, using
from models.sealing import Seal
from notifications.zalo.oauth import OAuth
from tests.processes import PROCESSES

WATCHED = ("flows/zalo_tokens.py", "models/leases.py")


@dataclass(frozen=True, slots=True)
class Installation:
    """What a process needs to renew the account's tokens."""

    database: str
    oauth: OAuth
    key: str = field(repr=False)

    def tokens(self, now: datetime, **kwargs: Any) -> KeptTokens:
        return KeptTokens(self.oauth, Seal(self.key), now=now, elapsed=standing_still, **kwargs)


def renewing(installation: Installation, now: datetime, *, dies_at_line: int | None = None) -> Any:
    """Start a process that renews what is due; it is killed when it comes to its so-manieth line of ours."""
    process = PROCESSES.Process(target=_renew, args=(installation, now, dies_at_line))
    process.start()
    return process


def _renew(installation: Installation, now: datetime, dies_at_line: int | None) -> None:
    with using(Database(installation.database, is_scratch=True)):
        tokens = installation.tokens(now)
        if dies_at_line is not None:
            sys.settrace(_dying(dies_at_line))
        tokens.renew_if_due()
        sys.settrace(None)


def _dying(at_line: int) -> Any:
    lines = iter(range(at_line + 1))

    def on_line(frame: FrameType, event: str, _: object) -> Any:
        if event == "line" and next(lines) == at_line:
            os.kill(os.getpid(), signal.SIGKILL)
        return on_line

    def on_call(frame: FrameType, event: str, _: object) -> Any:
        return on_line if frame.f_code.co_filename.endswith(WATCHED) else None

    return on_call
