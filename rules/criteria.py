"""Sets of criteria (bộ tiêu chí): a tree of any depth, what each leaf asks, and the rules on the whole."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum


class Method(StrEnum):
    """How a set comes to its result."""

    PASS_FAIL_ALL = "pass_fail_all"  # every leaf must be met, nothing makes up for anything
    POINTS = "points"
    POINTS_TO_LEVELS = "points_to_levels"
    SET_BY_PROVINCE = "set_by_province"  # a frame: nothing can be scored before the province fills it


class LeafKind(StrEnum):
    """What a leaf asks; the value is the word in the file."""

    POINTS = "points"  # points judged directly, 0 to the maximum
    CHOICE = "choice"  # one of several answers, each with its points
    YES_NO = "yes_no"
    MUST_NOT_OCCUR = "must_not_occur"
    RATIO_MIN = "ratio_min"  # a percentage
    RATIO_BANDS = "ratio_bands"
    COUNT_MIN = "count_min"
    RATING_MIN = "rating_min"
    NOT_WORSE_THAN_LAST_YEAR = "not_worse_than_last_year"
    REFER = "refer"  # the result of another campaign
    COMPOUND = "compound"  # all of its parts
    PER_OCCURRENCE = "per_occurrence"  # so many points each time, up to a cap
    BONUS = "bonus"  # beside the maximum, up to a limit
    PENALTY = "penalty"  # taken off, up to a limit


class Verdict(StrEnum):
    """What an assessment comes to; a worse one stands before a better one."""

    NOT_MET = "not_met"
    INCOMPLETE = "incomplete"
    MET = "met"


class NotApplicable(StrEnum):
    """What "not applicable" (không phát sinh) means for a leaf; a leaf without one must be answered."""

    FULL_POINTS = "full_points"
    PASS = "pass"
    OWN_GROUP = "own_group"  # left out of the total; its subject is ranked among its like


@dataclass(frozen=True, slots=True)
class Band:
    """Points for what lies in `[from_value, below)`; `below` is None in the topmost band."""

    from_value: Decimal
    below: Decimal | None
    points: Decimal
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Option:
    """One answer of a choice, with its points."""

    code: str
    title: str
    points: Decimal


@dataclass(frozen=True, slots=True)
class Waiver:
    """A case in which an occurrence is not held against the subject (trường hợp loại trừ)."""

    code: str
    title: str


@dataclass(frozen=True, slots=True)
class Reference:
    """The set, and the criteria of it (all where empty), whose result another set takes over."""

    set_id: str
    criteria: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Criterion:
    """A criterion (tiêu chí, tiêu chuẩn, chỉ tiêu, nội dung) at any depth of the tree.

    `kind` is None above the leaves; a compound has children and a kind. `minimum` is a percentage
    for RATIO_MIN and a count for COUNT_MIN; `limit` caps PER_OCCURRENCE, BONUS and PENALTY, and
    `each` is what one occurrence brings. `scale` runs from the lowest rating to the highest.
    """

    code: str
    title: str
    max_points: Decimal | None = None
    kind: LeafKind | None = None
    children: tuple["Criterion", ...] = ()
    minimum: Decimal | None = None
    bands: tuple[Band, ...] = ()
    options: tuple[Option, ...] = ()
    scale: tuple[str, ...] = ()
    minimum_rating: str | None = None
    each: Decimal | None = None
    limit: Decimal | None = None
    waivers: tuple[Waiver, ...] = ()
    not_applicable: NotApplicable | None = None
    refers_to: Reference | None = None
    evidence: tuple[str, ...] = ()
    unit: str | None = None

    def walk(self) -> Iterator["Criterion"]:
        """Yield this criterion and every one below it."""
        yield self
        for child in self.children:
            yield from child.walk()

    def leaves(self) -> Iterator["Criterion"]:
        """Yield what is scored below, or itself where the set stops; a compound is scored as a whole."""
        if not self.children or self.kind is LeafKind.COMPOUND:
            yield self
            return
        for child in self.children:
            yield from child.leaves()


@dataclass(frozen=True, slots=True)
class TotalMin:
    """The total must reach so many points; None where the figure of the act is not known."""

    points: Decimal | None


@dataclass(frozen=True, slots=True)
class AreaClass:
    """A class of area (loại địa bàn) with its own threshold; `points` None where it is not known."""

    code: str
    title: str
    points: Decimal | None
    aliases: tuple[str, ...] = ()

    def names(self) -> tuple[str, ...]:
        """Return every name the class goes by."""
        return (self.code, self.title, *self.aliases)


@dataclass(frozen=True, slots=True)
class TotalMinByClass:
    """The total must reach the threshold of the subject's class."""

    classes: tuple[AreaClass, ...]

    def find(self, name: str) -> AreaClass | None:
        """Return the class of this code, title or other name, however it is spelled; None for no class."""
        wanted = words_of(name)
        for each in self.classes:
            if wanted in {words_of(known) for known in each.names()}:
                return each
        return None


def folded(text: str) -> str:
    """Return a text without case, accents and blanks at its ends, to compare what people type."""
    bare = unicodedata.normalize("NFD", text.strip().casefold()).replace("đ", "d")
    return "".join(letter for letter in bare if not unicodedata.combining(letter))


def words_of(name: str) -> str:
    """Return the words of a name as they compare: `mien_nui`, `Miền  núi` and `mien-nui` are one."""
    return " ".join(re.findall(r"[^\W_]+", folded(name)))


@dataclass(frozen=True, slots=True)
class CriterionFloor:
    """Each criterion of the first level must reach this percentage of its own maximum."""

    percent: Decimal


@dataclass(frozen=True, slots=True)
class Veto:
    """What alone excludes a subject (điều kiện loại trừ)."""

    code: str
    title: str


@dataclass(frozen=True, slots=True)
class Vetoes:
    """The cases that exclude a subject; `known` None where the act has some that were not read.

    Where they are not known, whatever code the office gives excludes the subject.
    """

    known: tuple[Veto, ...] | None


ATTENDEES = "attendees"


@dataclass(frozen=True, slots=True)
class VoteMin:
    """So many percent must be in favour, and so many percent of those invited (members) present."""

    percent: Decimal
    of: str  # attendees | invited | members
    quorum_percent: Decimal | None = None


@dataclass(frozen=True, slots=True)
class ChildrenShare:
    """So many percent of the units below must have been recognised by another set."""

    set_id: str
    percent: Decimal


@dataclass(frozen=True, slots=True)
class Levels:
    """What the total comes to: half-open bands, each with its name (5 sao, 4 sao, …)."""

    bands: tuple[Band, ...]


WholeRule = TotalMin | TotalMinByClass | CriterionFloor | Vetoes | VoteMin | ChildrenShare | Levels


@dataclass(frozen=True, slots=True)
class Ranking:
    """The best, up to a share of all; at the limit those with more votes go first."""

    max_share_percent: Decimal
    tie_break: str  # votes | none
    years_in_a_row: int | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """A branch that the file leaves open: what is missing there (`kind`, `points`, `title` …)."""

    code: str
    what: str


@dataclass(frozen=True, slots=True)
class CriteriaSet:
    """A set of criteria, as its file says it; `gaps` is what keeps it from being scored."""

    id: str
    title: str
    branches: tuple[Criterion, ...]
    method: Method = Method.POINTS
    subject: str | None = None
    version: str | None = None
    level_names: tuple[str, ...] = ()
    step: Decimal | None = None
    total_max: Decimal | None = None
    rules: tuple[WholeRule, ...] = ()
    ranking: Ranking | None = None
    gaps: tuple[Gap, ...] = field(default=())

    def walk(self) -> Iterator[Criterion]:
        """Yield every criterion at any depth, in the order of the file."""
        for branch in self.branches:
            yield from branch.walk()

    def leaves(self) -> tuple[Criterion, ...]:
        """Return what is scored: the leaves, or the criteria where the set stops there."""
        return tuple(leaf for branch in self.branches for leaf in branch.leaves())

    def codes(self) -> frozenset[str]:
        """Return the code of every criterion at any depth."""
        return frozenset(each.code for each in self.walk())

    def leaf_codes(self, branches: frozenset[str]) -> tuple[str, ...]:
        """Return the codes of the leaves at or below these branches, in the order of the file."""
        return tuple(
            leaf.code
            for top in self.branches
            for each in top.walk()
            if each.code in branches
            for leaf in each.leaves()
        )

    def uncovered(self, assigned: frozenset[str]) -> tuple[Criterion, ...]:
        """Return the highest branches of which no part is given to anybody.

        A branch that is given covers everything below it.
        """
        return tuple(_uncovered(self.branches, assigned))


def _uncovered(branches: tuple[Criterion, ...], assigned: frozenset[str]) -> Iterator[Criterion]:
    for branch in branches:
        if branch.code in assigned:
            continue
        below = tuple(_uncovered(branch.children, assigned))
        if below == branch.children:
            yield branch
        else:
            yield from below


@dataclass(frozen=True, slots=True)
class Mark:
    """What somebody found at one leaf.

    `value` is points (POINTS, BONUS, PENALTY), a percentage (RATIO_*), a count (COUNT_MIN,
    MUST_NOT_OCCUR, PER_OCCURRENCE) or this year's figure (NOT_WORSE_THAN_LAST_YEAR, with `before`
    for last year's); `is_met` answers the leaves that are met or not, also where somebody gives
    the verdict instead of the figure; `choice` is an option's code or a rating; `waiver` the case
    that excuses an occurrence.
    """

    value: Decimal | None = None
    is_met: bool | None = None
    choice: str | None = None
    before: Decimal | None = None
    waiver: str | None = None
    is_not_applicable: bool = False


@dataclass(frozen=True, slots=True)
class Judged:
    """What a mark is worth: points where the set counts them, met or not where the leaf asks that.

    `need` and `got` say by how much, as the leaf measures it.
    """

    points: Decimal | None = None
    is_met: bool | None = None
    need: str | None = None
    got: str | None = None
