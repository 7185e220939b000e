"""A set of criteria as a tree of branches; what a branch asks and how it is scored stands elsewhere."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from config.located import FileInvalid, Located
from config.shapes import Shape, Text
from config.shaping import shaped
from rules.criteria import CriteriaSet, Criterion


class BranchShape(Shape):
    """A branch with the branches below it; every key is known, so that no part is lost to a slip."""

    code: Text
    title: Text
    max_points: Annotated[Decimal, Field(ge=0)] | None = None
    children: tuple["BranchShape", ...] = ()


class CriteriaShape(Shape):
    """A criteria file; keys for scoring are left to those who score."""

    model_config = ConfigDict(extra="allow", frozen=True)

    id: Text
    title: Text
    criteria: list[BranchShape] = Field(min_length=1)


def read_criteria(document: Located) -> CriteriaSet:
    """Return the tree of a document; raises FileInvalid, also for a code that stands twice."""
    shape = shaped(CriteriaShape, document)
    problems = []
    seen: set[str] = set()
    for path, branch in _paths(("criteria",), shape.criteria):
        if branch.code in seen:
            problems.append(document.problem(path, "criteria.code_twice", code=branch.code))
        seen.add(branch.code)
    if problems:
        raise FileInvalid(problems)
    return CriteriaSet(shape.id, shape.title, tuple(_branch(each) for each in shape.criteria))


def _branch(shape: BranchShape) -> Criterion:
    return Criterion(
        shape.code, shape.title, shape.max_points, children=tuple(_branch(child) for child in shape.children)
    )


def _paths(path: tuple[str | int, ...], branches: Sequence[BranchShape]) -> Iterator[tuple[Any, BranchShape]]:
    for place, branch in enumerate(branches):
        yield (*path, place), branch
        yield from _paths((*path, place, "children"), branch.children)
