"""Letters, made from queued notices; the outbox sends them."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import and_, case, func, literal, or_
from sqlalchemy.orm import aliased
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Session, col, select, update

from models.channels import Channels, Ways
from models.database import UtcDateTime
from models.inserting import insert_new, joined, written
from models.notices import NOTICE_COLUMNS, makes_a_letter
from models.tables import Campaign, Contact, DeadlineStep, Letter, Notice
from models.telling import tell_standing_office
from rules.calendar import WorkingCalendar
from rules.ladder import Role
from rules.notices import (
    DO_NOT_WAIT,
    RIDES_ALONG,
    URGENT_KIND,
    URGENT_REMINDER,
    Channel,
    LetterState,
    NoticeKind,
    NoticeState,
)
from rules.sending import ALWAYS_BY_EMAIL

# What the key of a notice ends with that goes by e-mail besides.
BY_EMAIL = "|by_email"

# A leader who is told in two parts on one day reads one digest, in the voice of the higher one.
RANKS = (
    Role.CHAIRMAN,
    Role.VICE_CHAIRMAN,
    Role.OFFICE,
    Role.STANDING_HEAD,
    Role.STANDING_OFFICE,
    Role.UNIT_HEAD,
    Role.OFFICER,
)


def make_letters(
    session: Session, campaign: Campaign, *, now: datetime, channels: Channels, calendar: WorkingCalendar
) -> int:
    """Put every queued notice into a letter; returns how many letters are new.

    A leader's lines share one letter: they join the one that still waits for him. Where one has gone
    today already the new line stays without one, and the next day's letter takes it (design.md §4:
    one digest a day). What rides along goes into a digest that is made anyway, and waits where there
    is none. Whatever could not be said is told the standing office in one letter. A notice whose
    recipient has no address on any channel fails, and the standing office is told of it.
    """
    if not _anything_waits(session, campaign):
        return 0
    goes_at = calendar.next_sending_time(now)
    is_digest = or_(col(Notice.kind) == NoticeKind.ESCALATION, col(Notice.step) == RIDES_ALONG)
    is_urgent = or_(
        col(Notice.kind) == URGENT_KIND,
        is_digest,
        and_(col(Notice.kind) == NoticeKind.REMINDER, col(Notice.step) == URGENT_REMINDER),
    )
    ways = Ways(channels, is_urgent)
    channel = ways.first()
    moment = f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"
    midnight = calendar.midnight(calendar.day_of(goes_at))
    key = joined(
        case(
            (is_digest, joined(f"{campaign.code}|digest|{moment}|", Contact.code)),
            (
                col(Notice.kind) == NoticeKind.UNDELIVERABLE,
                joined(f"{campaign.code}|undeliverable|{moment}|", Contact.code),
            ),
            # Whoever takes over what was meant for another gets a letter of his own.
            else_=joined(Notice.key, "|", Contact.code),
        ),
        "|",
        channel,
    )
    waiting = (
        select(  # type: ignore[call-overload]
            col(Notice.id).label("notice_id"),
            Notice.kind,
            Notice.role,
            (col(Notice.step) == RIDES_ALONG).label("rides_along"),
            is_digest.label("is_digest"),
            Notice.contact_id,
            channel.label("channel"),
            col(Notice.only_over).label("only_over"),
            ways.left(channel).label("next_channels"),
            ways.address(channel).label("address"),
            case((channel.is_(None), None), else_=key).label("letter_key"),
        )
        .join(Contact, col(Contact.id) == Notice.contact_id)
        .where(
            Notice.campaign_id == campaign.id,
            Notice.state == NoticeState.QUEUED,
            col(Notice.letter_id).is_(None),
        )
    ).subquery()
    if not channels.are_all_email:
        _also_by_email(session, campaign, channel)
    _lock_digests(session, campaign)
    _fail_unreachable(session, campaign, waiting, at=now)
    columns = ["key", "campaign_id", "kind", "role", "contact_id", "channel", "only_over"]
    ranks = [(waiting.c.role == role.value, place) for place, role in enumerate(RANKS)]
    rank = case(*ranks, else_=len(RANKS))
    highest = case(
        *[(func.min(rank) == place, role.value) for place, role in enumerate(RANKS)],
        else_=func.max(waiting.c.role),
    )
    rows = (
        select(  # type: ignore[call-overload]
            waiting.c.letter_key,
            literal(campaign.id),
            func.max(waiting.c.kind),
            highest,
            func.max(waiting.c.contact_id),
            func.max(waiting.c.channel),
            func.max(waiting.c.only_over),
            func.max(waiting.c.next_channels),
            func.max(waiting.c.address),
            literal(LetterState.QUEUED.value),
            case(
                (func.max(waiting.c.kind).in_(DO_NOT_WAIT), literal(now, UtcDateTime())),
                else_=literal(goes_at, UtcDateTime()),
            ),
            literal(0),
            literal(0),
        )
        .where(
            waiting.c.letter_key.is_not(None),
            ~waiting.c.rides_along,
            or_(~waiting.c.is_digest, ~_has_digest(campaign, waiting, midnight)),
        )
        .group_by(waiting.c.letter_key)
    )
    made = session.execute(
        insert_new(
            Letter,
            [*columns, "next_channels", "address", "state", "not_before", "attempts", "repeats"],
            rows,
        ).execution_options(preserve_rowcount=True)
    )
    # Asked of each letter found, not of the index: statistics written before these letters were made
    # call a queued one rare, and PostgreSQL would then read all of them for each notice.
    still_waits = case((col(Letter.state) == LetterState.QUEUED, col(Letter.id)), else_=None)
    own = (
        select(still_waits)
        .select_from(Contact)
        .join(Letter, col(Letter.key) == key)
        .where(col(Contact.id) == Notice.contact_id)
        .correlate(Notice)
        .scalar_subquery()
    )
    digest = (
        select(func.min(still_waits))
        .where(
            col(Letter.contact_id) == Notice.contact_id,
            col(Letter.kind) == NoticeKind.ESCALATION,
            col(Letter.campaign_id) == campaign.id,
            col(Letter.only_over).is_not_distinct_from(col(Notice.only_over)),
        )
        .scalar_subquery()
    )
    letter_of = case((is_digest, digest), else_=own)
    session.execute(
        update(Notice)
        .where(
            col(Notice.campaign_id) == campaign.id,
            col(Notice.state) == NoticeState.QUEUED,
            col(Notice.letter_id).is_(None),
        )
        .values(letter_id=letter_of)
        .execution_options(synchronize_session=False)
    )
    return written(made)


def _lock_digests(session: Session, campaign: Campaign) -> None:
    """Keep senders from claiming a digest to which lines are being added; they would not be in it."""
    session.execute(
        select(Letter.id)
        .where(
            Letter.campaign_id == campaign.id,
            Letter.kind == NoticeKind.ESCALATION,
            Letter.state == LetterState.QUEUED,
        )
        .with_for_update()
    )


def _has_digest(campaign: Campaign, waiting: Any, midnight: datetime) -> ColumnElement[bool]:
    """Match lines whose recipient has a digest that waits, is under way, or has left since midnight."""
    digest = aliased(Letter)
    return (
        select(digest.id)
        .where(
            col(digest.campaign_id) == campaign.id,
            col(digest.kind) == NoticeKind.ESCALATION,
            col(digest.contact_id) == waiting.c.contact_id,
            col(digest.only_over).is_not_distinct_from(waiting.c.only_over),
            or_(
                col(digest.state).in_([LetterState.QUEUED, LetterState.SENDING, LetterState.UNCERTAIN]),
                and_(
                    col(digest.state).in_([LetterState.SENT, LetterState.DELIVERED]),
                    col(digest.settled_at) >= literal(midnight, UtcDateTime()),
                ),
            ),
        )
        .exists()
    )


def _anything_waits(session: Session, campaign: Campaign) -> bool:
    waits = select(Notice.id).where(Notice.campaign_id == campaign.id, makes_a_letter()).limit(1)
    return session.exec(waits).first() is not None


def _also_by_email(session: Session, campaign: Campaign, channel: Any) -> None:
    """Queue once more, for e-mail alone, what goes over another channel and must go by official e-mail."""
    draft = select(DeadlineStep.id).where(
        col(DeadlineStep.deadline_id) == Notice.deadline_id,
        col(DeadlineStep.step) == Notice.step,
        col(DeadlineStep.wants_draft),
        col(Notice.role) == Role.STANDING_HEAD.value,
    )
    copied = [name for name in NOTICE_COLUMNS if name not in ("key", "settled_at")]
    rows = (
        select(  # type: ignore[call-overload]
            joined(Notice.key, BY_EMAIL), *[getattr(Notice, name) for name in copied], literal("email")
        )
        .join(Contact, col(Contact.id) == Notice.contact_id)
        .where(
            Notice.campaign_id == campaign.id,
            Notice.state == NoticeState.QUEUED,
            col(Notice.letter_id).is_(None),
            col(Notice.only_over).is_(None),
            channel != Channel.EMAIL.value,
            col(Contact.email).is_not(None),
            or_(col(Notice.kind).in_(ALWAYS_BY_EMAIL), draft.exists()),
        )
    )
    session.execute(insert_new(Notice, ["key", *copied, "only_over"], rows))


def _fail_unreachable(session: Session, campaign: Campaign, waiting: Any, *, at: datetime) -> None:
    unreachable = select(waiting.c.notice_id).where(waiting.c.letter_key.is_(None), ~waiting.c.rides_along)
    failed = session.execute(
        update(Notice)
        .where(col(Notice.id).in_(unreachable))
        .values(state=NoticeState.FAILED, settled_at=at, reason="no_address")
        .returning(col(Notice.id))
        .execution_options(synchronize_session=False)
    ).all()
    if failed:
        tell_standing_office(session, campaign, [row[0] for row in failed], cause="no_address", at=at)
