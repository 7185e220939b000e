"""States, and what may follow what: every pair is walked."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from rules.calendar import Before, Deadline
from rules.notices import (
    LETTER_MAY_FOLLOW,
    NOTICE_MAY_FOLLOW,
    LetterState,
    NoticeKind,
    NoticeState,
    notice_key,
    retry_after_minutes,
)
from rules.work_items import ItemState, Lateness, lateness, may_become

ITEM_MOVES = {
    ("open", "done"),
    ("open", "waived"),
    ("open", "cancelled"),
    ("done", "open"),
}
NOTICE_MOVES = {
    ("waiting_release", "queued"),
    ("queued", "waiting_release"),
    ("waiting_release", "superseded"),
    ("waiting_release", "suppressed"),
    ("queued", "said"),
    ("queued", "superseded"),
    ("queued", "suppressed"),
    ("queued", "failed"),
    ("said", "failed"),
    ("said", "queued"),
}
LETTER_MOVES = {
    ("queued", "sending"),
    ("queued", "suppressed"),
    ("sending", "sent"),
    ("sending", "queued"),
    ("sending", "failed"),
    ("sending", "uncertain"),
    ("sending", "suppressed"),
    ("uncertain", "queued"),
    ("uncertain", "sent"),
    ("uncertain", "delivered"),
    ("uncertain", "failed"),
    ("sent", "delivered"),
    ("sent", "failed"),
}


@pytest.mark.parametrize(("current", "wanted"), list(product(ItemState, ItemState)))
def test_an_item_moves_only_where_it_may(current, wanted):
    assert may_become(current, wanted) is ((current.value, wanted.value) in ITEM_MOVES)


@pytest.mark.parametrize(("current", "wanted"), list(product(NoticeState, NoticeState)))
def test_a_notice_moves_only_where_it_may(current, wanted):
    assert (wanted in NOTICE_MAY_FOLLOW[current]) is ((current.value, wanted.value) in NOTICE_MOVES)


@pytest.mark.parametrize(("current", "wanted"), list(product(LetterState, LetterState)))
def test_a_letter_moves_only_where_it_may(current, wanted):
    assert (wanted in LETTER_MAY_FOLLOW[current]) is ((current.value, wanted.value) in LETTER_MOVES)


LATE = datetime(2021, 11, 21, 17, tzinfo=UTC)
MEANT = Deadline(Before(LATE.date()), LATE - timedelta(days=2), LATE)
MOMENT = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("done_at", "now", "expected"),
    [
        pytest.param(None, LATE - MOMENT, Lateness.NOT_DUE, id="open-before"),
        pytest.param(None, LATE, Lateness.OVERDUE, id="open-at-the-instant"),
        pytest.param(LATE - MOMENT, LATE, Lateness.ON_TIME, id="in-just-before"),
        pytest.param(LATE, LATE, Lateness.LATE, id="in-at-the-instant"),
    ],
)
def test_lateness_turns_at_the_instant_itself(done_at, now, expected):
    assert lateness(MEANT, done_at=done_at, now=now) is expected


def test_without_a_deadline_nothing_is_late():
    assert lateness(None, done_at=None, now=LATE) is Lateness.NO_DEADLINE


def test_a_notice_key_tells_versions_and_recipients_apart():
    def key(version: int, recipient: str) -> str:
        return notice_key(
            campaign="c",
            kind=NoticeKind.REMINDER,
            about="dossier/x",
            step="before:1",
            version=version,
            recipient=recipient,
            copy=0,
        )

    assert key(1, "x.1") == "c|reminder|dossier/x|before:1|v1|x.1|c0"
    assert len({key(1, "x.1"), key(2, "x.1"), key(1, "x.2")}) == 3


def test_a_notice_key_refuses_an_empty_part():
    with pytest.raises(ValueError, match="every part"):
        notice_key(
            campaign="c", kind=NoticeKind.OPENING, about="", step="-", version=0, recipient="x.1", copy=0
        )


def test_a_passing_failure_is_retried_for_a_day_and_no_longer():
    pauses = []
    while (pause := retry_after_minutes(len(pauses) + 1)) is not None:
        pauses.append(pause)
    assert pauses[:5] == [1, 5, 15, 60, 60]
    assert set(pauses[4:]) == {60}
    assert 23 * 60 < sum(pauses) <= 25 * 60
