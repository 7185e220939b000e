"""Dossiers (hồ sơ): the parts they are made of, what is missing, and which files are taken."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

MEGABYTE = 1024 * 1024

# What one file may weigh. Scans of 200 dpi in colour (Nghị định 30/2020/NĐ-CP) stay far below.
MOST_BYTES = 30 * MEGABYTE


class DossierPart(StrEnum):
    """A part of a dossier (thành phần hồ sơ)."""

    COUNCIL_DECISION = "council_decision"  # quyết định thành lập Hội đồng
    SCORES = "scores"  # bảng tự chấm điểm
    EVIDENCE = "evidence"  # tài liệu kiểm chứng
    REPORT = "report"
    SUBMISSION = "submission"  # tờ trình
    MINUTES = "minutes"
    LISTS = "lists"  # danh sách đề nghị, danh sách chưa đề nghị
    REGISTRATION = "registration"  # bản đăng ký
    OPINIONS = "opinions"  # tổng hợp, tiếp thu, giải trình ý kiến
    OTHER = "other"


# Who does not propose anybody still reports with his score sheet (Quyết định 25/2021/QĐ-TTg).
OWED_WITHOUT_PROPOSAL = frozenset({DossierPart.SCORES, DossierPart.REPORT})

# Told by what the program knows itself, not by a file.
KEPT_AS_DATA = frozenset({DossierPart.SCORES, DossierPart.LISTS})


@dataclass(frozen=True, slots=True)
class WantedPart:
    """A part that a campaign asks for, by its name on paper; `part` None where the name says it all."""

    title: str
    part: DossierPart | None = None


@dataclass(frozen=True, slots=True)
class Content:
    """What a dossier holds: parts with a file or noted as paper, and how far scores and lists are filled.

    `scores_missing` counts leaves without a self-score over the groups that need them;
    `groups_unlisted` groups neither proposed nor left off with a reason.
    """

    parts: frozenset[DossierPart] = frozenset()
    groups: int = 0
    scores_given: int = 0
    scores_missing: int = 0
    groups_unlisted: int = 0


@dataclass(frozen=True, slots=True)
class Missing:
    """A part that is not there, or not whole: how much of it is missing where that can be counted."""

    part: WantedPart
    count: int | None = None


def missing_parts(
    wanted: Iterable[WantedPart], content: Content, *, is_not_proposing: bool = False
) -> tuple[Missing, ...]:
    """Return what a dossier still lacks, in the order in which the campaign asks for it.

    A part that the campaign names in words only cannot be checked and is never said to be missing.
    """
    lacking = []
    for each in wanted:
        if each.part is None or (is_not_proposing and each.part not in OWED_WITHOUT_PROPOSAL):
            continue
        if each.part is DossierPart.SCORES and not content.groups:
            continue
        count = _how_many(each.part, content)
        if count is None and each.part in content.parts:
            continue
        if count == 0:
            continue
        lacking.append(Missing(each, count))
    return tuple(lacking)


def _how_many(part: DossierPart, content: Content) -> int | None:
    """Return how much of a part is missing; None where it is either there or not."""
    if part is DossierPart.SCORES:
        return content.scores_missing
    if part is DossierPart.LISTS:
        return content.groups_unlisted
    return None


class MediaType(StrEnum):
    """A kind of file that is taken, told by what is in it."""

    PDF = "pdf"
    JPEG = "jpeg"
    PNG = "png"
    DOCX = "docx"
    XLSX = "xlsx"


# The endings under which each may come; what is in the file must agree with its ending.
ENDINGS: dict[str, MediaType] = {
    "pdf": MediaType.PDF,
    "jpg": MediaType.JPEG,
    "jpeg": MediaType.JPEG,
    "png": MediaType.PNG,
    "docx": MediaType.DOCX,
    "xlsx": MediaType.XLSX,
}


class FileProblem(StrEnum):
    """Why a file is not taken."""

    EMPTY = "empty"
    TOO_BIG = "too_big"
    UNKNOWN_ENDING = "unknown_ending"
    NOT_WHAT_IT_SAYS = "not_what_it_says"
    MACROS = "macros"


def problem_of_file(name: str, size: int, seen: MediaType | None) -> FileProblem | None:
    """Return why a file of this name, size and content (as far as it was recognised) is not taken."""
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    if size == 0:
        return FileProblem.EMPTY
    if size > MOST_BYTES:
        return FileProblem.TOO_BIG
    if ending in ("docm", "xlsm", "xlsb", "dotm"):
        return FileProblem.MACROS
    if ending not in ENDINGS:
        return FileProblem.UNKNOWN_ENDING
    if seen is not ENDINGS[ending]:
        return FileProblem.NOT_WHAT_IT_SAYS
    return None


def plain_name(name: str) -> str:
    """Return a file's name as it is kept and shown: composed letters, on one line, no marks that hide.

    The same name typed on another system is the same name; bytes that are no text become `?`.
    """
    readable = unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode())
    return "".join(letter for letter in readable if letter.isprintable()).strip()


def listed(parts: Sequence[str | WantedPart]) -> tuple[WantedPart, ...]:
    """Return parts named in words or by their kind, all as wanted parts."""
    return tuple(WantedPart(each) if isinstance(each, str) else each for each in parts)
