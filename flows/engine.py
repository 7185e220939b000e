"""The same sequence as Prefect runs it: the entry points of `prefect.yaml`, and nothing else.

The steps are the functions of the neighbouring modules; here each becomes a flow of its own under
the tick or the delivery, so that the Prefect UI shows what was done. These entry points read the
wall clock, once per run and never a run's scheduled time: a run may start hours late.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from prefect import flow, get_run_logger

from config.settings import settings
from flows.campaign import tick
from flows.delivery import deliver_letters
from flows.returned import read_returned
from flows.running import stopwatch
from flows.servers import mail_server, reach
from flows.zalo_sending import zalo_sender
from flows.zalo_tokens import Turn, refresh_ahead
from models.database import database


def as_prefect_flow(step: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """Run a step as a Prefect flow named after it; its arguments hold ids and instants, no secret."""
    named = flow(
        name=step.__name__.replace("_", "-"),
        description=step.__doc__,
        validate_parameters=False,
        persist_result=False,
    )(step)
    return named(*args, **kwargs)


@flow(name="campaign-tick", persist_result=False)
def campaign_tick() -> str:
    """Go through all running campaigns once (một nhịp xử lý)."""
    now = datetime.now(UTC)
    database().migrate()
    report = tick(now, reach=reach(), run=as_prefect_flow)
    if not report.is_alone:
        return _log("another tick is at work; nothing was done")
    if report.failed:
        raise RuntimeError(f"campaigns that failed: {', '.join(report.failed)}")
    return _log(f"{len(report.campaigns)} campaigns, {report.letters} letters queued")


@flow(name="deliver-letters", persist_result=False)
def deliver() -> str:
    """Send every letter that may leave now (gửi thư)."""
    now = datetime.now(UTC)
    database().migrate()
    with mail_server() as server, zalo_sender(now) as zalo:
        report = deliver_letters(now, server, zalo=zalo, run=_without_secrets, elapsed=stopwatch())
    return _log(", ".join(f"{outcome} {count}" for outcome, count in report.outcomes) or "nothing to send")


@flow(name="read-returned-mail", persist_result=False)
def read_returned_mail() -> str:
    """Read the mailbox to which undeliverable mail comes back (đọc thư bị trả lại)."""
    now = datetime.now(UTC)
    database().migrate()
    count = read_returned(now)
    return _log("no mailbox is set up" if count is None else f"{count} letters came back")


@flow(name="refresh-zalo-tokens", persist_result=False)
def refresh_zalo_tokens() -> str:
    """Renew the tokens of the official account before they run out (gia hạn mã truy cập Zalo).

    Fails while an administrator has to consent, so that it is seen.
    """
    now = datetime.now(UTC)
    if not settings().has_zalo_account:
        return _log("no official account is set up")
    database().migrate()
    renewal = refresh_ahead(now)
    if renewal.turn is Turn.NEEDS_CONSENT:
        raise RuntimeError(f"an administrator of the official account has to consent: {renewal.reason}")
    return _log(f"{renewal.turn} {renewal.reason}".strip())


def _without_secrets(step: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """Run a batch of letters as a flow without parameters: a mail server holds a password."""

    def send_one_batch() -> Any:
        return step(*args, **kwargs)

    send_one_batch.__name__, send_one_batch.__doc__ = step.__name__, step.__doc__
    return as_prefect_flow(send_one_batch)


def _log(line: str) -> str:
    get_run_logger().info(line)
    return line
