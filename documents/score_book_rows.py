"""What a workbook of scores (sổ chấm điểm) holds, as values, and what may be wrong with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from rules.criteria import Mark


class BookKind(StrEnum):
    """Who fills a workbook."""

    COMMUNE = "commune"
    AGENCY = "agency"


@dataclass(frozen=True, slots=True)
class BookStamp:
    """What a workbook was made for; it is read back only for the same.

    `version` is raised by whoever makes workbooks, `criteria` names the set with its version.
    """

    kind: BookKind
    campaign: str
    unit: str
    version: int
    criteria: str


@dataclass(frozen=True, slots=True)
class GivenMark:
    """What is said about one leaf of one group.

    In a commune's book `mark` is the self-score and `explanation` its explanation. In an agency's
    book `mark` is the agency's own, `explanation` its reason for another score than the commune's,
    `request` what it asks the commune to complete; what the commune said stands in `self_mark`,
    `self_explanation` and `self_evidence`, and cannot be filled in.
    """

    mark: Mark | None = None
    explanation: str | None = None
    evidence: str | None = None
    self_mark: Mark | None = None
    self_explanation: str | None = None
    self_evidence: str | None = None
    request: str | None = None


@dataclass(frozen=True, slots=True)
class PeopleVotes:
    """How many people of a group were invited to its meeting, came, and were in favour."""

    invited: int
    attended: int
    in_favour: int


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A group (tổ dân phố, bản): whether it is proposed and why not, its class of area, its marks by leaf.

    `code` tells it from all others of the book; `commune` is the name of its commune.
    """

    code: str
    name: str
    commune: str
    class_: str | None = None
    is_proposed: bool | None = None
    reason: str | None = None
    votes: PeopleVotes | None = None
    marks: Mapping[str, GivenMark] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CellProblem:
    """Something wrong in a workbook: `str` of it is `sheet, cell: what is wrong`.

    `sheet` and `cell` are empty for what is wrong with the workbook as a whole.
    """

    sheet: str
    cell: str
    text: str

    def __str__(self) -> str:
        return ": ".join(filter(None, (", ".join(filter(None, (self.sheet, self.cell))), self.text)))


class BookRefused(Exception):
    """A workbook cannot be used; `problems` says all that is wrong with it, in the order of its cells."""

    def __init__(self, problems: Sequence[CellProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class WrongBook(BookRefused):
    """A workbook of another unit, campaign, kind, version or set of criteria, or none of ours."""
