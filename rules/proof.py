"""The proof of one deadline (bằng chứng nhắc hạn, đôn đốc): what each unit owed and was told, as values."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from rules.calendar import Deadline, Wording
from rules.fates import SAID, UNKNOWN, WAITING, Fate, Unsent
from rules.letters import Paper
from rules.notices import Channel, LetterState, NoticeKind
from rules.sending import Follows, Outcome, Way
from rules.stages import PaperRole, Stage
from rules.work_items import ItemKind, ItemState, Lateness, VersionCause, Via, lateness


class Silence(StrEnum):
    """Why nothing that was addressed to a unit has reached a server."""

    WAIVED = "waived"
    HANDED_IN = "handed_in"
    ENDED = "ended"
    FAILED = "failed"
    UNCERTAIN = "uncertain"
    WAITING = "waiting"
    NO_RECIPIENT = "no_recipient"
    NOT_SENT = "not_sent"
    NOT_DUE = "not_due"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to send a letter and what was answered; `way` None where its sender died with it."""

    at: datetime
    way: Way | None
    outcome: Outcome
    code: str = ""
    provider_id: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class Sending:
    """One letter of the report; `number` is its place in it, by time, `provider_id` that of its server.

    `repeats` counts how often it went once more under the same identity because nobody knew whether
    it had gone, or because somebody asked for it.
    """

    number: int
    channel: Channel
    way: Way | None
    address: str
    state: LetterState
    not_before: datetime
    message_id: str | None = None
    subject: str | None = None
    provider_id: str | None = None
    settled_at: datetime | None = None
    delivered_at: datetime | None = None
    seen_at: datetime | None = None
    follows: Follows | None = None
    repeats: int = 0
    tries: tuple[Attempt, ...] = ()

    @property
    def accepted(self) -> Attempt | None:
        """The answer with which a server took it, or None."""
        return next((each for each in reversed(self.tries) if each.outcome is Outcome.ACCEPTED), None)

    @property
    def came_back(self) -> bool:
        """Whether a server took it and reported afterwards that it could not be delivered."""
        return self.state is LetterState.FAILED and self.accepted is not None

    @property
    def was_dropped(self) -> bool:
        """Whether somebody decided not to send it again, of which nobody knew whether it had gone."""
        is_unknown = bool(self.tries) and self.tries[-1].outcome is Outcome.UNKNOWN
        return self.state is LetterState.FAILED and self.channel is not Channel.EMAIL and is_unknown


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """One notice about an item: what, to whom, and the letters that carried it, one for each channel.

    `version` is that of the deadline it spoke of; `settled_at` when it was said, or ended otherwise.
    `is_to_unit` where its reader belongs to the unit that owes. `reason` is what it gave as reason.
    """

    kind: NoticeKind
    step: str
    due_at: datetime
    to: str
    title: str
    to_unit: str
    role: str
    fate: Fate
    version: int | None = None
    settled_at: datetime | None = None
    is_to_unit: bool = True
    copy: int = 0
    letters: tuple[Sending, ...] = ()
    unsent: Unsent | None = None
    reason: str | None = None

    @property
    def at(self) -> datetime:
        """When it was said or ended, else when it fell due."""
        return self.settled_at or self.due_at

    @property
    def is_said(self) -> bool:
        """Whether a server or Zalo took it."""
        return self.fate in SAID


@dataclass(frozen=True, slots=True)
class Term:
    """A version of a deadline: since when it held, why it was written, by which paper in which role."""

    version: int
    wording: Wording
    closes_at: datetime
    late_from: datetime
    since: datetime
    cause: VersionCause
    paper: Paper | None = None
    role: PaperRole | None = None
    reason: str | None = None

    @property
    def deadline(self) -> Deadline:
        """The deadline it is."""
        return Deadline(self.wording, self.closes_at, self.late_from)


@dataclass(frozen=True, slots=True)
class HandedIn:
    """One handing-in; `is_late` by the version that held then, None where there was none."""

    round: int
    received_at: datetime
    recorded_at: datetime
    via: Via
    number: str | None
    by: str | None
    is_not_proposing: bool
    is_late: bool | None


@dataclass(frozen=True, slots=True)
class Waiver:
    """When a unit was let off, and why."""

    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class ItemLine:
    """What one unit owed: each version of its term, what it handed in, every notice about it."""

    name: str
    kind: ItemKind
    unit: str
    unit_name: str
    state: ItemState
    done_at: datetime | None = None
    terms: tuple[Term, ...] = ()
    handed_in: tuple[HandedIn, ...] = ()
    waiver: Waiver | None = None
    notices: tuple[NoticeLine, ...] = ()
    has_recipient: bool = True

    def lateness(self, as_of: datetime) -> Lateness | None:
        """Return how it stood at an instant, by its first handing-in where it is done; None if waived."""
        if self.state is ItemState.WAIVED:
            return None
        if self.done_at is not None and self.handed_in and self.handed_in[0].is_late is not None:
            return Lateness.LATE if self.handed_in[0].is_late else Lateness.ON_TIME
        return lateness(self.terms[-1].deadline if self.terms else None, done_at=self.done_at, now=as_of)

    @property
    def to_unit(self) -> tuple[NoticeLine, ...]:
        """The notices addressed to the unit itself."""
        return tuple(each for each in self.notices if each.is_to_unit)

    @property
    def silence(self) -> Silence | None:
        """Why nothing reached the unit, or None where something did."""
        fates = {each.fate for each in self.to_unit}
        if fates & set(SAID):
            return None
        of_fates = (
            (UNKNOWN, Silence.UNCERTAIN),
            ((Fate.FAILED,), Silence.FAILED),
            (WAITING, Silence.WAITING),
        )
        of_states = {
            ItemState.WAIVED: Silence.WAIVED,
            ItemState.DONE: Silence.HANDED_IN,
            ItemState.CANCELLED: Silence.ENDED,
        }
        for some, why in of_fates:
            if fates & set(some):
                return why
        if self.state in of_states:
            return of_states[self.state]
        if not self.has_recipient:
            return Silence.NO_RECIPIENT
        return Silence.NOT_SENT if fates else Silence.NOT_DUE


@dataclass(frozen=True, slots=True)
class Trail:
    """The end of the campaign's journal, to which the report is tied: its last number and hash."""

    entries: int
    hash: str
    broken_at: int | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """What a report adds up to; `fates` counts the notices, `letters` what a server or Zalo took."""

    units: int
    handed_in: int
    on_time: int
    late: int
    waived: int
    owing: int
    extended: int
    notices: int
    fates: dict[Fate, int]
    letters: int
    tries: int

    def of(self, some: Iterable[Fate]) -> int:
        """Count the notices of these fates."""
        return sum(self.fates.get(each, 0) for each in some)


@dataclass(frozen=True, slots=True)
class Proof:
    """The whole report about one stage's deadline as of an instant; units in official order.

    `terms` are the versions that held for the whole stage.
    """

    campaign: str
    title: str
    stage: Stage
    organiser: str
    standing_office: str
    as_of: datetime
    terms: tuple[Term, ...]
    items: tuple[ItemLine, ...]
    trail: Trail

    @property
    def letters(self) -> tuple[Sending, ...]:
        """Every letter that carried one of the notices, once, by number."""
        found = {each.number: each for item in self.items for line in item.notices for each in line.letters}
        return tuple(found[number] for number in sorted(found))

    @property
    def silent(self) -> tuple[tuple[ItemLine, Silence], ...]:
        """The units that nothing has reached, with the reason; a unit that owes several things once."""
        reached = {item.unit for item in self.items if item.silence is None}
        first = {item.unit: item for item in reversed(self.items) if item.unit not in reached}
        return tuple((item, item.silence) for item in reversed(first.values()) if item.silence)

    def tally(self) -> Tally:
        """Add the report up."""
        stands = Counter(item.lateness(self.as_of) for item in self.items if item.done_at is not None)
        fates = Counter(line.fate for line in self._lines())
        return Tally(
            units=len({item.unit for item in self.items}),
            handed_in=sum(item.state is ItemState.DONE for item in self.items),
            on_time=stands[Lateness.ON_TIME],
            late=stands[Lateness.LATE],
            waived=sum(item.state is ItemState.WAIVED for item in self.items),
            owing=sum(item.state in (ItemState.OPEN, ItemState.CANCELLED) for item in self.items),
            extended=sum(
                any(term.cause is VersionCause.EXTENDED for term in item.terms) for item in self.items
            ),
            notices=fates.total(),
            fates={fate: fates[fate] for fate in Fate if fates[fate]},
            letters=sum(each.state in (LetterState.SENT, LetterState.DELIVERED) for each in self.letters),
            tries=sum(len(each.tries) for each in self.letters),
        )

    def _lines(self) -> Iterator[NoticeLine]:
        for item in self.items:
            yield from item.notices
