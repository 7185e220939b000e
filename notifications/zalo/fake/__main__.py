"""The fake as a process: `python -m notifications.zalo.fake --port N --state FILE --seed FILE`.

Prints one line of JSON when it is ready: addresses, ids, secrets and a first pair of tokens. Every
message that is accepted is a line of the state file, on disk before it is answered. The seed is a
YAML file of `users`, `phones`, `templates`, `groups` and the bot's `chats`, and of `faults`:
`{every: 5, kind: hang, of: 2}`.
"""

import argparse
import json
import os
import sys
import threading
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from notifications.zalo.fake import FakeGroup, FakeParam, FakePhone, FakeTemplate, FakeUser, FakeZalo
from notifications.zalo.fake.state import Received


def sown(zalo: FakeZalo, seed: dict[str, Any]) -> None:
    """Put what a seed names into a fake; a time without a zone is in UTC, ids need no quotes."""
    for each in seed.get("users", []):
        facts = {**each, "uid": str(each["uid"]), "last_interaction": _instant(each.get("last_interaction"))}
        zalo.users[facts["uid"]] = FakeUser(**facts)
    for number, facts in seed.get("phones", {}).items():
        zalo.phones[str(number)] = FakePhone(**(facts or {}))
    for each in seed.get("templates", []):
        params = tuple(FakeParam(**param) for param in each.get("params", []))
        facts = {**each, "template_id": str(each["template_id"]), "params": params}
        zalo.templates[facts["template_id"]] = FakeTemplate(**facts)
    for group_id, facts in seed.get("groups", {}).items():
        zalo.groups[str(group_id)] = FakeGroup(**(facts or {}))
    for chat_id, name in seed.get("chats", {}).items():
        zalo.chats[str(chat_id)] = name or "MẪU"


def _instant(told: Any) -> datetime | None:
    if told is None:
        return None
    at = datetime.now(UTC) if told == "now" else datetime.fromisoformat(str(told))
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def main() -> None:
    """Serve until the input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--state", type=Path)
    parser.add_argument("--seed", type=Path)
    chosen = parser.parse_args()
    seed = (yaml.safe_load(chosen.seed.read_text(encoding="utf-8")) if chosen.seed else None) or {}
    with FakeZalo(port=chosen.port) as zalo:
        sown(zalo, seed)
        _spoil(zalo, seed.get("faults"))
        if chosen.state:
            _keep_in(zalo, chosen.state)
        access, refresh = zalo.pair()
        told = asdict(zalo.addresses) | {
            "app_id": zalo.app_id,
            "app_secret": zalo.app_secret,
            "oa_id": zalo.oa_id,
            "oa_secret": zalo.oa_secret,
            "bot_token": zalo.bot_token,
            "access_token": access,
            "refresh_token": refresh,
        }
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
        sys.stdin.read()


def _spoil(zalo: FakeZalo, faults: dict[str, Any] | None) -> None:
    """Let every so-many-th message have a fault."""
    if not faults:
        return
    every, kind, of = int(faults["every"]), str(faults["kind"]), faults.get("of")
    lock, count = threading.Lock(), 0

    def of_send() -> tuple[str, Any] | None:
        nonlocal count
        with lock:
            count += 1
            return (kind, of) if count % every == 0 else None

    zalo.faults.of_send = of_send  # type: ignore[method-assign]


def _keep_in(zalo: FakeZalo, path: Path) -> None:
    file = path.open("a", encoding="utf-8")

    def keep(message: Received) -> None:
        line = {"host": message.host, "to": message.to, "id": message.message_id, "body": message.body}
        file.write(json.dumps(line, ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())

    zalo.state.on_received = keep


if __name__ == "__main__":
    main()
