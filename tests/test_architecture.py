"""The house holds: who imports whom, what must exist beside what, no address of a machine."""

import ast
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import yaml
from alembic.script import ScriptDirectory

from config.campaign_file import read_campaign
from config.messages import catalogue
from config.script_file import read_script
from flows.campaign import STAGE_WORK
from flows.refusals import KNOWN
from models.database import _alembic
from rules.notices import NoticeKind
from rules.stages import Stage

ROOT = Path(__file__).parent.parent
CAMPAIGNS = sorted((ROOT / "config/campaigns").glob("*.yaml"))
TRACKED = subprocess.run(
    ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
    cwd=ROOT,
    capture_output=True,
    text=True,
    check=True,
).stdout.split()


def test_imports_point_down():
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", sorted((ROOT / "rules").glob("*.py")), ids=lambda path: path.name)
def test_rules_import_the_standard_library_alone(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {
        alias.name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    } | {(node.module or "").partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported <= sys.stdlib_module_names | {"rules"}


@pytest.mark.parametrize("folder", ["rules", "models", "notifications", "documents", "config"])
def test_the_clock_is_read_only_at_the_doors(folder):
    reads = re.compile(r"datetime\.(now|utcnow|today)\(|date\.today\(|time\.time\(")
    found = [
        str(path)
        for path in (ROOT / folder).rglob("*.py")
        # The fake stands for somebody else's machine, which has a clock of its own.
        if "fake" not in path.parts and reads.search(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_every_stage_but_the_last_has_work():
    assert set(STAGE_WORK) == set(Stage) - {Stage.CLOSED}


@pytest.mark.parametrize("kind", NoticeKind)
def test_every_kind_of_notice_has_its_four_templates(kind):
    folder = ROOT / "notifications/templates" / kind
    wanted = ["body.html", "body.txt", "subject.txt", "zalo.txt"]
    assert [name for name in wanted if (folder / name).is_file()] == wanted


def test_the_entry_points_of_prefect_load():
    declared = yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    by_themselves = {"sweep", "delivery", "returned-mail", "zalo-tokens", "watchdog", "housekeeping"}
    deeds = {"open", "submit", "return", "extend", "waive", "register", "amend", "resend", "settle"}
    assert {each["name"] for each in declared if "schedules" in each} == by_themselves
    assert {each["name"] for each in declared if "phiếu" in each["tags"]} == deeds
    assert {each["name"] for each in declared} == by_themselves | deeds | {"timeline"}
    for each in declared:
        module, _, name = each["entrypoint"].rpartition(".")
        assert hasattr(getattr(import_module(module), name), "serve"), each["entrypoint"]
        assert {schedule["timezone"] for schedule in each.get("schedules", ())} <= {"Asia/Ho_Chi_Minh"}


def test_migrations_form_one_numbered_line():
    scripts = ScriptDirectory.from_config(_alembic())
    line = [script.revision for script in reversed(list(scripts.walk_revisions()))]
    assert line == [f"{number:04d}" for number in range(1, len(line) + 1)]
    assert len(scripts.get_heads()) == 1


@pytest.mark.parametrize(
    "path", sorted((ROOT / "config/campaigns").glob("*.yaml")), ids=lambda path: path.name
)
def test_every_campaign_file_parses(path):
    if ".script." in path.name:
        campaign = read_campaign(path.with_name(path.name.replace(".script", "")))
        assert read_script(path, campaign)
    else:
        assert read_campaign(path).code == path.stem


def test_everything_that_can_be_refused_has_its_sentence():
    wanted = {f"refused.{error.__name__}" for error in KNOWN}
    assert wanted - set(catalogue()) == set()


def test_sentences_that_the_code_names_are_in_the_catalogue():
    named = set()
    for folder in ("config", "flows"):
        for path in (ROOT / folder).rglob("*.py"):
            named |= set(
                re.findall(
                    r'"((?:done|usage|help|column|status|result|warning|progress)\.\w+)"', path.read_text()
                )
            )
            named |= set(
                re.findall(r'"((?:file|units|criteria|script|settings)\.[a-z]\w+)"', path.read_text())
            )
    assert len(named) > 60
    assert named - set(catalogue()) == set()


def test_no_address_of_a_registry_and_no_path_of_a_machine_is_kept():
    registry = re.compile(
        r"pypi" r"\.org|python" r"hosted|registry\.npm" r"js|--extra-" r"index|--index-" r"url [^\\]"
    )
    machine = re.compile(r"(^|[^\w.])/(?:home|root|work|Users)/[a-z.]", re.MULTILINE)
    found = []
    for name in TRACKED:
        path = ROOT / name
        if not path.is_file() or path.suffix in {".eml", ".png"}:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        if registry.search(text) or machine.search(text):
            found.append(name)
    assert found == []


def test_the_lock_pins_every_package_with_a_hash():
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pinned = re.findall(r"^([A-Za-z0-9_.-]+)(?:\[[^]]*\])?==", lock, re.MULTILINE)
    blocks = re.split(r"\n(?=[A-Za-z0-9])", lock.strip())
    assert len(pinned) > 100
    assert [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block] == []
