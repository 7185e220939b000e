"""A mark as a person types it, read for the leaf of a campaign it is about."""

from config.mark_texts import read_mark
from models.campaigns import file_of
from models.groups import UnknownLeaf
from models.tables import Campaign
from rules.criteria import Mark
from rules.scoring import BadMark, Fault


def mark_of(campaign: Campaign, leaf: str, text: str) -> Mark:
    """Return the mark a person typed for a leaf; raises UnknownLeaf, BadMark also for a blank one."""
    leaves = {each.code: each for each in file_of(campaign).criteria.leaves()}
    if leaf not in leaves:
        raise UnknownLeaf(leaf, tuple(leaves))
    mark = read_mark(leaves[leaf], text)
    if mark is None:
        raise BadMark(leaf, Fault.NEEDS_NUMBER)
    return mark
