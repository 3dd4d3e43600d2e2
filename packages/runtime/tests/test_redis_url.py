"""What ROOMLOG_REDIS_URL may say, and the sentence for each thing that it may not."""

from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roomlog_runtime.redis_url import DEFAULT_URL, parse_redis_url, read_redis_url
from roomlog_runtime.settings import SettingError

TLS = {"ssl_cert_reqs": "required", "ssl_check_hostname": True}
RESERVED = ":/?#[]@!$&'()*+,;=% "
# ruff: noqa: E501 - a table
REFUSED = {
    "none of the forms": ["localhost:6379", "redis:", "redis://", "http://h", "sentinel://:sec-ret@h:1/c", "Redis://h"],
    "blank or a control": ["redis://h ", " redis://h", "redis://h\t/0", "redis://h/0\x00", "unix:///a%00b"],
    "percent-encode": [
        "redis://:sec/ret@h",
        "redis://:sec?ret@h",
        "redis://:sec#ret@h",
        "redis://:sec@ret@h",
        "redis://:sec[ret@h",
        "redis://:sec%ret@h",
        "redis://h/0#sec-ret",
        "redis+sentinel://:sec/ret@h:1/chat",
        "unix://:sec/ret@/run/redis",
    ],
    "not UTF-8": ["redis://:%FF@h", "unix:///run/%FF"],
    "without a password": ["redis://secret@h", "redis://@h", "redis://secret:@h", "redis+sentinel://secret@h/chat"],
    "names no host": ["redis:///0", "redis://:secret@", "redis://:secret@/0", "redis://h%6f/0", "redis+sentinel://h,/chat", "redis+cluster://h,", "redis://-h", "redis://h,i"],
    "port that is not a number": ["redis://h:", "redis://h:x", "redis://h:0", "redis://h:65536", "redis://h:²", "redis://h:99999999999"],
    "without brackets": ["redis://::1", "redis://::1:6379/0"],
    "without an IPv6 address": ["redis://[h]", "redis://[1.2.3.4]:6379"],
    "database that is not a number": ["redis://h/chat", "redis://h/0/1", "redis://h/-1", "redis://h//0", "redis+sentinel://h:1/chat/x", "unix:///s?db=x"],
    "names a database": ["redis+cluster://h/0", "redis+cluster://h:1,i:2/chat", "rediss+cluster://h/1"],
    "option that": ["redis://h?db=1", "redis://h/0?timeout=3", "redis://h?ssl_ca_certs=/x", "redis+sentinel://h:1/chat?timeout=3", "redis+cluster://h?ssl_ca_certs=/x", "unix:///s?ssl=1", "redis://h?"[:-1] + "?secret"],
    "twice or without a value": ["unix:///s?db=1&db=2", "unix:///s?db", "rediss://h?ssl_ca_certs="],
    "the Sentinels' service": ["redis+sentinel://h:1", "redis+sentinel://h:1/", "redis+sentinel://h:1//0"],
    "no socket file": ["unix://h/run/redis", "unix://run"],
    "neither required nor none": ["rediss://h?ssl_cert_reqs=optional"],
    "neither true nor false": ["rediss://h?ssl_check_hostname=no"],
    "can't be read as certificates": ["rediss://h?ssl_ca_certs=/nowhere", "rediss://h?ssl_ca_certs=/"],
    "unencrypted key": ["rediss://h?ssl_certfile=/nowhere", "rediss://h?ssl_keyfile=/nowhere"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("redis://h", {"host": "h", "port": 6379, "db": 0}),
        ("redis://h/", {"host": "h", "port": 6379, "db": 0}),
        ("redis://redis_1.chat.svc.:6380/15", {"host": "redis_1.chat.svc.", "port": 6380, "db": 15}),
        ("redis://[::1]:1/0", {"host": "::1", "port": 1, "db": 0}),
        ("redis://[fe80::1]", {"host": "fe80::1", "port": 6379, "db": 0}),
        ("redis://:p%2Fw@h", {"host": "h", "port": 6379, "db": 0, "password": "p/w"}),
        ("redis://a%40b:c:d@h", {"host": "h", "port": 6379, "db": 0, "username": "a@b", "password": "c:d"}),
        ("rediss://h:2", {"host": "h", "port": 2, "db": 0, **TLS}),
        ("rediss://h?ssl_cert_reqs=none", {"host": "h", "port": 6379, "db": 0, "ssl_cert_reqs": "none", "ssl_check_hostname": False}),
        ("unix:///run/a%20b.sock?db=3", {"path": "/run/a b.sock", "db": 3}),
        ("unix://me:pw@/run/s", {"path": "/run/s", "db": 0, "username": "me", "password": "pw"}),
    ],
)  # fmt: skip
def test_one_server(url: str, server: dict[str, object]) -> None:
    """Place, database, login and TLS, with redis-py's names and defaults."""
    address = parse_redis_url(url)
    assert (address.service, dict(address.server)) == (None, server)


def test_sentinels_have_hosts_a_service_and_logins() -> None:
    """Each host is asked in turn; the user before them is the server's. A plus is a plus."""
    address = parse_redis_url("redis+sentinel://one:26380,two,[::1]:26381/chat/3")
    assert address.hosts == (("one", 26380), ("two", 26379), ("::1", 26381))
    assert (address.service, dict(address.server), dict(address.sentinel)) == ("chat", {"db": 3}, {})
    assert parse_redis_url("redis+sentinel://one:1/chat").server == {"db": 0}
    url = "rediss+sentinel://me:s%40c@one:1/chat/0?sentinel_username=watch&sentinel_password=d+%26g"
    address = parse_redis_url(url)
    assert address.server == {"db": 0, "username": "me", "password": "s@c", "ssl": True, **TLS}
    assert address.sentinel == {"username": "watch", "password": "d+&g", "ssl": True, **TLS}


def test_nodes_of_a_cluster_share_login_and_tls() -> None:
    """Some nodes are enough; a slash may end them, and no database follows."""
    address = parse_redis_url("rediss+cluster://me:pw@one:7000,two,[::1]:7001/?ssl_ca_certs=/dev/null")
    assert address.hosts == (("one", 7000), ("two", 6379), ("::1", 7001))
    assert address.server == {"username": "me", "password": "pw", "ssl_ca_certs": "/dev/null", **TLS}
    assert address.is_cluster
    assert not parse_redis_url("redis+sentinel://one:1/chat").is_cluster


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1), st.sampled_from(RESERVED))
def test_every_password_can_be_written(password: str, reserved: str) -> None:
    """Percent-encoded, whatever it holds."""
    for form in ("redis://:{}@h", "redis+sentinel://:{}@h/chat", "unix://:{}@/s"):
        url = form.format(quote(password + reserved, safe=""))
        assert parse_redis_url(url).server["password"] == password + reserved


@pytest.mark.parametrize(("sentence", "url"), [(text, url) for text, urls in REFUSED.items() for url in urls])
def test_everything_else_ends_the_start_with_a_sentence(sentence: str, url: str) -> None:
    """The variable is named, its value is not: any piece of it may be a piece of a password."""
    with pytest.raises(SettingError) as caught:
        read_redis_url({"ROOMLOG_REDIS_URL": url})
    said = str(caught.value)
    assert said.startswith("ROOMLOG_REDIS_URL ")
    assert sentence in said
    assert "sec" not in said
    assert "\n" not in said
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_the_default_is_this_machine_and_line_breaks_end_nothing(tmp_path: Path) -> None:
    """Without the variable the usual port is tried; `echo` and editors add line breaks."""
    assert read_redis_url({}) == read_redis_url({"ROOMLOG_REDIS_URL": ""}) == DEFAULT_URL
    path = tmp_path / "url"
    path.write_text("redis://h/1\r\n")
    for environ in ({"ROOMLOG_REDIS_URL": "redis://h/1\n"}, {"ROOMLOG_REDIS_URL_FILE": str(path)}):
        assert read_redis_url(environ) == "redis://h/1"
