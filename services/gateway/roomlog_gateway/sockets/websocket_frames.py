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
_NORMAL: Final = 1000
_PROTOCOL_ERROR: Final = 1002
_NO_CLOSE_FRAME: Final = 1006
"""For programs alone: it says that there was no close frame, so none may hold it (section 7.4.1)."""
_CODES_END: Final = 5000
"""From here on codes mean nothing (section 7.4.2)."""


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


def echoed_close_code(code: int | None) -> int:
    """Return the code that answers a client's goodbye: its own, unless nobody may send it.

    aiohttp refuses the other forbidden codes by itself; these two kinds it lets through.
    """
    if code is None or code == 0:
        return _NORMAL
    return _PROTOCOL_ERROR if code == _NO_CLOSE_FRAME or code >= _CODES_END else code


def _frame(first: int, payload: bytes) -> bytes:
    length = len(payload)
    if length < 126:
        return bytes((first, length)) + payload
    if length < 65536:
        return bytes((first, 126)) + length.to_bytes(2, "big") + payload
    return bytes((first, 127)) + length.to_bytes(8, "big") + payload
