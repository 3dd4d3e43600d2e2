"""Where Redis is: addresses of one server and of Sentinels, and what a failing one may say."""

import asyncio

import pytest

from roomlog_runtime.redis_address import asyncio_pool, client, read_redis_url, sentinel_address
from roomlog_runtime.settings import SettingError

SECONDS = {"socket_timeout": 1.0, "socket_connect_timeout": 1.0}


@pytest.mark.parametrize(
    "url", ["redis://127.0.0.1:6379/0", "rediss://u:p@redis:6380/1", "unix:///run/redis"]
)
def test_one_server_has_no_sentinels(url: str) -> None:
    """The addresses that redis-py knows stay its own business."""
    assert sentinel_address(url) is None


def test_sentinels_service_and_database() -> None:
    """Every host is asked in turn; the path names the service and the database."""
    address = sentinel_address("redis+sentinel://one:26380,two,[::1]:26381/chat/3")
    assert address is not None
    assert address.sentinels == (("one", 26380), ("two", 26379), ("::1", 26381))
    assert (address.service, address.server) == ("chat", {"db": 3})
    assert address.sentinel == {}


def test_the_database_is_0_where_none_is_named() -> None:
    """A service alone is enough."""
    address = sentinel_address("redis+sentinel://one:26379/chat")
    assert address is not None
    assert address.server == {"db": 0}


def test_logins_and_tls() -> None:
    """The user before the hosts is the server's; the Sentinels' own login stands behind."""
    url = "rediss+sentinel://me:s%40cret@one:1/chat/0?sentinel_username=watch&sentinel_password=dog"
    address = sentinel_address(url)
    assert address is not None
    assert address.server == {"db": 0, "username": "me", "password": "s@cret", "ssl": True}
    assert address.sentinel == {"username": "watch", "password": "dog", "ssl": True}


@pytest.mark.parametrize(
    "url",
    [
        "localhost:6379",
        "redis:",
        "sentinel://:secret@one:1/chat",
        "redis+sentinel://:secret@one:1",
        "redis+sentinel://:secret@one:port/chat",
        "redis+sentinel://:secret@,/chat",
        "redis+sentinel://:secret@one:1/chat/x",
        "redis+sentinel://:secret@one:1/chat/0?timeout=3",
    ],
)
def test_what_has_another_form_ends_the_start_with_a_sentence(url: str) -> None:
    """The variable is named, its value is not: it may hold a password."""
    with pytest.raises(SettingError, match="ROOMLOG_REDIS_URL has not the form") as caught:
        read_redis_url({"ROOMLOG_REDIS_URL": url})
    assert "secret" not in str(caught.value)


def test_the_default_is_this_machine() -> None:
    """Without the variable the usual port is tried."""
    assert read_redis_url({}) == "redis://127.0.0.1:6379/0"


async def test_connections_of_both_kinds_carry_what_was_given() -> None:
    """A client and a pool take the caller's deadlines and the address's database, with Sentinels too."""
    for url in ("redis://one:1/4", "redis+sentinel://one:1/chat/4"):
        for kwargs in (
            client(url, **SECONDS).connection_pool.connection_kwargs,
            asyncio_pool(url, **SECONDS).connection_kwargs,
        ):
            assert {"db": 4, **SECONDS}.items() <= kwargs.items()


async def test_every_connection_asks_a_sentinel_afresh() -> None:
    """No connection to a Sentinel is kept: one that died unnoticed meanwhile can't hide the primary."""
    asked: list[asyncio.StreamWriter] = []
    facts = ["name", "chat", "ip", "127.0.0.1", "port", "6380", "flags", "master", "num-other-sentinels", "2"]

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(writer)
        while command := await reader.read(1024):
            is_question = b"masters" in command.lower()
            writer.write(_packed([facts]) if is_question else b"+OK\r\n" * command.lower().count(b"client"))
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        pool = asyncio_pool(f"redis+sentinel://127.0.0.1:{port}/chat", protocol=2, **SECONDS)
        for count in (1, 2):
            assert await pool.get_master_address() == ("127.0.0.1", 6380)  # type: ignore[attr-defined]
            assert len(asked) == count
            async with asyncio.timeout(5):
                await asked[-1].wait_closed()


def _packed(value: object) -> bytes:
    if isinstance(value, list):
        return b"*%d\r\n" % len(value) + b"".join(map(_packed, value))
    text = str(value).encode()
    return b"$%d\r\n%b\r\n" % (len(text), text)
