"""A backup taken while others write is whole, and comes back with every row and file into either database."""

import io
import json
import tarfile
import threading
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import text

from config.script_file import Verb
from config.settings import settings
from models import backup, dossiers, journal
from models.backup import BackupIsNewer, FileMissing, NotABackup, back_up, restore
from models.campaigns import get_campaign
from models.database import Database, HoldsSomething, database, transaction, using
from models.file_store import kept_path
from notifications.mailbox import Mailbox
from rules.dossiers import DossierPart
from tests import factories
from tests.scored import CRITERIA
from tests.scored import marks as self_marks
from tests.walking import Walk, at, begin, rows

NOW = datetime(2021, 11, 16, 3, 0, tzinfo=UTC)


@pytest.fixture
def walk(database, tmp_path) -> Walk:
    """A campaign with letters, scores, a file and a journal."""
    units = factories.units()
    for unit in units:
        if unit["kind"] == "commune":
            unit["groups"] = [f"Bản MẪU {unit['code']}"]
    with Mailbox(tmp_path / "mail") as mailbox:
        walk = begin(
            tmp_path / "files", mailbox, of_units=units, scored_by=CRITERIA, reviews={"x": ["I", "II"]}
        )
        scan = tmp_path / "báo cáo.pdf"
        scan.write_bytes(b"%PDF-1.7\nMAU\n")
        with transaction() as session:
            campaign = get_campaign(session, walk.code)
            who = {"at": at("2021-11-12 09:00"), "recorded_at": at("2021-11-12 09:00"), "by": "MẪU"}
            dossiers.assess_self(
                session,
                campaign,
                "a",
                cases=[dossiers.Case("Bản MẪU a", True)],
                marks=self_marks("Bản MẪU a", I="40,25", II="45"),
                **who,
            )
            dossiers.put_in(session, campaign, "a", DossierPart.REPORT, file=scan, **who)
        walk.do(Verb.SUBMIT, "2021-11-12 10:00", "a")
        walk.visit("2021-11-16 07:30")
        yield walk


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request, tmp_path) -> Database:
    """An empty database of either kind, to restore into."""
    if request.param == "sqlite":
        address = f"sqlite:///{tmp_path}/other.db"
    else:
        address = request.getfixturevalue("empty_postgres")
    other = Database(address, is_scratch=True)
    yield other
    other.close()


def content(of: Database) -> dict[str, int]:
    with using(of):
        return {
            name: rows(f"SELECT COUNT(*) FROM {name}")[0][0]
            for name in (
                "campaigns",
                "letters",
                "notices",
                "journal",
                "scores",
                "marks",
                "kept_files",
                "units",
            )
        }


def test_it_comes_back_whole_into_either_database(walk, empty, tmp_path, monkeypatch):
    manifest = back_up(database(), tmp_path / "a.tar.gz", at=NOW)
    assert (tmp_path / "a.tar.gz").stat().st_mode & 0o777 == 0o600
    before = content(database())
    scores = rows("SELECT leaf, self_points FROM scores ORDER BY leaf")
    source = database()
    monkeypatch.setenv("CONGNHAN_HOME", str(tmp_path / "other-home"))
    settings.cache_clear()
    restored = restore(empty, tmp_path / "a.tar.gz")
    assert restored.rows == manifest.rows == sum(each.rows for each in manifest.tables.values())
    assert content(empty) == before
    assert {name: each.rows for name, each in manifest.tables.items() if name in before} == before
    with using(empty):
        assert rows("SELECT leaf, self_points FROM scores ORDER BY leaf") == scores
        (digest,) = rows("SELECT sha256 FROM kept_files")[0]
        assert kept_path(digest).read_bytes() == b"%PDF-1.7\nMAU\n"
        with transaction() as session:
            assert journal.verify(session, get_campaign(session, walk.code)).broken_at is None
        # It goes on where it stood: the same reminders are not queued again, the next ones are.
        walk.visit("2021-11-16 07:45")
        assert content(empty)["letters"] == before["letters"]
        walk.visit("2021-11-18 07:30")
        assert content(empty)["letters"] == before["letters"] + 1
        again = back_up(empty, tmp_path / "b.tar.gz", at=NOW)
    assert again.tables["scores"] == manifest.tables["scores"]
    assert again.tables["units"] == manifest.tables["units"]
    assert source is not empty


def test_it_is_one_state_of_the_database_while_others_write(walk, tmp_path):
    ended, wrote = threading.Event(), []

    def write() -> None:
        with using(source):
            while not ended.is_set():
                with transaction() as session:
                    campaign = get_campaign(session, walk.code)
                    for _ in range(2):  # two entries at a time, or none
                        journal.write(
                            session, campaign, "tick_failed", at=NOW, by=None, detail={"error": "MẪU"}
                        )
                wrote.append(1)

    source = database()
    writer = threading.Thread(target=write)
    writer.start()
    try:
        found = []
        for n in range(4):
            manifest = back_up(source, tmp_path / f"{n}.tar.gz", at=NOW)
            with tarfile.open(tmp_path / f"{n}.tar.gz") as archive:
                lines = archive.extractfile("tables/journal.jsonl").read().decode().splitlines()
            failed = [line for line in map(json.loads, lines) if line["what"] == "tick_failed"]
            assert len(failed) % 2 == 0
            assert manifest.tables["journal"].rows == len(lines)
            found.append(len(failed))
    finally:
        ended.set()
        writer.join()
    assert wrote
    assert found == sorted(found)


def rewritten(path: Path, name: str, content: bytes) -> Path:
    """The archive with another content of one member."""
    other = path.with_name(f"{sha256(name.encode() + content).hexdigest()}.tar.gz")
    with tarfile.open(path) as source, tarfile.open(other, "w:gz") as copy:
        for member in source.getmembers():
            file = source.extractfile(member)
            data = content if member.name == name else file.read()
            member.size = len(data)
            copy.addfile(member, io.BytesIO(data))
    return other


def with_more(path: Path, name: str) -> Path:
    """The archive with a further member, which may want to lie elsewhere."""
    other = path.with_name(f"more-{sha256(name.encode()).hexdigest()}.tar.gz")
    with tarfile.open(path) as source, tarfile.open(other, "w:gz") as copy:
        for member in source.getmembers():
            copy.addfile(member, source.extractfile(member))
        more = tarfile.TarInfo(name)
        more.size = 3
        copy.addfile(more, io.BytesIO(b"x\ny"))
    return other


def flipped(path: Path) -> bytes:
    """The archive with a bit of its compressed content turned over."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    return bytes(content)


def with_row(path: Path, table: str, **values: object) -> Path:
    """The archive with other values in the first row of a table, and counts and hashes that fit."""
    with tarfile.open(path) as archive:
        lines = archive.extractfile(f"tables/{table}.jsonl").read().decode().splitlines()
        manifest = json.loads(archive.extractfile("manifest.json").read())
    lines[0] = json.dumps(json.loads(lines[0]) | values, ensure_ascii=False, sort_keys=True)
    counted = backup._counted(lines)
    manifest["tables"][table] = {"rows": counted.rows, "sha256": counted.sha256}
    other = rewritten(path, f"tables/{table}.jsonl", "".join(f"{line}\n" for line in lines).encode())
    return rewritten(other, "manifest.json", json.dumps(manifest).encode())


def test_rows_that_cannot_be_ours_are_refused_however_well_they_are_counted(walk, empty, tmp_path):
    path = tmp_path / "a.tar.gz"
    back_up(database(), path, at=NOW)
    for table, values in (
        ("units", {"valid_from": "sometime"}),
        ("units", {"kind": "MẪU"}),
        ("contacts", {"unit_id": 999_999}),
    ):
        with pytest.raises(NotABackup):
            restore(empty, with_row(path, table, **values))
    assert empty.revision() is None


def test_tables_of_another_program_are_not_taken_for_an_empty_place(walk, empty, tmp_path):
    back_up(database(), tmp_path / "a.tar.gz", at=NOW)
    with empty.transaction() as session:
        session.execute(text("CREATE TABLE of_somebody_else (id INTEGER)"))
    with pytest.raises(HoldsSomething):
        restore(empty, tmp_path / "a.tar.gz")
    with empty.transaction() as session:
        assert session.execute(text("SELECT COUNT(*) FROM of_somebody_else")).scalar_one() == 0


def test_what_is_damaged_foreign_or_newer_leaves_the_database_empty(walk, empty, tmp_path):
    path = tmp_path / "a.tar.gz"
    back_up(database(), path, at=NOW)
    with tarfile.open(path) as archive:
        units = archive.extractfile("tables/units.jsonl").read()
        manifest = json.loads(archive.extractfile("manifest.json").read())
    (tmp_path / "text.txt").write_text("MẪU")
    (tmp_path / "cut.tar.gz").write_bytes(path.read_bytes()[:2000])
    (tmp_path / "flipped.tar.gz").write_bytes(flipped(path))
    digest = next(iter(manifest["files"]))
    newer = json.dumps(manifest | {"revision": "9999"}).encode()
    for wrong, error in (
        (rewritten(path, "tables/units.jsonl", units.replace("MẪU".encode(), b"KHAC")), NotABackup),
        (tmp_path / "text.txt", NotABackup),
        (tmp_path / "cut.tar.gz", NotABackup),
        (tmp_path / "flipped.tar.gz", NotABackup),
        (rewritten(path, "tables/units.jsonl", b"\xff\n"), NotABackup),
        (rewritten(path, "manifest.json", b"[]"), NotABackup),
        (rewritten(path, "manifest.json", json.dumps(manifest | {"tables": []}).encode()), NotABackup),
        (rewritten(path, "manifest.json", json.dumps(manifest | {"files": None}).encode()), NotABackup),
        (rewritten(path, "manifest.json", json.dumps(manifest | {"revision": []}).encode()), NotABackup),
        (rewritten(path, "manifest.json", json.dumps(manifest | {"format": 2}).encode()), BackupIsNewer),
        (with_more(path, "../../outside"), NotABackup),
        (with_more(path, f"{tmp_path}/outside"), NotABackup),
    ):
        with pytest.raises(error):
            restore(empty, wrong)
    with pytest.raises(NotABackup):
        restore(empty, rewritten(path, f"files/{digest}", b"%PDF-1.7 khac"))
    with pytest.raises(BackupIsNewer):
        restore(empty, rewritten(path, "manifest.json", newer))
    assert empty.revision() is None
    restore(empty, path)
    with pytest.raises(HoldsSomething):
        restore(empty, path)


def test_a_file_that_is_gone_is_told_and_leaves_no_archive(walk, tmp_path):
    (digest,) = rows("SELECT sha256 FROM kept_files")[0]
    (tmp_path / "out").mkdir()
    kept_path(digest).write_bytes(b"%PDF-1.7\nrotten\n")  # else it would be found out at the restore
    with pytest.raises(FileMissing):
        back_up(database(), tmp_path / "out/a.tar.gz", at=NOW)
    kept_path(digest).unlink()
    with pytest.raises(FileMissing):
        back_up(database(), tmp_path / "out/a.tar.gz", at=NOW)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_row_that_points_to_a_later_one_comes_after_it():
    rows = [{"id": 1, "acts_for": 3}, {"id": 2, "acts_for": None}, {"id": 3, "acts_for": 2}]
    ordered = list(backup._pointed_to_first(rows, ["acts_for"]))
    assert [row["id"] for row in ordered] == [2, 3, 1]
