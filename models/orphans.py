"""Files that nothing names: what a transaction that was rolled back left behind."""

from datetime import datetime, timedelta
from pathlib import Path

from sqlmodel import Session, col, select

from config.settings import settings
from models.tables import KeptFile

# A file stands in its place before the row that names it, and a transaction may take its time.
YOUNG = timedelta(days=1)
AT_A_TIME = 500


def remove_orphans(session: Session, *, now: datetime) -> int:
    """Remove files of the store that no row names and that are a day old; returns how many."""
    root = settings().home / "files"
    old = [
        path
        for path in (root.rglob("*") if root.is_dir() else ())
        if path.is_file() and path.stat().st_mtime < (now - YOUNG).timestamp()
    ]
    removed = 0
    for first in range(0, len(old), AT_A_TIME):
        removed += _remove(session, old[first : first + AT_A_TIME])
    return removed


def _remove(session: Session, paths: list[Path]) -> int:
    names = [path.name for path in paths]
    named = set(session.exec(select(KeptFile.sha256).where(col(KeptFile.sha256).in_(names))))
    orphans = [path for path in paths if path.name not in named]
    for path in orphans:
        path.unlink(missing_ok=True)
    return len(orphans)
