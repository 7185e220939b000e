"""What is known of a group as the rules of scoring take it: its marks, its votes, its vetoes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import and_
from sqlmodel import Session, col, select

from models.campaigns import file_of
from models.groups import GroupRef
from models.marks import KeptMark, standing_marks
from models.tables import Campaign, ChildrenRecognised, GroupCase, VetoFound
from rules.criteria import ATTENDEES, VoteMin
from rules.reviews import COUNTS, ScoreKind
from rules.scoring import Sheet


@dataclass(frozen=True, slots=True)
class Known:
    """A group with all its marks by leaf and kind, and what else decides about it."""

    group: GroupRef
    marks: Mapping[tuple[str, ScoreKind], KeptMark]
    case: GroupCase | None
    area_class: str | None
    vetoes: frozenset[str]
    children: ChildrenRecognised | None = None
    votes_of: str = ATTENDEES

    def counting(self, leaf: str) -> KeptMark | None:
        """Return the mark that counts at a leaf: final, else consolidated, else the agency's."""
        return next((self.marks[leaf, kind] for kind in COUNTS if (leaf, kind) in self.marks), None)

    def sheet(
        self, *, instead: Mapping[str, ScoreKind] | None = None, kind: ScoreKind | None = None
    ) -> Sheet:
        """Return the sheet of the marks that count, or of one `kind` alone.

        At the leaves named in `instead` the mark of another kind is taken.
        """
        leaves = {leaf for leaf, _ in self.marks}
        chosen = {}
        for leaf in leaves:
            wanted = (instead or {}).get(leaf, kind)
            mark = self.marks.get((leaf, wanted)) if wanted else self.counting(leaf)
            if mark is not None:
                chosen[leaf] = mark.mark
        return Sheet(
            subject=self.group.name,
            class_=self.area_class,
            marks=chosen,
            votes_percent=self._votes(),
            quorum_percent=self._quorum(),
            vetoes=self.vetoes,
            children_percent=self._children(),
        )

    def _votes(self) -> Decimal | None:
        if self.case is None:
            return None
        voters = self.case.attended if self.votes_of == ATTENDEES else self.case.invited
        if self.case.in_favour is not None and voters:
            return Decimal(self.case.in_favour) * 100 / voters
        return self.case.votes_percent

    def _quorum(self) -> Decimal | None:
        if self.case is None or self.case.attended is None or not self.case.invited:
            return None
        return Decimal(self.case.attended) * 100 / self.case.invited

    def _children(self) -> Decimal | None:
        if self.children is None:
            return None
        return Decimal(self.children.recognised) * 100 / self.children.children


def known_of(session: Session, campaign: Campaign, groups: Sequence[GroupRef]) -> list[Known]:
    """Return what is known of these groups, in their order; four statements, however many they are."""
    ids = [group.id for group in groups]
    marks: dict[int, dict[tuple[str, ScoreKind], KeptMark]] = {}
    for (group_id, leaf, kind), mark in standing_marks(session, campaign, ids).items():
        marks.setdefault(group_id, {})[leaf, kind] = mark
    cases = {row.group_id: row for row in session.exec(_of_groups(GroupCase, campaign, ids))}
    vetoes: dict[int, set[str]] = {}
    for row in session.exec(_of_groups(VetoFound, campaign, ids).where(col(VetoFound.lifted_at).is_(None))):
        vetoes.setdefault(row.group_id, set()).add(row.code)
    children = {row.group_id: row for row in session.exec(_of_groups(ChildrenRecognised, campaign, ids))}
    file = file_of(campaign)
    area_class = file.area_class
    votes_of = next((rule.of for rule in file.criteria.rules if isinstance(rule, VoteMin)), ATTENDEES)
    return [
        Known(
            group,
            marks.get(group.id, {}),
            cases.get(group.id),
            (cases[group.id].area_class if group.id in cases else None) or area_class,
            frozenset(vetoes.get(group.id, ())),
            children.get(group.id),
            votes_of,
        )
        for group in groups
    ]


def _of_groups(table: Any, campaign: Campaign, ids: Iterable[int]) -> Any:
    return select(table).where(
        and_(col(table.campaign_id) == campaign.id, col(table.group_id).in_(list(ids)))
    )
