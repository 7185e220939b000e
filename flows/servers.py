"""Which mail server this installation sends through: the configured one, else the embedded mailbox."""

from collections.abc import Iterator
from contextlib import contextmanager

from config.settings import settings
from notifications.email import MailServer
from notifications.mailbox import Mailbox


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """Yield the configured server; with none, a mailbox on loopback that keeps letters under home."""
    chosen = settings()
    if chosen.smtp_host:
        yield MailServer(
            host=chosen.smtp_host,
            port=chosen.smtp_port,
            security=chosen.smtp_security,
            user=chosen.smtp_user,
            password=chosen.smtp_password.get_secret_value() if chosen.smtp_password else None,
            from_address=chosen.mail_from,
        )
        return
    with Mailbox(chosen.home / "mailbox") as mailbox:
        yield mailbox.server(chosen.mail_from)
