"""The lines of standard input, for `send -`. Beside the message's way; it must not stop the event loop."""

import asyncio
import os
import stat
import sys
from collections.abc import AsyncIterator
from typing import Final

from roomlog_client.errors import RoomlogError

LINE_BYTES: Final = 1024 * 1024
"""Longest line of a pipe: far above the longest message, which has an error of its own."""


class LineTooLong(RoomlogError):
    """A line that no message could hold."""


async def lines() -> AsyncIterator[str]:
    """Yield each line without its end, as soon as it is there; the connection lives meanwhile.

    A pipe is read by the event loop: a thread that waits for it would hold up the end of a failed command.
    """
    if not _is_pipe():
        while line := await asyncio.to_thread(sys.stdin.readline):
            yield line.rstrip("\r\n")
        return
    reader = asyncio.StreamReader(LINE_BYTES)
    loop = asyncio.get_running_loop()
    # deadline: it only registers the pipe
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin.buffer)
    while raw := await _next(reader):
        yield raw.decode(errors="surrogateescape").rstrip("\r\n")


async def _next(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readline()  # deadline: the caller's own input, as slow as it likes
    except ValueError:
        raise LineTooLong(f"a line is longer than {LINE_BYTES} bytes") from None


def _is_pipe() -> bool:
    try:
        mode = os.fstat(sys.stdin.fileno()).st_mode
    except (OSError, ValueError):
        return False  # closed, or a test's own
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)
