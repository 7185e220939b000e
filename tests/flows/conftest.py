"""A command run in this process, and homes in which a campaign already stands."""

import shutil
import sys
from pathlib import Path

import pytest

from config.settings import settings
from flows.console import main
from tests import factories
from tests.scored_homes import make_homes, move_in


@pytest.fixture
def run(capsys, monkeypatch, tmp_path):
    """Run a command in this process; returns its exit code, what it printed and its complaints."""
    monkeypatch.chdir(tmp_path)

    def command(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["congnhan", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return command


@pytest.fixture(scope="session")
def opened_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which a small campaign was opened by command; to be copied."""
    folder = tmp_path_factory.mktemp("opened")
    path = factories.write_campaign(folder / "files")
    words = ("open", path, "--at", "2021-11-11T07:30", "--by", "MẪU A")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("CONGNHAN_HOME", str(folder / "data"))
        patched.setattr(sys, "argv", ["congnhan", *map(str, words)])
        settings.cache_clear()
        with pytest.raises(SystemExit) as ended:
            main()
    settings.cache_clear()
    assert not ended.value.code
    return folder / "data"


@pytest.fixture
def opened(opened_home: Path, tmp_path: Path) -> str:
    """The code of that campaign, in a home of this test's own."""
    shutil.copytree(opened_home, tmp_path / "data")
    return "mau-2021"


@pytest.fixture(scope="session")
def scored_homes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A scored campaign, left in each stage that has deeds about scores; to be copied."""
    return make_homes(tmp_path_factory.mktemp("scored"))


@pytest.fixture
def in_self_assessment(scored_homes: dict[str, Path], tmp_path: Path) -> str:
    """The code of a scored campaign that collects its dossiers."""
    return move_in(scored_homes["self_assessment"], tmp_path)


@pytest.fixture
def in_review(scored_homes: dict[str, Path], tmp_path: Path) -> str:
    """The code of a scored campaign whose dossiers are before the agencies."""
    return move_in(scored_homes["agency_review"], tmp_path)


@pytest.fixture
def in_consolidation(scored_homes: dict[str, Path], tmp_path: Path) -> str:
    """The code of a scored campaign whose list is to be settled."""
    return move_in(scored_homes["consolidation"], tmp_path)
