"""YAML as plain data that remembers the line of every key and entry."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import yaml
from yaml.reader import ReaderError

from config.messages import say

Path = tuple[str | int, ...]
WHOLE_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)")
# The parser written in C reads a file of 3,321 communes in a tenth of the time.
FAST = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
TRUE = {"true", "yes", "on"}


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in a file: `str` of it is `file:line: what is wrong`."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


class FileInvalid(Exception):
    """A file cannot be used; `problems` says all that is wrong with it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.file, problem.line)))
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(frozen=True, slots=True)
class Located:
    """A document read from a file: `data` is plain, `lines` gives the line of each path."""

    file: str
    data: Any
    lines: dict[Path, int]

    def line(self, path: Path) -> int:
        """Return the line of a path, or of the nearest thing that encloses it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def problem(self, path: Path, message: str, /, **facts: Any) -> Problem:
        """Return what is wrong at a path, in the words of the catalogue."""
        return Problem(self.file, self.line(path), say(message, **facts))


def read_located(file: str, text: str) -> Located:
    """Read a YAML text; strings come in NFC, days and hours as they were written.

    A number is one only when it is written plainly: `03386` keeps its zero and `17:00` its colon.
    Raises FileInvalid for what is not YAML, for a key that stands twice, for an empty file, and for
    anchors and aliases: a value that stands elsewhere has no line of its own to point at.
    """
    try:
        node = _composed(file, text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise FileInvalid([Problem(file, line, say("file.not_yaml"))]) from None
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise FileInvalid([Problem(file, line, say("file.not_yaml"))]) from None
    except RecursionError:
        raise FileInvalid([Problem(file, 1, say("file.not_yaml"))]) from None
    if node is None:
        raise FileInvalid([Problem(file, 1, say("file.empty"))])
    reading = _Reading(file)
    data = reading.plain(node, ())
    if reading.problems:
        raise FileInvalid(reading.problems)
    return Located(file, data, reading.lines)


def _composed(file: str, text: str) -> yaml.Node | None:
    """Return the root of a YAML text; raises FileInvalid at the first anchor or alias."""
    try:
        return _composed_by(FAST, file, text)
    except yaml.YAMLError:
        # The fast parser says that something is wrong, the other one on which line.
        return _composed_by(yaml.SafeLoader, file, text)


def _composed_by(loader: Any, file: str, text: str) -> yaml.Node | None:
    for event in yaml.parse(text, Loader=loader):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise FileInvalid([Problem(file, line, say("file.alias"))])
    return yaml.compose(text, Loader=loader)


class _Reading:
    """One document under way, with the line of each path and the keys that stand twice."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[Path, int] = {}
        self.problems: list[Problem] = []

    def plain(self, node: yaml.Node, path: Path) -> Any:
        """Return a node as plain data and note the lines of what it holds."""
        self.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.plain(child, (*path, n)) for n, child in enumerate(node.value)]
        return _scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                line = key_node.start_mark.line + 1
                self.problems.append(Problem(self.file, line, say("file.not_yaml")))
                continue
            key = unicodedata.normalize("NFC", str(key_node.value))
            line = key_node.start_mark.line + 1
            if key in found:
                self.problems.append(Problem(self.file, line, say("file.key_twice", key=key)))
                continue
            self.lines[(*path, key)] = line
            found[key] = self.plain(value_node, (*path, key))
        return found


def _scalar(node: yaml.Node) -> Any:
    value = unicodedata.normalize("NFC", str(node.value))
    match node.tag.rpartition(":")[2]:
        case "null":
            return None
        case "bool":
            return value.lower() in TRUE
        case "int" if WHOLE_NUMBER.fullmatch(value):
            return int(value)
    return value
