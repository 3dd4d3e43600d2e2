"""A WebSocket made by hand, for bytes that no client library would send.

Around the message's way. It masks, frames and reads as RFC 6455 says, and lets its user break each rule;
for well-behaved clients there is `wire.py`.
"""

import asyncio
import base64
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Self
from urllib.parse import urlsplit

SECONDS: Final = 10.0
"""For any single answer."""
TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


@dataclass(frozen=True)
class Closed:
    """The server ended the connection; None where it sent no close frame."""

    code: int | None


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    final: bool = True,
    reserved: int = 0,
    masked: bool = True,
    length: bytes | None = None,
    mask: bytes | None = None,
) -> bytes:
    """Return a client's frame; `length` replaces the length bytes, a mask is random where none is given."""
    head = bytes([(0x80 if final else 0) | reserved << 4 | opcode])
    if length is None:
        length = _length(len(payload))
    mask = (mask or os.urandom(4)) if masked else b""
    head += bytes([length[0] | (0x80 if masked else 0)]) + length[1:] + mask
    return head + (_mask(payload, mask) if masked else payload)


def text(payload: str) -> bytes:
    """Return the frame of one text message."""
    return frame(TEXT, payload.encode())


def frames_of(said: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield first byte and payload of each frame that a server said; half a frame is a failure."""
    while said:
        found = split_frame(said)
        assert found is not None, said[:20]
        first, payload, said = found
        yield first, payload


def split_frame(said: bytes) -> tuple[int, bytes, bytes] | None:
    """Return a frame's first byte, its payload and the rest; None unless it is whole and unmasked."""
    length, start = said[1] & 0x7F if len(said) > 1 else 0, 2
    if length >= 126:
        start = 4 if length == 126 else 10
        length = int.from_bytes(said[2:start], "big")
    if len(said) < start + length or said[1] & 0x80:
        return None
    return said[0], said[start : start + length], said[start + length :]


async def read_frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Return the opcode and payload of a server's next frame, which is a whole message."""
    first, second = await reader.readexactly(2)
    length = second & 0x7F
    if length >= 126:
        length = int.from_bytes(await reader.readexactly(2 if length == 126 else 8), "big")
    assert first & 0x80
    return first & 0x0F, await reader.readexactly(length)


def upgrade(host: str, path: str = "/ws", **headers: str | None) -> bytes:
    """Return an upgrade request; headers are given with _ for -, and None leaves one out."""
    wanted: dict[str, str | None] = {"Host": host, **upgrade_headers()}
    wanted |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{name}: {value}" for name, value in wanted.items() if value is not None]
    return "\r\n".join([f"GET {path} HTTP/1.1", *lines, "", ""]).encode()


def upgrade_headers() -> dict[str, str]:
    """Return the headers of a proper handshake, but for the host."""
    return {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        "Sec-WebSocket-Version": "13",
    }


class RawSocket:
    """One TCP connection to a gateway."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.host = parts.netloc
        self._address = (parts.hostname, parts.port)

    async def __aenter__(self) -> Self:
        async with asyncio.timeout(SECONDS):
            self._reader, self._writer = await asyncio.open_connection(*self._address)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def write(self, data: bytes) -> None:
        """Send bytes as they are; a peer that has gone already is no failure of the writer."""
        try:
            self._writer.write(data)
            async with asyncio.timeout(SECONDS):
                await self._writer.drain()
        except ConnectionError:
            pass

    def stop_reading(self) -> None:
        """Take nothing from the socket any more."""
        self._writer.transport.pause_reading()  # type: ignore[attr-defined]

    def cut(self) -> None:
        """Drop the TCP connection without a word."""
        self._writer.transport.abort()

    async def status(self) -> int | None:
        """Return the status of an HTTP answer, and read its head; None where there is none."""
        try:
            async with asyncio.timeout(SECONDS):
                head = await self._reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        return int(head.split(b" ", 2)[1])

    async def open(self) -> None:
        """Upgrade in the orderly way."""
        await self.write(upgrade(self.host))
        status = await self.status()
        assert status == 101, status

    async def receive(self) -> dict[str, Any] | Closed:
        """Return the next message, or how the connection ended; answers pings, says goodbye when asked to."""
        while True:
            try:
                async with asyncio.timeout(SECONDS):
                    opcode, payload = await read_frame(self._reader)
            except (asyncio.IncompleteReadError, ConnectionError):
                return Closed(None)
            if opcode == TEXT:
                message = json.loads(payload)
                assert isinstance(message, dict)
                return message
            if opcode == PING:
                await self.write(frame(PONG, payload))
            if opcode == CLOSE:
                await self.write(frame(CLOSE, payload))
                assert await self.is_ended(), "the server closed and kept the socket"
                return Closed(int.from_bytes(payload[:2], "big"))

    async def rest(self) -> bytes:
        """Say that nothing more comes, and return all that the server says until it ends the connection."""
        said = b""
        with suppress(OSError):  # it may have gone before us
            self._writer.write_eof()
        try:
            async with asyncio.timeout(SECONDS):
                while read := await self._reader.read(65536):
                    said += read
        except ConnectionError:
            pass
        return said

    async def is_ended(self) -> bool:
        """Tell whether the server ends the TCP connection in time."""
        try:
            async with asyncio.timeout(SECONDS):
                while await self._reader.read(65536):
                    pass
        except TimeoutError:
            return False
        except ConnectionError:
            pass
        return True


def _length(size: int) -> bytes:
    if size < 126:
        return bytes([size])
    return bytes([126]) + size.to_bytes(2, "big") if size < 65536 else bytes([127]) + size.to_bytes(8, "big")


def _mask(payload: bytes, mask: bytes) -> bytes:
    repeated = (mask * (len(payload) // 4 + 1))[: len(payload)]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")).to_bytes(len(payload), "big")
