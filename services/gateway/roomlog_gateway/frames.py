"""RFC 6455 as pure code: bytes of a socket to messages, messages to bytes. Edge of the message's way.

It exists beside aiohttp's reader because a session here is no task: frames are handled as they arrive, and
the unmasked ones, which aiohttp accepts, are refused. No I/O, no clock, no meaning.
"""

from collections.abc import Iterator
from enum import IntEnum
from typing import Final

from roomlog_contract.errors import CloseCode

from .errors import ProtocolViolation

PROTOCOL_ERROR: Final = 1002
INVALID_TEXT: Final = 1007
NO_CODE: Final = 1005
"""Stands for a close frame without a code; never sent."""
CONTROL_BYTES: Final = 125
"""Longest payload of a control frame (RFC 6455 section 5.5)."""
_FINAL: Final = 0x80
_RESERVED: Final = 0x70
_SENDABLE_CODES: Final = frozenset({*range(1000, 1004), *range(1007, 1015)})


class Opcode(IntEnum):
    """Kinds of frames (RFC 6455 section 5.2)."""

    CONTINUATION = 0x0
    TEXT = 0x1
    BINARY = 0x2
    CLOSE = 0x8
    PING = 0x9
    PONG = 0xA


_OPCODES: Final = frozenset(int(opcode) for opcode in Opcode)
_FIRST_CONTROL: Final = int(Opcode.CLOSE)


def text_frame(payload: bytes) -> bytes:
    """Return the server's frame of one text message, unmasked and whole."""
    return _frame(_FINAL | Opcode.TEXT, payload)


def control_frame(opcode: Opcode, payload: bytes = b"") -> bytes:
    """Return a ping or a pong; its payload has at most 125 bytes."""
    return _frame(_FINAL | opcode, payload)


def close_frame(code: int, reason: str = "") -> bytes:
    """Return a close frame; the reason is cut to the 123 bytes that fit."""
    if code == NO_CODE:
        return _frame(_FINAL | Opcode.CLOSE, b"")
    text = reason.encode()[: CONTROL_BYTES - 2].decode(errors="ignore").encode()
    return _frame(_FINAL | Opcode.CLOSE, code.to_bytes(2, "big") + text)


def read_close(payload: bytes) -> int:
    """Return the code of a client's close frame, 1005 where it has none.

    Raises:
        ProtocolViolation: half a code, a code nobody may send (section 7.4), or a reason that is no text.
    """
    if not payload:
        return NO_CODE
    code = int.from_bytes(payload[:2], "big")
    if len(payload) == 1 or not (code in _SENDABLE_CODES or 3000 <= code <= 4999):
        raise ProtocolViolation(PROTOCOL_ERROR, "close code")
    decode_text(payload[2:])
    return code


def decode_text(payload: bytes) -> str:
    """Return the text of a message.

    Raises:
        ProtocolViolation: 1007, the bytes are not UTF-8.
    """
    try:
        return payload.decode()
    except UnicodeDecodeError:
        raise ProtocolViolation(INVALID_TEXT, "not UTF-8") from None


class FrameParser:
    """Cuts the client's byte stream into messages; keeps at most one incomplete frame and one message."""

    __slots__ = ("_buffer", "_fragments", "_max_bytes", "_opcode")

    def __init__(self, max_bytes: int) -> None:
        """Messages of more than `max_bytes` bytes are refused at their header, before they arrive."""
        self._max_bytes = max_bytes
        self._buffer: bytearray | None = None
        self._fragments: bytearray | None = None
        self._opcode = 0

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield the opcode and unmasked payload of each message that is complete now.

        Raises:
            ProtocolViolation: after the messages before it; the rest of the stream has no meaning.
        """
        source: bytes | bytearray = data
        if self._buffer is not None:
            self._buffer += data
            source = self._buffer
        position = 0
        while (frame := self._next_frame(source, position)) is not None:
            first, payload, position = frame
            message = self._assemble(first, payload)
            if message is not None:
                yield message
        rest = source[position:]
        self._buffer = bytearray(rest) if rest else None

    def _next_frame(self, data: bytes | bytearray, start: int) -> tuple[int, bytes, int] | None:
        """Return first byte, payload and end of the frame at `start`, None where more bytes are needed."""
        available = len(data) - start
        if available < 2:
            return None
        first, second = data[start], data[start + 1]
        self._check_head(first, second)
        length, header = second & 0x7F, 6
        if length >= 126:
            extra = 2 if length == 126 else 8
            header += extra
            if available < header - 4:
                return None
            length = int.from_bytes(data[start + 2 : start + 2 + extra], "big")
        self._check_length(length)
        end = start + header + length
        if len(data) < end:
            return None
        body = start + header
        return first, _unmask(data[body:end], data[body - 4 : body]), end

    def _check_head(self, first: int, second: int) -> None:
        opcode = first & 0x0F
        if first & _RESERVED or opcode not in _OPCODES:
            raise ProtocolViolation(PROTOCOL_ERROR, "reserved bits or opcode")
        if not second & 0x80:
            raise ProtocolViolation(PROTOCOL_ERROR, "frame is not masked")
        if opcode >= _FIRST_CONTROL:
            if not first & _FINAL or second & 0x7F > CONTROL_BYTES:
                raise ProtocolViolation(PROTOCOL_ERROR, "control frame in pieces or too long")
        elif (opcode == Opcode.CONTINUATION) != (self._fragments is not None):
            raise ProtocolViolation(PROTOCOL_ERROR, "continuation out of place")

    def _check_length(self, length: int) -> None:
        before = len(self._fragments) if self._fragments is not None else 0
        if before + length > self._max_bytes:
            raise ProtocolViolation(CloseCode.TOO_BIG, f"message longer than {self._max_bytes} bytes")

    def _assemble(self, first: int, payload: bytes) -> tuple[int, bytes] | None:
        opcode = first & 0x0F
        if opcode >= _FIRST_CONTROL or (first & _FINAL and self._fragments is None):
            return opcode, payload
        if self._fragments is None:
            self._fragments, self._opcode = bytearray(), opcode
        self._fragments += payload
        if not first & _FINAL:
            return None
        message, self._fragments = bytes(self._fragments), None
        return self._opcode, message


def _frame(first: int, payload: bytes) -> bytes:
    length = len(payload)
    if length < 126:
        return bytes((first, length)) + payload
    if length < 65536:
        return bytes((first, 126)) + length.to_bytes(2, "big") + payload
    return bytes((first, 127)) + length.to_bytes(8, "big") + payload


def _unmask(payload: bytes | bytearray, mask: bytes | bytearray) -> bytes:
    """Return the payload xor the repeated mask (section 5.3); one big integer is the fastest in Python."""
    length = len(payload)
    key = (bytes(mask) * (length // 4 + 1))[:length]
    return (int.from_bytes(payload, "little") ^ int.from_bytes(key, "little")).to_bytes(length, "little")
