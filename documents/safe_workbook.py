"""Workbooks that others send: looked into before they are opened, refused for what no table needs."""

import re
import stat
import struct
import warnings
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import Cell

from documents.workbook_refusals import (
    BinaryWorkbook,
    BrokenWorkbook,
    EmbeddedContent,
    EncryptedWorkbook,
    ExternalContent,
    FileNotRead,
    MacroWorkbook,
    NotAFile,
    NotAWorkbook,
    OldWorkbook,
    PackedTooTight,
    StrictWorkbook,
    TooManyParts,
    TooMuchInside,
    WorkbookTooBig,
)
from documents.workbook_xml import Budget, XmlBroken, check_xml

MEGABYTE = 1024 * 1024
MOST_BYTES = 20 * MEGABYTE
MOST_PARTS = 500
MOST_INSIDE = 200 * MEGABYTE
# A table packs to a tenth, one of empty cells to a hundredth; a bomb to a thousandth.
MOST_RATIO = 200
RATIO_FROM = MEGABYTE
CHUNK = 64 * 1024

ZIP = b"PK\x03\x04"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
IS_ENCRYPTED = 0x1

# What a damaged or contrived zip is met with.
UNREADABLE = (BadZipFile, XmlBroken, zlib.error, struct.error, EOFError, OSError, ValueError, RuntimeError)

CONTENT_TYPES = "[Content_Types].xml"
SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
BINARY = "application/vnd.ms-excel.sheet.binary.macroenabled.main"
MAIN = re.compile(r"\.main(\+xml)?$")
MACROS = ("macroenabled", "vbaproject", "vbadata", "macrosheet", "office.vba", "dialogsheet")
EMBEDDED = ("oleobject", "activex", "controlproperties")

# Parts by the beginning of their names, in small letters.
MACRO_PARTS = ("xl/vba", "xl/macrosheets/", "xl/dialogsheets/", "customui/", "usercustomization/")
EXTERNAL_PARTS = ("xl/externallinks/", "xl/connections", "xl/querytables/", "xl/webextensions/", "xl/model/")
EMBEDDED_PARTS = ("xl/embeddings/", "xl/activex/", "xl/ctrlprops/")
# Parts that nothing here reads: settings of printers, pictures, and the drawings of notes, which Excel
# writes as XML that is not well formed.
OPAQUE = re.compile(
    r"xl/printersettings/[^/]+\.bin|(?:[^/]+/)*[^/]+\.(?:png|jpe?g|gif|bmp|tiff?|emf|wmf|svg|wdp|vml)"
)


def open_workbook(path: Path) -> Workbook:
    """Return the workbook of a file; formulas stay texts of formulas, nothing is computed.

    Before anything reads it as a workbook, each part is inflated under a count of its real bytes and
    read as XML without entities. Raises a WorkbookRefused, each for its own fact.
    """
    content = _read(path)
    check_workbook(content)
    try:
        with warnings.catch_warnings():
            # Parts of newer versions that openpyxl leaves out are of no concern here.
            warnings.simplefilter("ignore")
            return load_workbook(BytesIO(content), keep_links=False)
    except Exception as error:
        # Whatever a reader of somebody else's file stumbles over, the file is what is wrong.
        raise BrokenWorkbook from error


def check_workbook(content: bytes) -> None:
    """Return where content is a workbook without anything that acts, links or explodes.

    Raises a WorkbookRefused.
    """
    if len(content) > MOST_BYTES:
        raise WorkbookTooBig(most=MOST_BYTES // MEGABYTE)
    if content.startswith(OLE):
        raise EncryptedWorkbook if ENCRYPTED_PACKAGE in content else OldWorkbook
    if not content.startswith(ZIP):
        raise NotAWorkbook
    try:
        with ZipFile(BytesIO(content)) as archive:
            _check_archive(archive)
    except UNREADABLE as error:
        raise BrokenWorkbook from error


def filled_rows(sheet: object) -> dict[int, dict[int, Cell]]:
    """Return the cells that hold something, by row and column, wherever the sheet claims to end."""
    rows: dict[int, dict[int, Cell]] = {}
    # Asking for the rows of a sheet makes all cells up to its last one.
    cells: dict[tuple[int, int], Cell] = getattr(sheet, "_cells", {})
    for (row, column), cell in sorted(cells.items()):
        if cell.value is not None:
            rows.setdefault(row, {})[column] = cell
    return rows


def _read(path: Path) -> bytes:
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise NotAFile(name=str(path))
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except (OSError, ValueError):
        raise FileNotRead(name=str(path)) from None


def _check_archive(archive: ZipFile) -> None:
    parts = archive.infolist()
    if len(parts) > MOST_PARTS:
        raise TooManyParts(most=MOST_PARTS)
    names = [part.filename.lower() for part in parts]
    if len(set(names)) < len(names) or any(_is_outside(name) for name in names):
        raise BrokenWorkbook
    if any(part.flag_bits & IS_ENCRYPTED for part in parts):
        raise EncryptedWorkbook
    if any(part.compress_type not in (ZIP_STORED, ZIP_DEFLATED) for part in parts):
        raise BrokenWorkbook
    for name in names:
        _check_name(name)
    if CONTENT_TYPES not in archive.namelist():
        raise NotAWorkbook
    budget = Budget()
    inside = 0
    for part in sorted(parts, key=lambda part: part.filename != CONTENT_TYPES):
        if part.is_dir():
            continue
        inside = _check_part(archive, part, inside, budget)
        if part.filename == CONTENT_TYPES:
            _check_types(budget.content_types)
    if budget.is_strict:
        raise StrictWorkbook


def _is_outside(name: str) -> bool:
    return name.startswith("/") or "\\" in name or ".." in name.split("/")


def _check_name(name: str) -> None:
    if name.startswith(MACRO_PARTS):
        raise MacroWorkbook
    if name.startswith(EXTERNAL_PARTS):
        raise ExternalContent
    if name.startswith(EMBEDDED_PARTS):
        raise EmbeddedContent
    if name.endswith(".bin") and not OPAQUE.fullmatch(name):
        raise BinaryWorkbook if name == "xl/workbook.bin" else EmbeddedContent


def _check_types(types: list[str]) -> None:
    """The one main part is a plain workbook; templates, add-ins and whatever carries macros are none."""
    if BINARY in types:
        raise BinaryWorkbook
    if any(word in each for each in types for word in MACROS):
        raise MacroWorkbook
    if any(word in each for each in types for word in EMBEDDED):
        raise EmbeddedContent
    if [each for each in types if MAIN.search(each)] != [SPREADSHEET]:
        raise NotAWorkbook


def _check_part(archive: ZipFile, part: ZipInfo, before: int, budget: Budget) -> int:
    """Return how many bytes were inflated up to the end of this part."""
    is_opaque = bool(OPAQUE.fullmatch(part.filename.lower()))
    chunks = _inflated(archive, part, before)
    if not is_opaque:
        return before + check_xml(part.filename, chunks, budget)
    return before + sum(len(chunk) for chunk in chunks)


def _inflated(archive: ZipFile, part: ZipInfo, before: int) -> Iterator[bytes]:
    """Yield the real bytes of a part; what its header says of their number is not believed."""
    size = 0
    with archive.open(part) as stream:
        while chunk := stream.read(CHUNK):
            size += len(chunk)
            if before + size > MOST_INSIDE:
                raise TooMuchInside(most=MOST_INSIDE // MEGABYTE)
            if size > RATIO_FROM and size > MOST_RATIO * max(part.compress_size, 1):
                raise PackedTooTight
            yield chunk
