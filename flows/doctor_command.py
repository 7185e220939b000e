"""`congnhan doctor`: what is set up, what answers, and what should not stay as it is."""

import json
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from urllib.parse import urlsplit

import httpx
import typer

from config.messages import say
from config.settings import SettingsInvalid, settings
from flows.command_line import REFUSED, Json, app
from flows.list_facts import as_text
from flows.refusals import KNOWN, line_for, shown
from flows.returned import imap_server
from flows.servers import mail_server, reach
from flows.watchdog import in_words
from flows.zalo_tokens import seal
from models.database import AWAY, database, newest_revision, transaction
from models.pulses import DELIVERY, TICK, WATCH, last_beat
from models.sealing import KeyUnusable
from models.watching import look
from notifications.bounces import BounceMailbox
from notifications.email import MailConnection
from rules.watch import NO_HURRY, wrong

TIMEOUT = 5.0  # seconds
LEAST_FREE = 1024**3  # bytes
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Health(StrEnum):
    """How a part was found."""

    WELL = "well"
    NOTE = "note"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one part; `words` says what and, where it is not well, what to do."""

    part: str
    health: Health
    words: str


@app.command(help=say("help.doctor"))
def doctor(as_json: Json = False) -> None:
    """Say how this installation is set up and what is wrong with it; exits with 1 where something is bad."""
    found = list(examine(datetime.now(UTC)))
    if as_json:
        typer.echo(
            as_text([{"part": each.part, "health": each.health, "text": each.words} for each in found])
        )
    else:
        for each in found:
            typer.echo(say(f"doctor.{each.health}", part=say(f"doctor_part.{each.part}"), words=each.words))
    if any(each.health is Health.BAD for each in found):
        raise typer.Exit(REFUSED)


def examine(now: datetime) -> Iterator[Finding]:
    """Yield what is found of each part, in a fixed order; nothing is changed and no letter is sent."""
    try:
        settings()
    except SettingsInvalid as error:
        yield Finding("settings", Health.BAD, str(error))
        return
    yield from _guarded("home", _home)
    is_there = True
    for each in _guarded("database", _database):
        is_there = each.health is not Health.BAD
        yield each
    yield from _guarded("mail", _mail)
    yield from _guarded("returned", _returned)
    yield from _guarded("zalo", _zalo)
    yield from _guarded("engine", _engine)
    yield from _guarded("open", _open_addresses)
    yield from _guarded("watchdog", _watchdog)
    if is_there:
        yield from _guarded("pulse", lambda: _pulses(now))
        yield from _guarded("work", lambda: _work(now))


def _guarded(part: str, examined: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """Yield what an examination finds; one that fails is a finding too."""
    try:
        yield from examined()
    except KNOWN as error:
        yield Finding(part, Health.BAD, line_for(error))
    except (OSError, httpx.HTTPError, *AWAY) as error:
        yield Finding(part, Health.BAD, say("doctor_found.failed", words=type(error).__name__))


def _home() -> Iterator[Finding]:
    home = settings().home.resolve()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=home):
        free = shutil.disk_usage(home).free
    health = Health.WELL if free >= LEAST_FREE else Health.BAD
    yield Finding("home", health, say("doctor_found.home", home=home, free=free // 1024**2))
    if home.stat().st_mode & (stat.S_IROTH | stat.S_IXOTH):
        yield Finding("open", Health.NOTE, say("doctor_found.home_open", home=home))


def _database() -> Iterator[Finding]:
    before = database().revision()
    if before not in (None, newest_revision()) and database().knows(str(before)):
        # Whoever only asks for its health must not change it under the programs that are at work.
        yield Finding("database", Health.BAD, say("doctor_found.database_old", revision=before))
        return
    database().migrate()  # which makes a new one, and refuses a newer one
    kind = database().dialect
    name = "database_sqlite" if kind == "sqlite" else "database_postgresql"
    yield Finding("database", Health.WELL, say(f"doctor_found.{name}", revision=database().revision()))


def _mail() -> Iterator[Finding]:
    chosen = settings()
    if not chosen.smtp_host:
        yield Finding("mail", Health.NOTE, say("doctor_found.no_mail"))
        return
    where = {"host": chosen.smtp_host, "port": chosen.smtp_port}
    with mail_server() as server, MailConnection(replace(server, timeout=TIMEOUT)) as connection:
        refused = connection.greet()
    if refused is not None:
        yield Finding("mail", Health.BAD, say("doctor_found.mail_away", **where, words=refused.words))
        return
    yield Finding("mail", Health.WELL, say("doctor_found.mail", **where))
    if chosen.smtp_security == "none" and chosen.smtp_host not in LOOPBACK:
        yield Finding("mail", Health.NOTE, say("doctor_found.mail_plain"))
    if chosen.mail_domain.endswith(".example") or chosen.mail_from.endswith(".example"):
        yield Finding("mail", Health.BAD, say("doctor_found.mail_from", address=chosen.mail_from))


def _returned() -> Iterator[Finding]:
    server = imap_server()
    if server is None:
        yield Finding("returned", Health.NOTE, say("doctor_found.no_returned"))
        return
    with BounceMailbox(server):
        yield Finding(
            "returned", Health.WELL, say("doctor_found.returned", host=server.host, port=server.port)
        )


def _zalo() -> Iterator[Finding]:
    chosen = settings()
    if not chosen.has_zalo_account and chosen.zalo_bot_token is None:
        yield Finding("zalo", Health.NOTE, say("doctor_found.no_zalo"))
        return
    reach()  # reads the file of templates
    if chosen.has_zalo_account:
        try:
            seal()
        except KeyUnusable as error:
            yield Finding("zalo", Health.BAD, line_for(error))
            return
        health = Health.WELL if chosen.zalo_oa_secret else Health.BAD
        name = "zalo" if chosen.zalo_oa_secret else "zalo_unsigned"
        yield Finding("zalo", health, say(f"doctor_found.{name}", oa_id=chosen.zalo_oa_id))


def _served() -> dict[str, str]:
    """Return where `congnhan serve` of this home runs its parts; nothing where it does not run."""
    try:
        found: dict[str, str] = json.loads((settings().home / "serve.json").read_text())
    except (OSError, ValueError):
        return {}
    return found


def _engine() -> Iterator[Finding]:
    url = os.environ.get("PREFECT_API_URL") or _served().get("engine")
    if not url:
        yield Finding("engine", Health.NOTE, say("doctor_found.no_engine"))
        return
    kept = settings().prefect_auth
    auth = os.environ.get("PREFECT_API_AUTH_STRING") or (kept.get_secret_value() if kept else None)
    user, _, password = (auth or "").partition(":")
    with httpx.Client(base_url=url, timeout=TIMEOUT, auth=(user, password) if auth else None) as engine:
        asked = engine.post("/deployments/filter", json={"limit": 1})
        workers = engine.post("/work_pools/congnhan/workers/filter", json={})
    if asked.status_code == httpx.codes.UNAUTHORIZED:
        yield Finding("engine", Health.BAD, say("doctor_found.engine_shut", url=url))
    elif asked.status_code != httpx.codes.OK:
        yield Finding("engine", Health.BAD, say("doctor_found.engine_away", url=url))
    elif not asked.json():
        yield Finding("engine", Health.BAD, say("doctor_found.engine_empty", url=url))
    else:
        yield Finding("engine", Health.WELL, say("doctor_found.engine", url=url))
        known = workers.json() if workers.status_code == httpx.codes.OK else []
        count = sum(each["status"] == "ONLINE" for each in known)
        name = "workers" if count else "no_worker"
        yield Finding(
            "engine", Health.WELL if count else Health.BAD, say(f"doctor_found.{name}", count=count)
        )


def _open_addresses() -> Iterator[Finding]:
    """Yield what anybody in the network could use."""
    chosen = settings()
    host = urlsplit(os.environ.get("PREFECT_API_URL", "")).hostname
    bound = os.environ.get("PREFECT_SERVER_API_HOST") or _served().get("host") or host or "127.0.0.1"
    has_auth = bool(chosen.prefect_auth or os.environ.get("PREFECT_SERVER_API_AUTH_STRING"))
    if bound not in LOOPBACK and not has_auth:
        yield Finding("open", Health.BAD, say("doctor_found.engine_open", host=bound))
    if chosen.portal_url and not chosen.portal_url.startswith("https://"):
        yield Finding("open", Health.BAD, say("doctor_found.portal_plain", url=chosen.portal_url))
    if chosen.portal_url and not chosen.smtp_host:
        yield Finding("open", Health.BAD, say("doctor_found.mailbox_open"))


def _watchdog() -> Iterator[Finding]:
    chosen = settings()
    if not chosen.alarm_to:
        yield Finding("watchdog", Health.NOTE, say("doctor_found.no_alarm_to"))
    if chosen.deadman_url is None:
        yield Finding("watchdog", Health.NOTE, say("doctor_found.no_deadman"))


def _pulses(now: datetime) -> Iterator[Finding]:
    with transaction() as session:
        beats = {name: last_beat(session, name) for name in (TICK, DELIVERY, WATCH)}
    words = {name: shown(at) if at else say("doctor_found.never") for name, at in beats.items()}
    health = Health.WELL if all(beats.values()) else Health.NOTE
    yield Finding("pulse", health, say("doctor_found.pulses", **words))


def _work(now: datetime) -> Iterator[Finding]:
    with transaction() as session:
        seen = look(session, oa_id=settings().zalo_oa_id, now=now)
    yield Finding("work", Health.WELL, say("doctor_found.campaigns", count=len(seen.campaigns)))
    for each in wrong(seen, now):
        health = Health.NOTE if each.kind in NO_HURRY else Health.BAD
        yield Finding("work", health, in_words(each))
