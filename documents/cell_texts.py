"""Texts as cells of a workbook keep them, and as people write them."""

import re
import unicodedata
from decimal import Decimal

LONGEST_TEXT = 32_767  # characters that a cell of Excel holds

# What XML cannot hold.
ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def plain(value: Decimal) -> str:
    """Return a decimal as people write it, with a comma and no power of ten."""
    return format(value, "f").replace(".", ",")


def tidy(text: str | None) -> str | None:
    """Return a text as a cell keeps it: composed letters, one kind of line break, no blanks around it.

    None where nothing is left. What XML cannot hold becomes a blank.
    """
    if text is None:
        return None
    lines = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n")
    return ILLEGAL.sub(" ", lines).strip() or None


def is_too_long(text: str) -> bool:
    """Say whether a cell of Excel cannot hold a text: it counts the halves of UTF-16."""
    return len(escaped(text).encode("utf-16-le")) > 2 * LONGEST_TEXT


def escaped(text: str) -> str:
    """Return a text in which Excel finds no character code: it reads `_x0041_` as the letter A."""
    return re.sub(r"_(?=x[0-9A-Fa-f]{4}_)", "_x005F_", text)


def unescaped(text: str) -> str:
    """Return a text as Excel shows it."""
    return re.sub(r"_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), text)
