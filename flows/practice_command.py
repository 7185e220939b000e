"""`congnhan zalo practice`: a Zalo of one's own on loopback, to try everything without credentials."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
import yaml

from config.messages import say
from config.settings import PREFIX
from flows.zalo_commands import zalo
from models.sealing import new_key
from notifications.zalo.fake import FakeZalo
from notifications.zalo.fake.__main__ import sown


@zalo.command(help=say("help.zalo_practice"))
def practice(
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help=say("help.port"))] = 8201,
    seed: Annotated[
        Path | None, typer.Option("--people", metavar="FILE", help=say("help.practice_people"))
    ] = None,
    webhook: Annotated[
        str | None, typer.Option("--webhook", metavar="URL", help=say("help.practice_webhook"))
    ] = None,
) -> None:
    """Serve the fake until it is stopped; prints the settings that lead to it, and each message it gets."""
    with FakeZalo(port=port) as fake:
        if seed is not None:
            sown(fake, yaml.safe_load(seed.read_text(encoding="utf-8")) or {})
        if webhook:
            fake.webhook_to(f"{webhook}/zalo/webhook")
        typer.echo(say("practice.settings"))
        for name, value in (
            ("ZALO_APP_ID", fake.app_id),
            ("ZALO_OA_ID", fake.oa_id),
            ("ZALO_APP_SECRET", fake.app_secret),
            ("ZALO_OA_SECRET", fake.oa_secret),
            ("ZALO_BOT_TOKEN", fake.bot_token),
            ("SECRET_KEY", new_key()),
            ("ZALO_OA_URL", fake.addresses.oa),
            ("ZALO_ZBS_URL", fake.addresses.zbs),
            ("ZALO_OAUTH_URL", fake.addresses.oauth),
            ("ZALO_BOT_URL", fake.addresses.bot),
        ):
            typer.echo(f"export {PREFIX}{name}={value}")
        access, refresh = fake.pair()
        typer.echo(say("practice.seed"))
        typer.echo(f"printf '%s\\n' {access} {refresh} | congnhan zalo seed")
        typer.echo(say("practice.listening"))
        fake.state.on_received = lambda message: typer.echo(
            f"{message.host} → {message.to}: {json.dumps(dict(message.body), ensure_ascii=False)}"
        )
        for line in sys.stdin:
            uid, _, text = line.strip().partition(" ")
            if uid and text:
                fake.say(uid, text)
        fake.wait()
