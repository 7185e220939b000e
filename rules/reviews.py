"""Reviews (thẩm định): whose score counts, who may give it, and what a review still waits for."""

import unicodedata
from dataclasses import dataclass
from enum import StrEnum


class ScoreKind(StrEnum):
    """Whose score it is; the four stand side by side and none is ever overwritten by another."""

    SELF = "self"  # điểm tự chấm
    AGENCY = "agency"  # điểm thẩm định
    CONSOLIDATED = "consolidated"  # điểm tổng hợp: where the standing office departs from the agency
    FINAL = "final"  # điểm chốt: where the meeting departs from what was consolidated


# The first of these that was given is the score that counts. The self-score is none of them: the
# council's appraisal decides (Thông tư 09/2021/TT-BTP, Điều 2).
COUNTS = (ScoreKind.FINAL, ScoreKind.CONSOLIDATED, ScoreKind.AGENCY)

# What a score of each kind departs from, with a reason, when it differs.
DEPARTS_FROM: dict[ScoreKind, tuple[ScoreKind, ...]] = {
    ScoreKind.SELF: (),
    ScoreKind.AGENCY: (ScoreKind.SELF,),
    ScoreKind.CONSOLIDATED: (ScoreKind.AGENCY,),
    ScoreKind.FINAL: (ScoreKind.CONSOLIDATED, ScoreKind.AGENCY),
}


class Standing(StrEnum):
    """What a score says of its leaf; the database counts these."""

    NOT_MET = "not_met"
    MET = "met"
    COUNTED = "counted"  # points, where the leaf is not simply met or not
    LEFT_OUT = "left_out"  # not applicable, out of the total and its maximum


@dataclass(frozen=True, slots=True)
class Assessor:
    """Who gives a score: the units in which he serves, and what he has a part in.

    `groups` are the residential groups he belongs to or has recused himself from, `recused_from`
    the units.
    """

    name: str
    units: frozenset[str]
    groups: frozenset[tuple[str, str]] = frozenset()
    recused_from: frozenset[str] = frozenset()


# The five tone marks of Vietnamese: people write hòa and hoà for the same name.
TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")


def name_key(name: str) -> str:
    """Return what two ways of typing a person's name have in common.

    Case, blanks, composed or decomposed letters and the place of a tone do not make another person;
    another tone does.
    """
    words = unicodedata.normalize("NFD", name.casefold()).split()
    return " ".join(_word_key(word) for word in words)


def _word_key(word: str) -> str:
    bare = "".join(letter for letter in word if letter not in TONES)
    return unicodedata.normalize("NFC", bare) + "".join(sorted(set(word) & TONES))


class Conflict(StrEnum):
    """Why a person may not assess a group."""

    OWN_GROUP = "own_group"
    OWN_UNIT = "own_unit"
    RECUSED = "recused"


def conflict(assessor: Assessor, unit: str, group: str) -> Conflict | None:
    """Return why this person may not assess a group of this unit; None where he may.

    `unit` is the one that owes the dossier. A ward's own officers may assess the groups of a ward
    that runs its own campaign, where each group owes its dossier itself; a person never assesses
    his own group or unit (design.md §6).
    """
    if (unit, group) in assessor.groups:
        return Conflict.OWN_GROUP
    if unit in assessor.units:
        return Conflict.OWN_UNIT
    if unit in assessor.recused_from:
        return Conflict.RECUSED
    return None
