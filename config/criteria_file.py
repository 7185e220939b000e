"""A set of criteria as a tree of branches; what a branch asks and how it is scored stands elsewhere."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from config.located import FileInvalid, Located
from config.shapes import Shape, Text
from config.shaping import shaped


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


@dataclass(frozen=True, slots=True)
class Branch:
    """A criterion (tiêu chí, tiêu chuẩn, chỉ tiêu …) at any depth of the tree."""

    code: str
    title: str
    max_points: Decimal | None = None
    children: tuple["Branch", ...] = ()

    def walk(self) -> Iterator["Branch"]:
        """Yield this branch and every one below it."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class CriteriaTree:
    """A set of criteria (bộ tiêu chí)."""

    id: str
    title: str
    branches: tuple[Branch, ...]

    def codes(self) -> frozenset[str]:
        """Return the code of every branch at any depth."""
        return frozenset(branch.code for top in self.branches for branch in top.walk())

    def uncovered(self, assigned: frozenset[str]) -> tuple[Branch, ...]:
        """Return the highest branches of which no part is given to anybody.

        A branch that is given covers everything below it.
        """
        return tuple(_uncovered(self.branches, assigned))


def _uncovered(branches: tuple[Branch, ...], assigned: frozenset[str]) -> Iterator[Branch]:
    for branch in branches:
        if branch.code in assigned:
            continue
        below = tuple(_uncovered(branch.children, assigned))
        if below == branch.children:
            yield branch
        else:
            yield from below


def read_criteria(document: Located) -> CriteriaTree:
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
    return CriteriaTree(shape.id, shape.title, tuple(_branch(each) for each in shape.criteria))


def _branch(shape: BranchShape) -> Branch:
    return Branch(
        shape.code, shape.title, shape.max_points, tuple(_branch(child) for child in shape.children)
    )


def _paths(path: tuple[str | int, ...], branches: Sequence[BranchShape]) -> Iterator[tuple[Any, BranchShape]]:
    for place, branch in enumerate(branches):
        yield (*path, place), branch
        yield from _paths((*path, place, "children"), branch.children)
