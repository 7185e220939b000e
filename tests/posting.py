"""Messages handed to a mail server one after the other over one connection."""

from collections.abc import Iterable

from notifications.deliver import MailPool
from notifications.email import MailServer
from notifications.messages import Message
from notifications.receipts import Receipt


def deliver(messages: Iterable[Message], server: MailServer) -> list[Receipt]:
    """Return the receipt of each message, in their order."""
    with MailPool(server, connections=1) as pool:
        return [answer.result() for answer in [pool.send(message) for message in messages]]
