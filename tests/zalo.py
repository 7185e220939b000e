"""A campaign whose people can be reached over Zalo, and the fake Zalo it is sent over."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from flows.campaign import tick
from flows.delivery import deliver_letters
from flows.reminders import Reach
from models.campaigns import open_campaign
from models.database import transaction
from notifications.mailbox import Mailbox
from notifications.zalo.fake import FakeParam, FakePhone, FakeTemplate, FakeUser, FakeZalo
from notifications.zalo.platform import NeedsConsent, TemplateUse, ZaloApp, ZaloPlatform
from notifications.zalo.sender import ZaloSender
from rules.notices import Channel, NoticeKind
from tests import factories
from tests.walking import FROM, OPEN_GATE, Walk, at, rows

UID = "9007199254740993001"  # larger than a number that survives JSON
LAST_DAY = "2021-11-19 07:30"


class Given:
    """Tokens as a store gives them out; `next_one` is what a renewal brings."""

    def __init__(self, token: str | None, next_one: str | None = None) -> None:
        self.token, self.next_one = token, next_one
        self.refused: list[str] = []

    def current(self) -> str:
        if self.token is None:
            raise NeedsConsent
        return self.token

    def renewed(self, refused: str) -> str:
        self.refused.append(refused)
        if self.next_one is None:
            raise NeedsConsent
        self.token = self.next_one
        return self.token


class Clock:
    """The time at the fake."""

    def __init__(self, moment: str) -> None:
        self.now = at(moment)

    def __call__(self) -> datetime:
        return self.now


def units(**zalo: str | None) -> list[dict[str, Any]]:
    """The units of a small campaign; `a="…"` gives the officer of commune `a` a Zalo address."""
    found = factories.units(communes=tuple(zalo))
    for unit in found:
        if unit["code"] in zalo and zalo[unit["code"]]:
            unit["contacts"][0]["zalo"] = zalo[unit["code"]]
    return found


def opened(folder: Path, mailbox: Mailbox, moment: str = "2021-11-11 07:30", **more: Any) -> Walk:
    """Open a campaign and let its first tick run where Zalo can be used for everything."""
    order = {"default": ["zalo", "email"], "urgent": ["zalo", "email"]}
    file = factories.campaign(folder, units(a=UID), channels=order, **more)
    with transaction() as session:
        open_campaign(session, file, at=at(moment), by="MẪU")
    tick(at(moment), gate=OPEN_GATE, reach=Reach(frozenset(Channel)))
    return Walk(file.code, mailbox)


def platform(fake: FakeZalo, **templates: TemplateUse) -> ZaloPlatform:
    """What an installation has that is set up for the fake; `reminder=…` names a template."""
    used = {NoticeKind(kind): use for kind, use in templates.items()}
    app = ZaloApp(fake.app_id, fake.oa_id, fake.app_secret)
    return ZaloPlatform(
        fake.addresses, app, bot_token=fake.bot_token, templates=used, timeout=1.0, per_minute=0
    )


def know(fake: FakeZalo, uid: str = UID, days_ago: float | None = 1, **more: Any) -> None:
    """Let the fake know a person who wrote to the account so many days ago."""
    last = None if days_ago is None else fake.state.clock() - timedelta(days=days_ago)
    fake.users[uid] = FakeUser(uid, last_interaction=last, **more)


def template(fake: FakeZalo, template_id: str = "T1", **more: Any) -> TemplateUse:
    """Let the fake have a template for reminders."""
    params = (
        FakeParam("don_vi", max_length=50),
        FakeParam("han", max_length=20),
        FakeParam("nhan_den", "DATE", max_length=20),
    )
    fake.templates[template_id] = FakeTemplate(template_id, params, **more)
    return TemplateUse(template_id, {param.name: param.name for param in params})


def reachable(fake: FakeZalo, phone: str = "84987654321") -> None:
    """Let a telephone number be on Zalo."""
    fake.phones[phone] = FakePhone()


def remind(walk: Walk, moment: str = LAST_DAY, by_phone: tuple[NoticeKind, ...] = ()) -> None:
    """Let the tick of the last day run where Zalo can be used."""
    for earlier in ("2021-11-16 07:30", "2021-11-18 07:30"):
        walk.visit(earlier)
    tick(at(moment), gate=OPEN_GATE, reach=Reach(frozenset(Channel), frozenset(by_phone)))


@contextmanager
def sender(fake: FakeZalo, tokens: Given | None = None, **templates: TemplateUse) -> Iterator[ZaloSender]:
    """Yield a sender over the fake."""
    with ZaloSender(platform(fake, **templates), tokens or Given(fake.pair()[0])) as open_one:
        yield open_one


def deliver(
    walk: Walk,
    fake: FakeZalo,
    moment: str = LAST_DAY,
    tokens: Given | None = None,
    **templates: TemplateUse,
) -> Mapping[str, int]:
    """Let a deliverer run; returns how many letters had each outcome."""
    with sender(fake, tokens, **templates) as open_one:
        report = deliver_letters(at(moment), walk.mailbox.server(FROM), zalo=open_one)
    return dict(report.outcomes)


def letters(unit: str = "a") -> list[tuple[str, str]]:
    """Return channel and state of the letters to a commune's officer after the opening, oldest first."""
    query = """
        SELECT l.channel, l.state FROM letters l JOIN contacts c ON c.id = l.contact_id
        WHERE c.code = :code AND l.kind <> 'opening' AND l.not_before >= :since ORDER BY l.id
    """
    return [tuple(row) for row in rows(query, code=f"{unit}.1", since="2021-11-18 12:00:00")]
