"""Connections to one server and by Sentinels, without a network or with a server of three lines."""

import asyncio
from typing import Any

import pytest

from roomlog_runtime.redis_address import asyncio_pool, client
from roomlog_runtime.redis_cluster import is_cluster
from roomlog_runtime.redis_url import parse_redis_url

SECONDS = {"socket_timeout": 1.0, "socket_connect_timeout": 1.0}


async def test_connections_of_both_kinds_carry_what_was_given() -> None:
    """And nothing that is printed of them holds a password."""
    for url in ("redis://one:1/4", "redis+sentinel://one:1/chat/4"):
        for kwargs in (
            client(url, **SECONDS).connection_pool.connection_kwargs,
            asyncio_pool(url, **SECONDS).connection_kwargs,
        ):
            assert {"db": 4, **SECONDS}.items() <= kwargs.items()
    for url in (
        "redis://me:s3cret@one:1/4",
        "redis+sentinel://me:s3cret@one:1/chat?sentinel_password=s3cret",
        "redis+cluster://me:s3cret@one:1",
    ):
        things = (
            client(url, **SECONDS),
            client(url).connection_pool,
            *([] if is_cluster(url) else [asyncio_pool(url)]),
            parse_redis_url(url),
        )
        assert [thing for thing in things if "s3cret" in f"{thing!r} {thing}"] == []


@pytest.mark.parametrize("is_blocking", [False, True])
async def test_every_connection_asks_a_sentinel_afresh(is_blocking: bool) -> None:
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
        url = f"redis+sentinel://127.0.0.1:{port}/chat"
        blocking: Any = client(url, **SECONDS).connection_pool
        pool: Any = asyncio_pool(url, **SECONDS)
        for count in (1, 2):
            asking = (
                asyncio.to_thread(blocking.get_master_address) if is_blocking else pool.get_master_address()
            )
            assert await asking == ("127.0.0.1", 6380)
            assert len(asked) == count
            async with asyncio.timeout(5):
                await asked[-1].wait_closed()


def _packed(value: object) -> bytes:
    if isinstance(value, list):
        return b"*%d\r\n" % len(value) + b"".join(map(_packed, value))
    text = str(value).encode()
    return b"$%d\r\n%b\r\n" % (len(text), text)
