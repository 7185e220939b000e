"""What a table of criteria says, as a tree."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from rules.criteria import LeafKind, NotApplicable


@dataclass(slots=True)
class CriteriaRow:
    """A row of the table; `cells` says where each of its values stands."""

    code: str
    title: str
    depth: int
    cells: Mapping[str, str]
    max_points: Decimal | None = None
    kind: LeafKind | None = None
    minimum: Decimal | None = None
    minimum_rating: str | None = None
    unit: str | None = None
    evidence: str | None = None
    not_applicable: NotApplicable | None = None
    children: list["CriteriaRow"] = field(default_factory=list)

    def walk(self) -> Iterator["CriteriaRow"]:
        """Yield this row and every one below it."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class CriteriaTable:
    """What a table of criteria says: its tree, and the total where it states one."""

    rows: tuple[CriteriaRow, ...]
    total_max: Decimal | None

    def walk(self) -> Iterator[CriteriaRow]:
        """Yield every row, in the order of the table."""
        for row in self.rows:
            yield from row.walk()
