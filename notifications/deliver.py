"""Messages in, receipts out, through Apprise."""

from collections.abc import Iterable, Iterator

from apprise import Apprise, AppriseAsset, NotifyFormat

from notifications.email import SCHEMA, CongnhanMail, MailConnection, MailServer
from notifications.messages import Message
from notifications.receipts import Outcome, Receipt

ASSET = AppriseAsset(async_mode=False)


def deliver(messages: Iterable[Message], server: MailServer) -> Iterator[Receipt]:
    """Send messages over one kept connection and yield the receipt of each, in their order.

    A server that goes away costs no receipt: every message still gets its own.
    """
    with MailConnection(server) as connection:
        for message in messages:
            yield _sent(message, connection)


def _sent(message: Message, connection: MailConnection) -> Receipt:
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
