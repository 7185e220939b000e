"""This installation: addresses and secrets, from the environment. Read on first use."""

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from config.messages import say
from config.shapes import Mail

PREFIX = "CONGNHAN_"


class SettingsInvalid(Exception):
    """Variables of the environment cannot be read; the text names them and never shows a value."""


class Settings(BaseSettings):
    """What differs between machines; every variable begins with `CONGNHAN_`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore")

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
    portal_url: str | None = None

    @property
    def database(self) -> str:
        """The SQLAlchemy address of the database; a file under `home` unless one is named."""
        if self.database_url is None:
            return f"sqlite:///{self.home.resolve()}/congnhan.db"
        return with_driver(self.database_url.get_secret_value())


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
