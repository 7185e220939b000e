"""What is shipped for operators is true: settings, units, the compose file, the commands of the guide."""

import os
import re
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest
import typer
import yaml

from config.settings import PREFIX, Settings
from flows.console import app

ROOT = Path(__file__).parent.parent
COMMANDS = typer.main.get_command(app).commands
UNITS = sorted((ROOT / "deploy/systemd").iterdir())
GUIDE = sorted((ROOT / "docs/huong-dan").glob("*.md"))
CALL = re.compile(r"(?:^|[\s`/])congnhan ([a-z][a-z-]*)((?: [^\n`]*)?)", re.MULTILINE)


def called(text: str) -> list[tuple[str, str]]:
    return [(name, rest) for name, rest in CALL.findall(text)]


def test_the_example_names_every_setting_once():
    text = (ROOT / "deploy/.env.example").read_text(encoding="utf-8")
    named = re.findall(rf"^#?({PREFIX}[A-Z_]+)=", text, re.MULTILINE)
    assert sorted(named) == sorted(f"{PREFIX}{name.upper()}" for name in Settings.model_fields)


def test_each_line_of_the_example_is_explained_by_one_of_its_own():
    lines = (ROOT / "deploy/.env.example").read_text(encoding="utf-8").splitlines()
    for before, line in pairwise(lines):
        if re.match(r"#?[A-Z_]+=", line):
            assert before.startswith("# "), line


def test_the_example_is_read_as_it_stands(monkeypatch):
    for line in (ROOT / "deploy/.env.example").read_text(encoding="utf-8").splitlines():
        if line.startswith((PREFIX, f"#{PREFIX}")):
            name, _, value = line.removeprefix("#").partition("=")
            monkeypatch.setenv(name, value)
    read = Settings()
    assert read.smtp_host == "mail.coquan.example"
    assert (read.has_zalo_account, read.imap_host, read.deadman_url) == (False, None, None)


def test_the_pages_of_the_engine_are_laid_out_where_it_may_write():
    for path in ("deploy/Dockerfile", "deploy/systemd/congnhan-engine.service"):
        text = (ROOT / path).read_text(encoding="utf-8")
        assert "PREFECT_SERVER_UI_STATIC_DIRECTORY=/var/lib/congnhan/" in text


def test_the_command_of_the_operator_reads_the_settings_of_the_service(tmp_path):
    (tmp_path / "env").write_text("# MẪU\n#CONGNHAN_LOG=json\nCONGNHAN_HOME=/a b$c\nCONGNHAN_LOG=text\n")
    script = (ROOT / "deploy/congnhan.sh").read_text(encoding="utf-8")
    shown = script[: script.index("exec runuser")] + 'printf \'%s|%s\' "$CONGNHAN_HOME" "$CONGNHAN_LOG"\n'
    done = subprocess.run(
        ["bash", "-c", shown],
        env={"CONGNHAN_ENV": str(tmp_path / "env"), "CONGNHAN_LOG": "json", "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "/a b$c|json"


def test_the_compose_file_has_every_part():
    services = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text(encoding="utf-8"))["services"]
    assert set(services) >= {"database", "redis", "engine", "worker1", "worker2", "web", "watch", "proxy"}
    open_to_all = [name for name, service in services.items() if "ports" in service]
    assert open_to_all == ["proxy"]
    for service in services.values():
        words = service.get("command", [])
        if words[:1] == ["congnhan"]:
            assert words[1] in COMMANDS


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_a_unit_starts_what_there_is(unit):
    text = unit.read_text(encoding="utf-8")
    for name, _ in re.findall(r"/bin/congnhan ([a-z-]+)(.*)", text):
        assert name in COMMANDS
    if "[Service]" in text:
        assert "User=congnhan" in text
        assert "NoNewPrivileges=yes" in text


@pytest.mark.parametrize("page", GUIDE, ids=lambda path: path.stem)
def test_the_guide_names_commands_and_options_that_exist(page):
    text = page.read_text(encoding="utf-8")
    for name, rest in called(text):
        assert name in COMMANDS, name
        command = COMMANDS[name]
        words = rest.split("`")[0].split()
        if hasattr(command, "commands") and words:
            assert words[0] in command.commands, rest
            command = command.commands[words[0]]
        known = {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
        for option in re.findall(r"(?<=\s)--[a-z-]+", f" {rest.split(chr(96))[0]}"):
            assert option in known, f"{name} {option}"


def test_every_page_of_the_guide_is_in_its_list():
    index = (ROOT / "docs/huong-dan/README.md").read_text(encoding="utf-8")
    assert [page.name for page in GUIDE if page.name != "README.md"] == re.findall(r"\(([^)]+\.md)\)", index)
