"""What the environment makes of the settings."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from django.core.signing import Signer

import roomlog_api
from roomlog_runtime.settings import SettingError

SETTINGS = Path(roomlog_api.__file__).with_name("settings.py")


def load(monkeypatch: pytest.MonkeyPatch, **environ: str) -> ModuleType:
    """Run the settings module in this environment, beside the one that the tests use."""
    monkeypatch.setenv("ROOMLOG_SECRET_KEY", "x")
    monkeypatch.setenv("ROOMLOG_DATABASE_URL", "sqlite:////tmp/none.sqlite3")
    for name, value in environ.items():
        monkeypatch.setenv(f"ROOMLOG_{name}", value)
    spec = importlib.util.spec_from_file_location("settings_under_test", SETTINGS)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("environ", "is_secure"),
    [
        ({}, False),
        ({"ALLOWED_HOSTS": "localhost"}, False),
        ({"ALLOWED_HOSTS": "chat.example"}, True),
        ({"ALLOWED_HOSTS": "localhost,chat.example"}, True),
        ({"ALLOWED_HOSTS": "chat.example", "SECURE_COOKIES": "0"}, False),
        ({"SECURE_COOKIES": "1"}, True),
    ],
)
def test_cookies_are_for_https_wherever_others_can_reach(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], is_secure: bool
) -> None:
    """Only a page that is served to this machine alone may do without a certificate unasked."""
    settings = load(monkeypatch, **environ)
    assert (is_secure, is_secure) == (settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE)


def test_nothing_is_trusted_or_promised_unless_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """No debug, HSTS or proxy's word by default; a missing secret ends the start."""
    settings = load(monkeypatch)
    facts = (settings.DEBUG, settings.SECURE_HSTS_SECONDS, settings.SECURE_PROXY_SSL_HEADER)
    assert facts == (False, 0, None)
    assert load(monkeypatch, PROXIES="1").SECURE_PROXY_SSL_HEADER == ("HTTP_X_FORWARDED_PROTO", "https")
    monkeypatch.setenv("ROOMLOG_SECRET_KEY", "")
    with pytest.raises(SettingError, match="ROOMLOG_SECRET_KEY is not set"):
        load(monkeypatch, SECRET_KEY="")


def test_what_an_earlier_key_signed_stays_valid(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The key is changed by naming the one before; a file with several will do too."""
    assert load(monkeypatch).SECRET_KEY_FALLBACKS == []
    keys = load(monkeypatch, SECRET_KEY="new", SECRET_KEY_FALLBACKS="before, long ago,").SECRET_KEY_FALLBACKS
    assert keys == ["before", "long ago"]
    signed = Signer(key="before", fallback_keys=[]).sign("session")
    assert Signer(key="new", fallback_keys=keys).unsign(signed) == "session"
    (tmp_path / "keys").write_text("before\n")
    monkeypatch.delenv("ROOMLOG_SECRET_KEY_FALLBACKS")
    again = load(monkeypatch, SECRET_KEY_FALLBACKS_FILE=str(tmp_path / "keys"))
    assert again.SECRET_KEY_FALLBACKS == ["before"]
