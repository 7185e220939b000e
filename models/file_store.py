"""Files kept by their content (lưu tệp theo mã băm): written once under their SHA-256, never changed."""

import os
import zipfile
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile

from sqlmodel import Session

from config.settings import settings
from models.inserting import inserting
from models.tables import KeptFile
from rules.dossiers import FileProblem, MediaType, plain_name, problem_of_file

CHUNK = 1024 * 1024

# What is in the beginning of each; a workbook and a document are told apart inside.
BEGINNINGS: tuple[tuple[bytes, MediaType], ...] = (
    (b"%PDF-", MediaType.PDF),
    (b"\xff\xd8\xff", MediaType.JPEG),
    (b"\x89PNG\r\n\x1a\n", MediaType.PNG),
)
INSIDE = {"word/document.xml": MediaType.DOCX, "xl/workbook.xml": MediaType.XLSX}


class FileRefused(Exception):
    """A file is not taken; `problem` says why."""

    def __init__(self, name: str, problem: FileProblem) -> None:
        super().__init__(f"{name}: {problem}")
        self.name, self.problem = name, problem


class FileLost(Exception):
    """The content that a dossier names is not in its place, or is no longer what it was."""

    def __init__(self, digest: str) -> None:
        super().__init__(digest)
        self.digest = digest


def keep_file(session: Session, path: Path, *, at: datetime) -> str:
    """Keep the content of a file and return its SHA-256; the same content is kept once.

    The file stands in its place before the row that names it: a transaction rolled back leaves at
    most a file that nothing names. Raises FileRefused, OSError.
    """
    name, size, media_type = plain_name(path.name), path.stat().st_size, _media_type(path)
    refused = problem_of_file(name, size, media_type)
    if refused is not None:
        raise FileRefused(name, refused)
    digest = _put(path)
    session.execute(
        inserting(session, KeptFile).on_conflict_do_nothing(),
        [{"sha256": digest, "size": size, "media_type": media_type, "kept_at": at}],
    )
    return digest


def kept_path(digest: str) -> Path:
    """Return where content of this SHA-256 is kept, whether it is there or not."""
    return settings().home / "files" / digest[:2] / digest


def read_kept(digest: str) -> bytes:
    """Return kept content; raises FileLost where it is gone or no longer what it was."""
    try:
        content = kept_path(digest).read_bytes()
    except OSError:
        raise FileLost(digest) from None
    if sha256(content).hexdigest() != digest:
        raise FileLost(digest)
    return content


def _put(path: Path) -> str:
    root = settings().home / "files"
    root.mkdir(parents=True, exist_ok=True)
    seen = sha256()
    with path.open("rb") as source, NamedTemporaryFile(dir=root, delete=False) as copy:
        try:
            while chunk := source.read(CHUNK):
                seen.update(chunk)
                copy.write(chunk)
            copy.flush()
            os.fsync(copy.fileno())
            place = kept_path(seen.hexdigest())
            place.parent.mkdir(exist_ok=True)
            os.replace(copy.name, place)
        except BaseException:
            Path(copy.name).unlink(missing_ok=True)
            raise
    return seen.hexdigest()


def _media_type(path: Path) -> MediaType | None:
    """Return what a file is by what is in it, or None for anything else."""
    with path.open("rb") as file:
        head = file.read(16)
    for beginning, media_type in BEGINNINGS:
        if head.startswith(beginning):
            return media_type
    if not head.startswith(b"PK"):
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    # zipfile raises NotImplementedError where an archive wants a later version of the format.
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return None
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        return None
    return next((media_type for name, media_type in INSIDE.items() if name in names), None)
