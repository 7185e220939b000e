"""Stages (giai đoạn): what each one asks of whom, and what a campaign still waits for in it."""

from dataclasses import dataclass, field
from enum import StrEnum

from rules.work_items import ItemKind


class Stage(StrEnum):
    """Where a campaign is (design.md §2)."""

    PLANNING = "planning"
    TEAM = "team"
    SELF_ASSESSMENT = "self_assessment"
    AGENCY_REVIEW = "agency_review"
    CONSOLIDATION = "consolidation"
    DECISION = "decision"
    CLOSED = "closed"


class SideState(StrEnum):
    """What may lie over a stage: nothing fires while it does."""

    SUSPENDED = "suspended"
    CANCELLED = "cancelled"


class Mode(StrEnum):
    """How the agencies assess: on the spot or on the dossiers."""

    ON_SITE = "on_site"
    DOSSIER = "dossier"


class PaperRole(StrEnum):
    """What a registered paper is in the campaign; one paper may be several things."""

    PLAN = "plan"
    TEAM = "team"
    LAUNCH = "launch"
    AMENDMENT = "amendment"
    URGING = "urging"
    EXTENSION = "extension"
    SUBMISSION = "submission"
    DECISION = "decision"


class PaperChange(StrEnum):
    """What a later paper does to an earlier one; an earlier one is never edited."""

    SUPPLEMENTS = "supplements"
    CORRECTS = "corrects"
    REPLACES = "replaces"
    REVOKES = "revokes"


# An earlier paper that one of these befalls no longer plays its role.
ENDS_THE_EARLIER = frozenset({PaperChange.REPLACES, PaperChange.REVOKES})


class Ower(StrEnum):
    """Which units of a campaign owe an item."""

    STANDING_OFFICE = "standing_office"
    AGENCY = "agency"
    COMMUNE = "commune"
    ORGANISER = "organiser"


NEXT: dict[Stage, Stage] = {
    Stage.PLANNING: Stage.TEAM,
    Stage.TEAM: Stage.SELF_ASSESSMENT,
    Stage.SELF_ASSESSMENT: Stage.AGENCY_REVIEW,
    Stage.AGENCY_REVIEW: Stage.CONSOLIDATION,
    Stage.CONSOLIDATION: Stage.DECISION,
    Stage.DECISION: Stage.CLOSED,
}

# Entering a stage creates these items, each for every unit that owes one (design.md §2).
ITEMS: dict[Stage, tuple[tuple[ItemKind, Ower], ...]] = {
    Stage.PLANNING: ((ItemKind.PLAN, Ower.STANDING_OFFICE),),
    Stage.TEAM: ((ItemKind.TEAM_DECISION, Ower.STANDING_OFFICE), (ItemKind.NOMINATION, Ower.AGENCY)),
    Stage.SELF_ASSESSMENT: ((ItemKind.DOSSIER, Ower.COMMUNE),),
    Stage.AGENCY_REVIEW: ((ItemKind.REVIEW, Ower.AGENCY),),
    Stage.CONSOLIDATION: (
        (ItemKind.RESULT, Ower.STANDING_OFFICE),
        (ItemKind.MINUTES, Ower.STANDING_OFFICE),
        (ItemKind.SUBMISSION, Ower.STANDING_OFFICE),
    ),
    Stage.DECISION: ((ItemKind.DECISION, Ower.ORGANISER),),
    Stage.CLOSED: (),
}

# The paper whose registration is the doing of these items. The decision on the team names the
# members, so it settles the nominations too.
DONE_BY_PAPER: dict[PaperRole, tuple[ItemKind, ...]] = {
    PaperRole.PLAN: (ItemKind.PLAN,),
    PaperRole.TEAM: (ItemKind.TEAM_DECISION, ItemKind.NOMINATION),
    PaperRole.SUBMISSION: (ItemKind.SUBMISSION,),
    PaperRole.DECISION: (ItemKind.DECISION,),
}

# Freezing the consolidated list is the doing of these.
DONE_BY_FREEZING = (ItemKind.RESULT, ItemKind.MINUTES)


class Blocker(StrEnum):
    """What a campaign still waits for before it leaves its stage."""

    PLAN_NOT_REGISTERED = "plan_not_registered"
    TEAM_NOT_REGISTERED = "team_not_registered"
    NOT_YET_OPENING_DAY = "not_yet_opening_day"
    LAUNCH_NOT_REGISTERED = "launch_not_registered"
    DOSSIERS_MISSING = "dossiers_missing"
    REVIEWS_OPEN = "reviews_open"
    LIST_NOT_FROZEN = "list_not_frozen"
    SUBMISSION_NOT_REGISTERED = "submission_not_registered"
    DECISION_NOT_REGISTERED = "decision_not_registered"


@dataclass(frozen=True, slots=True)
class StageFacts:
    """What was counted to decide whether a campaign moves on.

    `open_items` counts the open items of the present stage; `is_past_late_from` says that its
    deadline has passed; `has_gone_on` that the standing office goes on without what is missing.
    """

    stage: Stage
    papers: frozenset[PaperRole] = field(default_factory=frozenset)
    is_opening_day_reached: bool = False
    open_items: int = 0
    is_past_late_from: bool = False
    wait_for_all: bool = True
    has_gone_on: bool = False
    is_list_frozen: bool = False


def blockers(facts: StageFacts) -> tuple[Blocker, ...]:
    """Return all that keeps the campaign in its stage; nothing when it may move on."""
    missing = []
    match facts.stage:
        case Stage.PLANNING:
            if PaperRole.PLAN not in facts.papers:
                missing.append(Blocker.PLAN_NOT_REGISTERED)
        case Stage.TEAM:
            if PaperRole.TEAM not in facts.papers:
                missing.append(Blocker.TEAM_NOT_REGISTERED)
            if not facts.is_opening_day_reached:
                missing.append(Blocker.NOT_YET_OPENING_DAY)
            if PaperRole.LAUNCH not in facts.papers:
                missing.append(Blocker.LAUNCH_NOT_REGISTERED)
        case Stage.SELF_ASSESSMENT:
            may_leave_some = facts.is_past_late_from and (not facts.wait_for_all or facts.has_gone_on)
            if facts.open_items and not may_leave_some:
                missing.append(Blocker.DOSSIERS_MISSING)
        case Stage.AGENCY_REVIEW:
            if facts.open_items and not (facts.is_past_late_from and facts.has_gone_on):
                missing.append(Blocker.REVIEWS_OPEN)
        case Stage.CONSOLIDATION:
            if not facts.is_list_frozen:
                missing.append(Blocker.LIST_NOT_FROZEN)
            if PaperRole.SUBMISSION not in facts.papers:
                missing.append(Blocker.SUBMISSION_NOT_REGISTERED)
        case Stage.DECISION:
            if PaperRole.DECISION not in facts.papers:
                missing.append(Blocker.DECISION_NOT_REGISTERED)
    return tuple(missing)


def next_stage(facts: StageFacts) -> Stage | None:
    """Return the stage to enter now, or None while something is missing or the campaign is closed."""
    if facts.stage is Stage.CLOSED or blockers(facts):
        return None
    return NEXT[facts.stage]
