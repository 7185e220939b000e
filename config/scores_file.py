"""A table of scores (CSV): a row for each subject, a column for each leaf; every mistake with its line."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path

from config.located import FileInvalid, Problem
from config.mark_texts import NOTHING, plain_number, read_mark
from config.messages import say
from config.score_words import bad_mark_words
from rules.criteria import CriteriaSet, Criterion, LeafKind, Mark, TotalMinByClass, Vetoes, folded
from rules.scoring import RECKONED, BadMark, Sheet, judge

# Columns that are no leaf, by every name they go by.
SUBJECT = ("subject", "đối tượng", "đơn vị", "tổ dân phố")
CLASS = ("class", "loại", "loại địa bàn")
VOTES = ("votes_pct", "tỷ lệ tán thành")
QUORUM = ("quorum_pct", "tỷ lệ dự họp")
VETOES = ("vetoes", "loại trừ")
CHILDREN = ("children_pct", "tỷ lệ đơn vị trực thuộc")

# The line by which Excel says what stands between the cells of a file it wrote.
SEPARATOR = re.compile(r"\s*\"?sep=(?P<between>[,;\t])\"?[ \t]*(?=[\r\n])", re.IGNORECASE)


def read_scores(path: Path, criteria: CriteriaSet) -> list[Sheet]:
    """Return the sheets of a table in its order; raises FileInvalid with every mistake."""
    rows = _rows(path)
    if not rows:
        raise FileInvalid([Problem(str(path), 1, say("scores.empty"))])
    table = _Table(str(path), criteria, *rows[0])
    if table.problems:
        raise FileInvalid(table.problems)
    sheets = [table.sheet(line, cells) for line, cells in rows[1:]]
    if not sheets:
        table.problems.append(Problem(str(path), 1, say("scores.no_rows")))
    if table.problems:
        raise FileInvalid(table.problems)
    return sheets


def _rows(path: Path) -> list[tuple[int, list[str]]]:
    """Return the rows that are not blank with their line; comma, semicolon or tab between cells."""
    name = str(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileInvalid([Problem(name, 1, say("file.not_utf8"))]) from None
    except (OSError, ValueError):
        raise FileInvalid([Problem(name, 1, say("file.not_found", name=name))]) from None
    text = unicodedata.normalize("NFC", text)
    if "\0" in text:
        raise FileInvalid([Problem(name, 1, say("file.not_utf8"))])
    said = SEPARATOR.match(text)
    # Only the line's words go: the lines below keep their numbers.
    text = text if said is None else text.replace(said[0].strip(), "", 1)
    head = next((line for line in re.split(r"[\r\n]", text) if line.strip()), "")
    between = max(",;\t", key=head.count) if said is None else said["between"]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=between, strict=True, skipinitialspace=True)
    rows = []
    try:
        before = 0
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((before + 1, cells))
            before = reader.line_num
    except csv.Error:
        raise FileInvalid([Problem(name, reader.line_num, say("scores.not_csv"))]) from None
    return rows


class _Table:
    """A table under way: which column is what, and what was wrong so far."""

    def __init__(self, file: str, criteria: CriteriaSet, line: int, header: Sequence[str]) -> None:
        self.file, self.criteria = file, criteria
        self.problems: list[Problem] = []
        self.leaves = {leaf.code: leaf for leaf in criteria.leaves()}
        self.parts = {
            part.code: part
            for leaf in criteria.leaves()
            if leaf.kind is LeafKind.COMPOUND
            for child in leaf.children
            for part in child.leaves()
        }
        self.columns: dict[str, int] = {}
        self.names: dict[int, str] = {}
        self.subjects: dict[str, int] = {}
        self._read_header(line, [cell.strip() for cell in header])

    def _read_header(self, line: int, header: Sequence[str]) -> None:
        fixed = {
            name: key
            for key, names in {
                "subject": SUBJECT,
                "class": CLASS,
                "votes": VOTES,
                "quorum": QUORUM,
                "vetoes": VETOES,
                "children": CHILDREN,
            }.items()
            for name in names
        }
        codes = {**self.leaves, **self.parts}
        for place, name in enumerate(header):
            # `i` is criterion I where no other code is written so.
            alike = (
                [name] if name in codes else [each for each in codes if each.casefold() == name.casefold()]
            )
            key = fixed.get(name.casefold()) or (alike[0] if len(alike) == 1 else None)
            if not name:
                continue
            if key is None:
                known = ", ".join([*self.leaves, *self.parts])
                self._problem(line, "scores.unknown_column", name=name, known=known)
            elif key in self.columns:
                self._problem(line, "scores.column_twice", name=name)
            else:
                self.columns[key], self.names[place] = place, name
        if "subject" not in self.columns:
            self._problem(line, "scores.no_subject")
        if not any(key in self.columns for key in (*self.leaves, *self.parts)):
            self._problem(line, "scores.no_leaf", known=", ".join(self.leaves))

    def sheet(self, line: int, cells: Sequence[str]) -> Sheet:
        """Return the sheet of a row; what is wrong with it is kept for all rows together."""
        stray = [place for place, cell in enumerate(cells) if cell.strip() and place not in self.names]
        if stray:
            # Above some cell there is no name, or there is no such column at all.
            is_between = stray[0] < max(self.names)
            self._problem(line, "scores.cell_without_name" if is_between else "scores.too_many_cells")
        said = {
            key: cells[place].strip() if place < len(cells) else "" for key, place in self.columns.items()
        }
        subject = said["subject"]
        if not subject:
            self._problem(line, "scores.nobody")
        elif subject in self.subjects:
            self._problem(line, "scores.subject_twice", name=subject, first=self.subjects[subject])
        self.subjects.setdefault(subject, line)
        return Sheet(
            subject=subject,
            class_=self._class(line, said.get("class", "")),
            marks=dict(self._marks(line, said)),
            votes_percent=self._percent(line, "votes", said),
            quorum_percent=self._percent(line, "quorum", said),
            vetoes=self._vetoes(line, said.get("vetoes", "")),
            children_percent=self._percent(line, "children", said),
        )

    def _problem(self, line: int, code: str, **facts: object) -> None:
        self.problems.append(Problem(self.file, line, say(code, **facts)))

    def _marks(self, line: int, said: Mapping[str, str]) -> Iterator[tuple[str, Mark]]:
        for code, leaf in self.leaves.items():
            mark = self._mark(line, leaf, said.get(code, ""))
            if leaf.kind is LeafKind.COMPOUND:
                mark = self._with_parts(line, leaf, mark, self._compound(line, leaf, said))
            if mark is not None:
                yield code, mark

    def _with_parts(self, line: int, leaf: Criterion, whole: Mark | None, parts: Mark | None) -> Mark | None:
        """Return what is said of a compound itself or of its parts, which must not speak against it."""
        if whole is None or parts is None:
            return whole or parts
        if whole.is_met is not parts.is_met:
            self._problem(line, "scores.parts_say_otherwise", column=leaf.code)
        return whole

    def _compound(self, line: int, leaf: Criterion, said: Mapping[str, str]) -> Mark | None:
        """Return whether all parts are met; None while one that could still fail it is not known."""
        met: list[bool | None] = []
        for child in leaf.children:
            for part in child.leaves():
                mark = self._mark(line, part, said.get(part.code, ""))
                met.append(judge(part, mark).is_met if mark is not None else None)
        if False in met:
            return Mark(is_met=False)
        return None if None in met else Mark(is_met=True)

    def _mark(self, line: int, leaf: Criterion, text: str) -> Mark | None:
        try:
            mark = read_mark(leaf, text)
            judge(leaf, mark, self.criteria.step, RECKONED)
        except BadMark as error:
            what = bad_mark_words(error)
            self._problem(line, "scores.bad_cell", column=leaf.code, got=text[:40], what=what)
            return None
        return mark

    def _class(self, line: int, text: str) -> str | None:
        rules = [rule for rule in self.criteria.rules if isinstance(rule, TotalMinByClass)]
        if not text or not rules:
            return None
        found = rules[0].find(text)
        if found is None:
            known = ", ".join(each.code for each in rules[0].classes)
            self._problem(line, "scores.unknown_class", got=text, known=known)
            return None
        return found.code

    def _percent(self, line: int, key: str, said: Mapping[str, str]) -> Decimal | None:
        text = said.get(key, "")
        if not text:
            return None
        try:
            value = plain_number(text.removesuffix("%"))
        except InvalidOperation:
            value = Decimal(-1)
        if not 0 <= value <= 100:
            self._problem(
                line, "scores.not_a_percentage", column=self.names[self.columns[key]], got=text[:40]
            )
            return None
        return value

    def _vetoes(self, line: int, text: str) -> frozenset[str]:
        rules = [rule for rule in self.criteria.rules if isinstance(rule, Vetoes)]
        known = {each.code for rule in rules for each in rule.known or ()}
        named = {code.strip() for code in text.split(";")} - {""}
        codes = frozenset(code for code in named if code in known or folded(code) not in NOTHING)
        if codes and not rules:
            self._problem(line, "scores.no_vetoes", got=", ".join(sorted(codes)))
        elif codes - known and all(rule.known is not None for rule in rules):
            self._problem(
                line,
                "scores.unknown_veto",
                got=", ".join(sorted(codes - known)),
                known=", ".join(sorted(known)),
            )
        return codes
