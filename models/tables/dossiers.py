"""What a dossier holds beside its scores: files kept by their content, and parts that came on paper."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel

from models.tables.columns import instant, one_of
from rules.dossiers import DossierPart, MediaType


class KeptFile(SQLModel, table=True):
    """The content of a file, known by its SHA-256; the same content is kept once."""

    __tablename__ = "kept_files"

    sha256: str = Field(primary_key=True)
    size: int
    media_type: MediaType = one_of(MediaType)
    kept_at: datetime = instant()


class DossierEntry(SQLModel, table=True):
    """A part of a dossier as it was put in: a file, or a note that it came on paper.

    `round` is the handing-in it was put in for; one that another took the place of stays.
    """

    __tablename__ = "dossier_entries"
    __table_args__ = (
        CheckConstraint("(sha256 IS NULL) = (name IS NULL)", name="file_with_a_name"),
        Index(None, "campaign_id", "unit_id"),
    )

    id: int = Field(default=None, primary_key=True)
    campaign_id: int = Field(foreign_key="campaigns.id")
    unit_id: int = Field(foreign_key="units.id")
    round: int
    part: DossierPart = one_of(DossierPart)
    group_id: int | None = Field(default=None, foreign_key="residential_groups.id")
    leaf: str | None = None
    name: str | None = None
    sha256: str | None = Field(default=None, foreign_key="kept_files.sha256")
    note: str | None = None
    put_at: datetime = instant()
    recorded_at: datetime = instant()
    put_by: str | None = None
    replaced_by_id: int | None = Field(default=None, foreign_key="dossier_entries.id")
    removed_at: datetime | None = instant(optional=True)
