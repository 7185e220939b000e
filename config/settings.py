"""This installation: addresses and secrets, from the environment. Read on first use."""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

from config.messages import say
from config.shapes import Mail

PREFIX = "CONGNHAN_"

# Without encryption only to this machine itself, where somebody tries things out.
ENCRYPTED = re.compile(r"https://|http://(127\.0\.0\.1|localhost|\[::1\])(:|/|$)")


class SettingsInvalid(Exception):
    """Variables of the environment cannot be read; the text names them and never shows a value."""


class Settings(BaseSettings):
    """What differs between machines; every variable begins with `CONGNHAN_`."""

    # A variable set to nothing is not set: so a copied .env with empty lines means what it says.
    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", env_ignore_empty=True)

    home: Path = Path("var")
    database_url: SecretStr | None = None
    smtp_host: str | None = None
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    smtp_security: Literal["none", "starttls", "tls"] = "starttls"
    mail_from: Mail = "congnhan@mau.example"
    mail_from_name: str | None = None
    mail_domain: str = "congnhan.example"
    mail_connections: int = Field(default=4, ge=1, le=32)
    mail_per_minute: int = Field(default=0, ge=0)
    portal_url: str | None = None

    # The Prefect server: who may use it (user:password), and where it is where another machine runs it.
    prefect_auth: SecretStr | None = None

    # The watchdog: whom it writes to (several by comma), and whom it tells that it is alive.
    alarm_to: str | None = None
    deadman_url: SecretStr | None = None

    log: Literal["text", "json"] = "text"

    # A mailbox to which reports of mail that could not be delivered come back.
    imap_host: str | None = None
    imap_port: int = Field(default=993, ge=1, le=65535)
    imap_user: str | None = None
    imap_password: SecretStr | None = None
    imap_security: Literal["none", "starttls", "tls"] = "tls"
    imap_folder: str = "INBOX"

    # What tokens lie encrypted with; after a change the old key stays behind the new one and a comma.
    secret_key: SecretStr | None = None

    zalo_app_id: str | None = None
    zalo_oa_id: str | None = None
    zalo_app_secret: SecretStr | None = None
    zalo_oa_secret: SecretStr | None = None
    zalo_sends_proof: bool = True
    zalo_callback_url: str | None = None
    zalo_code_verifier: SecretStr | None = None
    zalo_bot_token: SecretStr | None = None
    zalo_bot_secret: SecretStr | None = None
    zalo_templates: Path | None = None
    zalo_timeout: float = Field(default=20.0, gt=0, le=120)
    zalo_per_minute: int = Field(default=3000, ge=0)
    zalo_oa_url: str = "https://openapi.zalo.me"
    zalo_zbs_url: str = "https://business.openapi.zalo.me"
    zalo_oauth_url: str = "https://oauth.zaloapp.com"
    zalo_bot_url: str = "https://bot-api.zaloplatforms.com"

    @model_validator(mode="after")
    def _is_whole(self) -> "Settings":
        """Refuse what is set by half, a user without a password too, and addresses that are not encrypted."""
        account = ("zalo_app_id", "zalo_oa_id", "zalo_app_secret", "secret_key")
        if any(getattr(self, name) for name in account[:3]):
            _refuse(name for name in account if not getattr(self, name))
        if self.prefect_auth and not all(self.prefect_auth.get_secret_value().partition(":")):
            _refuse(["prefect_auth"])
        if self.imap_host:
            _refuse(name for name in ("imap_user", "imap_password") if not getattr(self, name))
        addresses = ("zalo_oa_url", "zalo_zbs_url", "zalo_oauth_url", "zalo_bot_url")
        _refuse(name for name in addresses if not ENCRYPTED.match(getattr(self, name)))
        return self

    @property
    def has_zalo_account(self) -> bool:
        """Whether an official account of Zalo is set up here."""
        return self.zalo_app_id is not None

    @property
    def database(self) -> str:
        """The SQLAlchemy address of the database; a file under `home` unless one is named."""
        if self.database_url is None:
            return f"sqlite:///{self.home.resolve()}/congnhan.db"
        return with_driver(self.database_url.get_secret_value())


def _refuse(names: Iterable[str]) -> None:
    """Raise where anything is named here, each variable as one that cannot be read."""
    wrong = [
        InitErrorDetails(type=PydanticCustomError("refused", "refused"), loc=(name,), input=None)
        for name in names
    ]
    if wrong:
        raise ValidationError.from_exception_data("Settings", wrong)


def with_driver(url: str) -> str:
    """Return a database's address with the driver we ship; operators write it as PostgreSQL's tools do."""
    for plain in ("postgresql://", "postgres://"):
        if url.startswith(plain):
            return f"postgresql+psycopg://{url.removeprefix(plain)}"
    return url


@cache
def settings() -> Settings:
    """Return the settings of this process; raises SettingsInvalid, naming the variables."""
    try:
        return Settings()
    except ValidationError as error:
        names = sorted({PREFIX + str(problem["loc"][0]).upper() for problem in error.errors()})
        raise SettingsInvalid(say("settings.invalid", names=", ".join(names))) from None
