"""Workbooks for Excel: text that stays text, real dates in city time, ready to be printed on A4."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.writer.excel import ExcelWriter

from config.messages import say
from documents.cell_texts import LONGEST_TEXT
from rules.calendar import CITY

DATE_FORMAT = "dd/mm/yyyy hh:mm"
A4 = 9
LONGEST_HEADER = 120  # characters at the head of a page: Excel takes 255, and `&` counts twice
EARLIEST = (1980, 1, 1, 0, 0, 0)  # that a zip can say

# What Excel, or whatever a sheet is saved as, might read as a formula.
ARMED = ("=", "+", "-", "@", "\t", "\r")

Cell = str | int | datetime | None


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, and its width in characters."""

    heading: str
    width: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet: a row of headings that stays in sight, and rows of texts, numbers and instants."""

    title: str
    columns: tuple[Column, ...]
    rows: Iterable[Sequence[Cell]]


def workbook(sheets: Iterable[Sheet], *, title: str, made_at: datetime) -> bytes:
    """Return an Excel file of these sheets; the same rows give the same cells."""
    book = Workbook(write_only=True)
    book.properties.title, book.properties.creator = title, ""
    book.properties.created = _in_city(made_at)
    for sheet in sheets:
        _write(book.create_sheet(sheet.title), sheet, title)
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def _write(page: Any, sheet: Sheet, title: str) -> None:
    dress(page, [column.width for column in sheet.columns], title)
    styles = _Styles()
    page.append([styles.heading(page, column.heading) for column in sheet.columns])
    for row in sheet.rows:
        page.append([styles.cell(page, value) for value in row])


def dress(page: Any, widths: Sequence[int], title: str) -> None:
    """Make a sheet ready to be read and printed: its first row stays in sight and on every page."""
    page.freeze_panes = "A2"
    page.print_title_rows = "1:1"
    page.page_setup.orientation = "landscape"
    page.page_setup.paperSize = A4
    page.page_setup.fitToWidth, page.page_setup.fitToHeight = 1, 0
    page.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    page.oddHeader.left.text = title[:LONGEST_HEADER].replace("&", "&&")
    page.oddFooter.center.text = say("sheet.page")
    for number, width in enumerate(widths, start=1):
        page.column_dimensions[get_column_letter(number)].width = width


def fixed_bytes(book: Workbook) -> bytes:
    """Return the file of a workbook; the same content gives the same bytes, whenever it is written."""
    at = datetime(*EARLIEST, tzinfo=CITY).replace(tzinfo=None)
    book.properties.created = book.properties.modified = at
    loose = BytesIO()
    # Not `save`: it writes down when it was called.
    ExcelWriter(book, ZipFile(loose, "w")).save()
    file = BytesIO()
    with ZipFile(loose) as parts, ZipFile(file, "w") as packed:
        for name in parts.namelist():
            packed.writestr(ZipInfo(name, EARLIEST), parts.read(name), ZIP_DEFLATED)
    return file.getvalue()


class _Styles:
    """The looks that cells share."""

    def __init__(self) -> None:
        self._wrapped = Alignment(horizontal="left", vertical="top", wrap_text=True)
        self._centred = Alignment(horizontal="center", vertical="center", wrap_text=True)
        self._bold = Font(bold=True)
        self._filled = PatternFill("solid", fgColor="DDE6F0")

    def heading(self, page: Any, text: str) -> Any:
        cell = self.cell(page, text)
        cell.alignment, cell.font, cell.fill = self._centred, self._bold, self._filled
        return cell

    def cell(self, page: Any, value: Cell) -> Any:
        if isinstance(value, str):
            cell = text_cell(page, value)
        elif isinstance(value, datetime):
            cell = WriteOnlyCell(page, _in_city(value))
            cell.number_format = DATE_FORMAT
        else:
            cell = WriteOnlyCell(page, value)
        cell.alignment = self._wrapped
        return cell


def text_cell(page: Any, text: str) -> Any:
    """Return a cell that holds a text and never a formula.

    It is stored as a string whatever it begins with. What could be a formula is also marked as Excel
    marks a text typed after an apostrophe (`quotePrefix`), so that it stays one when it is edited.
    """
    cell = WriteOnlyCell(page, ILLEGAL_CHARACTERS_RE.sub(" ", text)[:LONGEST_TEXT])
    cell.data_type = "s"
    if text.startswith(ARMED):
        cell.quotePrefix = True
    return cell


def _in_city(at: datetime) -> datetime:
    """Return an instant as the city's clocks show it; Excel knows no zones."""
    return at.astimezone(CITY).replace(tzinfo=None, microsecond=0)
