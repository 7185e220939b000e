"""Messages in, receipts out, through Apprise, over a few connections that are kept."""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from queue import LifoQueue

from apprise import Apprise, AppriseAsset, NotifyFormat

from notifications.email import SCHEMA, CongnhanMail, MailConnection, MailServer
from notifications.messages import Message
from notifications.rate import Rate
from notifications.receipts import Outcome, Receipt

ASSET = AppriseAsset(async_mode=False)
NOT_BEGUN = Receipt(Outcome.NOT_TRIED, words="its time was over before it was begun")


class MailPool:
    """A few kept connections to one mail server, each opened when it is first needed.

    `per_minute` limits how many messages are begun; 0 leaves it open. What cannot be begun in time
    is not begun at all.
    """

    def __init__(self, server: MailServer, *, connections: int = 4, per_minute: int = 0) -> None:
        self._all = [MailConnection(server) for _ in range(connections)]
        # The one used last comes first: a few letters do not open all of them.
        self._free: LifoQueue[MailConnection] = LifoQueue()
        self._rate = Rate(per_minute)
        self._kept = ExitStack()
        self._threads = ThreadPoolExecutor(connections, thread_name_prefix="mail")
        for connection in reversed(self._all):
            self._free.put(connection)

    def __enter__(self) -> "MailPool":
        for connection in self._all:
            self._kept.enter_context(connection)
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._kept.close()

    @property
    def is_unreachable(self) -> bool:
        """Whether no connection can be had any more; whoever has more to send should come back later."""
        return self._has_none_open() and any(connection.is_unreachable for connection in self._all)

    def send(self, message: Message, *, within: float | None = None) -> "Future[Receipt]":
        """Send a message when a connection is free; the future holds its receipt and never raises.

        One that cannot be begun `within` that many seconds has the outcome `not_tried`.
        """
        begin_by = None if within is None else time.monotonic() + within
        return self._threads.submit(self._send, message, begin_by)

    def _has_none_open(self) -> bool:
        return not any(connection.is_open for connection in self._all)

    def _send(self, message: Message, begin_by: float | None) -> Receipt:
        if begin_by is not None and time.monotonic() + self._rate.wait_ahead() > begin_by:
            return NOT_BEGUN
        self._rate.wait()
        connection = self._free.get()
        try:
            while True:
                receipt = _sent(message, connection, begin_by)
                # A server that answers, but takes fewer connections than we would open, is left to
                # the others: this one is not given back, unless it was the last.
                is_turned_away = connection.is_unreachable and receipt.code.startswith("4")
                if not is_turned_away or all(each.is_unreachable for each in self._all):
                    return receipt
                connection = self._free.get()
        finally:
            self._free.put(connection)


def _sent(message: Message, connection: MailConnection, begin_by: float | None) -> Receipt:
    if begin_by is not None and time.monotonic() > begin_by:
        return NOT_BEGUN
    # One object per message: the receipt it keeps is this message's and no other's.
    service = Apprise.instantiate(
        {"schema": SCHEMA, "message": message, "connection": connection},
        asset=ASSET,
        suppress_exceptions=False,
    )
    if not isinstance(service, CongnhanMail):
        return Receipt(Outcome.CONFIGURATION, words="the mail service is disabled in Apprise")
    # Apprise refuses an empty body without calling the service; ours sends the message as it is.
    service.notify(body=message.text.strip() or "-", title=message.subject, body_format=NotifyFormat.TEXT)
    return service.receipt
