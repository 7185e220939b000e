"""Why a workbook is not opened: one exception for each fact, with its sentence in the catalogue."""

from typing import Any

from config.messages import say


class WorkbookRefused(Exception):
    """A workbook is not opened; `str` says why and what to do."""

    def __init__(self, **facts: Any) -> None:
        super().__init__(say(f"workbook.refused.{type(self).__name__}", **facts))


class FileNotRead(WorkbookRefused):
    """There is no such file, or it may not be read."""


class NotAFile(WorkbookRefused):
    """The path is a folder, a device, a pipe."""


class WorkbookTooBig(WorkbookRefused):
    """The file is larger than any table of scores."""


class NotAWorkbook(WorkbookRefused):
    """The file is no workbook of Excel, whatever it is called."""


class OldWorkbook(WorkbookRefused):
    """A workbook of Excel before 2007 (.xls), which may hold macros anywhere."""


class BinaryWorkbook(WorkbookRefused):
    """A binary workbook (.xlsb)."""


class StrictWorkbook(WorkbookRefused):
    """A workbook saved as "Strict Open XML", which openpyxl reads as empty."""


class EncryptedWorkbook(WorkbookRefused):
    """A workbook that opens with a password only."""


class MacroWorkbook(WorkbookRefused):
    """A workbook with macros."""


class ExternalContent(WorkbookRefused):
    """A workbook that draws on other files, connections or programs (DDE)."""


class EmbeddedContent(WorkbookRefused):
    """A workbook with files or controls embedded in it."""


class TooManyParts(WorkbookRefused):
    """A zip of more parts than a workbook has."""


class TooMuchInside(WorkbookRefused):
    """A zip that holds far more than it weighs."""


class PackedTooTight(WorkbookRefused):
    """A part that is packed as tightly as only a zip bomb is."""


class EntitiesInside(WorkbookRefused):
    """A part that declares a document type, the place for entities that explode."""


class TooManyCells(WorkbookRefused):
    """A workbook with more cells, or larger merged areas, than any table of scores."""


class BrokenWorkbook(WorkbookRefused):
    """A workbook that Excel would have to repair."""
