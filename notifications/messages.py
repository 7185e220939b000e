"""What is handed to a channel: one message for one recipient, already composed."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a message; `media_type` is whole, as `text/calendar; method=PUBLISH`."""

    filename: str
    content: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one recipient on one channel.

    `message_id` is the stable RFC 5322 id, angle brackets included; sending the same letter again
    keeps it, and `repeats` says how often it may have gone before. `sent_at` is an aware instant and
    becomes the `Date:` header.
    """

    message_id: str
    to_name: str
    to_address: str
    sent_at: datetime
    subject: str
    text: str
    html: str
    from_name: str
    reply_to: str | None = None
    attachments: tuple[Attachment, ...] = ()
    repeats: int = 0
