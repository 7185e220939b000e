"""Tokens in the database: sealed, replaced only as the pair they were read as, its history without values."""

import traceback
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256

import pytest
from sqlalchemy import inspect, text

from models import tokens
from models.database import Database, transaction
from models.sealing import KeyUnusable, Seal, WrongKey, new_key
from models.tokens import KeptPair
from rules.calendar import CITY
from rules.sending import TokenState, TokenTurn
from rules.tokens import Pair, TokenFacts

NOON = datetime(2026, 11, 23, 12, tzinfo=CITY)
APP, OA = "1000000000000000001", "2000000000000000002"
FIRST = Pair("access-one", "refresh-one", 90000)
SECOND = Pair("access-two", "refresh-two", 90000)
HOUR = timedelta(hours=1)


@pytest.fixture
def seal() -> Seal:
    return Seal(new_key())


@pytest.fixture
def kept(database, seal) -> KeptPair:
    """The pair of a consent at noon."""
    with transaction() as session:
        tokens.keep_consented(session, APP, OA, FIRST, seal, at=NOON)
    return read(seal)


def read(seal: Seal) -> KeptPair:
    with transaction() as session:
        found = tokens.find_pair(session, OA, seal)
    assert found is not None
    return found


def log() -> list[tuple]:
    with transaction() as session:
        return [(each.what, each.words, each.at) for each in reversed(tokens.history(session, OA, last=99))]


def dump(database: Database) -> str:
    """Everything a thief of the database would read: each row of each table, and the file itself."""
    engine = database._engine
    with engine.connect() as connection:
        rows = [
            str(tuple(row))
            for table in inspect(engine).get_table_names()
            for row in connection.execute(text(f"SELECT * FROM {table}"))
        ]
    files = [engine.url.database + end for end in ("", "-wal")] if database.dialect == "sqlite" else []
    raw = []
    for name in files:
        try:
            with open(name, "rb") as file:
                raw.append(file.read().decode("latin-1"))
        except FileNotFoundError:
            continue
    return "\n".join(rows + raw)


# Sealing


def test_what_is_sealed_opens_with_the_same_key_and_never_looks_alike():
    seal = Seal(new_key())
    once, twice = seal.sealed("bí mật"), seal.sealed("bí mật")
    assert (seal.opened(once), seal.opened(twice), once == twice) == ("bí mật", "bí mật", False)


def test_a_new_key_seals_while_the_old_one_still_opens():
    old, new = new_key(), new_key()
    sealed = Seal(old).sealed("x")
    both = Seal(f"{new}, {old},")
    assert both.opened(sealed) == "x"
    assert Seal(new).opened(both.sealed("y")) == "y"
    with pytest.raises(WrongKey):
        Seal(old).opened(both.sealed("y"))


@pytest.mark.parametrize("sealed", ["", "plain", "ciphertext-ế"])
def test_what_was_never_sealed_is_not_opened(sealed):
    with pytest.raises(WrongKey):
        Seal(new_key()).opened(sealed)


@pytest.mark.parametrize(
    "keys", ["", " , ", "a passphrase of many letters and numbers 0123456789", "ế" * 44, "a" * 44]
)
def test_a_key_that_is_none_is_refused(keys):
    with pytest.raises(KeyUnusable):
        Seal(keys)


def test_a_key_that_is_refused_is_not_shown():
    good, bad = new_key(), new_key()[:-2]
    with pytest.raises(KeyUnusable) as refused:
        Seal(f"{good},{bad}")
    told = "".join(traceback.format_exception(refused.value, chain=True))
    assert (str(refused.value), good in told, bad in told) == ("", False, False)


def test_a_wrong_key_is_one_clear_error_that_shows_no_ciphertext(kept):
    with transaction() as session, pytest.raises(WrongKey) as wrong:
        tokens.find_pair(session, OA, Seal(new_key()))
    told = "".join(traceback.format_exception(wrong.value, chain=True))
    assert (str(wrong.value), kept.stored in told, "refresh-one" in told) == ("", False, False)


# Keeping


def test_a_consented_pair_is_kept_and_read_back(kept):
    assert (kept.access_token, kept.refresh_token, kept.app_id) == ("access-one", "refresh-one", APP)
    expires_at = NOON + timedelta(hours=25)
    assert kept.facts == TokenFacts(TokenState.WORKING, NOON, expires_at)
    with transaction() as session:
        assert tokens.find_facts(session, OA) == kept.facts
        assert tokens.find_facts(session, "another") is None
    assert log() == [(TokenTurn.CONSENTED, "", NOON)]


def test_nobody_consented_is_no_pair(database, seal):
    with transaction() as session:
        assert tokens.find_pair(session, OA, seal) is None
        assert tokens.history(session, OA, last=9) == []


def test_no_token_stands_in_the_database_in_the_clear(database, kept, seal):
    with transaction() as session:
        tokens.begin_renewal(session, kept, at=NOON + HOUR)
    with transaction() as session:
        tokens.finish_renewal(session, kept, SECOND, seal, at=NOON + HOUR)
    dumped = dump(database)
    assert OA in dumped  # what could be found would be
    plain = ["access-one", "refresh-one", "access-two", "refresh-two"]
    assert [token for token in plain if token in dumped] == []


def test_a_kept_pair_shows_no_value(kept):
    shown = repr(kept)
    assert [each for each in ("access-one", "refresh-one", kept.stored) if each in shown] == []


# Renewing


def test_what_is_about_to_be_spent_is_written_down_as_a_hash(database, kept, seal):
    with transaction() as session:
        assert tokens.begin_renewal(session, kept, at=NOON + HOUR)
    assert read(seal).facts == replace(kept.facts, started_at=NOON + HOUR, tries=1)
    with transaction() as session:
        spending = session.execute(text("SELECT spending FROM zalo_tokens")).scalar_one()
    assert spending == sha256(b"refresh-one").hexdigest()
    assert log()[1:] == [(TokenTurn.REFRESH_STARTED, "try 1", NOON + HOUR)]


def test_a_finished_renewal_leaves_a_new_pair_and_no_trace_of_the_way(database, kept, seal):
    with transaction() as session:
        tokens.begin_renewal(session, kept, at=NOON + HOUR)
    with transaction() as session:
        assert tokens.finish_renewal(session, kept, SECOND, seal, at=NOON + HOUR)
    new = read(seal)
    assert (new.access_token, new.refresh_token) == ("access-two", "refresh-two")
    assert new.facts == TokenFacts(TokenState.WORKING, NOON + HOUR, NOON + 26 * HOUR)
    with transaction() as session:
        row = session.execute(text("SELECT spending, tries, reason FROM zalo_tokens")).one()
        assert tuple(row) == (None, 0, None)
    assert [what for what, _, _ in log()] == ["consented", "refresh_started", "refreshed"]


def test_a_lost_answer_leaves_what_was_begun(kept, seal):
    with transaction() as session:
        tokens.begin_renewal(session, kept, at=NOON + HOUR)
        tokens.note_lost(session, kept, "lost: ReadTimeout", at=NOON + 2 * HOUR)
    facts = replace(kept.facts, started_at=NOON + HOUR, tries=1, reason="lost: ReadTimeout")
    assert read(seal).facts == facts
    assert log()[2:] == [(TokenTurn.NOT_REFRESHED, "lost: ReadTimeout", NOON + 2 * HOUR)]


def test_what_was_not_spent_counts_as_not_begun(database, kept, seal):
    with transaction() as session:
        tokens.begin_renewal(session, kept, at=NOON + HOUR)
        tokens.note_unspent(session, kept, "not_reached: ConnectError", at=NOON + HOUR)
    assert read(seal).facts == replace(kept.facts, reason="not_reached: ConnectError")
    with transaction() as session:
        assert session.execute(text("SELECT spending FROM zalo_tokens")).scalar_one() is None


def test_what_was_not_spent_leaves_the_evidence_of_an_earlier_try(kept, seal):
    with transaction() as session:
        tokens.begin_renewal(session, kept, at=NOON + HOUR)
    died = read(seal)
    with transaction() as session:
        tokens.begin_renewal(session, died, at=NOON + 2 * HOUR)
        tokens.note_unspent(session, died, "not_reached: ConnectError", at=NOON + 2 * HOUR)
    facts = replace(kept.facts, started_at=NOON + HOUR, tries=1, reason="not_reached: ConnectError")
    assert read(seal).facts == facts


def test_a_pair_given_up_says_why(kept, seal):
    with transaction() as session:
        tokens.begin_renewal(session, kept, at=NOON + HOUR)
        assert tokens.need_consent(session, kept, "spent", at=NOON + HOUR)
    facts = read(seal).facts
    assert (facts.state, facts.reason) == (TokenState.NEEDS_CONSENT, "spent")
    assert log()[2:] == [(TokenTurn.NEEDS_CONSENT, "spent", NOON + HOUR)]


def test_a_consent_puts_everything_right(kept, seal):
    with transaction() as session:
        tokens.begin_renewal(session, kept, at=NOON)
        tokens.need_consent(session, kept, "spent", at=NOON)
        tokens.keep_consented(session, APP, OA, SECOND, seal, at=NOON + HOUR, words="from a code")
    new = read(seal)
    assert new.facts == TokenFacts(TokenState.WORKING, NOON + HOUR, NOON + 26 * HOUR)
    assert new.refresh_token == "refresh-two"
    assert log()[-1] == (TokenTurn.CONSENTED, "from a code", NOON + HOUR)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda session, kept, _: tokens.begin_renewal(session, kept, at=NOON), id="begin"),
        pytest.param(
            lambda session, kept, seal: tokens.finish_renewal(
                session, kept, Pair("late", "late-too", 60), seal, at=NOON
            ),
            id="finish",
        ),
        pytest.param(lambda session, kept, _: tokens.note_lost(session, kept, "lost", at=NOON), id="lost"),
        pytest.param(lambda session, kept, _: tokens.note_unspent(session, kept, "x", at=NOON), id="unspent"),
        pytest.param(lambda session, kept, _: tokens.need_consent(session, kept, "x", at=NOON), id="give-up"),
    ],
)  # fmt: skip
def test_whoever_comes_late_changes_nothing_of_a_pair_consented_to_meanwhile(kept, seal, change):
    with transaction() as session:
        tokens.keep_consented(session, APP, OA, SECOND, seal, at=NOON + HOUR)
    before, lines = read(seal), log()
    with transaction() as session:
        assert not change(session, kept, seal)
    assert (read(seal), log()) == (before, lines)


def test_the_newest_lines_of_the_history_come_first(kept):
    with transaction() as session:
        tokens.begin_renewal(session, kept, at=NOON + HOUR)
        tokens.note_lost(session, kept, "lost", at=NOON + HOUR)
        last = [each.what for each in tokens.history(session, OA, last=2)]
    assert last == [TokenTurn.NOT_REFRESHED, TokenTurn.REFRESH_STARTED]
