"""The parts of a workbook read as XML, before anything believes them: no entities, no links, no giants."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from documents.workbook_refusals import EmbeddedContent, EntitiesInside, ExternalContent, TooManyCells

MOST_CELLS = 600_000
MOST_ROWS = 200_000  # that are written down, filled or not
MOST_ELEMENTS = 5_000_000  # of sheets and their texts
MOST_OTHERS = 300_000  # of styles and whatever else is read whole
MOST_AREA = 200_000  # cells of merged areas and links, all together
DEEPEST = 100

STRICT = "http://purl.oclc.org/ooxml/"
ADDRESS = re.compile(r"\$?([A-Z]{1,3})\$?([0-9]{1,7})")
QUOTED = re.compile(r'"[^"]*"')
# Elements whose `ref` openpyxl fills cell by cell.
SPREAD = frozenset({"mergeCell", "hyperlink", "comment", "threadedComment"})
FORMULAS = frozenset({"f", "definedName", "formula", "formula1", "formula2"})
LINKS = frozenset({"ddeLink", "oleLink", "externalBook", "externalReference"})
EMBEDDED = frozenset({"oleObject", "control"})


class XmlBroken(Exception):
    """A part is no XML."""


@dataclass(slots=True)
class Budget:
    """What the parts of one workbook have used up, and what was seen in them."""

    cells: int = 0
    rows: int = 0
    elements: int = 0
    area: int = 0
    is_strict: bool = False
    content_types: list[str] = field(default_factory=list)


def check_xml(name: str, chunks: Iterable[bytes], budget: Budget) -> int:
    """Read a part as XML and return how many bytes it had.

    Raises XmlBroken, EntitiesInside, ExternalContent, EmbeddedContent, TooManyCells.
    """
    reading = _Reading(name, budget)
    parser = expat.ParserCreate(namespace_separator="\x20")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = reading.doctype
    parser.EntityDeclHandler = reading.doctype
    parser.StartElementHandler = reading.start
    parser.EndElementHandler = reading.end
    parser.CharacterDataHandler = reading.text
    size = 0
    try:
        for chunk in chunks:
            size += len(chunk)
            parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise XmlBroken(name) from error
    return size


class _Reading:
    """One part under way."""

    def __init__(self, name: str, budget: Budget) -> None:
        self._is_relations = name.lower().endswith(".rels")
        self._is_types = name == "[Content_Types].xml"
        self._is_table = name.startswith(("xl/worksheets/", "xl/sharedStrings"))
        self._others = 0
        self._budget = budget
        self._depth = 0
        self._formula: list[str] | None = None

    def doctype(self, *_: object) -> None:
        """Refuse what declares a document type or an entity."""
        raise EntitiesInside

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Count an element, and look at what it says."""
        space, _, tag = name.rpartition(" ")
        budget = self._budget
        budget.elements += 1
        self._depth += 1
        if self._depth > DEEPEST:
            raise XmlBroken
        if tag == "c":
            budget.cells += 1
        elif tag == "row":
            budget.rows += 1
        if budget.cells > MOST_CELLS or budget.rows > MOST_ROWS or budget.elements > MOST_ELEMENTS:
            raise TooManyCells
        if not self._is_table:
            self._others += 1
            if self._others > MOST_OTHERS:
                raise TooManyCells
        self._look(space, tag, attributes)

    def _look(self, space: str, tag: str, attributes: Mapping[str, str]) -> None:
        if tag in SPREAD and "ref" in attributes:
            self._budget.area += _area(attributes["ref"])
            if self._budget.area > MOST_AREA:
                raise TooManyCells
        elif tag in FORMULAS:
            self._formula = []
        elif tag in LINKS:
            raise ExternalContent
        elif tag in EMBEDDED:
            raise EmbeddedContent
        elif tag == "workbook" and space.startswith(STRICT):
            self._budget.is_strict = True
        elif self._is_relations and tag == "Relationship":
            _check_relation(attributes)
        elif self._is_types and tag in ("Override", "Default"):
            self._budget.content_types.append(attributes.get("ContentType", "").lower())

    def text(self, text: str) -> None:
        """Keep the text of a formula."""
        if self._formula is not None:
            self._formula.append(text)

    def end(self, _: str) -> None:
        """Look at a formula that is complete: what calls another program has a bar in it."""
        self._depth -= 1
        if self._formula is None:
            return
        if "|" in QUOTED.sub("", "".join(self._formula)):
            raise ExternalContent
        self._formula = None


def _check_relation(attributes: Mapping[str, str]) -> None:
    """A link in a cell may lead outside; nobody follows it. Whatever is loaded by itself may not."""
    kind = attributes.get("Type", "").lower()
    if kind.endswith(("/oleobject", "/package", "/control", "/activexcontrolbinary")):
        raise EmbeddedContent
    if attributes.get("TargetMode", "").lower() == "external" and not kind.endswith("/hyperlink"):
        raise ExternalContent


def _area(ref: str) -> int:
    """Return how many cells an area has; what is no address counts as too many."""
    first, _, last = ref.partition(":")
    corners = [ADDRESS.fullmatch(each) for each in (first, last or first)]
    if None in corners:
        return MOST_AREA + 1
    (left, top), (right, bottom) = [(_column(each[1]), int(each[2])) for each in corners if each]
    return (abs(right - left) + 1) * (abs(bottom - top) + 1)


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number
