"""`congnhan serve`: everything on one machine by one command; and the parts of it by themselves."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Annotated

import httpx
import typer

from config.messages import say
from config.settings import PREFIX, settings
from flows.command_line import BAD_USAGE, app, refuse
from flows.refusals import shown
from flows.supervisor import Part, Supervisor
from flows.zalo_tokens import kept_tokens
from models.database import database
from models.sealing import new_key
from notifications.zalo.fake import FakeZalo, Received
from rules.tokens import Pair

WEB_PORT, PREFECT_PORT = 8200, 4200
READY_WITHIN = 600.0  # seconds for a part that runs: a machine at work on something else is slow, not broken
ENGINE_LEASES = "prefect.server.concurrency.lease_storage.filesystem"

Port = Annotated[int, typer.Option("--web-port", min=1, max=65535, help=say("help.web_port"))]
EnginePort = Annotated[int, typer.Option("--prefect-port", min=1, max=65535, help=say("help.prefect_port"))]
Host = Annotated[str, typer.Option("--host", help=say("help.host"))]


@app.command(help=say("help.serve"))
def serve(
    host: Host = "127.0.0.1", web_port: Port = WEB_PORT, prefect_port: EnginePort = PREFECT_PORT
) -> None:
    """Run everything on this machine until it is stopped."""
    if web_port == prefect_port:
        refuse(say("serve.same_port", port=web_port), BAD_USAGE)
    home = settings().home.resolve()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    ended = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with ExitStack() as stack:
        stack.enter_context(_only_here(home))
        for port in (web_port, prefect_port):
            _check_free(host, port)
        os.environ |= _environment(home, host, prefect_port)
        settings.cache_clear()
        database().migrate()
        is_practice = _is_for_practice()
        if is_practice:
            stack.enter_context(_practice_zalo(home))
        supervisor = Supervisor(os.environ, home / "logs", _tell)
        stack.callback(supervisor.stop)
        stack.callback(lambda: typer.echo(say("serve.stopping")))
        _start(supervisor, host, web_port, prefect_port, ended)
        if not ended.is_set():
            where = home / "serve.json"
            stack.callback(where.unlink, missing_ok=True)
            where.write_text(json.dumps({"host": host, "engine": os.environ["PREFECT_API_URL"]}))
            _say_where(home, host, web_port, prefect_port, is_practice=is_practice)
            supervisor.keep(ended)
    typer.echo(say("serve.stopped"))


def _is_for_practice() -> bool:
    """Say whether nothing real is set up: where letters really leave, no message must end in a fake."""
    chosen = settings()
    return not (chosen.has_zalo_account or chosen.zalo_bot_token or chosen.smtp_host)


def _start(supervisor: Supervisor, host: str, web_port: int, prefect_port: int, ended: Event) -> None:
    typer.echo(say("serve.starting"))
    python = sys.executable
    prefect = [python, "-m", "prefect"]
    supervisor.start(
        Part("prefect", [*prefect, "server", "start", "--host", host, "--port", str(prefect_port)])
    )
    supervisor.start(
        Part("web", [python, "-m", "flows.console", "web", "--host", host, "--port", str(web_port)])
    )
    engine = f"http://{_reachable(host)}:{prefect_port}/api/health"
    web = f"http://{_reachable(host)}:{web_port}/health"
    _wait_for(engine, supervisor, "prefect", ended)
    if ended.is_set():
        return
    deployed = subprocess.run(
        [python, "-m", "flows.console", "deploy", "--settle"],
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
    )
    if deployed.returncode:
        refuse(say("serve.not_deployed", words=(deployed.stderr or deployed.stdout).strip()[-400:]))
    worker = [*prefect, "worker", "start", "--pool", "congnhan", "--type", "process"]
    supervisor.start(Part("worker", [*worker, "--name", socket.gethostname()]))
    supervisor.start(Part("watch", [python, "-m", "flows.console", "watch"]))
    _wait_for(web, supervisor, "web", ended)


def _environment(home: Path, host: str, prefect_port: int) -> dict[str, str]:
    """Return what every part is told: where the data lies, where the engine is, that nothing calls home."""
    auth = settings().prefect_auth
    return {
        f"{PREFIX}HOME": str(home),
        f"{PREFIX}STARTED_IN": str(Path.cwd()),
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_API_URL": f"http://{_reachable(host)}:{prefect_port}/api",
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": ENGINE_LEASES,
        # Relative: the pages are also read through another address, from another machine.
        "PREFECT_SERVER_UI_API_URL": "/api",
        # Where the program is installed nobody may write, and there its pages would not come to be.
        "PREFECT_SERVER_UI_STATIC_DIRECTORY": str(home / "prefect" / "ui"),
        "PREFECT_CLI_COLORS": "false",
        "PYTHONUNBUFFERED": "1",
    } | (
        {
            "PREFECT_SERVER_API_AUTH_STRING": auth.get_secret_value(),
            "PREFECT_API_AUTH_STRING": auth.get_secret_value(),
        }
        if auth
        else {}
    )


@contextmanager
def _only_here(home: Path) -> Iterator[None]:
    """Hold the lock of this home; a second service of it is refused."""
    with (home / "serve.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            refuse(say("serve.twice", home=home))
        yield


def _check_free(host: str, port: int) -> None:
    try:
        with socket.create_server((host, port)):
            pass
    except OSError as error:
        refuse(say("serve.port_taken", host=host, port=port, words=error.strerror or ""))


def _reachable(host: str) -> str:
    """Return the address at which this machine reaches what is bound to a host."""
    return "127.0.0.1" if host in ("0.0.0.0", "::") else host


def _wait_for(url: str, supervisor: Supervisor, name: str, ended: Event) -> None:
    until = time.monotonic() + READY_WITHIN
    while not ended.wait(0.3):
        with suppress(httpx.HTTPError):
            if httpx.get(url, timeout=5).status_code == httpx.codes.OK:
                return
        if not supervisor.is_running(name) or time.monotonic() > until:
            refuse(say("serve.not_ready", part=name, log=settings().home / "logs" / f"{name}.log"))


@contextmanager
def _practice_zalo(home: Path) -> Iterator[None]:
    """Run a Zalo of our own on loopback, and set up everything to use it; what it gets stands in a log."""
    (home / "logs").mkdir(exist_ok=True)
    with FakeZalo() as fake, (home / "logs" / "zalo.log").open("a", encoding="utf-8") as log:

        def note(message: Received) -> None:
            log.write(
                f"{message.host} → {message.to}: {json.dumps(dict(message.body), ensure_ascii=False)}\n"
            )
            log.flush()

        fake.state.on_received = note
        os.environ |= {
            f"{PREFIX}{name}": str(value)
            for name, value in {
                "ZALO_APP_ID": fake.app_id,
                "ZALO_OA_ID": fake.oa_id,
                "ZALO_APP_SECRET": fake.app_secret,
                "ZALO_OA_SECRET": fake.oa_secret,
                "ZALO_BOT_TOKEN": fake.bot_token,
                "SECRET_KEY": _key(),
                "ZALO_OA_URL": fake.addresses.oa,
                "ZALO_ZBS_URL": fake.addresses.zbs,
                "ZALO_OAUTH_URL": fake.addresses.oauth,
                "ZALO_BOT_URL": fake.addresses.bot,
            }.items()
        }
        settings.cache_clear()
        access, refresh = fake.pair()
        kept_tokens(datetime.now(UTC)).keep(Pair(access, refresh), words="practice")
        yield


def _key() -> str:
    kept = settings().secret_key
    return kept.get_secret_value() if kept else new_key()


def _say_where(home: Path, host: str, web_port: int, prefect_port: int, *, is_practice: bool) -> None:
    chosen = settings()
    web, engine = f"http://{_reachable(host)}:{web_port}", f"http://{_reachable(host)}:{prefect_port}"
    typer.echo(say("serve.ready"))
    typer.echo(say("serve.engine", url=engine))
    typer.echo(say("serve.web", url=web))
    if chosen.smtp_host:
        typer.echo(say("serve.smtp", host=chosen.smtp_host, port=chosen.smtp_port))
    else:
        typer.echo(say("serve.mailbox", url=f"{web}/thu", folder=home / "mailbox"))
    if is_practice:
        typer.echo(say("serve.practice", log=home / "logs" / "zalo.log"))
    typer.echo(say("serve.health", url=f"{web}/healthz", metrics=f"{web}/metrics"))
    typer.echo(say("serve.data", home=home, logs=home / "logs"))
    if host not in ("127.0.0.1", "::1", "localhost") and chosen.prefect_auth is None:
        typer.echo(say("serve.open_to_all", host=host), err=True)
    typer.echo(say("serve.how_to_stop"))


def _tell(part: str, code: int) -> None:
    typer.echo(say("serve.died", part=part, code=code, at=shown(datetime.now(UTC))), err=True)
