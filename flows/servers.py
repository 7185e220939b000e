"""What this installation sends through: its mail server, else the embedded mailbox; and its Zalo."""

from collections.abc import Iterator
from contextlib import contextmanager

from config.settings import settings
from config.zalo_templates import read_zalo_templates
from flows.reminders import Reach
from notifications.email import MailServer
from notifications.mailbox import Mailbox
from notifications.zalo.platform import TemplateUse, ZaloAddresses, ZaloApp, ZaloPlatform
from rules.notices import Channel, NoticeKind


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


def reach() -> Reach:
    """Return what this installation can send over; raises FileInvalid for a broken file of templates."""
    platform = zalo_platform()
    if platform is None:
        return Reach()
    return Reach(frozenset(Channel), frozenset(platform.templates) if platform.app else frozenset())


def zalo_platform() -> ZaloPlatform | None:
    """Return what this installation has of Zalo, or None where it has nothing of it."""
    chosen = settings()
    if not chosen.has_zalo_account and chosen.zalo_bot_token is None:
        return None
    return ZaloPlatform(
        addresses=zalo_addresses(),
        app=zalo_app(),
        bot_token=chosen.zalo_bot_token.get_secret_value() if chosen.zalo_bot_token else None,
        templates=_templates(),
        timeout=chosen.zalo_timeout,
        per_minute=chosen.zalo_per_minute,
    )


def zalo_addresses() -> ZaloAddresses:
    """Return the addresses of Zalo's hosts."""
    chosen = settings()
    return ZaloAddresses(
        oa=chosen.zalo_oa_url.rstrip("/"),
        zbs=chosen.zalo_zbs_url.rstrip("/"),
        oauth=chosen.zalo_oauth_url.rstrip("/"),
        bot=chosen.zalo_bot_url.rstrip("/"),
    )


def zalo_app() -> ZaloApp | None:
    """Return the application and its official account, or None where none is set up."""
    chosen = settings()
    if chosen.zalo_app_id is None or chosen.zalo_oa_id is None or chosen.zalo_app_secret is None:
        return None
    return ZaloApp(
        app_id=chosen.zalo_app_id,
        oa_id=chosen.zalo_oa_id,
        secret=chosen.zalo_app_secret.get_secret_value(),
        sends_proof=chosen.zalo_sends_proof,
    )


def _templates() -> dict[NoticeKind, TemplateUse]:
    path = settings().zalo_templates
    if path is None:
        return {}
    found = read_zalo_templates(path)
    return {kind: TemplateUse(each.template_id, each.params) for kind, each in found.items()}
