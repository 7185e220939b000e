"""Which columns a workbook of scores has, and what stands in the row of a group and of a leaf."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256

from config.messages import say
from documents.cell_texts import plain, tidy
from documents.score_book_answers import (
    Value,
    area_classes,
    asks_votes,
    how,
    is_same_worth,
    opinion_words,
    proposal_words,
    shown,
)
from documents.score_book_rows import BookKind, BookStamp, GivenMark, GroupRow
from rules.criteria import CriteriaSet, Criterion

# Rises when the columns change: a workbook made before that is not read by positions that moved.
FORMAT = "2"
STAMP_SHEET = "_mau"
FIRST_ROW = 2
# The columns of the people's meeting, where a set asks for their vote.
VOTES = ("invited", "attended", "in_favour")


@dataclass(frozen=True, slots=True)
class BookColumn:
    """A column of a sheet: its key in the catalogue, its width, and whether people fill it."""

    key: str
    width: int
    is_filled: bool = False

    @property
    def heading(self) -> str:
        """The Vietnamese heading."""
        return say(f"workbook.column.{self.key}")


def listed_columns(kind: BookKind, criteria: CriteriaSet) -> tuple[BookColumn, ...]:
    """Return the columns of the list of groups; an agency only reads it."""
    is_filled = kind is BookKind.COMMUNE
    area = (BookColumn("area_class", 24, is_filled),) if area_classes(criteria) else ()
    votes = [BookColumn(each, 11, is_filled) for each in VOTES] if asks_votes(criteria) else ()
    return (
        *(BookColumn("group_code", 16), BookColumn("commune", 22), BookColumn("group", 28)),
        *area,
        *(BookColumn("proposed", 18, is_filled), BookColumn("not_proposed_reason", 50, is_filled)),
        *votes,
    )


def scored_columns(kind: BookKind) -> tuple[BookColumn, ...]:
    """Return the columns of the sheet of scores."""
    what = (
        *(BookColumn("group_code", 14), BookColumn("commune", 16), BookColumn("group", 20)),
        *(BookColumn("leaf_code", 9), BookColumn("path", 30), BookColumn("asked", 36)),
        *(BookColumn("how", 28), BookColumn("max_points", 9)),
    )
    if kind is BookKind.COMMUNE:
        return (
            *what,
            *(BookColumn("self_mark", 14, True), BookColumn("self_explanation", 40, True)),
            BookColumn("self_evidence", 36, True),
        )
    return (
        *what,
        *(BookColumn("self_mark", 12), BookColumn("self_explanation", 26), BookColumn("self_evidence", 24)),
        *(BookColumn("opinion", 12, True), BookColumn("agency_mark", 12, True)),
        *(BookColumn("agency_reason", 32, True), BookColumn("agency_evidence", 24, True)),
        BookColumn("request", 32, True),
    )


def listed_values(criteria: CriteriaSet, group: GroupRow) -> dict[str, Value]:
    """Return what stands in the row of a group, by column."""
    classes = {each.code: each.title for each in area_classes(criteria)}
    proposed = None if group.is_proposed is None else proposal_words()[group.is_proposed]
    return {
        "group_code": tidy(group.code),
        "commune": tidy(group.commune),
        "group": tidy(group.name),
        "area_class": tidy(classes.get(group.class_ or "", group.class_)),
        "proposed": proposed,
        "not_proposed_reason": tidy(group.reason),
        **{each: Decimal(getattr(group.votes, each)) if group.votes else None for each in VOTES},
    }


@dataclass(frozen=True, slots=True)
class Asked:
    """A leaf as the sheet puts it: what is the same in the row of every group."""

    leaf: Criterion
    values: Mapping[str, Value]


def asked_of(criteria: CriteriaSet, leaves: Sequence[Criterion]) -> tuple[Asked, ...]:
    """Return the leaves as the sheet of scores puts them, in their order."""
    above = dict(_paths(criteria.branches, ""))
    return tuple(
        Asked(
            leaf,
            {
                "leaf_code": tidy(leaf.code),
                "path": tidy(above.get(leaf.code)),
                "asked": tidy("\n".join((leaf.title, *leaf.evidence))),
                "how": tidy(how(leaf, criteria.step)),
                "max_points": leaf.max_points,
            },
        )
        for leaf in leaves
    )


def scored_values(kind: BookKind, criteria: CriteriaSet, asked: Asked, group: GroupRow) -> dict[str, Value]:
    """Return what stands in the row of a group and a leaf, by column."""
    given = group.marks.get(asked.leaf.code, GivenMark())
    of_group = {
        "group_code": tidy(group.code),
        "commune": tidy(group.commune),
        "group": tidy(group.name),
        **asked.values,
    }
    if kind is BookKind.COMMUNE:
        return of_group | {
            "self_mark": shown(asked.leaf, given.mark),
            "self_explanation": tidy(given.explanation),
            "self_evidence": tidy(given.evidence),
        }
    return of_group | {
        "self_mark": shown(asked.leaf, given.self_mark),
        "self_explanation": tidy(given.self_explanation),
        "self_evidence": tidy(given.self_evidence),
        "opinion": _opinion(asked.leaf, given, criteria.step),
        "agency_mark": shown(asked.leaf, given.mark),
        "agency_reason": tidy(given.explanation),
        "agency_evidence": tidy(given.evidence),
        "request": tidy(given.request),
    }


def _opinion(leaf: Criterion, given: GivenMark, step: Decimal | None) -> str | None:
    if given.mark is None:
        return None
    agree, other = opinion_words()
    return agree if is_same_worth(leaf, given.self_mark, given.mark, step) else other


def layout_hash(
    stamp: BookStamp, criteria: CriteriaSet, leaves: Sequence[Criterion], groups: Sequence[GroupRow]
) -> str:
    """Return the SHA-256 of all that a workbook holds beside what people fill in."""
    listed, scored = listed_columns(stamp.kind, criteria), scored_columns(stamp.kind)
    asked = asked_of(criteria, leaves)
    content = [
        [FORMAT, stamp.kind, stamp.campaign, stamp.unit, stamp.version, stamp.criteria],
        [each.heading for each in (*listed, *scored)],
        [_fixed(listed, listed_values(criteria, group)) for group in groups],
        [
            _fixed(scored, scored_values(stamp.kind, criteria, each, group))
            for group in groups
            for each in asked
        ],
    ]
    return sha256(json.dumps(content, ensure_ascii=False, default=str).encode()).hexdigest()


def _fixed(columns: Sequence[BookColumn], values: Mapping[str, Value]) -> list[str | None]:
    fixed = [values[each.key] for each in columns if not each.is_filled]
    return [plain(each.normalize()) if isinstance(each, Decimal) else each for each in fixed]


def _paths(branches: Sequence[Criterion], above: str) -> Iterator[tuple[str, str]]:
    for branch in branches:
        yield branch.code, above
        here = f"{branch.code}. {branch.title}"
        yield from _paths(branch.children, f"{above}\n{here}" if above else here)
