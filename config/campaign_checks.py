"""What a campaign file must agree with: its units, its criteria, its calendar, its own ladders."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, time, timedelta

from config.located import Located, Problem
from config.shapes import CampaignShape, DueShape
from config.units_file import Units
from rules.calendar import (
    CalendarEnds,
    Deadline,
    NoWorkingDay,
    WorkingCalendar,
    counted_from,
    deadline,
)
from rules.criteria import CriteriaSet
from rules.ladder import Ladders, Role, fire_times
from rules.letters import UnitKind

# For a term counted from its stage, every entry day of this many days is tried.
ENTRY_DAYS = 14


def problems_of(
    shape: CampaignShape,
    document: Located,
    units: Units,
    criteria: CriteriaSet,
    ladders: Ladders,
    calendar: WorkingCalendar,
) -> Iterator[Problem]:
    """Yield every problem of a well-shaped file, each once, where it can be mended."""
    yield from _references(shape, document, units, criteria)
    yield from _recipients(shape, document, units)
    yield from _people(shape, units)
    twice = list(_twice(shape, document))
    yield from twice
    windows = list(_windows(shape, document))
    yield from windows
    if windows:
        return  # no deadline can be computed from office hours that are wrong
    dates = list(_dates(shape, document, calendar))
    yield from dates
    if not dates and not twice:
        yield from _steps_that_never_fire(shape, document, ladders, calendar)


def _references(
    shape: CampaignShape, document: Located, units: Units, criteria: CriteriaSet
) -> Iterator[Problem]:
    for key, code in (("organiser", shape.organiser), ("standing_office", shape.standing_office)):
        if units.find(code) is None:
            yield document.problem((key,), "file.unknown_unit", code=code, units=units.document.file)
    kind = _owing_kind(shape)
    if not any(unit.kind is kind for unit in units.units):
        yield units.document.problem(("units",), f"units.no_{kind}")
    numbers = {each.number for each in shape.legal_basis}
    for place, amendment in enumerate(shape.amendments):
        if amendment.paper not in numbers:
            yield document.problem(
                ("amendments", place, "paper"), "file.unknown_paper", number=amendment.paper
            )
    codes = criteria.codes()
    for agency, branches in shape.reviews.items():
        if units.find(agency) is None:
            yield document.problem(
                ("reviews", agency), "file.unknown_unit", code=agency, units=units.document.file
            )
        for place, branch in enumerate(branches):
            if branch not in codes:
                yield document.problem(("reviews", agency, place), "file.unknown_branch", branch=branch)
    assigned = frozenset(branch for branches in shape.reviews.values() for branch in branches)
    if assigned <= codes:
        for uncovered in criteria.uncovered(assigned):
            yield document.problem(
                ("reviews",), "file.branch_nobody_scores", branch=uncovered.code, title=uncovered.title
            )


def _owing_kind(shape: CampaignShape) -> UnitKind:
    return UnitKind.GROUP if shape.stages.self_assessment.dossier_of == "group" else UnitKind.COMMUNE


def _recipients(shape: CampaignShape, document: Located, units: Units) -> Iterator[Problem]:
    """A step goes to a role, or to one person who can be told from all others by his name."""
    people = Counter(contact.name for unit in units.units for contact in unit.contacts)
    for place, step in enumerate(shape.escalate):
        for key, named in (("to", [step.to] if step.to else []), ("copy", step.copy_)):
            for person in named:
                path = ("escalate", place, key)
                if person in set(Role):
                    continue
                if person not in people:
                    yield document.problem(
                        path, "file.unknown_recipient", person=person, roles=", ".join(Role)
                    )
                elif people[person] > 1:
                    yield document.problem(path, "units.two_people", name=person)


def _people(shape: CampaignShape, units: Units) -> Iterator[Problem]:
    """Nobody may be asked for something who cannot be written to."""
    for unit in units.units:
        is_asked = unit.kind is _owing_kind(shape) or unit.code in (*shape.reviews, shape.standing_office)
        if (is_asked or unit.code == shape.organiser) and not unit.contacts:
            yield units.problem(unit.code, "units.no_contact", name=unit.name)
        elif is_asked and not unit.has("officer"):
            yield units.problem(unit.code, "units.no_officer", name=unit.name)


def _windows(shape: CampaignShape, document: Located) -> Iterator[Problem]:
    opens, closes = shape.calendar.office_hours
    if opens >= closes:
        yield document.problem(("calendar", "office_hours"), "file.hours_backwards")
    last = time.min
    for place, (start, end) in enumerate(shape.calendar.sending_windows):
        if start >= end or start < last:
            yield document.problem(("calendar", "sending_windows", place), "file.hours_backwards")
        last = end
    if not shape.calendar.sending_windows:
        yield document.problem(("calendar", "sending_windows"), "file.no_window")


def _twice(shape: CampaignShape, document: Located) -> Iterator[Problem]:
    for key, days in (
        ("remind", [each.before for each in shape.remind]),
        ("escalate", [each.after for each in shape.escalate]),
    ):
        for place, day in enumerate(days):
            if day is not None and day in days[:place]:
                yield document.problem((key, place), "file.step_twice", days=day)
    numbers = [each.number for each in shape.legal_basis]
    for place, number in enumerate(numbers):
        if number in numbers[:place]:
            yield document.problem(("legal_basis", place), "file.paper_twice", number=number)
    ends = [each.after for each in shape.escalate if each.after is not None]
    for place, each in enumerate(shape.escalate):
        if each.repeat is not None and ends and max(ends) + each.repeat.every > each.repeat.until:
            yield document.problem(("escalate", place), "file.repeat_empty", until=each.repeat.until)
    repeats = [place for place, each in enumerate(shape.escalate) if each.repeat is not None]
    if repeats and (repeats[0] == 0 or repeats != [len(shape.escalate) - 1]):
        yield document.problem(("escalate", repeats[0]), "file.repeat_not_last")


def _dates(shape: CampaignShape, document: Located, calendar: WorkingCalendar) -> Iterator[Problem]:
    """Yield what is wrong with the deadlines; nothing of a later stage once the first one is wrong."""
    opens_on = shape.stages.self_assessment.opens_on
    if opens_on.year not in calendar.years:
        path = ("stages", "self_assessment", "opens_on")
        yield document.problem(path, "file.calendar_ends", year=opens_on.year)
        return
    opening = _opening(shape, calendar)
    for name, due in _dues(shape):
        path = ("stages", name, "due")
        try:
            meant = deadline(counted_from(due.wording(), opens_on), calendar)
        except CalendarEnds as error:
            yield document.problem(path, "file.calendar_ends", year=error.year)
            return
        except NoWorkingDay:
            yield document.problem(path, "file.no_working_day")
            return
        if meant.closes_at <= opening:
            yield document.problem(path, "file.due_before_opening", stage=name)
            return


def _steps_that_never_fire(
    shape: CampaignShape, document: Located, ladders: Ladders, calendar: WorkingCalendar
) -> Iterator[Problem]:
    """Find the steps that fire for no stage (docs/decisions/0006)."""
    chances = list(_chances(shape, calendar))
    for place, reminder in enumerate(shape.remind):
        step = Ladders(remind=tuple(each for each in ladders.remind if each.days == reminder.before))
        if not any(_fires(step, meant, entry, calendar) for meant, entry in chances):
            yield document.problem(
                ("remind", place), "file.step_never_fires", step=f"before: {reminder.before}"
            )
    places = {each.after: place for place, each in enumerate(shape.escalate) if each.repeat is None}
    refused = set()
    for later in ladders.escalate:
        # A step that `repeat` wrote out stands where `repeat` does, at the end.
        place = places.get(later.days, len(shape.escalate) - 1)
        step = Ladders(escalate=(later,), grace_working_days=ladders.grace_working_days)
        if place not in refused and not any(_fires(step, *chance, calendar) for chance in chances):
            refused.add(place)
            yield document.problem(
                ("escalate", place), "file.step_beyond_calendar", step=f"after: {later.days}"
            )


def _chances(shape: CampaignShape, calendar: WorkingCalendar) -> Iterator[tuple[Deadline, datetime]]:
    """Yield each deadline a stage can have, with the instant at which its items would open."""
    opens_on = shape.stages.self_assessment.opens_on
    first = deadline(counted_from(shape.stages.self_assessment.due.wording(), opens_on), calendar)
    for name, due in _dues(shape):
        if name == "self_assessment":
            entries = [_opening(shape, calendar)]
        else:
            entries = [first.closes_at]
            if getattr(due.wording(), "start", True) is None:
                entries += [first.late_from + timedelta(days=n) for n in range(ENTRY_DAYS)]
        for entry in entries:
            # An entry so late that the calendar ends is no chance; the earlier ones decide.
            with suppress(CalendarEnds, NoWorkingDay):
                yield deadline(counted_from(due.wording(), calendar.day_of(entry)), calendar), entry


def _fires(step: Ladders, meant: Deadline, entry: datetime, calendar: WorkingCalendar) -> bool:
    try:
        return any(at > entry for _, at in fire_times(step, meant, calendar))
    except (CalendarEnds, NoWorkingDay):
        return False


def _opening(shape: CampaignShape, calendar: WorkingCalendar) -> datetime:
    return calendar.at(shape.stages.self_assessment.opens_on, shape.calendar.office_hours[0])


def _dues(shape: CampaignShape) -> Iterator[tuple[str, DueShape]]:
    for name in ("self_assessment", "agency_review", "consolidation", "decision"):
        due = getattr(shape.stages, name).due
        if due is not None:
            yield name, due
