"""Deeds (việc người làm): which of them may be done where a campaign stands, and why not elsewhere."""

from dataclasses import dataclass
from enum import StrEnum

from rules.stages import SideState, Stage


class Deed(StrEnum):
    """What people do to a campaign; each is a command, a verb of a script and a line of the journal."""

    SUBMIT = "submit"
    REVIEW = "review"
    RETURN = "return"
    WAIVE = "waive"
    REQUEST_EXTENSION = "request_extension"
    EXTEND = "extend"
    REFUSE_EXTENSION = "refuse_extension"
    AMEND = "amend"
    SUSPEND = "suspend"
    RESUME = "resume"
    CANCEL = "cancel"
    REGISTER = "register"
    CONCLUDE = "conclude"
    GO_ON = "go_on"
    COMPLAIN = "complain"
    ANSWER = "answer"
    RELEASE = "release"
    HOLD = "hold"
    ANNOTATE = "annotate"
    ACKNOWLEDGE = "acknowledge"
    REPLACE_CONTACT = "replace_contact"
    DEPUTISE = "deputise"
    UPDATE_DIRECTORY = "update_directory"
    ASSESS_SELF = "assess_self"
    PUT_IN = "put_in"
    ASSESS = "assess"
    PROPOSE_COMPLETION = "propose_completion"
    EXPLAIN = "explain"
    RECUSE = "recuse"
    VETO = "veto"
    MEET = "meet"
    SETTLE_SCORES = "settle_scores"
    FREEZE_AGAIN = "freeze_again"


ANY = tuple(Stage)
RUNNING = tuple(stage for stage in Stage if stage is not Stage.CLOSED)
ASKED = (Stage.SELF_ASSESSMENT, Stage.AGENCY_REVIEW, Stage.CONSOLIDATION)

MAY_BE_DONE_IN: dict[Deed, tuple[Stage, ...]] = {
    Deed.SUBMIT: ASKED,
    Deed.REVIEW: (Stage.AGENCY_REVIEW, Stage.CONSOLIDATION),
    Deed.RETURN: ASKED,
    Deed.WAIVE: RUNNING,
    Deed.REQUEST_EXTENSION: RUNNING,
    Deed.EXTEND: RUNNING,
    Deed.REFUSE_EXTENSION: RUNNING,
    Deed.AMEND: RUNNING,
    Deed.SUSPEND: RUNNING,
    Deed.RESUME: RUNNING,
    Deed.CANCEL: RUNNING,
    Deed.REGISTER: ANY,
    Deed.CONCLUDE: (Stage.CONSOLIDATION,),
    # Where the standing office may go on without what others owe, once the deadline has passed.
    Deed.GO_ON: (Stage.SELF_ASSESSMENT, Stage.AGENCY_REVIEW),
    Deed.COMPLAIN: (*ASKED, Stage.DECISION, Stage.CLOSED),
    Deed.ANSWER: ANY,
    Deed.RELEASE: ANY,
    Deed.HOLD: ANY,
    Deed.ANNOTATE: ANY,
    Deed.ACKNOWLEDGE: ANY,
    Deed.REPLACE_CONTACT: ANY,
    Deed.DEPUTISE: ANY,
    Deed.UPDATE_DIRECTORY: ANY,
    Deed.ASSESS_SELF: ASKED,
    Deed.PUT_IN: ASKED,
    Deed.ASSESS: (Stage.AGENCY_REVIEW, Stage.CONSOLIDATION),
    Deed.PROPOSE_COMPLETION: (Stage.AGENCY_REVIEW,),
    # The last agency's score is known only when its review, and with it the stage, is over.
    Deed.EXPLAIN: (Stage.AGENCY_REVIEW, Stage.CONSOLIDATION),
    Deed.RECUSE: RUNNING,
    Deed.VETO: (*ASKED, Stage.DECISION),
    Deed.MEET: (Stage.CONSOLIDATION,),
    # After the list is frozen it may still be wrong; a change then makes a version of its own.
    Deed.SETTLE_SCORES: (Stage.CONSOLIDATION, Stage.DECISION),
    Deed.FREEZE_AGAIN: (Stage.CONSOLIDATION, Stage.DECISION),
}


class Why(StrEnum):
    """Why a deed is refused."""

    WRONG_STAGE = "wrong_stage"
    CANCELLED = "cancelled"
    SUSPENDED_ALREADY = "suspended_already"
    NOT_SUSPENDED = "not_suspended"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a deed may not be done, and in which stages it may."""

    why: Why
    stages: tuple[Stage, ...]


def refusal(deed: Deed, stage: Stage, side_state: SideState | None) -> Refusal | None:
    """Return why a deed may not be done where a campaign stands; None where it may.

    A suspended campaign still takes what people do: what they bring has come, whoever waits. In a
    cancelled one nothing is done any more.
    """
    stages = MAY_BE_DONE_IN[deed]
    if side_state is SideState.CANCELLED:
        return Refusal(Why.CANCELLED, ())
    if stage not in stages:
        return Refusal(Why.WRONG_STAGE, stages)
    if deed is Deed.SUSPEND and side_state is SideState.SUSPENDED:
        return Refusal(Why.SUSPENDED_ALREADY, stages)
    if deed is Deed.RESUME and side_state is None:
        return Refusal(Why.NOT_SUSPENDED, stages)
    return None


def is_too_late(stage: Stage, *, is_late: bool, was_returned: bool) -> bool:
    """Say whether a dossier comes after the reviews: late ones are taken until agency_review is left.

    One that was sent back for completion, or whose term was extended, is not late (design.md §2).
    """
    return stage is Stage.CONSOLIDATION and is_late and not was_returned
