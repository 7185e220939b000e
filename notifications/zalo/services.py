"""Zalo's ways as services of Apprise, each with a receipt: `zalooa`, `zalozbs`, `zalogmf`, `zalobot`.

Apprise answers yes or no and swallows what a service raises, so each keeps a Receipt.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from apprise import NotifyBase
from apprise.manager_plugins import NotificationManager

from notifications.receipts import Outcome, Receipt
from notifications.zalo.api import Answer, AnswerLost, NothingWritten, ZaloClient
from notifications.zalo.errors import Host, action, in_words, meaning, wants_another_token
from notifications.zalo.platform import NeedsConsent, NotRenewed, Tokens
from rules.sending import Way

# The id of a member, or the group's own, which would call everybody.
MENTION = re.compile(r"\[@[^\[\]]*\]")


def with_token(tokens: Tokens, host: Host, call: Callable[[str], Answer]) -> Answer:
    """Return what a call answers; where the token is refused it is called once more with another one.

    Raises NeedsConsent, NotRenewed and what the call raises. A refused token is a definite answer:
    calling again cannot double anything.
    """
    token = _given(tokens.current)
    answer = call(token)
    if not wants_another_token(host, answer.code):
        return answer
    return call(_given(lambda: tokens.renewed(token)))


def _given(ask: Callable[[], str]) -> str:
    """Return the token asked for; whatever keeps it from us, nothing has been sent."""
    try:
        return ask()
    except (NeedsConsent, NotRenewed):
        raise
    except Exception as error:
        raise NotRenewed(type(error).__name__) from None


def receipt_of_answer(
    answer: Answer, host: Host, way: Way, *, provider_id: str = "", said: str = ""
) -> Receipt:
    """Return the receipt of what a host answered."""
    if answer.code == 0:
        return Receipt(Outcome.ACCEPTED, "0", provider_id, answer.words, way=way, said=said)
    meant = meaning(host, answer.code, answer.words)
    words = answer.words or in_words(host, answer.code)
    if wants_another_token(host, answer.code):
        words = f"a renewed access token was refused as well: {words}"
    elif action(host, answer.code) is None:
        words = f"unknown code: {words}"
    return Receipt(
        meant.outcome,
        str(answer.code),
        words=words,
        way=way,
        pause=meant.pause,
        most_tries=meant.most_tries,
        is_shown=meant.is_shown,
        said=said,
    )


def receipt_of_error(error: Exception, way: Way) -> Receipt:
    """Return the receipt of a call without an answer; nothing in it is secret."""
    match error:
        case NothingWritten():
            return Receipt(Outcome.TRANSIENT, words=str(error), way=way)
        case AnswerLost():
            return Receipt(Outcome.UNKNOWN, words=str(error), way=way)
        case NeedsConsent():
            words = "an administrator of the official account must consent again"
            return Receipt(Outcome.CONFIGURATION, words=words, way=way)
        case NotRenewed():
            words = "the access token could not be renewed now"
            return Receipt(Outcome.TRANSIENT, words=words, way=way)
    # A fault of ours, and nobody knows how far it had come.
    return Receipt(Outcome.UNKNOWN, words=type(error).__name__, way=way)


class _ZaloService(NotifyBase):
    """One message over one way."""

    secure_protocol = ""  # type: ignore[assignment]
    templates = ("{schema}://",)  # type: ignore[assignment]
    request_rate_per_sec = 0  # Apprise means seconds between calls, 5.5 unless told.
    way = Way.ZALO_OA
    of_host = Host.OA

    def __init__(self, client: ZaloClient, **kwargs: Any) -> None:
        super().__init__(**kwargs)  # type: ignore[no-untyped-call]
        self._client = client
        self.receipt = Receipt(Outcome.TRANSIENT, words="not tried", way=self.way)

    def send(self, *args: Any, **kwargs: Any) -> bool:
        """Send the message and keep the receipt; True where it was accepted."""
        try:
            self.receipt = self._send()
        except Exception as error:
            self.receipt = receipt_of_error(error, self.way)
        return self.receipt.outcome is Outcome.ACCEPTED

    def url(self, privacy: bool = False, *args: Any, **kwargs: Any) -> str:
        """Return an address without anything in it: nothing secret goes through a URL."""
        return f"{self.secure_protocol}://"

    @staticmethod
    def parse_url(url: str, *args: Any, **kwargs: Any) -> None:
        """Refuse to be built from an address; a dict is handed over instead."""

    def _send(self) -> Receipt:
        """Hand the message over; each way of Zalo's has its own, and this class is none of them."""
        raise NotImplementedError

    def _receipt(self, answer: Answer, *, id_is: str = "message_id", said: str = "") -> Receipt:
        provider_id = str(answer.data.get(id_is) or "")
        return receipt_of_answer(answer, self.of_host, self.way, provider_id=provider_id, said=said)


class _OfTheAccount(_ZaloService):
    """A way of the official account: its calls carry the access token."""

    def __init__(self, tokens: Tokens, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._tokens = tokens

    def _post(self, path: str, body: Mapping[str, Any]) -> Answer:
        return with_token(
            self._tokens, self.of_host, lambda token: self._client.post(self.of_host, path, body, token)
        )


class ZaloOA(_OfTheAccount):
    """A consultation message (tin tư vấn) of the official account, inside the interaction window."""

    service_name = "Zalo OA"  # type: ignore[assignment]
    secure_protocol = "zalooa"  # type: ignore[assignment]

    def __init__(self, uid: str, text: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._uid, self._text = uid, text

    def _send(self) -> Receipt:
        body = {"recipient": {"user_id": self._uid}, "message": {"text": self._text}}
        return self._receipt(self._post("/v3.0/oa/message/cs", body))


class ZaloTemplate(_OfTheAccount):
    """An approved ZBS template, to a UID or to a telephone number."""

    service_name = "Zalo ZBS"  # type: ignore[assignment]
    secure_protocol = "zalozbs"  # type: ignore[assignment]

    def __init__(
        self,
        template_id: str,
        data: Mapping[str, str],
        tracking_id: str,
        uid: str | None = None,
        phone: str | None = None,
        **kwargs: Any,
    ) -> None:
        self.way, self.of_host = (Way.ZBS_UID, Host.OA) if uid else (Way.ZBS_PHONE, Host.ZBS)
        super().__init__(**kwargs)
        self._template_id, self._data, self._tracking_id = template_id, dict(data), tracking_id
        self._uid, self._phone = uid, phone

    def _send(self) -> Receipt:
        filled = {"template_id": self._template_id, "template_data": self._data}
        said = "\n".join(f"{name}: {value}" for name, value in self._data.items())
        if self._uid:
            answer = self._post("/v3.0/oa/message/template", {"user_id": self._uid, **filled})
            return self._receipt(answer, said=said)
        body = {"phone": self._phone, **filled, "tracking_id": self._tracking_id}
        return self._receipt(self._post("/message/template", body), id_is="msg_id", said=said)


class ZaloGroup(_OfTheAccount):
    """A message into a group chat that the official account owns (GMF); it mentions nobody."""

    service_name = "Zalo GMF"  # type: ignore[assignment]
    secure_protocol = "zalogmf"  # type: ignore[assignment]
    way = Way.ZALO_GROUP

    def __init__(self, group_id: str, text: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._group_id, self._text = group_id, text

    def _send(self) -> Receipt:
        text = without_mentions(self._text)
        body = {"recipient": {"group_id": self._group_id}, "message": {"text": text}}
        return self._receipt(self._post("/v3.0/oa/group/message", body), said=text)


class ZaloBot(_ZaloService):
    """A message of a bot of the Zalo Bot Platform."""

    service_name = "Zalo Bot"  # type: ignore[assignment]
    secure_protocol = "zalobot"
    way = Way.ZALO_BOT
    of_host = Host.BOT

    def __init__(self, chat_id: str, text: str, token: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._chat_id, self._text, self._token = chat_id, text, token

    def _send(self) -> Receipt:
        body = {"chat_id": self._chat_id, "text": self._text}
        return self._receipt(self._client.call_bot("sendMessage", body, self._token))


SERVICES: tuple[type[_ZaloService], ...] = (ZaloOA, ZaloTemplate, ZaloGroup, ZaloBot)
for _service in SERVICES:
    NotificationManager().add(_service, schemas=[_service.secure_protocol])


def without_mentions(text: str) -> str:
    """Return a text without anything a group would take for a mention, however it is nested."""
    while (bare := MENTION.sub("", text)) != text:
        text = bare
    return text
