"""The proxy does to connections what a history says it did."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import TypeVar

import pytest

from roomlog_local.ports import LOOPBACK
from tests.harness.proxy import Route

T = TypeVar("T")

SECONDS = 10.0


class Ends:
    """A process's connection through a route, and the server's side of it."""

    def __init__(self, route: Route, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.route = route
        self.reader = reader
        self.writer = writer
        self.heard = b""
        self.is_server_gone = asyncio.Event()

    async def ask(self, data: bytes) -> bytes:
        """Send something and return the echo."""
        self.writer.write(data)
        return await within(self.reader.readexactly(len(data)))


@asynccontextmanager
async def ends(renamed: dict[int, int] | None = None) -> AsyncIterator[Ends]:
    """A server that echoes, behind a route."""
    found: list[Ends] = []

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1024):
                found[0].heard += data
                writer.write(data)
        except ConnectionError:
            pass
        found[0].is_server_gone.set()
        writer.close()

    server = await asyncio.start_server(echo, LOOPBACK, 0)
    route = Route(server.sockets[0].getsockname()[1], renamed)
    await route.start()
    found.append(Ends(route, *await asyncio.open_connection(LOOPBACK, route.port)))
    try:
        yield found[0]
    finally:
        found[0].writer.close()
        await route.close()
        server.close()


async def within(waiting: Awaitable[T]) -> T:
    """Return what comes in time."""
    async with asyncio.timeout(SECONDS):
        return await waiting


async def test_it_carries_both_ways_and_renames_ports() -> None:
    """What a Sentinel tells of a port becomes the route's own; behind a closed one data come later."""
    async with ends({6379: 20001}) as both:
        assert await both.ask(b"hello") == b"hello"
        both.writer.write(b"$4\r\n6379\r\n")
        assert await within(both.reader.readexactly(11)) == b"$5\r\n20001\r\n"
        assert both.route.connections == 1
    async with ends() as both:
        await both.ask(b"one")
        both.route.is_open.clear()
        both.writer.write(b"two")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await both.reader.readexactly(1)
        assert both.heard == b"one"
        both.route.is_open.set()
        assert await within(both.reader.readexactly(3)) == b"two"


async def test_a_lost_connection_is_felt_or_silent() -> None:
    """A reset on both sides, a forgotten one on none."""
    async with ends() as both:
        await both.ask(b"one")
        both.route.reset()
        with pytest.raises(ConnectionResetError):
            await within(both.reader.read(1))
        await within(both.is_server_gone.wait())
    async with ends() as both:
        await both.ask(b"one")
        both.route.forget()
        await within(both.is_server_gone.wait())
        both.writer.write(b"two")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await both.reader.read(1)
        assert both.heard == b"one"


async def test_a_connection_is_cut_within_what_is_sent() -> None:
    """The server hears the first bytes alone, then both sides are reset."""
    async with ends() as both:
        await both.ask(b"one")
        both.route.bytes_left = 4
        both.writer.write(b"123456")
        with pytest.raises(ConnectionResetError):
            await within(both.reader.read(-1))
        await within(both.is_server_gone.wait())
        assert both.heard == b"one1234"


async def test_a_server_that_is_dead_for_one_process() -> None:
    """New connections are reset at once; once it stops refusing, the route works again."""
    async with ends() as pair:
        assert await pair.ask(b"before") == b"before"
        pair.route.is_refusing = True
        pair.route.reset()
        reader, writer = await asyncio.open_connection(LOOPBACK, pair.route.port)
        with pytest.raises(ConnectionError):
            await within(reader.readexactly(1))
        writer.close()
        pair.route.is_refusing = False
        reader, writer = await asyncio.open_connection(LOOPBACK, pair.route.port)
        writer.write(b"after")
        assert await within(reader.readexactly(5)) == b"after"
        writer.close()
