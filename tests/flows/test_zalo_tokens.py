"""Tokens of the official account: spent once, kept before use, and what every crash leaves."""

import logging
import os
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from threading import Barrier
from urllib.parse import parse_qsl

import httpx
import pytest
from sqlalchemy import text

from config.messages import say
from flows.zalo_tokens import KeptTokens, NotAPair, NotExchanged, Renewal, Turn, pair_of
from models import tokens as kept_in
from models.database import Database, transaction
from models.leases import only_one
from models.sealing import Seal, new_key
from notifications.zalo.fake import FakeZalo
from notifications.zalo.oauth import Answer, OAuth
from notifications.zalo.platform import NeedsConsent, NotRenewed, ZaloAddresses, ZaloApp
from rules.calendar import CITY
from rules.sending import TokenState
from rules.tokens import MOST_TRIES, Pair, TokenFacts
from tests.flows.dying import Installation, renewing

NOON = datetime(2026, 11, 23, 12, tzinfo=CITY)
UNREACHABLE = ZaloAddresses(oauth="http://127.0.0.1:1")


def hours(number: float) -> datetime:
    return NOON + timedelta(hours=number)


@pytest.fixture
def zalo() -> Iterator[FakeZalo]:
    with FakeZalo() as fake:
        yield fake


@pytest.fixture
def here(database: Database, zalo: FakeZalo) -> Installation:
    """An installation with an account to which nobody has consented yet."""
    app = ZaloApp(zalo.app_id, zalo.oa_id, zalo.app_secret)
    url = database._engine.url.render_as_string(hide_password=False)
    return Installation(url, OAuth(zalo.addresses, app, timeout=5), new_key())


@pytest.fixture
def first(here: Installation, zalo: FakeZalo) -> Pair:
    """The pair of a consent at noon."""
    return consented(here, zalo)


def consented(here: Installation, zalo: FakeZalo, at: datetime = NOON) -> Pair:
    pair = Pair(*zalo.pair(), expires_in=90000)
    here.tokens(at).keep(pair)
    return pair


def facts(here: Installation) -> TokenFacts:
    with transaction() as session:
        found = kept_in.find_facts(session, here.oauth.app.oa_id)
    assert found is not None
    return found


def turns(here: Installation) -> list[str]:
    """What has happened to the tokens, from the first to the last."""
    with transaction() as session:
        return [each.what for each in reversed(kept_in.history(session, here.oauth.app.oa_id, last=99))]


def spent(zalo: FakeZalo) -> list[str]:
    """Each refresh token that was handed to Zalo, as often as it was."""
    asked = [dict(parse_qsl(call.body.decode())) for call in zalo.calls if call.host == "oauth"]
    return [form["refresh_token"] for form in asked if "refresh_token" in form]


def works(zalo: FakeZalo, access_token: str) -> bool:
    """Ask Zalo whether it takes this access token."""
    answer = httpx.get(f"{zalo.addresses.oa}/v2.0/oa/getoa", headers={"access_token": access_token})
    return bool(answer.json()["error"] == 0)


@dataclass
class Meddling:
    """A host of tokens beside which something else happens while it is asked."""

    oauth: OAuth
    meanwhile: Callable[[], None]

    @property
    def app(self) -> ZaloApp:
        return self.oauth.app

    def refresh(self, refresh_token: str) -> Answer:
        answer = self.oauth.refresh(refresh_token)
        self.meanwhile()
        return answer


# What is given out


def test_the_kept_token_is_given_without_asking_zalo(here, zalo, first):
    assert here.tokens(hours(24)).current() == first.access_token
    assert zalo.calls == []


def test_nobody_has_consented_is_said(here, zalo):
    tokens = here.tokens(NOON)
    with pytest.raises(NeedsConsent, match=r"^no_pair$"):
        tokens.current()
    with pytest.raises(NeedsConsent, match=r"^no_pair$"):
        tokens.renewed("x")
    assert tokens.renew_if_due() == Renewal(Turn.NEEDS_CONSENT, "no_pair")
    assert zalo.calls == []


def test_tokens_of_another_application_are_none(here, zalo, first):
    app = ZaloApp("3000000000000000003", zalo.oa_id, zalo.app_secret)
    other = KeptTokens(OAuth(zalo.addresses, app), Seal(here.key), now=NOON)
    with pytest.raises(NeedsConsent, match=r"^no_pair$"):
        other.current()


def test_a_wrong_key_is_told_to_whoever_sends(here, zalo, first):
    other = KeptTokens(here.oauth, Seal(new_key()), now=NOON)
    with pytest.raises(NeedsConsent, match=r"^wrong_key$"):
        other.current()
    with pytest.raises(NeedsConsent, match=r"^wrong_key$"):
        other.renewed(first.access_token)
    assert zalo.calls == []


# Renewing


def test_a_pair_is_renewed_at_twenty_hours(here, zalo, first):
    assert here.tokens(hours(19.99)).renew_if_due() == Renewal(Turn.NOT_DUE)
    assert spent(zalo) == []
    assert here.tokens(hours(20)).renew_if_due() == Renewal(Turn.RENEWED)
    assert spent(zalo) == [first.refresh_token]
    assert facts(here) == TokenFacts(TokenState.WORKING, hours(20), hours(45))
    assert works(zalo, here.tokens(hours(20)).current())
    assert turns(here) == ["consented", "refresh_started", "refreshed"]


def test_a_pair_is_renewed_again_and_again_however_little_is_sent(here, zalo, first):
    renewed = [hour for hour in range(72) if here.tokens(hours(hour)).renew_if_due().turn is Turn.RENEWED]
    assert renewed == [20, 40, 60]
    assert works(zalo, here.tokens(hours(72)).current())


def test_a_pair_of_unknown_age_is_renewed_at_the_next_run(here, zalo):
    here.tokens(NOON).keep(Pair(*zalo.pair()))
    assert here.tokens(hours(1)).renew_if_due() == Renewal(Turn.RENEWED)
    assert facts(here).expires_at == hours(26)


def test_a_refused_token_is_renewed_although_it_should_still_be_good(here, zalo, first):
    zalo.expire_access_tokens()
    new = here.tokens(hours(1)).renewed(first.access_token)
    assert works(zalo, new)
    assert here.tokens(hours(1)).current() == new
    assert spent(zalo) == [first.refresh_token]


def test_a_token_refused_after_another_process_rotated_costs_nothing(here, zalo, first):
    slow, quick = here.tokens(hours(1)), here.tokens(hours(1))
    new = quick.renewed(first.access_token)
    assert slow.renewed(first.access_token) == new
    assert spent(zalo) == [first.refresh_token]


def test_a_token_that_has_run_out_is_renewed_when_zalo_refuses_it(here, zalo, first):
    tokens = here.tokens(hours(30))
    assert tokens.current() == first.access_token
    assert works(zalo, tokens.renewed(first.access_token))


def test_threads_that_renew_at_once_spend_the_token_once(here, zalo, first):
    together = Barrier(4)

    def renew() -> str:
        together.wait(10)
        return here.tokens(hours(1), looks=[0.05] * 200).renewed(first.access_token)

    with ThreadPoolExecutor(4) as pool:
        given = {each.result() for each in [pool.submit(copy_context().run, renew) for _ in range(4)]}
    assert spent(zalo) == [first.refresh_token]
    assert len(given) == 1
    assert works(zalo, given.pop())


def test_processes_that_renew_at_once_spend_the_token_once(here, zalo, first):
    processes = [renewing(here, hours(20)) for _ in range(4)]
    for process in processes:
        process.join(30)
    assert [process.exitcode for process in processes] == [0, 0, 0, 0]
    assert spent(zalo) == [first.refresh_token]
    assert works(zalo, here.tokens(hours(20)).current())


def test_whoever_waits_gets_what_the_other_has_renewed(here, zalo, first):
    second = Pair(*zalo.pair(), expires_in=90000)
    slept = []

    def the_other_is_done(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 2:
            here.tokens(hours(1)).keep(second)

    tokens = here.tokens(hours(1), looks=(1, 2, 3), sleep=the_other_is_done)
    with only_one(f"zalo-token:{zalo.oa_id}", at=hours(1)) as is_mine:
        assert is_mine
        assert tokens.renewed(first.access_token) == second.access_token
    assert (slept, spent(zalo)) == ([1, 2], [])


def test_whoever_waits_too_long_is_told_to_come_again(here, zalo, first):
    slept = []
    tokens = here.tokens(hours(20), looks=(1, 2, 3), sleep=slept.append)
    with only_one(f"zalo-token:{zalo.oa_id}", at=hours(20)):
        with pytest.raises(NotRenewed, match=r"^elsewhere$"):
            tokens.renewed(first.access_token)
        assert tokens.renew_if_due() == Renewal(Turn.ELSEWHERE)
    assert (slept, spent(zalo)) == ([1, 2, 3], [])


def test_a_person_may_renew_before_it_is_due(here, zalo, first):
    assert here.tokens(hours(1)).renew_now() == Renewal(Turn.RENEWED)
    assert spent(zalo) == [first.refresh_token]


# What goes wrong


def test_an_answer_lost_after_the_rotation_ends_in_needing_consent(here, zalo, first):
    zalo.faults.oauth_lost()
    lost = here.tokens(hours(20)).renew_if_due()
    assert (lost.turn, lost.reason.partition(": ")[0]) == (Turn.PUT_OFF, "lost")
    assert facts(here).state is TokenState.WORKING
    # No tight loop: neither the next run nor a sender tries before the pause is over.
    assert here.tokens(hours(21)).renew_if_due() == lost
    with pytest.raises(NotRenewed, match=r"^lost: "):
        here.tokens(hours(21)).renewed(first.access_token)
    assert spent(zalo) == [first.refresh_token]
    # The token is spent, which the empty answer says.
    assert here.tokens(hours(22)).renew_if_due() == Renewal(Turn.NEEDS_CONSENT, "spent")
    assert spent(zalo) == [first.refresh_token] * 2
    assert facts(here).reason == "spent"


@pytest.fixture
def given_up(here, zalo, first) -> Pair:
    """The pair of a consent at noon whose refresh token was found spent at 20 hours."""
    here.oauth.refresh(first.refresh_token)
    zalo.calls.clear()
    assert here.tokens(hours(20)).renew_if_due() == Renewal(Turn.NEEDS_CONSENT, "spent")
    zalo.calls.clear()
    return first


def test_a_pair_that_was_given_up_is_never_tried_again(here, zalo, given_up):
    for hour in (20, 21, 24, 30, 1000):
        tokens = here.tokens(hours(hour))
        assert tokens.renew_if_due() == Renewal(Turn.NEEDS_CONSENT, "spent")
        assert tokens.renew_now() == Renewal(Turn.NEEDS_CONSENT, "spent")
        with pytest.raises(NeedsConsent, match=r"^spent$"):
            tokens.renewed(given_up.access_token)
    assert zalo.calls == []
    assert turns(here) == ["consented", "refresh_started", "needs_consent"]


def test_an_access_token_is_used_up_although_its_pair_was_given_up(here, given_up):
    assert here.tokens(hours(24.99)).current() == given_up.access_token
    with pytest.raises(NeedsConsent, match=r"^spent$"):
        here.tokens(hours(25)).current()


def test_a_new_consent_makes_it_work_again(here, zalo, given_up):
    second = consented(here, zalo, at=hours(30))
    assert here.tokens(hours(30)).current() == second.access_token
    assert here.tokens(hours(50)).renew_if_due() == Renewal(Turn.RENEWED)


@pytest.mark.parametrize("quoted", [False, True])
def test_a_refusal_by_number_ends_in_needing_consent(here, zalo, first, quoted):
    here.oauth.refresh(first.refresh_token)
    zalo.faults.oauth_used_as_code(quoted=quoted)
    renewal = here.tokens(hours(20)).renew_if_due()
    assert renewal.turn is Turn.NEEDS_CONSENT
    assert renewal.reason.startswith("refused: -14014 ")
    assert facts(here).state is TokenState.NEEDS_CONSENT


@pytest.mark.parametrize("fault", ["oauth_html", "oauth_unread"])
def test_an_answer_lost_before_the_rotation_costs_nothing_but_time(here, zalo, first, fault):
    getattr(zalo.faults, fault)()
    lost = here.tokens(hours(20)).renew_if_due()
    assert (lost.turn, lost.reason.partition(": ")[0]) == (Turn.PUT_OFF, "lost")
    assert here.tokens(hours(20)).current() == first.access_token
    assert here.tokens(hours(22)).renew_if_due() == Renewal(Turn.RENEWED)
    assert facts(here) == TokenFacts(TokenState.WORKING, hours(22), hours(47))


def test_a_gateway_that_is_down_is_tried_three_times_within_the_life_of_the_token(here, zalo, first):
    tried = []
    for hour in range(18, 30):
        zalo.faults.oauth_html()
        before = len(spent(zalo))
        here.tokens(hours(hour)).renew_if_due()
        if len(spent(zalo)) > before:
            tried.append(hour)
    assert tried == [20, 22, 24]
    assert (facts(here).state, facts(here).reason) == (TokenState.NEEDS_CONSENT, "lost: HTTP 504")


def test_a_person_may_try_again_at_once_after_a_lost_answer(here, zalo, first):
    zalo.faults.oauth_html()
    here.tokens(hours(20)).renew_if_due()
    assert here.tokens(hours(20)).renew_now() == Renewal(Turn.RENEWED)


def test_zalo_out_of_reach_spends_nothing_and_is_tried_at_each_run(here, zalo, first):
    away = OAuth(UNREACHABLE, here.oauth.app)
    for hour in (20, 21, 22, 23, 24):
        tokens = KeptTokens(away, Seal(here.key), now=hours(hour))
        assert tokens.renew_if_due() == Renewal(Turn.PUT_OFF, "not_reached: ConnectError")
        with pytest.raises(NotRenewed, match=r"^not_reached: ConnectError$"):
            tokens.renewed(first.access_token)
    expected = TokenFacts(TokenState.WORKING, NOON, hours(25), reason="not_reached: ConnectError")
    assert facts(here) == expected
    assert here.tokens(hours(25)).renew_if_due() == Renewal(Turn.RENEWED)


def test_a_refused_application_leaves_the_pair_as_it_was(here, zalo, first):
    with transaction() as session:  # the application is another at Zalo than the one the row names
        session.execute(text("UPDATE zalo_tokens SET app_id = '3000000000000000003'"))
    app = ZaloApp("3000000000000000003", zalo.oa_id, zalo.app_secret)
    tokens = KeptTokens(OAuth(zalo.addresses, app), Seal(here.key), now=hours(20))
    renewal = tokens.renew_if_due()
    assert (renewal.turn, renewal.reason[:19]) == (Turn.PUT_OFF, "app_refused: -14002")
    assert (facts(here).state, facts(here).started_at, facts(here).tries) == (TokenState.WORKING, None, 0)


def test_a_consent_during_a_renewal_is_what_counts(here, zalo, first):
    second = Pair(*zalo.pair(), expires_in=90000)
    meddling = Meddling(here.oauth, lambda: here.tokens(hours(1)).keep(second))
    tokens = KeptTokens(meddling, Seal(here.key), now=hours(1))
    assert tokens.renewed(first.access_token) == second.access_token


def test_a_consent_during_a_renewal_that_is_refused_is_what_counts(here, zalo, first):
    here.oauth.refresh(first.refresh_token)
    second = Pair(*zalo.pair(), expires_in=90000)
    meddling = Meddling(here.oauth, lambda: here.tokens(hours(1)).keep(second))
    tokens = KeptTokens(meddling, Seal(here.key), now=hours(1))
    assert tokens.renewed(first.access_token) == second.access_token
    assert facts(here).state is TokenState.WORKING


def test_a_pair_is_kept_although_the_database_stumbles(here, zalo, first):
    def run(statement: str) -> None:
        with transaction() as session:
            session.execute(text(statement))

    away = Meddling(here.oauth, lambda: run("ALTER TABLE zalo_token_log RENAME TO away"))
    back = iter([lambda: None, lambda: run("ALTER TABLE away RENAME TO zalo_token_log")])
    tokens = KeptTokens(away, Seal(here.key), now=hours(20), sleep=lambda _: next(back)())
    assert tokens.renew_if_due() == Renewal(Turn.RENEWED)
    assert works(zalo, here.tokens(hours(20)).current())


# What a crash leaves


def test_a_crash_at_any_line_leaves_a_working_pair_or_the_visible_state(here, zalo, request):
    left = set()
    # Every line, shared between the two databases; `make torture` takes all of them on both.
    is_whole = "CRASHES" in os.environ
    first_line = 0 if is_whole or "sqlite" in request.node.name else 1
    for line in count(first_line, 1 if is_whole else 2):
        first = consented(here, zalo)
        zalo.calls.clear()
        process = renewing(here, hours(20), dies_at_line=line)
        process.join(30)
        assert process.exitcode in (0, -9), line
        if process.exitcode == 0:
            break
        # Whoever comes after the lease finds out how it stands, and asks Zalo at most once more.
        renewal = here.tokens(hours(20.1)).renew_if_due()
        state = facts(here).state
        left.add((renewal.turn, state))
        assert len(spent(zalo)) <= 2, line
        if state is TokenState.WORKING:
            assert works(zalo, here.tokens(hours(20.1)).current()), line
            assert facts(here).started_at is None, line
        else:
            assert (renewal.reason, facts(here).reason) == ("spent", "spent"), line
            assert here.tokens(hours(20.2)).renew_if_due() == renewal
            assert spent(zalo) == [first.refresh_token] * 2, line
    # Killed before Zalo was asked; between its answer and the commit; after that.
    assert left == {
        (Turn.RENEWED, TokenState.WORKING),
        (Turn.NEEDS_CONSENT, TokenState.NEEDS_CONSENT),
        (Turn.NOT_DUE, TokenState.WORKING),
    }


def test_nobody_spends_a_token_while_a_dead_process_may_still_be_at_it(here, zalo, first):
    with only_one(f"zalo-token:{zalo.oa_id}", at=hours(20)), transaction() as session:
        kept = kept_in.find_pair(session, zalo.oa_id, Seal(here.key))
        kept_in.begin_renewal(session, kept, at=hours(20))
        lease = session.execute(text("SELECT * FROM leases")).one()
    with transaction() as session:  # he never gave it back
        session.execute(text("INSERT INTO leases VALUES (:name, :holder, :held_until)"), lease._asdict())
    assert here.tokens(hours(20) + timedelta(minutes=4)).renew_if_due() == Renewal(Turn.ELSEWHERE)
    assert here.tokens(hours(20) + timedelta(minutes=5)).renew_if_due() == Renewal(Turn.RENEWED)


def test_whoever_dies_each_time_does_not_try_for_ever(here, zalo, first):
    for number in range(MOST_TRIES):
        with transaction() as session:
            kept = kept_in.find_pair(session, zalo.oa_id, Seal(here.key))
            kept_in.begin_renewal(session, kept, at=hours(20 + number))
    renewal = here.tokens(hours(24)).renew_if_due()
    assert renewal == Renewal(Turn.NEEDS_CONSENT, "broken_off: 3 tries")
    assert (zalo.calls, facts(here).state) == ([], TokenState.NEEDS_CONSENT)


# Consent


def test_a_code_that_zalo_does_not_take_changes_nothing(here, zalo, first):
    with pytest.raises(NotExchanged, match=r"^refused: "):
        here.tokens(hours(1)).exchange("no-such-code", "x" * 43)
    assert here.tokens(hours(1)).current() == first.access_token


@pytest.mark.parametrize(
    ("copied", "pair"),
    [
        ("AAAA\nRRRR\n", Pair("AAAA", "RRRR")),
        ("  AAAA   RRRR", Pair("AAAA", "RRRR")),
        ('{"access_token": "AAAA", "refresh_token": "RRRR"}', Pair("AAAA", "RRRR")),
        ('{"access_token":"AAAA","refresh_token":"RRRR","expires_in":"90000"}', Pair("AAAA", "RRRR", 90000)),
    ],
)
def test_a_pair_is_read_as_the_console_shows_it(copied, pair):
    assert pair_of(copied) == pair


@pytest.mark.parametrize(
    "copied", ["", "AAAA", "AAAA AAAA", "A B C", "{}", "[1,2]", '{"access_token":"A"}', "mã khóa"]
)
def test_what_is_no_pair_is_refused_and_not_quoted(copied):
    with pytest.raises(NotAPair, match=r"^$"):
        pair_of(copied)


def test_no_secret_shows_in_a_log_an_error_or_a_repr(here, zalo, first, caplog):
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="httpx")
    shown = []
    for fault in (zalo.faults.oauth_html, zalo.faults.oauth_lost, None, None):
        if fault is not None:
            fault()
        try:
            shown.append(repr(here.tokens(hours(20)).renewed))
            here.tokens(hours(20)).renew_now()
            here.tokens(hours(20)).renewed(first.access_token)
        except (NeedsConsent, NotRenewed) as error:
            shown += traceback.format_exception(error, chain=True)
    assert facts(here).state is TokenState.NEEDS_CONSENT
    told = "".join(shown) + caplog.text
    assert "/v4/oa/access_token" in told
    secrets = [first.access_token, first.refresh_token, zalo.app_secret, here.key]
    assert [secret for secret in secrets if secret in told] == []


@pytest.mark.parametrize("turn", Turn)
def test_a_run_that_looked_after_the_tokens_is_named_after_what_came_of_it(turn):
    assert say(f"board.tokens.{turn}")
