"""What the standing office is told: what could not be said, what nobody knows of, which channel is held."""

from collections.abc import Collection
from datetime import UTC, datetime

from sqlalchemy import func, or_
from sqlmodel import Session, col, select

from models.inserting import inserting
from models.people import officers_of
from models.tables import Campaign, Letter, Notice
from rules.notices import Channel, NoticeKind, NoticeState
from rules.stages import Ower

# Why something could not be said at all; other causes are told while it may still be.
AT_THE_END = ("failed", "no_address")


def tell_of_letters(session: Session, letter_ids: Collection[int], *, cause: str, at: datetime) -> None:
    """Tell the standing office of each campaign what these letters, or those that follow them, had to say."""
    if not letter_ids:
        return
    following = select(Letter.id).where(col(Letter.follows_id).in_(letter_ids))
    found = session.execute(
        select(Notice.campaign_id, Notice.id).where(
            or_(col(Notice.letter_id).in_(letter_ids), col(Notice.letter_id).in_(following)),
            # What falls back to its e-mail besides has been told there.
            func.coalesce(Notice.reason, "") != "besides",
        )
    ).all()
    for campaign_id in sorted({row[0] for row in found}):
        campaign = session.exec(select(Campaign).where(Campaign.id == campaign_id)).one()
        of_it = [notice_id for its_campaign, notice_id in found if its_campaign == campaign_id]
        tell_standing_office(session, campaign, of_it, cause=cause, at=at)


def tell_of_channel(session: Session, letter_ids: Collection[int], channel: Channel, *, at: datetime) -> None:
    """Alarm the standing offices of these letters' campaigns: a channel is held until it is mended.

    Where e-mail itself is held there is nothing sure to alarm over; `congnhan notices` shows it.
    """
    if channel is Channel.EMAIL:
        return
    campaigns = session.exec(
        select(Campaign).where(
            col(Campaign.id).in_(select(Letter.campaign_id).where(col(Letter.id).in_(letter_ids)))
        )
    ).all()
    rows = [
        {
            "key": f"{campaign.code}|undeliverable|channel/{channel}|{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"
            f"|{officer.code}",
            "campaign_id": campaign.id,
            "kind": NoticeKind.UNDELIVERABLE,
            "about": f"channel/{channel}",
            "role": "standing_office",
            "step": "-",
            "contact_id": officer.id,
            "copy_no": 0,
            "state": NoticeState.QUEUED,
            "due_at": at,
            "reason": "held",
            "is_held": False,
            "only_over": Channel.EMAIL,
        }
        for campaign in campaigns
        for officer in officers_of(session, campaign, Ower.STANDING_OFFICE)
    ]
    if rows:
        session.execute(inserting(session, Notice).on_conflict_do_nothing(index_elements=["key"]), rows)


def tell_standing_office(
    session: Session, campaign: Campaign, notice_ids: Collection[int], *, cause: str, at: datetime
) -> None:
    """Queue, for the officers of the standing office, what could not be said to whom and why.

    The reason of such a notice is `cause:contact`; its facts name the person.
    """
    officers = officers_of(session, campaign, Ower.STANDING_OFFICE)
    # What is told while another way is still open must not stand in the way of what is told at the end.
    mark = "" if cause in AT_THE_END else f"{cause}|"
    lost = session.exec(
        select(Notice).where(col(Notice.id).in_(notice_ids), Notice.kind != NoticeKind.UNDELIVERABLE)
    ).all()
    rows = [
        {
            "key": f"{notice.key}|undeliverable|{mark}{officer.code}",
            "campaign_id": campaign.id,
            "kind": NoticeKind.UNDELIVERABLE,
            "about": notice.about,
            "item_id": notice.item_id,
            "deadline_id": notice.deadline_id,
            "step": notice.step,
            "role": "standing_office",
            "contact_id": officer.id,
            "copy_no": 0,
            "state": NoticeState.QUEUED,
            "due_at": at,
            "reason": f"{cause}:{notice.contact_id}",
            "is_held": False,
        }
        for notice in lost
        for officer in officers
    ]
    if rows:
        session.execute(inserting(session, Notice).on_conflict_do_nothing(index_elements=["key"]), rows)
