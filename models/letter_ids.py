"""What letters are about, by ids and codes, as a log may say it."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlmodel import Session, col, select

from models.tables import Campaign, Notice


@dataclass(frozen=True, slots=True)
class LetterIds:
    """The campaign of a letter, the notices in it, and the items they are about."""

    campaign: str
    notices: tuple[int, ...]
    items: tuple[str, ...]


def ids_of_letters(session: Session, letters: Collection[int]) -> dict[int, LetterIds]:
    """Return for each letter what it is about; one statement, however many letters there are."""
    found: dict[int, tuple[str, list[int], list[str]]] = {}
    for letter_id, code, notice_id, about in session.execute(
        select(Notice.letter_id, Campaign.code, Notice.id, Notice.about)
        .join(Campaign, col(Campaign.id) == Notice.campaign_id)
        .where(col(Notice.letter_id).in_(list(letters)))
        .order_by(col(Notice.id))
    ):
        _, notices, items = found.setdefault(letter_id, (code, [], []))
        notices.append(notice_id)
        items.append(about)
    return {
        letter_id: LetterIds(code, tuple(notices), tuple(dict.fromkeys(items)))
        for letter_id, (code, notices, items) in found.items()
    }
