"""What Zalo tells is taken in once, whatever order it comes in, and from nobody else."""

import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from config.settings import settings
from flows.campaign import tick
from flows.delivery import deliver_letters
from flows.reminders import Reach
from models.campaigns import get_campaign
from models.database import transaction
from models.replacements import find_person
from models.zalo_people import make_code
from notifications.mailbox import Mailbox
from notifications.zalo.fake import FakeUser, FakeZalo
from notifications.zalo.platform import ZaloApp, ZaloPlatform
from notifications.zalo.sender import ZaloSender
from rules.notices import Channel
from tests import factories
from tests.serving import serving
from tests.walking import FROM, OPEN_GATE, Walk, at, begun, change, rows

UID = "9007199254740993001"  # larger than a number that survives JSON
LAST_DAY = "2021-11-19 07:30"
BOTH = Reach(frozenset(Channel))


class Given:
    """A token that is good, as from the store of tokens."""

    def __init__(self, token: str) -> None:
        self._token = token

    def current(self) -> str:
        return self._token

    def renewed(self, refused: str) -> str:
        raise AssertionError(f"the token was refused: {refused[:4]}")


@pytest.fixture
def walk(database, tmp_path) -> Iterator[Walk]:
    """A campaign of one commune whose officer has a linked account."""
    of_units = factories.units(communes=("a",))
    of_units[-1]["contacts"][0]["zalo"] = UID
    with Mailbox(tmp_path / "mailbox") as mailbox:
        yield begun(tmp_path / "files", mailbox, of_units)


@pytest.fixture
def zalo() -> Iterator[FakeZalo]:
    with FakeZalo(clock=lambda: at(LAST_DAY)) as fake:
        fake.users[UID] = FakeUser(UID, last_interaction=at(LAST_DAY) - timedelta(days=1))
        yield fake


@pytest.fixture
def served(database, zalo, monkeypatch) -> Iterator[str]:
    """The receiver on loopback, set up for the account of the fake."""
    for name, value in (
        ("ZALO_APP_ID", zalo.app_id),
        ("ZALO_OA_ID", zalo.oa_id),
        ("ZALO_APP_SECRET", zalo.app_secret),
        ("ZALO_OA_SECRET", zalo.oa_secret),
        ("ZALO_BOT_SECRET", "MAU-hook"),
        ("SECRET_KEY", "MAU"),
    ):
        monkeypatch.setenv(f"CONGNHAN_{name}", value)
    settings.cache_clear()
    with serving(at(LAST_DAY) + timedelta(minutes=10)) as site:
        zalo.webhook_to(f"{site.url}/zalo/webhook", bot_url=f"{site.url}/zalo/bot", bot_secret="MAU-hook")
        yield site.url


def send_the_reminder(walk: Walk, zalo: FakeZalo) -> None:
    """Let the reminder of the last day go over Zalo."""

    change(
        "UPDATE deadline_steps SET fired_at = fires_at WHERE step <> 'before:0' AND fires_at < :t",
        t=at(LAST_DAY),
    )
    tick(at(LAST_DAY), gate=OPEN_GATE, reach=BOTH)
    platform = ZaloPlatform(
        zalo.addresses, ZaloApp(zalo.app_id, zalo.oa_id, zalo.app_secret), bot_token=zalo.bot_token
    )
    with ZaloSender(platform, Given(zalo.pair()[0])) as sender:
        deliver_letters(at(LAST_DAY), walk.mailbox.server(FROM), zalo=sender)


def state() -> list[tuple]:
    return rows(
        "SELECT state, way, delivered_at IS NOT NULL, seen_at IS NOT NULL FROM letters WHERE channel = 'zalo'"
    )


def test_a_letter_is_delivered_when_zalo_says_that_it_has_reached_its_reader(walk, zalo, served):
    send_the_reminder(walk, zalo)
    assert [(each.host, each.to) for each in zalo.received] == [("oa", UID)]
    assert state() == [("sent", "zalooa", 0, 0)]
    zalo.deliver_receipts()
    assert state() == [("delivered", "zalooa", 1, 0)]


def test_seen_means_delivered_too_in_any_order_and_however_often_it_is_told(walk, zalo, served):
    send_the_reminder(walk, zalo)
    zalo.deliver_receipts(times=3, shuffle=5, seen=True)
    assert {told.status for told in zalo.webhooks.told} == {200}
    assert state() == [("delivered", "zalooa", 1, 1)]
    assert rows("SELECT COUNT(*) FROM zalo_events") == [(2,)]


def test_a_report_that_comes_before_the_id_is_written_down_is_not_lost(walk, zalo, served):
    zalo.state.on_received = lambda message: threading.Thread(
        target=zalo.webhooks.tell, args=(zalo.webhooks.receipt(message)[0],)
    ).start()
    send_the_reminder(walk, zalo)
    while not zalo.webhooks.told:
        time.sleep(0.01)
    walk.deliver("2021-11-19 07:40")
    assert state() == [("delivered", "zalooa", 1, 0)]


@pytest.mark.parametrize("variant", ["app_id+oa_secret", "app_id+app_secret", "oa_id+oa_secret"])
@pytest.mark.parametrize("prefix", [True, False], ids=["mac=", "bare"])
def test_each_known_way_of_signing_is_taken(walk, zalo, served, variant, prefix):
    zalo.webhook_to(f"{served}/zalo/webhook", variant=variant, prefix=prefix)
    assert zalo.follow(UID) == 200
    assert rows("SELECT uid FROM zalo_users") == [(UID,)]


def post(served: str, raw: bytes, signature: str) -> int:
    headers = {"X-ZEvent-Signature": signature.encode("latin-1"), "Content-Type": b"application/json"}
    return httpx.post(f"{served}/zalo/webhook", content=raw, headers=headers).status_code


def test_a_body_of_which_one_byte_was_changed_is_refused_and_nothing_is_written(walk, zalo, served):
    event = zalo.webhooks.said(zalo.users[UID], "MẪU") | {"timestamp": "1637281800000"}
    raw = json.dumps(event, ensure_ascii=False).encode()
    signature = zalo.webhooks.signature(raw, "1637281800000")
    for changed, given in (
        (raw.replace("MẪU".encode(), "MẦU".encode()), signature),
        (raw, ""),
        (raw, "mac=" + "0" * 64),
        (raw, "mac=é"),
        (raw.replace(b"1637281800000", b"1637281800001"), signature),
    ):
        assert post(served, changed, given) == 401
    assert rows("SELECT COUNT(*) FROM zalo_events") == [(0,)]
    assert rows("SELECT COUNT(*) FROM zalo_users") == [(0,)]
    assert post(served, raw, signature) == 200
    assert rows("SELECT COUNT(*) FROM zalo_events") == [(1,)]


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        pytest.param(b"", 400, id="empty"),
        pytest.param(b"[1]", 400, id="no-object"),
        pytest.param(b"{" * 100_000, 400, id="deep"),
        pytest.param(b"\xff\xfe", 400, id="no-text"),
        pytest.param(b"{" + b" " * 300_000 + b"}", 413, id="too-large"),
    ],
)
def test_what_is_no_event_is_refused_without_a_fault(walk, served, raw, status):
    assert post(served, raw, "mac=0") == status


def test_writing_to_the_account_opens_the_window_and_following_is_known(walk, zalo, served):
    zalo.follow(UID)
    zalo.say(UID, "MẪU")
    zalo.unfollow(UID)
    ((last, follows),) = rows("SELECT last_interaction_at, is_follower FROM zalo_users")
    assert str(last).startswith("2021-11-19 00:30:00")
    assert not follows


def test_a_person_links_his_account_with_a_code_that_is_good_once(walk, zalo, served, run_link):
    other = "9007199254740993002"
    code = run_link("a", "MẪU a")
    assert zalo.say(other, f"Mã của tôi: {code.lower()}.") == 200
    assert rows("SELECT zalo FROM contacts WHERE code = 'a.1'") == [(other,)]
    assert rows("SELECT what FROM journal WHERE what = 'zalo_linked'") == [("zalo_linked",)]
    zalo.say("9007199254740993003", code)
    assert rows("SELECT zalo FROM contacts WHERE code = 'a.1'") == [(other,)]


def test_who_guesses_is_not_listened_to(walk, zalo, served, run_link):
    code = run_link("a", "MẪU a")
    for _ in range(10):
        zalo.say("777", "ABCDEFGH")
    zalo.say("777", code)
    assert rows("SELECT zalo FROM contacts WHERE code = 'a.1'") == [(UID,)]
    zalo.say("778", code)
    assert rows("SELECT zalo FROM contacts WHERE code = 'a.1'") == [("778",)]


def test_a_code_sent_to_the_bot_links_who_has_no_account_there(walk, zalo, served, run_link):
    change("UPDATE contacts SET zalo = NULL WHERE code = 'a.1'")
    assert zalo.bot_say("chat-1", run_link("a", "MẪU a")) == 200
    assert rows("SELECT zalo FROM contacts WHERE code = 'a.1'") == [("bot:chat-1",)]


def test_the_bot_listens_to_nobody_without_the_secret(walk, zalo, served, run_link):
    change("UPDATE contacts SET zalo = NULL WHERE code = 'a.1'")
    zalo.webhook_to(f"{served}/zalo/webhook", bot_url=f"{served}/zalo/bot", bot_secret="wrong")
    assert zalo.bot_say("chat-1", run_link("a", "MẪU a")) == 401
    assert rows("SELECT zalo FROM contacts WHERE code = 'a.1'") == [(None,)]


def test_an_uncertain_letter_is_known_to_have_arrived_by_its_tracking_id(walk, zalo, served):
    send_the_reminder(walk, zalo)
    change("UPDATE letters SET state = 'uncertain', provider_id = '' WHERE channel = 'zalo'")
    change("UPDATE notices SET state = 'queued', settled_at = NULL WHERE step = 'before:0'")
    ((name,),) = rows("SELECT message_id FROM letters WHERE channel = 'zalo'")
    told = {"delivery_time": "1637282100000", "msg_id": "z1", "tracking_id": name[1:33]}
    sides = {"sender": {"id": zalo.oa_id}, "recipient": {"id": "84900000001"}}
    zalo.webhooks.tell({"event_name": "user_received_message", "message": told} | sides, is_zbs=True)
    assert state() == [("delivered", "zalooa", 1, 0)]
    assert walk.told("dossier/a", "reminder") == [("11-19 07:40", "before:0", "a.1")]


@pytest.fixture
def run_link(walk):
    """Make a code for a person as the command does."""

    def made(unit: str, name: str) -> str:
        with transaction() as session:
            campaign = get_campaign(session, walk.code)
            return make_code(session, find_person(session, campaign, unit, name), at=at(LAST_DAY), by="MẪU")

    return made
