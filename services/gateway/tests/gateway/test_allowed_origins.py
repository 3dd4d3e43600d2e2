"""Which pages may open a socket: both sides in one form, wrong patterns refused at start."""

import pytest

from roomlog_gateway.allowed_origins import is_allowed, read_origins
from roomlog_gateway.config import read_config
from roomlog_runtime.settings import SettingError

ALLOWED = [
    ("https://chat.example/", "https://chat.example"),
    ("https://Chat.Example", "https://chat.example"),
    ("HTTPS://chat.example:443", "https://chat.example"),
    ("http://chat.example", "http://chat.example:80"),
    ("https://bücher.example", "https://xn--bcher-kva.example"),
    ("https://xn--bcher-kva.example", "https://bücher.example"),
    ("http://[::1]:8000", "http://[::1]:8000"),
    ("https://*.example.org", "https://a.example.org"),
    ("https://*.example.org:8443", "https://a.b.example.org:8443"),
    ("*", "null"),
]
OTHERS = [
    ("https://chat.example", "http://chat.example"),
    ("https://chat.example", "https://chat.example:8443"),
    ("https://chat.example", "https://chat.example.evil"),
    ("https://*.example.org", "https://example.org"),
    ("https://*.example.org", "https://evilexample.org"),
    ("https://*.example.org", "http://a.example.org"),
    ("https://*.example.org", "https://a.example.org.evil"),
    ("https://*.example.org", "https://a.example.org:8443"),
    ("https://chat.example", "null"),
    ("https://chat.example", ""),
    ("https://chat.example", "https://user@chat.example"),
    ("https://chat.example", "https://chat.example:port"),
    ("https://chat.example", "https://chat.example/x"),
]
"""What only looks alike."""


@pytest.mark.parametrize(("pattern", "origin"), ALLOWED + OTHERS)
def test_an_origin_matches_in_any_spelling_and_another_does_not(pattern: str, origin: str) -> None:
    """Slash, capitals, default port, alphabet, IPv6, and a wildcard for whole labels."""
    assert is_allowed(origin, "elsewhere", read_origins([pattern])) is ((pattern, origin) in ALLOWED)


@pytest.mark.parametrize(
    ("origin", "host", "is_own"),
    [
        ("http://chat.example", "chat.example", True),
        ("https://chat.example", "Chat.Example:443", True),
        ("https://chat.example:443", "chat.example", True),
        ("http://chat.example:8000", "chat.example:8000", True),
        ("http://[::1]:8000", "[::1]:8000", True),
        ("http://chat.example:8000", "chat.example", False),
        ("null", "null", False),
        ("http://evil", "", False),
        ("http://evil", "evil@chat.example", False),
    ],
)
def test_the_servers_own_pages_may_always_connect(origin: str, host: str, is_own: bool) -> None:
    """Also where other origins are listed: libraries send the host that they connect to."""
    assert is_allowed(origin, host, read_origins([])) is is_own
    assert is_allowed(origin, host, read_origins(["https://other.example"])) is is_own


@pytest.mark.parametrize(
    "pattern",
    [
        "chat.example",
        "https://",
        "ftp://chat.example",
        "https://chat.example/path",
        "https://chat.example:port",
        "https://*",
        "https://*.",
        "https://a.*.example",
        "*.example.org",
        "https://*example.org",
        "https://*.[::1]",
        "null",
        "https://user@chat.example",
    ],
)
def test_a_pattern_that_could_never_match_is_refused_at_start(pattern: str) -> None:
    """With a sentence that names the variable, instead of refusing people later."""
    environ = {"ROOMLOG_REDIS_URL": "redis://127.0.0.1:1/0", "ROOMLOG_ALLOWED_ORIGINS": pattern}
    with pytest.raises(SettingError, match="ROOMLOG_ALLOWED_ORIGINS"):
        read_config(environ)
