"""Ladders: when each reminder and each escalation of a deadline fires, and to whom it goes."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, time
from enum import StrEnum

from rules.calendar import Deadline, WorkingCalendar

REMIND_AT = time(7, 30)
ESCALATE_AT = time(8, 30)
SENT_IF_SILENT_AT = time(10, 0)


class Ladder(StrEnum):
    """Which of the two lists of the campaign file a step stands in."""

    REMIND = "remind"
    ESCALATE = "escalate"


class Role(StrEnum):
    """To whom a step goes; a name in the file stands for one person instead."""

    OFFICER = "officer"
    UNIT_HEAD = "unit_head"
    STANDING_OFFICE = "standing_office"
    STANDING_HEAD = "standing_head"
    OFFICE = "office"
    VICE_CHAIRMAN = "vice_chairman"
    CHAIRMAN = "chairman"


class Release(StrEnum):
    """Who lets a message to a leader go (design.md §4)."""

    AUTO = "auto"
    STANDING_HEAD = "standing_head"


class IfSilent(StrEnum):
    """What happens when the one who releases says nothing."""

    SEND = "send"
    HOLD = "hold"


# design.md §4: an officer's message goes by itself, a unit head's after a pause, the others wait.
GATES: dict[Role, tuple[Release, IfSilent]] = {
    Role.OFFICER: (Release.AUTO, IfSilent.SEND),
    Role.STANDING_OFFICE: (Release.AUTO, IfSilent.SEND),
    Role.STANDING_HEAD: (Release.AUTO, IfSilent.SEND),
    Role.OFFICE: (Release.STANDING_HEAD, IfSilent.HOLD),
    Role.UNIT_HEAD: (Release.STANDING_HEAD, IfSilent.SEND),
    Role.VICE_CHAIRMAN: (Release.STANDING_HEAD, IfSilent.HOLD),
    Role.CHAIRMAN: (Release.STANDING_HEAD, IfSilent.HOLD),
}


# Whoever stands above a role when it may not be told itself (design.md §4); nobody above the chairman.
UP: dict[Role, Role | None] = {
    Role.OFFICER: Role.UNIT_HEAD,
    Role.UNIT_HEAD: Role.STANDING_HEAD,
    Role.STANDING_OFFICE: Role.STANDING_HEAD,
    Role.STANDING_HEAD: Role.VICE_CHAIRMAN,
    Role.OFFICE: Role.VICE_CHAIRMAN,
    Role.VICE_CHAIRMAN: Role.CHAIRMAN,
    Role.CHAIRMAN: None,
}


def levels(recipient: str) -> tuple[str, ...]:
    """Return a recipient and whoever stands above him, up to the chairman.

    Above a person whom the file names stands the chairman.
    """
    if recipient not in set(Role):
        return (recipient, Role.CHAIRMAN)
    found = [Role(recipient)]
    while (above := UP[found[-1]]) is not None:
        found.append(above)
    return tuple(found)


def gate_of(recipient: str) -> tuple[Release, IfSilent]:
    """Return who releases a message to this recipient, and what happens if he is silent.

    A person whom the file names is treated as a leader.
    """
    return GATES[Role(recipient)] if recipient in set(Role) else (Release.STANDING_HEAD, IfSilent.HOLD)


@dataclass(frozen=True, slots=True)
class Step:
    """One rung: mốc nhắc hạn where it stands before the deadline, mốc đôn đốc after it.

    `days` are working days before the closing day or after the first late one. `to` and the
    entries of `copy` are roles or the name of a person. A step that `repeat` wrote out says so.
    """

    ladder: Ladder
    days: int
    at: time
    to: str = Role.OFFICER
    copy: tuple[str, ...] = ()
    draft: str | None = None
    release: Release | None = None
    if_silent: IfSilent | None = None
    repeats: bool = False

    @property
    def name(self) -> str:
        """The step as the campaign file writes it: `before:3`, `after:0`."""
        return f"{'before' if self.ladder is Ladder.REMIND else 'after'}:{self.days}"

    def gate(self, recipient: str) -> tuple[Release, IfSilent]:
        """Return who releases this step to this recipient, and what happens if he is silent."""
        release, if_silent = gate_of(recipient)
        return self.release or release, self.if_silent or if_silent


@dataclass(frozen=True, slots=True)
class Repeat:
    """The end of an escalation list: further steps every so many working days until one is reached."""

    every: int
    until: int

    def steps_after(self, last: Step) -> Iterator[Step]:
        """Yield the further steps to the recipient of the last one."""
        for days in range(last.days + self.every, self.until + 1, self.every):
            yield replace(last, days=days, draft=None, repeats=True)


@dataclass(frozen=True, slots=True)
class Ladders:
    """Both lists of a campaign, `repeat` already written out; grace delays escalation only."""

    remind: tuple[Step, ...] = ()
    escalate: tuple[Step, ...] = ()
    grace_working_days: int = 0


def fire_times(
    ladders: Ladders, deadline: Deadline, calendar: WorkingCalendar
) -> tuple[tuple[Step, datetime], ...]:
    """Return every step with the instant at which it fires, in the order of time.

    `before: N` fires on the N-th working day before the day of `closes_at`, `before: 0` on that
    day; where an hour was set for a day of rest, the working day before stands for it. `after: 0`
    fires on the first working day that begins at or after `late_from`. A reminder whose moment is
    not before `closes_at` is left out: it would come too late to be one.
    """
    closing_day = next(calendar.working_days_until(calendar.day_of(deadline.closes_at)))
    fired = []
    for step in ladders.remind:
        day = calendar.working_day_before(closing_day, step.days) if step.days else closing_day
        instant = calendar.at(day, step.at)
        if instant < deadline.closes_at:
            fired.append((step, instant))
    first_late_day = calendar.day_of(deadline.late_from)
    if calendar.midnight(first_late_day) < deadline.late_from:
        first_late_day = calendar.working_day_after(first_late_day, 1)
    else:
        first_late_day = next(calendar.working_days_from(first_late_day))
    for step in ladders.escalate:
        days = step.days + ladders.grace_working_days
        day = calendar.working_day_after(first_late_day, days) if days else first_late_day
        fired.append((step, calendar.at(day, step.at)))
    return tuple(sorted(fired, key=lambda pair: pair[1]))
