"""The same sequence as Prefect runs it: the entry points of `prefect.yaml`, and nothing else.

The steps are the functions of the neighbouring modules; here each becomes a flow of its own under
the tick or the delivery, so that the Prefect UI shows what was done. These entry points read the
wall clock, once per run and never a run's scheduled time: a run may start hours late.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from prefect import flow, get_run_logger, tags

from config.messages import say
from config.settings import settings
from flows.board import dossiers_in_words, show_boards
from flows.campaign import tick
from flows.delivery import deliver_letters
from flows.housekeeping import remove_old
from flows.logs import write_logs
from flows.returned import read_returned
from flows.running import stopwatch
from flows.runs import DELIVERY as DELIVERING
from flows.runs import ask_for, name_run
from flows.servers import mail_server, reach
from flows.timeline import sync_timeline
from flows.watchdog import watch
from flows.zalo_sending import zalo_sender
from flows.zalo_tokens import Turn, refresh_ahead
from models.campaigns import get_campaign_by_id
from models.database import database, transaction
from models.orphans import remove_orphans
from models.pulses import DELIVERY, TICK, beat

write_logs()


def as_prefect_flow(step: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """Run a step as a Prefect flow named after it; its arguments hold ids and instants, no secret.

    Its run says in Vietnamese which step of which campaign it was, and is tagged by campaign and stage.
    """
    of = _campaign(args[0]) if args and isinstance(args[0], int) else ()
    named = flow(
        name=step.__name__.replace("_", "-"),
        flow_run_name=say(f"step_run.{step.__name__}") + (f" · {of[0]}" if of else ""),
        description=step.__doc__,
        validate_parameters=False,
        persist_result=False,
    )(step)
    with tags(*of):
        return named(*args, **kwargs)


def _campaign(campaign_id: int) -> tuple[str, str]:
    """Return the code of a campaign and the stage it is in."""
    with transaction() as session:
        campaign = get_campaign_by_id(session, campaign_id)
        return campaign.code, campaign.stage.value


@flow(name="campaign-tick", persist_result=False, description=say("desk.sweep"))
def campaign_tick() -> str:
    """Go through all running campaigns once (một nhịp xử lý).

    Its run is named after what was done. The board and the coming runs are brought up to date after
    it; where that fails the tick has still done its work.
    """
    now = datetime.now(UTC)
    database().migrate()
    report = tick(now, reach=reach(), run=as_prefect_flow)
    if not report.is_alone:
        name_run(say("board.elsewhere"))
        return _log("another tick is at work; nothing was done")
    with transaction() as session:
        beat(session, TICK, at=datetime.now(UTC))
    name_run(
        say(
            "board.run",
            dossiers=dossiers_in_words(),
            letters=report.letters,
            failed=len(report.failed),
        )
        + (say("board.superseded", count=report.superseded) if report.superseded else "")
    )
    if report.letters:
        ask_for(DELIVERING)
    _show(now)
    if report.failed:
        raise RuntimeError(f"campaigns that failed: {', '.join(report.failed)}")
    return _log(
        f"{len(report.campaigns)} campaigns, {report.letters} letters queued, {report.superseded} superseded"
    )


def _show(now: datetime) -> None:
    for shown in (show_boards, partial(sync_timeline, now)):
        try:
            shown()
        except Exception as error:  # a picture of the work must not fail the work
            get_run_logger().warning("the board is not up to date: %s", type(error).__name__)


@flow(name="deliver-letters", persist_result=False)
def deliver() -> str:
    """Send every letter that may leave now (gửi thư)."""
    now = datetime.now(UTC)
    database().migrate()
    with mail_server() as server, zalo_sender(now) as zalo:
        report = deliver_letters(now, server, zalo=zalo, run=_without_secrets, elapsed=stopwatch())
    with transaction() as session:
        beat(session, DELIVERY, at=datetime.now(UTC))
    outcomes = dict(report.outcomes)
    uncertain = outcomes.get("unknown", 0)
    failed = sum(outcomes.values()) - report.sent - uncertain
    name_run(say("board.delivery", sent=report.sent, failed=failed, uncertain=uncertain))
    return _log(", ".join(f"{outcome} {count}" for outcome, count in report.outcomes) or "nothing to send")


@flow(name="watch", persist_result=False)
def watch_program() -> str:
    """Look at what the program does, as `congnhan watch` does from outside (giám sát)."""
    database().migrate()
    found = watch(datetime.now(UTC))
    if found.wrong:
        get_run_logger().error("; ".join(found.wrong))
    name_run(say("board.watch", wrong=len(found.wrong), told=found.told))
    return _log(f"{len(found.wrong)} things are wrong, {found.told} were told")


@flow(name="keep-house", persist_result=False)
def keep_house() -> str:
    """Remove old runs and artifacts, and files that nothing names (dọn dẹp hằng đêm)."""
    database().migrate()
    runs, artifacts = remove_old(datetime.now(UTC))
    with transaction() as session:
        files = remove_orphans(session, now=datetime.now(UTC))
    name_run(say("board.house", runs=runs, artifacts=artifacts, files=files))
    return _log(f"{runs} runs, {artifacts} artifacts, {files} files removed")


@flow(name="read-returned-mail", persist_result=False)
def read_returned_mail() -> str:
    """Read the mailbox to which undeliverable mail comes back (đọc thư bị trả lại)."""
    now = datetime.now(UTC)
    database().migrate()
    count = read_returned(now)
    name_run(say("board.no_bounces") if count is None else say("board.bounces", count=count))
    return _log("no mailbox is set up" if count is None else f"{count} letters came back")


@flow(name="refresh-zalo-tokens", persist_result=False)
def refresh_zalo_tokens() -> str:
    """Renew the tokens of the official account before they run out (gia hạn mã truy cập Zalo).

    Fails while an administrator has to consent, so that it is seen.
    """
    now = datetime.now(UTC)
    if not settings().has_zalo_account:
        name_run(say("board.no_zalo"))
        return _log("no official account is set up")
    database().migrate()
    renewal = refresh_ahead(now)
    name_run(say(f"board.tokens.{renewal.turn}"))
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
