"""The outline of a table of criteria: which row stands below which, told by how the codes are written."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from rules.criteria import folded

# How letters follow each other in Vietnamese acts.
LETTERS = "abcdđeghiklmnopqrstuvxy"
ROMAN = re.compile(r"(?=[IVX])(X{0,3})(IX|IV|V?I{0,3})")
DOTTED = re.compile(r"[0-9]+(?:[.][0-9]+)*")
ENDING_IN_LETTER = re.compile(r"(?P<number>[0-9]+(?:[.][0-9]+)*)[.](?P<letter>\w)")
AROUND = " \t\n.,;:)(]["
# `Tiêu chí 1`, `Chỉ tiêu 1.2`: the word says which rows are alike as much as the number.
WORDED = re.compile(
    r"(?P<word>tieu chi|tieu chuan|chi tieu|noi dung|phan|muc|nhom|dieu)\s+(?:so\s+)?(?P<code>\S+)"
)


class Style(StrEnum):
    """How a code is written."""

    ROMAN = "roman"  # I, II
    CAPITAL = "capital"  # A, B
    NUMBER = "number"  # 1, and 1.1 one deeper
    LETTER = "letter"  # a, b, đ
    SMALL_ROMAN = "small_roman"  # i, ii


class CodeNotUnderstood(Exception):
    """A code is written in no way that says where it stands."""


class LevelSkipped(Exception):
    """A row stands deeper than one below the row before it."""


@dataclass(frozen=True, slots=True)
class Numbered:
    """A row's code as it is written, and the style and number of parts that give its depth."""

    code: str
    style: Style
    parts: int = 1
    word: str = ""


def bare(text: str) -> str:
    """Return a code without what stands around it: `1.1.`, `a)` and `(a)` are `1.1`, `a` and `a`."""
    return text.replace(",", ".").strip(AROUND)


def worded(text: str) -> tuple[str, str]:
    """Return the word before a code, folded, and the code: `Tiêu chí 1:` is `tieu chi` and `1`."""
    written = " ".join(text.split())
    found = WORDED.fullmatch(folded(written))
    return ("", bare(text)) if found is None else (found["word"], bare(written.split()[-1]))


class Outline:
    """The rows read so far, from the top to the one before."""

    def __init__(self) -> None:
        self._open: list[Numbered] = []

    def depth(self, code: str, word: str = "") -> int:
        """Return how deep a code stands, 0 at the top, and take it as the row before the next.

        A way of writing that is open already is a sibling of the last row written so; a new one is
        one below. Raises CodeNotUnderstood, and LevelSkipped for `1.2.1` where there was no `1.2`.
        """
        numbered = replace(self._numbered(code), word=word)
        for place, each in enumerate(self._open):
            if (each.style, each.parts, each.word) == (numbered.style, numbered.parts, word):
                del self._open[place:]
                break
        self._check_number(numbered)
        self._open.append(numbered)
        return len(self._open) - 1

    def _check_number(self, numbered: Numbered) -> None:
        if numbered.style is not Style.NUMBER or numbered.parts == 1:
            return
        above = numbered.code.rpartition(".")[0]
        numbers = [each for each in self._open if each.style is Style.NUMBER]
        if numbers and numbers[-1].code != above:
            raise LevelSkipped

    def _numbered(self, code: str) -> Numbered:
        if DOTTED.fullmatch(code):
            return Numbered(code, Style.NUMBER, code.count(".") + 1)
        ending = ENDING_IN_LETTER.fullmatch(code)
        if ending is not None and ending["letter"].lower() in LETTERS:
            self._check_letter(ending["number"])
            return Numbered(code, Style.LETTER)
        if len(code) == 1 and code.lower() in LETTERS:
            return self._single(code)
        if ROMAN.fullmatch(code):
            return Numbered(code, Style.ROMAN)
        if ROMAN.fullmatch(code.upper()):
            return Numbered(code, Style.SMALL_ROMAN)
        raise CodeNotUnderstood

    def _check_letter(self, number: str) -> None:
        numbers = [each.code for each in self._open if each.style is Style.NUMBER]
        if not numbers or numbers[-1] != number:
            raise LevelSkipped

    def _single(self, code: str) -> Numbered:
        """`I` is a letter after `H` and a number of the Romans otherwise."""
        letter, roman = (Style.CAPITAL, Style.ROMAN) if code.isupper() else (Style.LETTER, Style.SMALL_ROMAN)
        follows = any(
            each.style is letter and LETTERS.find(code.lower()) == LETTERS.find(each.code[-1].lower()) + 1
            for each in self._open
        )
        is_roman = ROMAN.fullmatch(code.upper()) and not follows
        return Numbered(code, roman if is_roman else letter)


def unique_codes(codes: Iterable[tuple[str, int]]) -> list[str]:
    """Return a code for each row by its own and its depth; those of the rows above go before where needed.

    Codes that are unique as they stand are kept; `a` below `1` and `a` below `2` become `1.a` and `2.a`.
    """
    rows = list(codes)
    own = [code for code, _ in rows]
    if len(set(own)) == len(own):
        return own
    whole: list[str] = []
    above: list[tuple[str, str]] = []
    for code, depth in rows:
        del above[depth:]
        full = _below(above, code)
        above.append((code, full))
        whole.append(full)
    return whole


def _below(above: list[tuple[str, str]], code: str) -> str:
    if not above:
        return code
    own, full = above[-1]
    # `1.1` below `1` says already what it is below.
    return f"{full}{code.removeprefix(own)}" if code.startswith(f"{own}.") else f"{full}.{code}"
