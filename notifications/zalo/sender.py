"""One message to one person over Zalo: which way can work, and what each way that was tried answered."""

import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from apprise import Apprise, AppriseAsset, NotifyFormat

from notifications.receipts import Outcome, Receipt
from notifications.zalo.api import Answer, ZaloClient
from notifications.zalo.errors import NOT_BY_UID, Host
from notifications.zalo.numbers import zalo_number
from notifications.zalo.platform import Tokens, ZaloMessage, ZaloPlatform
from notifications.zalo.services import (
    SERVICES,
    receipt_of_answer,
    receipt_of_error,
    with_token,
    without_mentions,
)
from notifications.zalo.templates import ENABLED, Template, Unfit, filled, read_template
from rules.sending import MAY_GO_TO_A_GROUP, Way

ASSET = AppriseAsset(async_mode=False)
LONGEST_TEXT = 2000

# Beyond seven days after the person's last word a consultation message is refused; an hour is left
# for clocks that differ.
INTERACTION_WINDOW = timedelta(days=7) - timedelta(hours=1)


class ZaloSender:
    """Sends messages over what an installation has of Zalo; a context manager, for one run.

    What it learns of templates it keeps.
    """

    def __init__(self, platform: ZaloPlatform, tokens: Tokens | None = None) -> None:
        self._platform, self._tokens = platform, tokens
        self._client = ZaloClient(platform)
        self._known: dict[str, Template] = {}
        self._not_by_uid: set[str] = set()

    def __enter__(self) -> "ZaloSender":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def send(self, message: ZaloMessage) -> tuple[Receipt, ...]:
        """Return the receipt of each way that was tried or found impossible, the last one deciding.

        A group or a bot's chat is the only way to what has one. A person is written to inside his
        interaction window, else by template to his UID, else by template to his telephone number.
        The next way is tried only where one has failed for good. Never raises.
        """
        receipts: list[Receipt] = []
        try:
            for receipt in self._ways(message):
                receipts.append(receipt)
                if receipt.outcome is not Outcome.PERMANENT:
                    break
        except Exception as error:  # a fault of ours: what was handed over has its receipt already
            receipts.append(Receipt(Outcome.TRANSIENT, words=type(error).__name__, way=_first_way(message)))
        return tuple(receipts)

    def _ways(self, message: ZaloMessage) -> Iterator[Receipt]:
        if message.to.group_id:
            yield self._to_group(message, message.to.group_id)
        elif message.to.chat_id:
            yield self._to_chat(message, message.to.chat_id)
        elif self._platform.app is None or self._tokens is None:
            yield _not_set_up(_first_way(message), "official account")
        else:
            yield from self._to_person(message, self._tokens)

    def _to_group(self, message: ZaloMessage, group_id: str) -> Receipt:
        way = Way.ZALO_GROUP
        if message.kind not in MAY_GO_TO_A_GROUP:
            words = "what concerns single units is never said in a group"
            return Receipt(Outcome.PERMANENT, words=words, way=way)
        if self._platform.app is None or self._tokens is None:
            return _not_set_up(way, "official account")
        if not _fits(without_mentions(message.text)):
            return _unfit_text(way)
        return self._sent("zalogmf", way, group_id=group_id, text=message.text, tokens=self._tokens)

    def _to_chat(self, message: ZaloMessage, chat_id: str) -> Receipt:
        way = Way.ZALO_BOT
        if self._platform.bot_token is None:
            return _not_set_up(way, "bot")
        if not _fits(message.text):
            return _unfit_text(way)
        return self._sent("zalobot", way, chat_id=chat_id, text=message.text, token=self._platform.bot_token)

    def _to_person(self, message: ZaloMessage, tokens: Tokens) -> Iterator[Receipt]:
        to, is_tried = message.to, False
        not_asked: Receipt | None = None
        if to.uid:
            window = self._window(message, to.uid, tokens)
            if window is True:
                is_tried = True
                yield self._consult(message, to.uid, tokens)
            elif isinstance(window, Receipt):
                not_asked = window
        for receipt in self._by_template(message, tokens):
            is_tried = True
            yield receipt
        if is_tried:
            return
        # Where nobody could say whether the window is open it may be so the next time.
        words = f"no way that can work: no template for {message.kind.value}, no open window"
        yield not_asked or Receipt(Outcome.PERMANENT, words=words, way=_first_way(message))

    def _consult(self, message: ZaloMessage, uid: str, tokens: Tokens) -> Receipt:
        if not _fits(message.text):
            return _unfit_text(Way.ZALO_OA)
        return self._sent("zalooa", Way.ZALO_OA, uid=uid, text=message.text, tokens=tokens)

    def _window(self, message: ZaloMessage, uid: str, tokens: Tokens) -> bool | Receipt:
        """Say whether the person's window is open, or return the receipt of a failure to ask.

        What we were told may have missed his last word: where it closes the window Zalo is asked too.
        """
        if _is_open(message, message.to.last_interaction_at):
            return True
        asked = self._asked(
            tokens, Host.OA, Way.ZALO_OA, "/v3.0/oa/quota/message", {"user_id": uid}, posts=True
        )
        if isinstance(asked, Receipt):
            return asked if asked.outcome is not Outcome.PERMANENT else False
        return _is_open(message, _instant(asked.data.get("last_interaction")))

    def _by_template(self, message: ZaloMessage, tokens: Tokens) -> Iterator[Receipt]:
        to, use = message.to, self._platform.templates.get(message.kind)
        if use is None or not (to.uid or to.phone):
            return
        first = Way.ZBS_UID if to.uid else Way.ZBS_PHONE
        template = self._template(use.template_id, first, tokens)
        if isinstance(template, Receipt):
            yield template
            return
        data = filled(template, use.params, message.fields)
        if isinstance(data, Unfit):
            yield Receipt(Outcome.PERMANENT, words=data.problem, way=first, is_shown=True)
            return
        facts = {"template_id": use.template_id, "data": data, "tracking_id": message.key, "tokens": tokens}
        if to.uid:
            receipt = self._to_uid(to.uid, use.template_id, facts)
            yield receipt
            if receipt.is_shown and receipt.code != str(NOT_BY_UID):
                return  # what is wrong with the message itself is wrong by telephone too
        if phone := zalo_number(to.phone or ""):
            yield self._sent("zalozbs", Way.ZBS_PHONE, phone=phone, **facts)
        elif to.phone:
            yield Receipt(Outcome.PERMANENT, words="not a mobile number", way=Way.ZBS_PHONE)

    def _to_uid(self, uid: str, template_id: str, facts: dict[str, Any]) -> Receipt:
        """Send a template to a UID; one that Zalo has refused to send so is not tried again."""
        if template_id in self._not_by_uid:
            words = f"template {template_id} cannot go by UID"
            return Receipt(Outcome.PERMANENT, words=words, way=Way.ZBS_UID)
        receipt = self._sent("zalozbs", Way.ZBS_UID, uid=uid, **facts)
        if receipt.code == str(NOT_BY_UID):
            self._not_by_uid.add(template_id)
        return receipt

    def _template(self, template_id: str, way: Way, tokens: Tokens) -> Template | Receipt:
        """Return an enabled template as Zalo describes it, asked once; or why it cannot be used."""
        if template_id not in self._known:
            asked = self._asked(tokens, Host.ZBS, way, "/template/info/v2", {"template_id": template_id})
            if isinstance(asked, Receipt):
                return asked
            self._known[template_id] = read_template(template_id, asked.data)
        template = self._known[template_id]
        if template.status == ENABLED:
            return template
        words = f"template {template_id} is not enabled: {template.status}"
        return Receipt(Outcome.CONFIGURATION, words=words, way=way)

    def _asked(
        self, tokens: Tokens, host: Host, way: Way, path: str, about: dict[str, str], *, posts: bool = False
    ) -> Answer | Receipt:
        """Ask something that sends nothing, and return the answer; or the receipt of a failure."""
        ask = self._client.post if posts else self._client.get
        try:
            answer = with_token(tokens, host, lambda token: ask(host, path, about, token))
            if answer.code == 0:
                return answer
            failure = receipt_of_answer(answer, host, way)
        except Exception as error:
            failure = receipt_of_error(error, way)
        # Nothing has been sent: what would be unsure of a message is only passing here.
        return replace(failure, outcome=Outcome.TRANSIENT) if failure.outcome is Outcome.UNKNOWN else failure

    def _sent(self, schema: str, way: Way, **facts: Any) -> Receipt:
        # One object per message: the receipt it keeps is this message's and no other's.
        service = Apprise.instantiate(
            {"schema": schema, "client": self._client, **facts}, asset=ASSET, suppress_exceptions=False
        )
        if not isinstance(service, SERVICES):
            words = f"the service {schema} is disabled in Apprise"
            return Receipt(Outcome.CONFIGURATION, words=words, way=way)
        # Apprise refuses an empty body without calling the service; ours sends what it was made with.
        service.notify(body="-", body_format=NotifyFormat.TEXT)
        return service.receipt


def _first_way(message: ZaloMessage) -> Way:
    to = message.to
    if to.group_id:
        return Way.ZALO_GROUP
    if to.chat_id:
        return Way.ZALO_BOT
    return Way.ZALO_OA if to.uid else Way.ZBS_PHONE


def _fits(text: str) -> bool:
    """Say whether a text can go as one message: words, in NFC, no more than 2,000 characters."""
    return bool(text.strip()) and len(text) <= LONGEST_TEXT and unicodedata.is_normalized("NFC", text)


def _unfit_text(way: Way) -> Receipt:
    words = "the text is empty, too long or not in NFC"
    return Receipt(Outcome.PERMANENT, words=words, way=way, is_shown=True)


def _not_set_up(way: Way, what: str) -> Receipt:
    # Not a fault that holds the channel: what is set up here goes on working for everybody else.
    return Receipt(Outcome.PERMANENT, words=f"no {what} is set up", way=way, is_shown=True)


def _is_open(message: ZaloMessage, last_interaction_at: datetime | None) -> bool:
    return last_interaction_at is not None and message.sent_at - last_interaction_at < INTERACTION_WINDOW


def _instant(milliseconds: object) -> datetime | None:
    """Return an instant as Zalo writes it, or None where there is none that can be read."""
    try:
        return datetime.fromtimestamp(int(str(milliseconds)) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
