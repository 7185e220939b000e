"""The facts of letters that come from dossiers and results: what is missing, what became of a group."""

from sqlmodel import Session, col, select

from config.score_words import missing_words, why_words
from models.campaigns import file_of
from models.dossier_states import dossiers_of
from models.results import NothingFrozen, results_of
from models.tables import Campaign, Unit, WorkItem
from rules.letters import Outcome
from rules.work_items import ItemKind, ItemState


def lacking(session: Session, campaign: Campaign) -> dict[str, tuple[str, ...]]:
    """Return for each unit what its dossier lacks, in words; no unit of which nothing was recorded here.

    A part that the plan names in words only cannot be checked, and is not said to be missing.
    """
    if not any(each.part for each in file_of(campaign).wanted_parts):
        return {}
    return {
        code: tuple(missing_words(each) for each in state.missing)
        for code, state in dossiers_of(session, campaign).items()
        if state.content.parts or state.content.scores_given
    }


def count_incomplete(session: Session, campaign: Campaign) -> int:
    """Count the dossiers that came, are not sent back, and are known to lack parts."""
    came = session.exec(
        select(Unit.code)
        .join(WorkItem, col(WorkItem.unit_id) == Unit.id)
        .where(
            WorkItem.campaign_id == campaign.id,
            WorkItem.kind == ItemKind.DOSSIER,
            WorkItem.state == ItemState.DONE,
        )
    )
    lacks = lacking(session, campaign)
    return sum(bool(lacks.get(unit)) for unit in came)


def outcomes(session: Session, campaign: Campaign) -> dict[str, tuple[Outcome, ...]]:
    """Return what became of every unit's groups on the list that stands; nothing where there is none."""
    try:
        _, found = results_of(session, campaign)
    except NothingFrozen:
        return {}
    by_unit: dict[str, list[Outcome]] = {}
    for each in found:
        reasons = () if each.is_recognised else tuple(_within(why_words(reason)) for reason in each.reasons)
        by_unit.setdefault(each.unit, []).append(Outcome(each.group, each.is_recognised, reasons))
    return {unit: tuple(groups) for unit, groups in by_unit.items()}


def _within(sentence: str) -> str:
    """Return a sentence as it stands within another one, with a small letter and no full stop."""
    return sentence[:1].lower() + sentence[1:].removesuffix(".")
