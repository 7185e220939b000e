"""The proof of a deadline: what it says was said lies in the mailbox; nothing is left out or called more."""

import re
from collections import Counter
from datetime import datetime

import pytest

from config.script_file import Verb
from models import journal, settling
from models.bounces import CameBack, record_bounces
from models.campaigns import get_campaign
from models.database import transaction
from models.outcomes import Tried
from models.proof import NoDeadline, proof_of
from notifications.mailbox import Mailbox
from rules.calendar import CITY, By
from rules.fates import Fate, Unsent
from rules.letters import Paper
from rules.notices import Channel
from rules.proof import NoticeLine, Proof, Silence, Term
from rules.sending import Follows, Outcome, Way
from rules.stages import PaperRole, Stage
from rules.work_items import ItemState, Lateness, Via
from tests import factories
from tests.proving import NOW, answer, issued, over_zalo, queued, refusing_mailbox, walked
from tests.walking import Walk, at, begin, change, rows


@pytest.fixture
def mailbox(tmp_path):
    with Mailbox(tmp_path / "mail") as opened:
        yield opened


@pytest.fixture
def walk(database, tmp_path, monkeypatch):
    """The whole campaign of tests.proving, walked to its end."""
    with refusing_mailbox(tmp_path / "mail", monkeypatch) as opened:
        yield walked(tmp_path / "files", opened)


def proof(code: str = "mau-2021", stage: Stage = Stage.SELF_ASSESSMENT, now: str = NOW) -> Proof:
    with transaction() as session:
        return proof_of(session, get_campaign(session, code), stage, now=at(now))


def clock(instant: datetime | None) -> str | None:
    return f"{instant.astimezone(CITY):%m-%d %H:%M}" if instant else None


def mailed(walk: Walk) -> list[tuple[str, str, str, str]]:
    """Return what lies in the mailbox: of which unit, when, to whom, under which number."""
    found = []
    for path, mail in zip(walk.mailbox.letters(), walk.mails(), strict=True):
        day, hour, whom, mark = path.stem.split("-", 3)
        body = mail.get_body(("plain",)).get_content()
        moment = f"{day[4:6]}-{day[6:]} {hour[:2]}:{hour[2:]}"
        found += [(unit, moment, whom, mark) for unit in set(re.findall(r"[Xx]ã MẪU (\w)\b", body))]
    return sorted(found)


def said(found: Proof) -> list[tuple[str, str, str, str]]:
    """Return what a report says was taken by a server, in the same form."""
    return sorted(
        (
            item.unit,
            clock(line.settled_at),
            line.letters[-1].address.partition("@")[0],
            line.letters[-1].accepted.provider_id,
        )
        for item in found.items
        for line in item.notices
        if line.is_said
    )


def unsaid(found: Proof) -> list[tuple]:
    return [
        (item.unit, clock(line.at), str(line.kind), line.step, line.to, line.fate, line.unsent)
        for item in found.items
        for line in item.notices
        if not line.is_said
    ]


def test_the_report_says_what_the_mailbox_holds_and_nothing_else(walk):
    found = proof()
    assert said(found) == mailed(walk)
    assert unsaid(found) == [
        ("b", "11-18 07:30", "reminder", "before:1", "MẪU b", Fate.SUPERSEDED, Unsent.NEWER),
        ("c", "11-25 07:40", "reminder", "before:1", "MẪU c", Fate.SUPPRESSED, Unsent.HANDED_IN),
        ("e", "11-18 07:30", "reminder", "before:1", "MẪU e", Fate.SUPERSEDED, Unsent.NEWER),
        ("f", "11-11 07:30", "opening", "-", "MẪU f", Fate.FAILED, None),
        ("f", "11-16 07:30", "reminder", "before:3", "MẪU f", Fate.FAILED, None),
        ("f", "11-18 07:30", "reminder", "before:1", "MẪU f", Fate.SUPERSEDED, Unsent.NEWER),
        ("f", "11-19 07:30", "reminder", "before:0", "MẪU f", Fate.FAILED, None),
    ]
    failed = [line.letters[-1].tries for line in found.items[5].notices if line.fate is Fate.FAILED]
    assert {(each.outcome, each.code, each.words) for (each,) in failed} == {
        (Outcome.PERMANENT, "550", "5.1.1 no such user here")
    }
    of_stage = [path for path in walk.mailbox.letters() if path.stem.split("-")[2] != "x"]
    tally = found.tally()
    assert (tally.letters, tally.tries) == (len(of_stage), len(of_stage) + 3)
    assert tally.fates == {Fate.ACCEPTED: 29, Fate.FAILED: 3, Fate.SUPERSEDED: 3, Fate.SUPPRESSED: 1}
    assert proof() == found


def test_the_report_says_who_owed_what_by_which_paper_and_what_came(walk):
    found = proof()
    assert (found.title, found.organiser, found.standing_office) == (
        "Công nhận tổ dân phố MẪU năm 2021",
        "Ủy ban nhân dân MẪU",
        "phòng MẪU standing",
    )
    (first,) = found.terms
    assert terms([first]) == [
        ("before: 2021-11-22", "11-19 17:00", "11-22 00:00", "entered", "3/CV-MẪU", PaperRole.LAUNCH)
    ]
    extended = ("by: 2021-11-26", "11-26 17:00", "11-27 00:00", "extended", "7/CV-MẪU", PaperRole.EXTENSION)
    assert {item.unit: terms(item.terms) for item in found.items} == {
        unit: terms([first]) + ([extended] if unit == "c" else []) for unit in "abcdef"
    }
    assert (found.items[2].terms[1].paper, found.items[2].terms[1].reason) == (
        Paper("CV", "7/CV-MẪU", at("2021-11-15 00:00").date()),
        "lũ",
    )
    handed_in = [
        (item.unit, clock(each.received_at), each.via, each.number, each.is_late)
        for item in found.items
        for each in item.handed_in
    ]
    assert handed_in == [
        ("a", "11-12 09:00", Via.PAPER, "12/BC", False),
        ("b", "11-22 14:00", Via.PORTAL, None, True),
        ("c", "11-25 07:40", Via.PORTAL, None, False),
    ]
    assert [(item.unit, item.state, item.lateness(found.as_of)) for item in found.items] == [
        ("a", ItemState.DONE, Lateness.ON_TIME),
        ("b", ItemState.DONE, Lateness.LATE),
        ("c", ItemState.DONE, Lateness.ON_TIME),
        ("d", ItemState.WAIVED, None),
        ("e", ItemState.OPEN, Lateness.OVERDUE),
        ("f", ItemState.OPEN, Lateness.OVERDUE),
    ]
    waiver = found.items[3].waiver
    assert (clock(waiver.at), waiver.reason) == ("11-12 10:00", "mới sáp nhập")
    assert [(item.unit, why) for item, why in found.silent] == [("f", Silence.FAILED)]
    tally = found.tally()
    counted = (tally.units, tally.handed_in, tally.on_time, tally.late, tally.waived, tally.owing)
    assert (counted, tally.extended) == ((6, 3, 2, 1, 1, 2), 1)
    with transaction() as session:
        campaign = get_campaign(session, walk.code)
        events, verdict = list(journal.events(session, campaign)), journal.verify(session, campaign)
    assert (found.trail.entries, found.trail.hash) == (events[-1].number, events[-1].hash)
    assert (found.trail.broken_at, verdict.broken_at) == (None, None)


def terms(of: list[Term] | tuple[Term, ...]) -> list[tuple]:
    return [
        (
            str(term.wording),
            clock(term.closes_at),
            clock(term.late_from),
            str(term.cause),
            term.paper.number if term.paper else None,
            term.role,
        )
        for term in of
    ]


def test_a_return_and_an_amendment_are_versions_with_their_reasons(database, tmp_path, mailbox):
    walk = begin(tmp_path / "files", mailbox)
    walk.do(Verb.SUBMIT, "2021-11-12 09:00", "a")
    walk.do(Verb.RETURN, "2021-11-12 10:00", "a", reasons=("thiếu biên bản", "chưa ký"))
    walk.do(
        Verb.AMEND,
        "2021-11-15 09:00",
        number="8/CV-MẪU",
        reasons=("dịch",),
        dues={Stage.SELF_ASSESSMENT: By(at("2021-11-24 00:00").date())},
    )
    walk.visit("2021-11-15 09:00")
    found = proof(now="2021-11-15 10:00")
    first = ("before: 2021-11-22", "11-19 17:00", "11-22 00:00", "entered", "3/CV-MẪU", PaperRole.LAUNCH)
    amended = ("by: 2021-11-24", "11-24 17:00", "11-25 00:00", "amended", "8/CV-MẪU", PaperRole.AMENDMENT)
    assert terms(found.terms) == [first, amended]
    assert [term.reason for term in found.terms] == [None, "dịch"]
    a, b = found.items
    assert [(str(term.cause), term.reason) for term in a.terms] == [
        ("entered", None),
        ("returned", "thiếu biên bản; chưa ký"),
        ("amended", "dịch"),
    ]
    assert terms(b.terms) == [first, amended]
    # Whoever is told of the amended term was told of the deadline.
    assert [(clock(line.settled_at), str(line.kind)) for line in b.notices] == [
        ("11-11 07:30", "opening"),
        ("11-15 09:00", "amended"),
    ]


FRIDAY = By(at("2021-11-26 00:00").date())
ENDS = {
    "handed-in": (Verb.SUBMIT, "a", {}, Unsent.HANDED_IN),
    "waived": (Verb.WAIVE, "a", {"reasons": ("MẪU",)}, Unsent.WAIVED),
    "extended": (
        Verb.EXTEND,
        "a",
        {"term": FRIDAY, "reasons": ("MẪU",), "number": "7/CV-MẪU"},
        Unsent.NEW_TERM,
    ),
    "cancelled": (Verb.CANCEL, None, {"reasons": ("MẪU",)}, Unsent.ENDED),
}


@pytest.mark.parametrize(("verb", "unit", "facts", "why"), ENDS.values(), ids=ENDS)
def test_what_was_not_sent_says_why(database, tmp_path, mailbox, verb, unit, facts, why):
    walk = begin(tmp_path / "files", mailbox)
    walk.tick("2021-11-16 07:30")
    walk.do(verb, "2021-11-16 07:31", unit, **facts)
    walk.visit("2021-11-16 07:32")
    (line,) = [each for each in proof().items[0].notices if each.step == "before:3"]
    assert (line.fate, line.unsent) == (Fate.SUPPRESSED, why)


def test_who_was_never_written_to_is_there_with_the_reason(database, tmp_path, mailbox):
    mute = factories.unit(
        "b", contacts=[factories.contact("b", "officer", email=None, phone="0213 000 0001")]
    )
    of_units = [*factories.units(communes=("a",)), mute]
    begin(tmp_path / "files", mailbox, of_units=of_units)
    change("UPDATE contacts SET left_at = '2021-11-01 00:00:00' WHERE code LIKE 'a.%'")
    change("DELETE FROM notices WHERE about = 'dossier/a' AND kind = 'opening'")
    found = proof(now="2021-11-12 09:00")
    assert [(item.unit, why) for item, why in found.silent] == [
        ("a", Silence.NO_RECIPIENT),
        ("b", Silence.FAILED),
    ]
    assert [line.unsent for line in found.items[1].to_unit] == [Unsent.NO_ADDRESS]


def last_day() -> NoticeLine:
    (item,) = proof().items
    (line,) = [each for each in item.notices if each.step == "before:0" and each.kind == "reminder"]
    return line


def test_what_failed_over_zalo_is_followed_to_the_mail_that_took_its_place(database, tmp_path, mailbox):
    walk = over_zalo(tmp_path / "files", mailbox)
    refused = Tried(Outcome.PERMANENT, "-230", words="no interaction in 7 days", way=Way.ZALO_OA)
    answer("2021-11-19 07:30", refused)
    walk.deliver("2021-11-19 07:31")
    line = last_day()
    assert [(each.channel, each.way, each.state, each.follows) for each in line.letters] == [
        (Channel.ZALO, Way.ZALO_OA, "failed", None),
        (Channel.EMAIL, Way.EMAIL, "sent", Follows.NEXT_CHANNEL),
    ]
    assert [(each.outcome, each.code) for letter in line.letters for each in letter.tries] == [
        (Outcome.PERMANENT, "-230"),
        (Outcome.ACCEPTED, "250"),
    ]
    assert (line.fate, clock(line.settled_at)) == (Fate.ACCEPTED, "11-19 07:31")
    assert walk.letters("a")[-1:] == [("11-19 07:31", "a")]


def test_zalo_has_taken_a_message_before_it_says_that_it_has_arrived(database, tmp_path, mailbox):
    over_zalo(tmp_path / "files", mailbox)
    answer("2021-11-19 07:30", Tried(Outcome.ACCEPTED, "0", "z1", way=Way.ZALO_OA))
    assert (last_day().fate, last_day().letters[0].accepted.provider_id) == (Fate.ACCEPTED, "z1")
    change(
        "UPDATE letters SET state = 'delivered', delivered_at = '2021-11-19 00:31:00', "
        "seen_at = '2021-11-19 00:40:00' WHERE channel = 'zalo'"
    )
    (letter,) = last_day().letters
    assert (last_day().fate, clock(letter.delivered_at), clock(letter.seen_at)) == (
        Fate.DELIVERED,
        "11-19 07:31",
        "11-19 07:40",
    )
    assert proof().tally().fates == {Fate.ACCEPTED: 1, Fate.DELIVERED: 1, Fate.SUPERSEDED: 2}


def test_what_nobody_knows_of_is_not_called_said_and_what_was_dropped_says_so(database, tmp_path, mailbox):
    over_zalo(tmp_path / "files", mailbox)
    number = answer("2021-11-19 07:30", Tried(Outcome.UNKNOWN, words="no answer", way=Way.ZALO_OA))
    assert (last_day().fate, last_day().letters[0].was_dropped) == (Fate.UNCERTAIN, False)
    with transaction() as session:
        settling.drop_uncertain(session, number, at=at("2021-11-19 09:00"), by="MẪU")
    line = last_day()
    assert (line.fate, line.letters[0].was_dropped, clock(line.settled_at)) == (
        Fate.FAILED,
        True,
        "11-19 09:00",
    )


def test_a_mail_that_came_back_is_no_longer_said_and_one_sent_again_is_marked(database, tmp_path, mailbox):
    walk = begin(tmp_path / "files", mailbox, of_units=factories.units(communes=("a",)))
    (number, message_id), *_ = rows("SELECT id, message_id FROM letters ORDER BY id")
    with transaction() as session:
        report = CameBack(message_id, "a@mau.example", "5.1.1", "no such user")
        assert record_bounces(session, [report], at=at("2021-11-11 08:00")) == 1
    with transaction() as session:
        settling.resend(session, number, at=at("2021-11-11 09:00"), by="MẪU")
    walk.visit("2021-11-11 09:00")
    (item,) = proof().items
    first, again = [line for line in item.notices if line.kind == "opening"]
    assert (first.fate, first.letters[0].came_back) == (Fate.FAILED, True)
    assert (clock(first.settled_at), clock(first.letters[0].accepted.at)) == ("11-11 08:00", "11-11 07:30")
    assert (again.fate, again.letters[0].follows, len(again.letters)) == (Fate.ACCEPTED, Follows.AGAIN, 1)
    assert first.letters[0].message_id == again.letters[0].message_id


def test_a_stage_without_a_deadline_is_refused_naming_those_that_have_one(database, tmp_path, mailbox):
    begin(tmp_path / "files", mailbox)
    with pytest.raises(NoDeadline) as refused:
        proof(stage=Stage.CONSOLIDATION)
    assert (refused.value.stage, refused.value.known) == (Stage.CONSOLIDATION, (Stage.SELF_ASSESSMENT,))


def test_a_report_is_tied_to_a_journal_that_was_tampered_with_as_broken(database, tmp_path, mailbox):
    begin(tmp_path / "files", mailbox)
    whole = proof().trail
    if database.dialect == "sqlite":
        change("DROP TRIGGER journal_no_update")
    else:
        change("ALTER TABLE journal DISABLE TRIGGER USER")
    change("UPDATE journal SET done_by = 'MẪU 2' WHERE number = 2")
    assert (whole.broken_at, proof().trail.broken_at) == (None, 2)


def test_statements_do_not_grow_with_the_units_and_no_words_of_letters_are_read(database, tmp_path, mailbox):
    counted = {}
    for code, communes in (("few", 2), ("many", 30)):
        queued(tmp_path / code, code, communes)
        counted[code] = issued(database, lambda code=code: proof(code))
    assert Counter(map(len, counted.values())) == {len(counted["few"]): 2}
    assert [each for each in counted["many"] if "letters.html" in each or "letters.text" in each] == []
