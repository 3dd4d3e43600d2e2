"""A TCP proxy on the loopback address whose connections a test delays, holds, cuts and forgets.

Between a process and what it depends on: each process has routes of its own, so that a fault hits one and not
the others. Runs on the test's loop. It must not understand what it carries, but for the ports that a
Sentinel tells, which it renames so that nobody goes round the proxy.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Mapping
from typing import Final

from roomlog_local.ports import LOOPBACK

CHUNK_BYTES: Final = 64 * 1024
CONNECT_SECONDS: Final = 5.0
CLOSE_SECONDS: Final = 1.0
"""Between two looks for connections that came while others were being cut."""
NO_LINGER: Final = struct.pack("ii", 1, 0)
"""SO_LINGER with 0 s: closing sends RST."""


class Route:
    """One way from a process to a server, and what is done to it."""

    def __init__(self, port: int, renamed: Mapping[int, int] | None = None) -> None:
        """Leads to `port`; `renamed` says under which port the process shall know another."""
        self.target = port
        self.renamed = {_bulk(old): _bulk(new) for old, new in (renamed or {}).items()}
        self.delay_seconds = 0.0
        """Each way, for each piece of data."""
        self.bytes_left: int | None = None
        """After so many bytes to the server its connection is reset; None for never."""
        self.is_open = asyncio.Event()
        """Unset, nothing passes and nothing is lost: as behind a switch that is rebooted."""
        self.is_open.set()
        self.is_refusing = False
        """New connections are reset at once, as where nobody listens."""
        self._links: set[_Link] = set()
        self._serving: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen on a port that the system chooses."""
        self._server = await asyncio.start_server(self._serve, LOOPBACK, 0)

    @property
    def port(self) -> int:
        """Return where the process connects to."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    @property
    def connections(self) -> int:
        """Return how many connections there are."""
        return len(self._links)

    async def close(self) -> None:
        """Stop listening, cut everything and wait until it is gone."""
        if self._server is not None:
            self._server.close()
        self.is_open.set()
        while self._serving:
            self.reset()
            await asyncio.wait(self._serving, timeout=CLOSE_SECONDS)

    def reset(self) -> None:
        """Send RST to both sides of every connection."""
        for link in list(self._links):
            link.reset()

    def forget(self) -> None:
        """Leave every connection half open: the server's side ends, the process is told nothing."""
        for link in list(self._links):
            link.forget()

    def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_refusing:
            _abort(writer)
            return
        task = asyncio.get_running_loop().create_task(self._carry(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self.is_open.wait()
        link = _Link(self, reader, writer)
        self._links.add(link)
        try:
            await link.run()
        finally:
            self._links.discard(link)


class _Link:
    """One connection through a route."""

    def __init__(self, route: Route, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._route = route
        self._process = reader, writer
        self._writers = [writer]
        self._is_forgotten = False

    async def run(self) -> None:
        """Carry both ways until one side ends."""
        reader, writer = self._process
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                server, to_server = await asyncio.open_connection(LOOPBACK, self._route.target)
        except (OSError, TimeoutError):
            self.reset()
            return
        self._writers.append(to_server)
        with contextlib.suppress(OSError):
            await asyncio.gather(self._carry_up(reader, to_server), self._carry_down(server, writer))
        for one in self._writers:
            one.close()

    def reset(self) -> None:
        """Send RST both ways."""
        for writer in self._writers:
            _abort(writer)

    def forget(self) -> None:
        """End the server's side alone."""
        self._is_forgotten = True
        for writer in self._writers[1:]:
            _abort(writer)

    async def _carry_up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(CHUNK_BYTES):
            await self._pass()
            if self._is_forgotten:
                continue
            left = self._route.bytes_left
            writer.write(data[:left])
            if left is not None:
                self._route.bytes_left = max(0, left - len(data))
                if left <= len(data):
                    self._route.bytes_left = None
                    await asyncio.sleep(0)
                    self.reset()
                    return
            await writer.drain()
        writer.close()

    async def _carry_down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(CHUNK_BYTES):
            await self._pass()
            for old, new in self._route.renamed.items():
                data = data.replace(old, new)
            writer.write(data)
            await writer.drain()
        if not self._is_forgotten:
            writer.close()

    async def _pass(self) -> None:
        if self._route.delay_seconds:
            await asyncio.sleep(self._route.delay_seconds)
        await self._route.is_open.wait()


def _abort(writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
    writer.transport.abort()


def _bulk(port: int) -> bytes:
    """Return a port as Redis writes it in an answer."""
    return b"$%d\r\n%d\r\n" % (len(str(port)), port)
