"""What came back: the mailbox for undeliverable mail is read, and the letters are marked failed."""

from datetime import datetime

from config.settings import settings
from models.bounces import CameBack, record_bounces
from models.database import transaction
from notifications.bounces import BounceMailbox, ImapServer


def read_returned(now: datetime) -> int | None:
    """Return how many letters came back since the last reading; None where no mailbox is set up.

    A report is marked as read only once what it says is committed: a crash between reads it again,
    which changes nothing. Raises BounceMailboxFailed.
    """
    server = imap_server()
    if server is None:
        return None
    count = 0
    with BounceMailbox(server) as mailbox:
        for uid, bounces in mailbox.unread():
            # Somebody else may use the mailbox too: what speaks of his letters is left to him.
            mine = [each for each in bounces if each.message_id.endswith(f"@{settings().mail_domain}>")]
            if not mine:
                continue
            came_back = [
                CameBack(each.message_id, each.recipient, each.status or each.code, each.words)
                for each in mine
            ]
            with transaction() as session:
                count += record_bounces(session, came_back, at=now)
            mailbox.done([uid])
    return count


def imap_server() -> ImapServer | None:
    """Return the mailbox that is set up, or None."""
    chosen = settings()
    if chosen.imap_host is None or chosen.imap_user is None or chosen.imap_password is None:
        return None
    return ImapServer(
        host=chosen.imap_host,
        port=chosen.imap_port,
        user=chosen.imap_user,
        password=chosen.imap_password.get_secret_value(),
        security=chosen.imap_security,
        folder=chosen.imap_folder,
    )
