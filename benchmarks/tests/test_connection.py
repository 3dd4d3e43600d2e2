"""The client's frames: whatever the pieces they arrive in, each is handed over once and whole."""

from __future__ import annotations

import asyncio

import pytest

from benchmarks.connection import Connection, frame_of
from tests.harness.raw import PING, TEXT, frame

UPGRADED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"


class Wiretap(asyncio.Transport):
    """A transport that remembers what was written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.is_closed = False

    def write(self, data: bytes | bytearray | memoryview[int]) -> None:
        """Remember."""
        self.written += bytes(data)

    def close(self) -> None:
        """Remember."""
        self.is_closed = True


def server_frame(payload: bytes, opcode: int = TEXT, *, final: bool = True) -> bytes:
    """Return one frame as a server sends it, unmasked."""
    return frame(opcode, payload, final=final, masked=False)


async def upgraded(texts: list[bytes]) -> tuple[Connection, Wiretap]:
    """A connection whose texts are collected."""
    connection = Connection("ws://h:1/ws", lambda buffer, start, end: texts.append(buffer[start:end]))
    tap = Wiretap()
    connection.connection_made(tap)
    return connection, tap


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50, 1_000_000])
async def test_frames_are_whole_in_whatever_pieces_they_come(size: int) -> None:
    """Short, two-byte and eight-byte lengths, cut at every place."""
    sent = [b"", b"a" * 125, b"b" * 126, b"c" * 300, b"d" * 70_000, b"e"]
    stream = UPGRADED + b"".join(map(server_frame, sent))
    texts: list[bytes] = []
    connection, _ = await upgraded(texts)
    for start in range(0, len(stream), size):
        connection.data_received(stream[start : start + size])
    assert texts == sent


async def test_a_ping_is_answered_and_is_no_text() -> None:
    """It is answered with its own bytes; a fragment ends the connection."""
    texts: list[bytes] = []
    connection, tap = await upgraded(texts)
    connection.data_received(UPGRADED + server_frame(b"still there?", PING) + server_frame(b"hello"))
    assert tap.written.endswith(frame_of(0x8A, b"still there?"))
    assert texts == [b"hello"]
    texts.clear()
    connection, tap = await upgraded(texts)
    connection.data_received(UPGRADED + server_frame(b"half", final=False))
    assert tap.is_closed
    assert connection.close_reason == "unexpected frame 0x1"
    assert not texts
