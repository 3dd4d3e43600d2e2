"""Finished server frames (RFC 6455 section 5.2). Last stage of the message's way, before the socket.

aiohttp reads and closes sockets; writing is done here, because a frame that is built once is the same bytes
for every member, and frames that wait for a socket are joined into one write.
"""

from typing import Final

_TEXT: Final = 0x81
_CLOSE: Final = 0x88
_PING: Final = 0x89
_PONG: Final = 0x8A
"""Final, unfragmented."""
_CLOSE_REASON_BYTES: Final = 123
"""A control frame has 125 bytes (section 5.5), two of them for the code."""


def text_frame(payload: bytes) -> bytes:
    """Return the frame of one text message, unmasked and whole."""
    return _frame(_TEXT, payload)


def ping_frame() -> bytes:
    """Return a ping without a payload."""
    return _frame(_PING, b"")


def pong_frame(payload: bytes) -> bytes:
    """Return the answer to a ping, whose payload of at most 125 bytes it repeats."""
    return _frame(_PONG, payload)


def close_frame(code: int, reason: str = "") -> bytes:
    """Return a goodbye; the reason is cut between characters where it is too long."""
    text = reason.encode()[:_CLOSE_REASON_BYTES].decode(errors="ignore").encode()
    return _frame(_CLOSE, code.to_bytes(2, "big") + text)


def _frame(first: int, payload: bytes) -> bytes:
    length = len(payload)
    if length < 126:
        return bytes((first, length)) + payload
    if length < 65536:
        return bytes((first, 126)) + length.to_bytes(2, "big") + payload
    return bytes((first, 127)) + length.to_bytes(8, "big") + payload
