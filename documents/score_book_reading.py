"""A workbook of scores is read back: all of it, or every error with its sheet and cell."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from openpyxl import Workbook

from config.messages import say
from documents.book_cells import BadCell, count_of, mark_of, text_of
from documents.cell_texts import tidy
from documents.safe_workbook import filled_rows, open_workbook
from documents.score_book_answers import (
    Value,
    area_classes,
    asks_votes,
    is_same_worth,
    opinion_words,
    proposal_words,
)
from documents.score_book_layout import (
    FORMAT,
    STAMP_SHEET,
    VOTES,
    asked_of,
    layout_hash,
    listed_columns,
    listed_values,
    scored_columns,
    scored_values,
)
from documents.score_book_rows import (
    BookKind,
    BookRefused,
    BookStamp,
    CellProblem,
    GivenMark,
    GroupRow,
    PeopleVotes,
    WrongBook,
)
from documents.score_book_table import BookTable, Key, Place, Problems
from rules.criteria import CriteriaSet, Criterion, Mark, folded


def read_book(
    path: Path,
    expected: BookStamp,
    criteria: CriteriaSet,
    leaves: Sequence[Criterion],
    groups: Sequence[GroupRow],
) -> list[GroupRow]:
    """Return what was filled in, for these groups in their order.

    `leaves` and `groups` are those the workbook was made for. What an agency only reads (the list,
    the commune's scores) comes back as it is in `groups`. A leaf about which nothing is said has no
    mark. Raises WorkbookRefused for a file that is not opened, WrongBook for the workbook of another
    unit, campaign, kind, version or set, BookRefused with every error of its cells.
    """
    book = open_workbook(path)
    _check_stamp(book, expected, layout_hash(expected, criteria, leaves, groups))
    problems = Problems()
    listed = _listed(book, expected, criteria, groups, problems)
    scored = _scored(book, expected, criteria, leaves, groups, problems)
    reading = _Reading(expected.kind, criteria, leaves, listed, scored)
    rows = [reading.group(group) for group in groups]
    if problems.found:
        raise BookRefused(problems.in_order())
    return rows


def _check_stamp(book: Workbook, expected: BookStamp, layout: str) -> None:
    if STAMP_SHEET not in book.sheetnames:
        raise WrongBook([CellProblem("", "", say("workbook.wrong.not_ours"))])
    said = {}
    for cells in filled_rows(book[STAMP_SHEET]).values():
        if 1 in cells and 2 in cells:
            said[_stamped(cells[1])] = _stamped(cells[2])
    if said.get("format") != FORMAT:
        raise WrongBook([CellProblem("", "", say("workbook.wrong.format"))])
    wrong = list(_differences(said, expected))
    if not wrong and said.get("layout") != layout:
        wrong = [say("workbook.wrong.layout")]
    if wrong:
        raise WrongBook([CellProblem("", "", text) for text in wrong])


def _stamped(cell: Any) -> str | None:
    try:
        return text_of(cell)
    except BadCell:
        return None


def _differences(said: Mapping[str | None, str | None], expected: BookStamp) -> Iterator[str]:
    """Yield one sentence for each thing in which a workbook is another one than expected."""
    for key, want in (
        ("campaign", expected.campaign),
        ("unit", expected.unit),
        ("kind", expected.kind.value),
        ("criteria", expected.criteria),
    ):
        got = said.get(key)
        if got != want:
            yield say(f"workbook.wrong.{key}", got=_kind_words(got or "–"), want=_kind_words(want))
    version = said.get("version") or "0"
    if version != str(expected.version):
        is_older = version.isdecimal() and int(version) < expected.version
        code = "older" if is_older else "version"
        yield say(f"workbook.wrong.{code}", got=version, want=expected.version)


def _kind_words(word: str) -> str:
    return say(f"workbook.kind.{word}") if word in tuple(BookKind) else word


def _listed(
    book: Workbook,
    stamp: BookStamp,
    criteria: CriteriaSet,
    groups: Sequence[GroupRow],
    problems: Problems,
) -> BookTable:
    place = Place(say("workbook.sheet.listed"), 1)
    table = BookTable(place, listed_columns(stamp.kind, criteria), ("group_code",), problems)
    table.read(book, {(tidy(group.code),): listed_values(criteria, group) for group in groups})
    return table


def _scored(
    book: Workbook,
    stamp: BookStamp,
    criteria: CriteriaSet,
    leaves: Sequence[Criterion],
    groups: Sequence[GroupRow],
    problems: Problems,
) -> BookTable:
    place = Place(say("workbook.sheet.scored"), 2)
    table = BookTable(place, scored_columns(stamp.kind), ("group_code", "leaf_code"), problems)
    asked = asked_of(criteria, leaves)
    rows: dict[Key, Mapping[str, Value]] = {
        (tidy(group.code), tidy(each.leaf.code)): scored_values(stamp.kind, criteria, each, group)
        for group in groups
        for each in asked
    }
    table.read(book, rows)
    return table


@dataclass(frozen=True, slots=True)
class _Reading:
    """What was filled in, group by group; what cannot be read is noted with its cell."""

    kind: BookKind
    criteria: CriteriaSet
    leaves: Sequence[Criterion]
    listed: BookTable
    scored: BookTable

    def group(self, group: GroupRow) -> GroupRow:
        """Return a group as the workbook has it."""
        given = {leaf.code: self._given(group, leaf) for leaf in self.leaves}
        marks = {code: each for code, each in given.items() if each != GivenMark()}
        key: Key = (tidy(group.code),)
        if self.kind is BookKind.AGENCY or key not in self.listed.rows:
            return replace(group, marks=marks)
        proposed = self._proposed(key)
        reason = self._words(self.listed, key, "not_proposed_reason")
        if proposed is False and reason is None:
            self.listed.note(key, "not_proposed_reason", say("workbook.problem.not_proposed_reason"))
        class_, votes = self._class(key, group), self._votes(key, group)
        is_said = bool(reason or votes or class_ != group.class_)
        if proposed is None and self.listed.cell(key, "proposed") is None:
            # Without a word on the lists nothing of the row would be kept: it is not dropped in silence.
            if group.is_proposed is not None:
                self.listed.note(key, "proposed", say("workbook.problem.cleared"))
            elif is_said:
                self.listed.note(key, "proposed", say("workbook.problem.no_proposal"))
        return replace(group, class_=class_, is_proposed=proposed, reason=reason, votes=votes, marks=marks)

    def _votes(self, key: Key, group: GroupRow) -> PeopleVotes | None:
        """Return how the people voted; all three numbers, or none of them."""
        if not asks_votes(self.criteria):
            return group.votes
        said: dict[str, int] = {}
        is_read = True
        for column in VOTES:
            try:
                count = count_of(self.listed.cell(key, column))
            except BadCell as error:
                self.listed.note(key, column, str(error))
                is_read = False
            else:
                said |= {column: count} if count is not None else {}
        if not said or not is_read:
            return None
        for column in VOTES:
            if column not in said:
                self.listed.note(key, column, say("workbook.problem.count_missing"))
                is_read = False
        if not is_read:
            return None
        for fewer, more in ((VOTES[1], VOTES[0]), (VOTES[2], VOTES[1])):
            if said[fewer] > said[more]:
                text = say(f"workbook.problem.{fewer}", got=said[fewer], most=said[more])
                self.listed.note(key, fewer, text)
        return PeopleVotes(**said)

    def _words(self, table: BookTable, key: Key, column: str) -> str | None:
        try:
            return text_of(table.cell(key, column))
        except BadCell as error:
            table.note(key, column, str(error))
            return None

    def _proposed(self, key: Key) -> bool | None:
        word = self._words(self.listed, key, "proposed")
        if word is None:
            return None
        for is_proposed, known in proposal_words().items():
            if folded(word) == folded(known):
                return is_proposed
        self._unknown(self.listed, key, "proposed", word, tuple(proposal_words().values()))
        return None

    def _class(self, key: Key, group: GroupRow) -> str | None:
        classes = area_classes(self.criteria)
        if not classes:
            return group.class_
        word = self._words(self.listed, key, "area_class")
        if word is None:
            return None
        for each in classes:
            if folded(word) in {folded(known) for known in (each.code, each.title, *each.aliases)}:
                return each.code
        self._unknown(self.listed, key, "area_class", word, tuple(each.title for each in classes))
        return None

    def _unknown(self, table: BookTable, key: Key, column: str, got: str, known: Sequence[str]) -> None:
        text = say("workbook.problem.unknown_word", got=got[:40], known=", ".join(known))
        table.note(key, column, text)

    def _given(self, group: GroupRow, leaf: Criterion) -> GivenMark:
        key = (tidy(group.code), tidy(leaf.code))
        if key not in self.scored.rows:
            return GivenMark()
        if self.kind is BookKind.COMMUNE:
            return self._of_commune(key, leaf, group.marks.get(leaf.code, GivenMark()))
        return self._of_agency(key, leaf, group.marks.get(leaf.code, GivenMark()))

    def _mark(self, key: Key, column: str, leaf: Criterion) -> tuple[Mark | None, bool]:
        """Return the mark of a cell, and whether it could be read."""
        try:
            return mark_of(self.scored.cell(key, column), leaf, self.criteria.step), True
        except BadCell as error:
            self.scored.note(key, column, str(error))
            return None, False

    def _of_commune(self, key: Key, leaf: Criterion, known: GivenMark) -> GivenMark:
        mark, is_read = self._mark(key, "self_mark", leaf)
        explanation = self._words(self.scored, key, "self_explanation")
        evidence = self._words(self.scored, key, "self_evidence")
        if is_read and mark is None:
            self._check_blank(key, "self_mark", known.mark, is_said=bool(explanation or evidence))
        return GivenMark(mark, explanation, evidence)

    def _check_blank(self, key: Key, column: str, known: Mark | None, *, is_said: bool) -> None:
        """A mark that was given is changed by another one; a blank cell takes nothing back."""
        if known is not None:
            self.scored.note(key, column, say("workbook.problem.cleared"))
        elif is_said:
            self.scored.note(key, column, say("workbook.problem.no_mark"))

    def _of_agency(self, key: Key, leaf: Criterion, known: GivenMark) -> GivenMark:
        mark, is_read = self._mark(key, "agency_mark", leaf)
        reason = self._words(self.scored, key, "agency_reason")
        evidence = self._words(self.scored, key, "agency_evidence")
        if is_read:
            opinion = self.scored.cell(key, "opinion")
            mark = self._found(key, leaf, known.self_mark, mark, reason)
            if mark is None and (opinion is None or known.mark is None):
                self._check_blank(key, "agency_mark", known.mark, is_said=bool(reason or evidence))
        return replace(
            known,
            mark=mark,
            explanation=reason,
            evidence=evidence,
            request=self._words(self.scored, key, "request"),
        )

    def _found(
        self, key: Key, leaf: Criterion, own: Mark | None, mark: Mark | None, reason: str | None
    ) -> Mark | None:
        """Return what the agency found: the commune's own score where it agrees without another."""
        agree, other = opinion_words()
        word = self._words(self.scored, key, "opinion")
        if word is not None and folded(word) not in (folded(agree), folded(other)):
            self._unknown(self.scored, key, "opinion", word, (agree, other))
            return mark
        agrees = word is not None and folded(word) == folded(agree)
        if agrees and own is None:
            self.scored.note(key, "opinion", say("workbook.problem.nothing_to_agree"))
            return mark
        if mark is None:
            if word is not None and not agrees:
                self.scored.note(key, "agency_mark", say("workbook.problem.no_other_mark"))
            return own if agrees else None
        is_same = is_same_worth(leaf, own, mark, self.criteria.step)
        if word is not None and agrees != is_same:
            code = "agrees_with_other" if agrees else "overrules_with_same"
            self.scored.note(key, "opinion", say(f"workbook.problem.{code}"))
        elif own is not None and not is_same and reason is None:
            self.scored.note(key, "agency_reason", say("workbook.problem.reason_missing"))
        return mark
