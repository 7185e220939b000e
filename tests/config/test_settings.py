"""Settings: read from the environment on first use, naming what is wrong, never showing a secret."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.settings import PREFIX, SettingsInvalid, settings


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    for name in list(os.environ):
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)
    settings.cache_clear()
    yield
    settings.cache_clear()


def test_defaults_need_no_environment():
    found = settings()
    assert (found.home, found.mail_from, found.mail_domain) == (
        Path("var"),
        "congnhan@mau.example",
        "congnhan.example",
    )
    assert (found.smtp_host, found.portal_url, found.database_url) == (None, None, None)


def test_the_database_is_a_file_under_home(monkeypatch, tmp_path):
    monkeypatch.setenv("CONGNHAN_HOME", str(tmp_path))
    assert settings().database == f"sqlite:///{tmp_path}/congnhan.db"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_a_postgresql_address_gets_our_driver(monkeypatch, scheme):
    monkeypatch.setenv("CONGNHAN_DATABASE_URL", f"{scheme}://u:p@host/db")
    assert settings().database == "postgresql+psycopg://u:p@host/db"


def test_settings_are_read_once(monkeypatch):
    first = settings()
    monkeypatch.setenv("CONGNHAN_SMTP_HOST", "mail.mau.example")
    assert settings() is first


def test_secrets_stay_out_of_repr(monkeypatch):
    monkeypatch.setenv("CONGNHAN_SMTP_PASSWORD", "hush-1")
    monkeypatch.setenv("CONGNHAN_DATABASE_URL", "postgresql://u:hush-2@host/db")
    found = settings()
    assert found.smtp_password is not None
    assert found.smtp_password.get_secret_value() == "hush-1"
    assert "hush" not in repr(found) + str(found)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CONGNHAN_SMTP_PORT", "hush"),
        ("CONGNHAN_SMTP_PORT", "70000"),
        ("CONGNHAN_SMTP_SECURITY", "ssl-hush"),
        ("CONGNHAN_MAIL_FROM", "hush"),
        ("CONGNHAN_PREFECT_AUTH", "hush"),
        ("CONGNHAN_PREFECT_AUTH", "hush:"),
    ],
)
def test_a_bad_value_is_refused_by_the_name_of_its_variable(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsInvalid) as refused:
        settings()
    assert name in str(refused.value)
    assert "hush" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_a_variable_set_to_nothing_is_not_set(monkeypatch):
    for name in ("DATABASE_URL", "PREFECT_AUTH", "ZALO_APP_ID", "SMTP_PORT", "MAIL_FROM"):
        monkeypatch.setenv(f"CONGNHAN_{name}", "")
    found = settings()
    assert (found.database_url, found.prefect_auth, found.has_zalo_account) == (None, None, False)
    assert (found.smtp_port, found.mail_from) == (587, "congnhan@mau.example")


def test_several_bad_values_are_named_together(monkeypatch):
    monkeypatch.setenv("CONGNHAN_SMTP_PORT", "x")
    monkeypatch.setenv("CONGNHAN_MAIL_FROM", "x")
    with pytest.raises(SettingsInvalid, match="CONGNHAN_MAIL_FROM, CONGNHAN_SMTP_PORT"):
        settings()


def test_a_bad_environment_does_not_stop_an_import():
    environment = {**os.environ, "CONGNHAN_SMTP_PORT": "x"}
    subprocess.run([sys.executable, "-c", "import config.settings"], env=environment, check=True)
