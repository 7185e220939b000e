"""What a letter has to say, as facts: gathered from the database, handed to the templates."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from hashlib import sha256

from rules.calendar import Deadline, Wording, WorkingCalendar
from rules.notices import NoticeKind
from rules.stages import Mode, PaperChange, Stage
from rules.work_items import ExtensionState, ItemKind, Lateness, Via


class UnitKind(StrEnum):
    """What a unit is; it decides how it is addressed."""

    GOVERNMENT = "government"  # Ủy ban nhân dân that runs the campaign
    COMMUNE = "commune"  # xã, phường, đặc khu
    AGENCY = "agency"  # phòng, ban, sở
    FRONT = "front"  # Mặt trận Tổ quốc, đoàn thể
    FORCE = "force"  # công an, quân sự
    GROUP = "group"  # tổ dân phố, bản, thôn


class Relation(StrEnum):
    """How a unit stands to the organiser; peers and superiors are asked, never urged."""

    SUBORDINATE = "subordinate"
    PEER = "peer"
    SUPERIOR = "superior"


class Tense(StrEnum):
    """Where a reminder stands on the day it is really sent, whatever day it was planned for."""

    AHEAD = "ahead"
    LAST_DAY = "last_day"
    PAST = "past"


@dataclass(frozen=True, slots=True)
class Person:
    """A contact as a letter speaks of him; `honorific` is `đồng chí` or `ông/bà`."""

    name: str
    title: str
    role: str
    email: str | None = None
    phone: str | None = None
    honorific: str = "đồng chí"


@dataclass(frozen=True, slots=True)
class UnitFacts:
    """A unit as a letter speaks of it; `name` carries its type: `phường Đông Phong`."""

    code: str
    name: str
    kind: UnitKind
    relation: Relation
    groups: int = 0
    officer: Person | None = None


@dataclass(frozen=True, slots=True)
class Paper:
    """A registered paper (văn bản đã ban hành): its kind (`CV`, `QĐ`), number, day and subject."""

    kind: str
    number: str
    issued_on: date
    title: str | None = None
    signed_by: str | None = None


@dataclass(frozen=True, slots=True)
class StandingOffice:
    """The standing office (cơ quan thường trực) with the person to call and its head."""

    name: str
    contact: Person
    head: Person
    address: str | None = None
    phone: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class TermChange:
    """A stage's term before an amendment (None where it had none) and after it.

    `closes_at` is set where the stage has begun, so that the term is known to the hour.
    """

    stage: Stage
    before: Wording | None
    after: Wording
    closes_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Amendment:
    """What a paper changed of the plan (điều chỉnh kế hoạch): mode, terms, the opening day."""

    paper: Paper
    mode: Mode | None
    reason: str
    terms: tuple[TermChange, ...] = ()
    opens_on: date | None = None


@dataclass(frozen=True, slots=True)
class Extension:
    """A request for more time (đề nghị gia hạn): the unit's own paper where it sent one, and the answer."""

    state: ExtensionState
    reason: str
    asked_at: datetime
    wanted: Wording | None = None
    number: str | None = None
    issued_on: date | None = None
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class CampaignFacts:
    """The campaign as every letter of it needs it.

    `launch` is the paper that set it going, `inspection_plan` the plan that `amendment` changed,
    `dossier_parts` what a dossier consists of, `link` the portal's address where there is one.
    """

    code: str
    title: str
    short_title: str
    year: int
    organiser: str
    standing: StandingOffice
    mode: Mode
    launch: Paper | None = None
    plan: Paper | None = None
    team: Paper | None = None
    decision: Paper | None = None
    amendment: Amendment | None = None
    review_wording: Deadline | None = None
    dossier_parts: tuple[str, ...] = ()
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """How often an item was spoken of to its officer, and when last."""

    times: int = 0
    last_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a group on the list that was submitted; `reasons` stand within a sentence."""

    group: str
    is_recognised: bool
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One notice of a letter: an item, and how it stands at the moment of sending.

    `missing` lists what has not been received, out of `parts` parts. `working_days_late` counts
    the working days since `late_from`, the first late one being 1; `working_days_left` those still
    to come, today not counted. `tense` is set where there is a deadline. `branches` are the criteria
    an agency assesses. Where the line waits to be released, `to_role` is for whom, and `goes_at` when
    it goes if nobody says anything. `copy` is 0 for the one addressed and 1 upward for those who get a copy.

    `note` is what the standing head added; `extension` the request for more time that is open, or
    that a letter about an extension answers; `before` the term that the present one replaced, and
    `by_paper` the paper that allows it. `round` counts the requests to complete a dossier. `reader`
    is who could not be reached, `joined` the unit whose dossier joins a concluded review, `subject`
    what a complaint is about, `explained` the unit that explains a score. A line about a paper has its
    `amendment`, or the `paper` with what it does (`change`) to an `earlier` one; one about the decision
    the `outcomes` of the unit's groups, where they were scored here.
    """

    kind: NoticeKind
    item: ItemKind
    unit: UnitFacts
    step: str = "-"
    copy: int = 0
    deadline: Deadline | None = None
    lateness: Lateness = Lateness.NO_DEADLINE
    missing: tuple[str, ...] = ()
    parts: int = 0
    branches: tuple[str, ...] = ()
    working_days_late: int = 0
    working_days_left: int = 0
    tense: Tense | None = None
    told: Told = field(default_factory=Told)
    received_at: datetime | None = None
    via: Via | None = None
    number: str | None = None
    submitted_by: Person | None = None
    is_not_proposing: bool = False
    reason: str | None = None
    to_role: str | None = None
    goes_at: datetime | None = None
    note: str | None = None
    extension: Extension | None = None
    before: Deadline | None = None
    by_paper: Paper | None = None
    round: int = 0
    reader: Person | None = None
    joined: str | None = None
    explained: str | None = None
    subject: str | None = None
    amendment: Amendment | None = None
    paper: Paper | None = None
    change: PaperChange | None = None
    earlier: Paper | None = None
    outcomes: tuple[Outcome, ...] = ()


@dataclass(frozen=True, slots=True)
class Totals:
    """How many units have handed in; `open` are those that still owe.

    `incomplete` dossiers came, and parts of them are known to be missing: nobody is told that they
    are whole.
    """

    units: int = 0
    handed_in: int = 0
    on_time: int = 0
    late: int = 0
    not_proposing: int = 0
    waived: int = 0
    extended: int = 0
    open: int = 0
    incomplete: int = 0


@dataclass(frozen=True, slots=True)
class Letter:
    """Everything one letter says: to whom, as of when, and its lines in official order.

    `extended` are the lines that ride along in a leader's digest: what he was told of and has been
    given more time since.

    `as_of` is an aware instant in city time. `role` is why the recipient is told (`officer`,
    `unit_head`, `chairman`, …). `answer_by` is the day by which an answer is asked for.
    """

    key: str
    kind: NoticeKind
    role: str
    to: Person
    campaign: CampaignFacts
    as_of: datetime
    lines: tuple[Line, ...]
    totals: Totals = field(default_factory=Totals)
    answer_by: date | None = None
    wants_draft: bool = False
    copies_to: tuple[Person, ...] = ()
    message_id: str = ""
    extended: tuple[Line, ...] = ()


def message_id(key: str, domain: str) -> str:
    """Return the stable RFC 5322 id of a letter; sending it again keeps it."""
    return f"<{sha256(key.encode()).hexdigest()[:32]}@{domain}>"


def tense(deadline: Deadline, now: datetime, calendar: WorkingCalendar) -> Tense:
    """Return how a reminder speaks of the deadline when it is sent at `now`."""
    if now >= deadline.closes_at:
        return Tense.PAST
    if calendar.day_of(now) == calendar.day_of(deadline.closes_at):
        return Tense.LAST_DAY
    return Tense.AHEAD


def working_days_left(deadline: Deadline, now: datetime, calendar: WorkingCalendar) -> int:
    """Return how many working days lie after today up to the day on which the deadline closes."""
    return calendar.working_days_between(calendar.day_of(now), calendar.day_of(deadline.closes_at))


def working_days_late(deadline: Deadline, now: datetime, calendar: WorkingCalendar) -> int:
    """Return how many working days have begun since `late_from`; 0 while nothing is late."""
    if now < deadline.late_from:
        return 0
    first_late_day = calendar.day_of(deadline.late_from)
    began_late = calendar.midnight(first_late_day) >= deadline.late_from
    return calendar.working_days_between(first_late_day, calendar.day_of(now)) + (
        1 if began_late and calendar.is_working_day(first_late_day) else 0
    )
