"""The watchdog's own letter: composed and sent by itself, past the queue it watches."""

import re
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from html import escape

from config.messages import say
from notifications.compose import one_line, templates
from notifications.email import MailConnection, MailServer
from notifications.messages import Message
from notifications.receipts import Outcome

# A subject holds what comes before the first of these.
SENTENCE_PART = re.compile("[,;]")


def send_alarm(
    server: MailServer,
    recipients: Sequence[str],
    *,
    standing: Sequence[str],
    over: Sequence[str],
    at: datetime,
    from_name: str,
    domain: str,
) -> list[str]:
    """Send one letter to each of these addresses, and return those that took it."""
    text = templates().get_template("alarm/body.txt").render(standing=standing, over=over).strip() + "\n"
    first = SENTENCE_PART.split(one_line((*standing, *over)[0]))[0]
    subject = say("alarm.subject" if standing else "alarm.subject_over", first=first)
    taken = []
    with MailConnection(server) as connection:
        for address in recipients:
            identity = sha256(f"{address}|{at.isoformat()}|{text}".encode()).hexdigest()[:32]
            message = Message(
                message_id=f"<alarm-{identity}@{domain}>",
                to_name="",
                to_address=address,
                sent_at=at,
                subject=subject,
                text=text,
                html=f"<pre>{escape(text)}</pre>",
                from_name=from_name,
            )
            if connection.send(message).outcome in (Outcome.ACCEPTED, Outcome.UNKNOWN):
                taken.append(address)
    return taken
