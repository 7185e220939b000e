"""What a clerk reads of notices, letters and terms: the same words on the terminal and on paper."""

from collections.abc import Sequence
from datetime import datetime
from typing import assert_never

from config.messages import catalogue, say
from rules.calendar import CITY, Before, By, InYear, WithinDays, WithinWorkingDays, Wording
from rules.fates import NOT_SENT, Fate, Unsent
from rules.letters import Paper
from rules.notices import RIDES_ALONG, Channel, LetterState, NoticeKind
from rules.proof import Attempt, HandedIn, ItemLine, NoticeLine, Sending, Term
from rules.sending import Follows, Way
from rules.work_items import VersionCause


def moment(at: datetime) -> str:
    """Return an instant as papers write it: `07h30 ngày 16/11/2021`."""
    return f"{at.astimezone(CITY):%Hh%M ngày %d/%m/%Y}"


def start(text: str) -> str:
    """Return the text as it begins a sentence."""
    return text[:1].upper() + text[1:]


def wording_words(wording: Wording) -> str:
    """Return the original wording of a term: `trước ngày 22/11/2021`."""
    match wording:
        case Before(on):
            return say("wording.before", day=_day(on))
        case By(on, at) if at is not None:
            return say("wording.by_at", clock=f"{at:%Hh%M}", day=_day(on))
        case By(on):
            return say("wording.by", day=_day(on))
        case WithinDays(days, since):
            return say("wording.within_days", days=f"{days:02d}", day=_from(since))
        case WithinWorkingDays(days, since):
            return say("wording.within_working_days", days=f"{days:02d}", day=_from(since))
        case InYear(year):
            return say("wording.in_year", year=year)
    assert_never(wording)


def paper_words(paper: Paper) -> str:
    """Return a paper as others cite it: `Công văn số 3/CV-MẪU ngày 11/11/2021`."""
    kind = catalogue().get(f"paper_kind.{paper.kind}", paper.kind)
    return say("paper.named", kind=kind, number=paper.number, day=_day(paper.issued_on))


def step_words(step: str) -> str:
    """Return how a clerk calls a step of a ladder; nothing for what is none."""
    side, _, days = step.partition(":")
    if side not in ("before", "after"):
        return ""
    return say(f"step.{side}_0") if days == "0" else say(f"step.{side}", days=f"{int(days):02d}")


def notice_words(kind: NoticeKind, step: str) -> str:
    """Return what is said: `nhắc hạn (trước 03 ngày làm việc)`."""
    if kind is NoticeKind.EXTENDED and step != "-":
        return say("told.rides_along" if step == RIDES_ALONG else "told.refused")
    name, on_step = say(f"kind.{kind}"), step_words(step)
    return say("told.step", kind=name, step=on_step) if on_step else name


def way_words(channel: Channel, way: Way | None) -> str:
    """Return over what a letter went, or will go: `thư điện tử`, `ZBS theo UID`."""
    return say(f"way.{way or channel}")


def answer_words(attempt: Attempt) -> str:
    """Return code, number and words of an answer, as far as there are any."""
    found = [say("carried.code", code=attempt.code)] if attempt.code else []
    found += [attempt.words] if attempt.words else []
    return ": ".join(found) or say("carried.unanswered")


def result_words(line: NoticeLine) -> str:
    """Return what became of a notice, channel after channel, as an inspection may read it."""
    chain = "\n→ ".join(sending_words(each) for each in line.letters)
    if line.unsent is Unsent.BESIDES and chain:
        return start(say("carried.besides", chain=chain))
    if line.unsent is not None:
        words = say("carried.not_sent", why=say(f"unsent.{line.unsent}"))
        tries = [attempt for letter in line.letters for attempt in letter.tries]
        is_told = line.fate in NOT_SENT and tries
        return start(words + (_tries(tries, line.letters[-1].channel) if is_told else ""))
    if line.fate in (Fate.WAITING_RELEASE, Fate.HELD):
        return start(say(f"carried.{line.fate}"))
    waits = "carried.rides_along" if line.step == RIDES_ALONG else "carried.waiting"
    return start(chain or say(waits))


def sending_words(letter: Sending) -> str:
    """Return over what a letter went and how far it got; acceptance is not called delivery."""
    way = way_words(letter.channel, letter.way)
    has_more = len(letter.tries) > 1 and not letter.came_back
    tries = _tries(letter.tries, letter.channel) if has_more else ""
    return say("carried.by", way=way, what=_course(letter) + tries + _again(letter))


def _course(letter: Sending) -> str:
    last = letter.tries[-1] if letter.tries else None
    answered = letter.accepted
    on = "email" if letter.channel is Channel.EMAIL else "zalo"
    ended_at = moment(letter.settled_at or letter.not_before)
    why = answer_words(last) if last else say("carried.unanswered")
    match letter.state:
        case LetterState.SENT:
            at = moment(answered.at) if answered else ended_at
            return say(f"carried.accepted_{on}", at=at, marks=_marks(letter))
        case LetterState.DELIVERED:
            at = moment(letter.delivered_at) if letter.delivered_at else ended_at
            seen = say("carried.seen", at=moment(letter.seen_at)) if letter.seen_at else ""
            return say(f"carried.delivered_{on}", at=at, marks=_marks(letter)) + seen
        case LetterState.FAILED if letter.came_back and answered:
            at, marks = moment(answered.at), _marks(letter)
            return say("carried.came_back", accepted_at=at, marks=marks, at=ended_at, why=why)
        case LetterState.FAILED if letter.was_dropped and last:
            return say("carried.dropped", tried_at=moment(last.at), at=ended_at)
        case LetterState.FAILED:
            return say("carried.failed", at=ended_at, why=why)
        case LetterState.UNCERTAIN:
            return say("carried.uncertain", at=moment(last.at) if last else ended_at)
        case LetterState.QUEUED if last:
            return say("carried.retried", why=why, at=moment(letter.not_before))
        case LetterState.QUEUED:
            return say("carried.queued", at=moment(letter.not_before))
    return say(f"carried.{letter.state}")


def _marks(letter: Sending) -> str:
    """Return code and number with which a server took a letter, each after a comma."""
    answered = letter.accepted
    number = (answered and answered.provider_id) or letter.provider_id
    marks = [say("carried.code", code=answered.code)] if answered and answered.code else []
    marks += [say("carried.id", id=number)] if number else []
    return "".join(f", {mark}" for mark in marks)


def _tries(tries: Sequence[Attempt], channel: Channel) -> str:
    """Return every try in a few words, each with its way where they took several."""
    told, has_ways = [], len({each.way for each in tries}) > 1
    for each in tries:
        outcome = say(f"outcome.{each.outcome}") + (
            f", {say('carried.code', code=each.code)}" if each.code else ""
        )
        way = say("carried.over", way=way_words(channel, each.way)) if has_ways else ""
        told.append(say("carried.try", at=moment(each.at), way=way, outcome=outcome))
    return say("carried.tries", tries="; ".join(told))


def _again(letter: Sending) -> str:
    """Return the mark of a letter that was sent again."""
    on = "" if letter.channel is Channel.EMAIL else "_zalo"
    if letter.follows is Follows.AGAIN:
        return say(f"carried.again{on}")
    return say(f"carried.repeated{on}", count=letter.repeats) if letter.repeats else ""


def cause_words(term: Term) -> str:
    """Return why a version of a deadline was written, and by which paper."""
    if term.cause is VersionCause.ENTERED and term.paper is None:
        return say("cause.entered_alone")
    paper = paper_words(term.paper) if term.paper else say("cause.unnamed")
    words = say(f"cause.{term.cause}", paper=paper)
    return say("proof.because", cause=words, reason=term.reason) if term.reason else words


def term_words(term: Term) -> str:
    """Return a version of a deadline in one line: the wording, both instants, why it was written."""
    return say(
        "proof.one_term",
        wording=wording_words(term.wording),
        closes_at=moment(term.closes_at),
        late_from=moment(term.late_from),
        cause=cause_words(term),
    )


def handed_in_words(handed_in: HandedIn) -> str:
    """Return one handing-in in one line: when, how, under which number, on time or late."""
    via = say(f"via.{handed_in.via}")
    parts = [
        say("proof.handed_in", round=handed_in.round, received_at=moment(handed_in.received_at), via=via)
    ]
    if handed_in.number:
        parts.append(say("proof.number", number=handed_in.number))
    if handed_in.is_not_proposing:
        parts.append(say("proof.not_proposing"))
    if handed_in.is_late is not None:
        parts.append(say("late.yes" if handed_in.is_late else "late.no"))
    if handed_in.recorded_at != handed_in.received_at:
        parts.append(say("proof.recorded", at=moment(handed_in.recorded_at)))
    return "; ".join(parts)


def done_words(item: ItemLine) -> tuple[str, ...]:
    """Return what a unit has done about what it owed, line by line: handed in, let off, or nothing."""
    lines = [handed_in_words(each) for each in item.handed_in]
    if item.waiver is not None:
        lines.append(say("proof.waived", at=moment(item.waiver.at), reason=item.waiver.reason))
    if not lines and item.done_at is not None:
        lines.append(say("proof.done", at=moment(item.done_at)))
    return tuple(lines) or (say("proof.nothing_handed_in"),)


def state_words(item: ItemLine) -> str:
    """Return how an item stands: `đã thực hiện`, `không đề nghị công nhận`."""
    is_not_proposing = (
        item.done_at is not None and bool(item.handed_in) and item.handed_in[-1].is_not_proposing
    )
    return say("item_state.not_proposing" if is_not_proposing else f"item_state.{item.state}")


def lateness_words(item: ItemLine, as_of: datetime) -> str:
    """Return how an item stood against its term; nothing where its unit was let off."""
    found = item.lateness(as_of)
    return say(f"lateness.{found}") if found else ""


def _day(day: object) -> str:
    return f"{day:%d/%m/%Y}"


def _from(day: object | None) -> str:
    return _day(day) if day is not None else say("wording.stage")
