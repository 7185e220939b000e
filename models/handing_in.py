"""What is handed in (nộp hồ sơ, gửi kết quả thẩm định), sent back to be completed, handed in again."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func
from sqlmodel import Session, col, select

from config.messages import say
from models import journal
from models.campaigns import file_of
from models.completions import Proposal, open_proposals, settle_proposals
from models.deadlines import still_open, write_deadline
from models.notices import queue_about, queue_receipt, suppress_unsaid
from models.permits import permit
from models.reopening import ask_again
from models.reviews import check_review
from models.tables import (
    Campaign,
    DeadlineVersion,
    DossierReturn,
    GroupCase,
    ResidentialGroup,
    Submission,
    WorkItem,
)
from models.work_items import NothingOwed, get_item, note_terms
from rules.calendar import WithinWorkingDays, Wording, deadline
from rules.deeds import Deed, is_too_late
from rules.notices import NoticeKind
from rules.stages import Stage
from rules.work_items import (
    RETURN_WORKING_DAYS,
    ItemKind,
    ItemState,
    LatePolicy,
    VersionCause,
    Via,
    may_become,
)


class DeadlinePassed(Exception):
    """The campaign's file refuses what comes after `late_from`."""

    def __init__(self, late_from: datetime) -> None:
        super().__init__(str(late_from))
        self.late_from = late_from


class ReviewsAreOver(Exception):
    """A late dossier is taken until the reviews are over; they are. `late_from` was its term."""

    def __init__(self, late_from: datetime) -> None:
        super().__init__(str(late_from))
        self.late_from = late_from


class NothingHandedIn(Exception):
    """Only what was handed in can be sent back; `state` says how the item stands."""

    def __init__(self, item: str, state: ItemState) -> None:
        super().__init__(item)
        self.item, self.state = item, state


class StillProposes(Exception):
    """A unit says it proposes nobody, and its list proposes `groups`."""

    def __init__(self, unit: str, groups: tuple[str, ...]) -> None:
        super().__init__(unit)
        self.unit, self.groups = unit, groups


class NoReasons(Exception):
    """A request to complete a dossier says what is missing."""


def hand_in(
    session: Session,
    campaign: Campaign,
    kind: ItemKind,
    unit: str,
    *,
    at: datetime,
    recorded_at: datetime,
    by: str | None,
    via: Via = Via.PORTAL,
    number: str | None = None,
    is_not_proposing: bool = False,
) -> WorkItem:
    """Hand an item in (nộp hồ sơ, gửi kết quả thẩm định); what was queued about it is suppressed.

    `at` is when it was received, which decides lateness; `recorded_at` when it was entered. For a
    dossier `is_not_proposing` (không đề nghị công nhận) is as good as any other, and a receipt is
    queued. A dossier that joins a review already concluded asks its agency again, also where the
    last review was concluded, and the stage left, while it was being completed.

    Raises UnknownUnit, NothingOwed where the item is not open, DeadlinePassed where the file says
    `late: refuse`, ReviewsAreOver for a late one after agency_review, ReviewIncomplete where an agency
    has left something open, StillProposes, DeedRefused, FromTheFuture.
    """
    permit(campaign, Deed.REVIEW if kind is ItemKind.REVIEW else Deed.SUBMIT, at=at, recorded_at=recorded_at)
    item = get_item(session, campaign, kind, unit)
    if not may_become(item.state, ItemState.DONE):
        raise NothingOwed(item.name, item.state)
    if kind is ItemKind.REVIEW:
        check_review(session, campaign, unit)
    if is_not_proposing:
        _check_proposes_nobody(session, campaign, item, unit)
    rounds = session.exec(
        select(func.count()).select_from(Submission).where(Submission.item_id == item.id)
    ).one()
    is_late = _is_late(session, campaign, item, at=at, was_returned=rounds > 0)
    session.add(
        Submission(
            item_id=item.id,
            round=rounds + 1,
            received_at=at,
            recorded_at=recorded_at,
            via=via,
            number=number,
            handed_in_by=by,
            is_not_proposing=is_not_proposing,
            deadline_id=item.deadline_id,
        )
    )
    session.flush()
    suppress_unsaid(session, campaign, select(WorkItem.id).where(WorkItem.id == item.id), at=recorded_at)
    item.state, item.done_at = ItemState.DONE, at
    session.add(item)
    session.flush()
    journal.write(
        session,
        campaign,
        "not_proposing" if is_not_proposing else "handed_in_again" if rounds else "handed_in",
        at=at,
        recorded_at=recorded_at,
        by=by,
        unit=unit,
        detail={
            "item": item.name,
            "via": via.value,
            "late": is_late,
            **({"number": number} if number else {}),
            **({"round": rounds + 1} if rounds else {}),
        },
    )
    if kind is ItemKind.DOSSIER:
        queue_receipt(session, campaign, item, rounds + 1, at=recorded_at)
        if campaign.stage in (Stage.AGENCY_REVIEW, Stage.CONSOLIDATION):
            ask_again(session, campaign, because="joined", dossier=unit, at=at, recorded_at=recorded_at)
    return item


def _check_proposes_nobody(session: Session, campaign: Campaign, item: WorkItem, unit: str) -> None:
    """Both cannot be true: the results would recognise groups of a unit that proposes none."""
    groups = session.exec(
        select(ResidentialGroup.name)
        .join(GroupCase, col(GroupCase.group_id) == ResidentialGroup.id)
        .where(
            GroupCase.campaign_id == campaign.id,
            ResidentialGroup.unit_id == item.unit_id,
            col(GroupCase.is_proposed),
        )
        .order_by(col(ResidentialGroup.position))
    ).all()
    if groups:
        raise StillProposes(unit, tuple(groups))


def _is_late(
    session: Session, campaign: Campaign, item: WorkItem, *, at: datetime, was_returned: bool
) -> bool:
    """Say whether an item comes late; raises where a late one is no longer taken."""
    late_from = session.exec(
        select(DeadlineVersion.late_from).where(DeadlineVersion.id == item.deadline_id)
    ).one_or_none()
    if late_from is None or at < late_from:
        return False
    if item.kind is ItemKind.DOSSIER and not was_returned and campaign.late_policy is LatePolicy.REFUSE:
        raise DeadlinePassed(late_from)
    if item.kind is ItemKind.DOSSIER and is_too_late(campaign.stage, is_late=True, was_returned=was_returned):
        raise ReviewsAreOver(late_from)
    return True


def return_dossier(
    session: Session,
    campaign: Campaign,
    unit: str,
    *,
    reasons: Sequence[str],
    within: Wording | None = None,
    at: datetime,
    recorded_at: datetime,
    by: str | None,
) -> WorkItem:
    """Send a dossier back to be completed (yêu cầu bổ sung, hoàn thiện): all reasons at once, a new term.

    What the agencies have proposed to be completed goes with it, after the reasons given here.

    The term is `within`, else 3 working days after the day of the request; the ladder is the same.
    The first handing-in keeps its time and its lateness (design.md §2).

    Raises UnknownUnit, NothingHandedIn, NoReasons, TermAlreadyOver, DeedRefused, FromTheFuture.
    """
    permit(campaign, Deed.RETURN, at=at, recorded_at=recorded_at)
    proposals = open_proposals(session, campaign, unit)
    said = _all_reasons(reasons, proposals)
    if not said:
        raise NoReasons
    item = get_item(session, campaign, ItemKind.DOSSIER, unit)
    if item.state is not ItemState.DONE:
        raise NothingHandedIn(item.name, item.state)
    file = file_of(campaign)
    wording = within or WithinWorkingDays(RETURN_WORKING_DAYS, file.calendar.day_of(at))
    version = write_deadline(
        session,
        campaign,
        item.stage,
        still_open(deadline(wording, file.calendar), recorded_at),
        cause=VersionCause.RETURNED,
        ladders=file.ladders,
        calendar=file.calendar,
        at=recorded_at,
        replaces_id=item.deadline_id,
    )
    rounds = session.exec(
        select(func.count()).select_from(Submission).where(Submission.item_id == item.id)
    ).one()
    _reopen(item, version, recorded_at)
    session.add(item)
    asked = DossierReturn(
        item_id=item.id,
        round=rounds,
        returned_at=at,
        recorded_at=recorded_at,
        returned_by=by,
        reasons=list(said),
        deadline_id=version.id,
    )
    session.add(asked)
    session.flush()
    settle_proposals(session, asked, proposals)
    itself = select(WorkItem.id).where(WorkItem.id == item.id)
    note_terms(session, itself, at=recorded_at)
    queue_about(
        session,
        campaign,
        NoticeKind.RETURNED,
        itself,
        reason="\n".join(said),
        at=recorded_at,
    )
    journal.write(
        session,
        campaign,
        "returned",
        at=at,
        recorded_at=recorded_at,
        by=by,
        unit=unit,
        detail={"item": item.name, "round": rounds, "reasons": list(said), "term": version.wording},
    )
    return item


def _all_reasons(reasons: Sequence[str], proposals: Sequence[Proposal]) -> tuple[str, ...]:
    """Return what is to be completed, each once; a proposal names its agency, the group and the leaf."""
    said = [reason.strip() for reason in reasons if reason.strip()]
    for each in proposals:
        leaf = say("returned.leaf", leaf=each.leaf) if each.leaf else None
        where = ", ".join(part for part in (each.group, leaf) if part)
        what = say("returned.proposed", what=each.what.rstrip(" .;"), agency=each.agency_name)
        said.append(f"{where}: {what}" if where else what)
    return tuple(dict.fromkeys(said))


def _reopen(item: WorkItem, version: DeadlineVersion, at: datetime) -> None:
    item.state, item.done_at, item.opened_at = ItemState.OPEN, None, at
    item.deadline_id, item.acknowledged_at = version.id, None
