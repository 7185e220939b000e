"""The shape of a criteria file: which keys a set, a branch and a rule may have."""

from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from config.shapes import Shape, Text, refusal
from rules.criteria import LeafKind, Method, NotApplicable


def _decimal(value: Any) -> Any:
    """Return the number a file writes, with a point or a comma, exactly as it is written."""
    if value is None or isinstance(value, bool):
        return value
    try:
        number = Decimal(str(value).replace(",", "."))
    except InvalidOperation:
        raise refusal("criteria.not_a_number") from None
    if not number.is_finite():
        raise refusal("criteria.not_a_number")
    return number


Number = Annotated[Decimal, BeforeValidator(_decimal)]
Points = Annotated[Decimal, BeforeValidator(_decimal), Field(ge=0)]
Percent = Annotated[Decimal, BeforeValidator(_decimal), Field(ge=0, le=100)]


class BandShape(Shape):
    """Points for what lies from one value up to, and not including, another; the topmost has no `below`."""

    start: Number = Field(alias="from")
    below: Number | None = None
    points: Points | None = None
    name: Text | None = None


class OptionShape(Shape):
    """One answer of a choice."""

    code: Text
    title: Text
    points: Number


class NamedShape(Shape):
    """A case that has a code: an exception of a leaf, a veto."""

    code: Text
    title: Text


class ReferenceShape(Shape):
    """The set whose result a leaf takes over, and which criteria of it."""

    set: Text
    criteria: tuple[Text, ...] = ()


class BranchShape(Shape):
    """A branch with the branches below it; every key is known, so that no part is lost to a slip."""

    code: Text
    title: Text
    max_points: Points | None = None
    kind: LeafKind | None = None
    minimum: Points | None = None
    bands: tuple[BandShape, ...] = ()
    options: tuple[OptionShape, ...] = ()
    scale: tuple[Text, ...] = ()
    minimum_rating: Text | None = None
    each: Number | None = None
    limit: Points | None = None
    exceptions: tuple[NamedShape, ...] = ()
    not_applicable: NotApplicable | None = None
    refers_to: ReferenceShape | None = None
    evidence: tuple[Text, ...] = ()
    unit: Text | None = None
    children: tuple["BranchShape", ...] = ()


class AreaShape(Shape):
    """A class of area with its threshold, the names it also goes by."""

    code: Text
    area: Text
    points: Points | None = None
    aliases: tuple[Text, ...] = ()


class VoteShape(Shape):
    """The vote a subject needs."""

    percent: Percent
    of: Literal["attendees", "invited", "members"] = "attendees"
    quorum_percent_of_invited: Percent | None = None


class ChildrenShape(Shape):
    """How many of the units below must have been recognised by another set."""

    set: Text
    percent: Percent


class RankingShape(Shape):
    """Who of those that meet the set is put forward."""

    max_share_percent: Percent
    tie_break: Literal["votes", "none"] = "none"
    years_in_a_row: int | None = None


class RecognitionShape(Shape):
    """The rules on the whole; what else an act says of recognition is carried over under `notes`."""

    total_min: Points | None = None
    total_min_by_area: tuple[AreaShape, ...] = ()
    each_criterion_min_percent: Percent | None = None
    vetoes: tuple[NamedShape, ...] | None = None
    vote_min: VoteShape | None = None
    children_share_min: ChildrenShape | None = None
    levels: tuple[BandShape, ...] = ()
    ranking: RankingShape | None = None
    notes: Any = None


class GapShape(Shape):
    """What of an act was not found, and at which branch; `code` may be one that is not in the tree."""

    code: Text
    what: Text


class CriteriaShape(Shape):
    """A criteria file; what is carried over from the act without being computed stands under known names."""

    id: Text
    title: Text
    subject: Text | None = None
    method: Method = Method.POINTS
    version: Text | None = None
    completeness: Text | None = None
    levels: tuple[Text, ...] = ()
    step: Annotated[Decimal, BeforeValidator(_decimal), Field(gt=0)] | None = None
    total_max: Points | None = None
    criteria: tuple[BranchShape, ...] = Field(min_length=1)
    recognition: RecognitionShape | None = None
    missing: tuple[GapShape, ...] = ()
    legal: Any = None
    source: Any = None
    points_profile: Any = None
    window: Any = None
    calendar: Any = None
    procedure: Any = None
    council: Any = None
    dossier: Any = None
    revocation: Any = None
    sub_criteria_count: Any = None
    real_results: Any = None
    notes: Any = None
