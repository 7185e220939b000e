"""Over which channel a notice goes: the campaign's order, and where its recipient can be reached."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, case, func, literal, null, true
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import col

from models.tables import Contact, Notice
from rules.notices import Channel, NoticeKind


@dataclass(frozen=True, slots=True)
class Channels:
    """The campaign's order of channels, less those this installation cannot use.

    `by_phone` are the kinds of notices that reach a telephone number over Zalo without an account.
    """

    default: tuple[Channel, ...]
    urgent: tuple[Channel, ...]
    by_phone: frozenset[NoticeKind] = frozenset()

    @property
    def are_all_email(self) -> bool:
        """Whether nothing goes over anything but e-mail."""
        return {*self.default, *self.urgent} <= {Channel.EMAIL}


def address_of(contact: Contact, channel: Channel) -> str | None:
    """Return where a person is reached over a channel, or None."""
    return contact.zalo if channel is Channel.ZALO else contact.email


class Ways:
    """The channels of a notice in SQL, its recipient joined: the one taken, those left, the address."""

    def __init__(self, channels: Channels, is_urgent: ColumnElement[bool]) -> None:
        self._orders = ((is_urgent, channels.urgent), (true(), channels.default))
        self._by_phone = channels.by_phone

    def first(self) -> Any:
        """Return the channel it must go over, else the first of its order at which it can be reached."""
        usual = case(*[(which, self._first_of(order)) for which, order in self._orders], else_=None)
        return case((col(Notice.only_over).is_not(None), col(Notice.only_over)), else_=usual)

    def left(self, channel: Any) -> Any:
        """Return the channels behind the one taken in its order, by comma."""
        found: list[Any] = [(col(Notice.only_over).is_not(None), literal(""))]
        for which, order in self._orders:
            for place, each in enumerate(order):
                rest = ",".join(other.value for other in order[place + 1 :])
                found.append((and_(which, channel == each.value), literal(rest)))
        return case(*found, else_=literal(""))

    def address(self, channel: Any) -> Any:
        """Return the recipient's address on a channel."""
        return case(*[(channel == each.value, self._at(each)) for each in Channel], else_=None)

    def _first_of(self, order: Sequence[Channel]) -> Any:
        usable = [(self._at(each).is_not(None), literal(each.value)) for each in order]
        return case(*usable, else_=null()) if usable else null()

    def _at(self, channel: Channel) -> Any:
        if channel is Channel.EMAIL:
            return col(Contact.email)
        if not self._by_phone:
            return col(Contact.zalo)
        phone = case((col(Notice.kind).in_(self._by_phone), col(Contact.phone)), else_=null())
        return func.coalesce(col(Contact.zalo), phone)
