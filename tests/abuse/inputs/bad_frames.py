"""What clients send below JSON: broken frames, broken texts, broken handshakes. The table of bytes.

Beside `bad_inputs.py`; what is expected is written in the same words, and `status <code>` for HTTP.
"""

import base64
from collections.abc import Iterator
from typing import Final

from tests.abuse.inputs.bad_inputs import BadInput
from tests.abuse.inputs.bad_inputs import frame as command
from tests.harness.raw import BINARY, CLOSE, PING, PONG, TEXT, frame, upgrade

PROTOCOL_ERROR: Final = "close 1002"
NOT_UTF8: Final = "close 1007"
TOO_BIG: Final = "close 1009"
PING_COMMAND: Final = command("ping").encode()
HOST: Final = "@host@"
ORIGINS: Final = (
    *("http://evil.example", "null", "file://", "", "//", "@host@", "http://@host@.evil.example"),
    *("https://evil@host@", "http://evil.example/@host@", "http://@host@@evil.example", "http://@host@,x"),
)  # fmt: skip
PATHS: Final = (
    *("/", "/ws/", "//ws", "/WS", "/ws/x", "/wss", "/%77s/..", "/../etc/passwd", "/metrics", "/livez"),
)  # fmt: skip
INVALID_TEXTS: Final = {
    "FF": b"\xff",
    "a lone continuation": b"\x80",
    "an overlong slash": b"\xc0\xaf",
    "an overlong NUL": b"\xc0\x80",
    "a surrogate": b"\xed\xa0\x80",
    "a pair of surrogates": b"\xed\xa0\xbd\xed\xb8\x80",
    "beyond Unicode": b"\xf4\x90\x80\x80",
    "five bytes": b"\xf8\x88\x80\x80\x80",
    "a cut emoji": b"\xf0\x9f\x98",
    "Latin-1": "über".encode("latin-1"),
    "UTF-16": command("ping").encode("utf-16"),
    "UTF-32": command("ping").encode("utf-32"),
    "a cut letter at the end": b'"\xc3',
}


def broken_frames() -> Iterator[BadInput]:
    """Yield frames that RFC 6455 forbids."""
    for opcode in (TEXT, BINARY, CLOSE, PING, PONG):
        for reserved in (1, 2, 4, 5, 7):
            raw = frame(opcode, PING_COMMAND[:100], reserved=reserved)
            yield _raw(f"reserved bits {reserved} of {opcode}", PROTOCOL_ERROR, raw)
    for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        yield _raw(f"opcode {opcode}", PROTOCOL_ERROR, frame(opcode, PING_COMMAND[:100]))
        yield _raw(f"opcode {opcode} empty", PROTOCOL_ERROR, frame(opcode))
    for opcode in (CLOSE, PING, PONG):
        yield _raw(f"control {opcode} in pieces", PROTOCOL_ERROR, frame(opcode, b"", final=False))
        yield _raw(f"control {opcode} of 126 bytes", PROTOCOL_ERROR, frame(opcode, b"x" * 126))
        yield _raw(f"control {opcode} of 70,000 bytes", PROTOCOL_ERROR, frame(opcode, b"x" * 70_000))
    yield _raw("continuation of nothing", PROTOCOL_ERROR, frame(0, PING_COMMAND))
    start = frame(TEXT, PING_COMMAND[:5], final=False)
    for opcode in (TEXT, BINARY):
        yield _raw(f"message {opcode} inside a message", PROTOCOL_ERROR, start + frame(opcode, PING_COMMAND))
    yield _raw("HTTP on the socket", PROTOCOL_ERROR, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    yield _raw("zeros", PROTOCOL_ERROR, bytes(64))


def closings() -> Iterator[BadInput]:
    """Yield goodbyes with codes that nobody may send, or without a whole code."""
    for code in (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535):
        yield _raw(f"close {code}", PROTOCOL_ERROR, frame(CLOSE, code.to_bytes(2, "big")))
    yield _raw("half a close code", PROTOCOL_ERROR, frame(CLOSE, b"\x03"))
    yield _raw("a close reason in Latin-1", NOT_UTF8, frame(CLOSE, b"\x03\xe8" + INVALID_TEXTS["Latin-1"]))
    for code in (1000, 1001, 1003, 3000, 4401, 4999):
        yield _raw(f"goodbye {code}", f"close {code}", frame(CLOSE, code.to_bytes(2, "big") + b"bye"))
    yield _raw("a goodbye without a code", "close 1000", frame(CLOSE))
    yield _raw("a goodbye and more", "close 1000", frame(CLOSE, b"\x03\xe8") + frame(TEXT, PING_COMMAND))


def lenient() -> Iterator[BadInput]:
    """Yield what RFC 6455 forbids and aiohttp lets through: harmless here, and known (README, section 8)."""
    for opcode, expected in {TEXT: "answer", BINARY: "close 1003", PING: "silence", PONG: "silence"}.items():
        yield _raw(f"unmasked {opcode}", expected, frame(opcode, PING_COMMAND, masked=False))
    yield _raw("unmasked close", "close 1000", frame(CLOSE, b"\x03\xe8", masked=False))


def invalid_texts() -> Iterator[BadInput]:
    """Yield text that is not UTF-8, whole and in pieces, and binary frames."""
    for name, text in INVALID_TEXTS.items():
        inside = PING_COMMAND.replace(b"case", text)
        for place, payload in (("alone", text), ("inside", inside)):
            yield _raw(f"{name} {place}", NOT_UTF8, frame(TEXT, payload))
        pieces = frame(TEXT, inside[:12], final=False) + frame(0, inside[12:])
        yield _raw(f"{name} in pieces", NOT_UTF8, pieces)
    for name, payload in {"JSON": PING_COMMAND, "nothing": b"", "noise": bytes(range(256))}.items():
        yield _raw(f"binary {name}", "close 1003", frame(BINARY, payload))
    pieces = frame(BINARY, PING_COMMAND[:9], final=False) + frame(0, PING_COMMAND[9:])
    yield _raw("binary in pieces", "close 1003", pieces)


def sizes() -> Iterator[BadInput]:
    """Yield messages over 64 KiB, by their header alone, in one frame and in many."""
    too_long = PING_COMMAND[:-1] + b" " * (65_537 - len(PING_COMMAND)) + b"}"
    yield _raw("64 KiB and 1", TOO_BIG, frame(TEXT, too_long))
    yield _raw("64 KiB and 1 of NUL", TOO_BIG, frame(TEXT, bytes(65_537)))
    yield _raw("64 KiB and 1 of binary", TOO_BIG, frame(BINARY, bytes(65_537)))
    yield _raw("1 MiB", TOO_BIG, frame(TEXT, b" " * 2**20))
    for exponent in (17, 24, 31, 32, 40, 62, 63):
        length = bytes([127]) + (2**exponent).to_bytes(8, "big")
        yield _raw(f"a header of 2^{exponent}", TOO_BIG, frame(TEXT, length=length))
    yield _raw("a header of 2^64 - 1", TOO_BIG, frame(TEXT, length=bytes([127]) + b"\xff" * 8))
    halves = frame(TEXT, too_long[:40_000], final=False) + frame(0, too_long[40_000:])
    yield _raw("64 KiB and 1 in two frames", TOO_BIG, halves)
    many = frame(TEXT, b"{", final=False) + frame(0, b" " * 1_000, final=False) * 70
    yield _raw("64 KiB and more in 70 frames", TOO_BIG, many)


def odd_but_good_frames() -> Iterator[BadInput]:
    """Yield frames that look strange and are right."""
    letters = [PING_COMMAND[place : place + 1] for place in range(len(PING_COMMAND))]
    pieces = frame(TEXT, letters[0], final=False)
    pieces += b"".join(frame(0, letter, final=False) for letter in letters[1:])
    yield _raw("a frame for each letter", "answer", pieces + frame(0))
    between = frame(PING, b"x").join([frame(TEXT, PING_COMMAND[:9], final=False), frame(0, PING_COMMAND[9:])])
    yield _raw("a ping between two pieces", "answer", between)
    empty = frame(TEXT, b"", final=False) + frame(0, b"", final=False) * 50
    yield _raw("fifty empty pieces", "answer", empty + frame(0, PING_COMMAND))
    emoji = command("ping", {"x": '"\N{GRINNING FACE}"'}).encode()
    cut = emoji.index(b"\xf0") + 2
    yield _raw("cut inside a letter", "answer", frame(TEXT, emoji[:cut], final=False) + frame(0, emoji[cut:]))
    yield _raw("a pong that nobody asked for", "silence", frame(PONG, b"hello"))
    yield _raw("a ping of 125 bytes", "silence", frame(PING, b"x" * 125))


def handshakes() -> Iterator[BadInput]:
    """Yield requests that are no upgrade, or one that is not allowed."""
    for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"):
        plain = f"{method} /ws HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 0\r\n\r\n".encode()
        yield _raw(f"plain {method}", "status 426", plain)
        upgraded = upgrade(HOST).replace(b"GET", method.encode(), 1)
        if method != "GET":
            yield _raw(f"upgrade by {method}", "status 426", upgraded)
    for version in (b"", b" HTTP/1.0", b" HTTP/0.9"):
        old = upgrade(HOST).replace(b" HTTP/1.1", version, 1)
        yield _raw(f"upgrade by{version.decode()}", "status 426", old)
    for value in (None, "", "h2c", "websockets", "web socket"):
        yield _raw(f"Upgrade: {value}", "status 426", upgrade(HOST, Upgrade=value))
    for value in (None, "", "close", "keep-alive", "Upgraded"):
        yield _raw(f"Connection: {value}", "status 426", upgrade(HOST, Connection=value))
    for value in (None, "", "0", "8", "12", "14", "13.0", "-13", "thirteen", "13, 8", "255"):
        yield _raw(f"version {value}", "status 426", upgrade(HOST, Sec_WebSocket_Version=value))
    short, long = (base64.b64encode(bytes(size)).decode() for size in (15, 17))
    for value in (None, "", "x", short, long, "*" * 24, "A" * 24, "ключ", "A" * 1_000):
        yield _raw(
            f"key {value and (len(value), value[:24])}", "status 400", upgrade(HOST, Sec_WebSocket_Key=value)
        )
    for origin in ORIGINS:
        yield _raw(f"Origin: {origin}", "status 403", upgrade(HOST, Origin=origin))
    for path in PATHS:
        yield _raw(f"path {path}", "status 404", upgrade(HOST, path))
    extension = "permessage-deflate; client_max_window_bits=99"
    yield _raw("this host's Origin", "status 101", upgrade(HOST, Origin="http://@host@"))
    yield _raw("a token in the URL", "status 101", upgrade(HOST, "/ws?token=x"))
    yield _raw("an extension", "status 101", upgrade(HOST, Sec_WebSocket_Extensions=extension))
    yield _raw("a subprotocol", "status 101", upgrade(HOST, Sec_WebSocket_Protocol="chat, superchat"))


def broken_requests() -> Iterator[BadInput]:
    """Yield bytes that are no HTTP request."""
    good = upgrade(HOST)
    for name, raw in {
        "noise": bytes(range(1, 33)) + b"\r\n\r\n",
        "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        "HTTP/3": good.replace(b"HTTP/1.1", b"HTTP/3"),
        "a space before the colon": good.replace(b"Host:", b"Host :"),
        "a header without a colon": good.replace(b"Upgrade: websocket", b"Upgrade websocket"),
        "a NUL in a header": good.replace(b"websocket", b"web\0socket"),
        "two lengths": good.replace(b"Upgrade:", b"Content-Length: 1\r\nContent-Length: 2\r\nUpgrade:", 1),
        "a length that is none": good.replace(b"Upgrade:", b"Content-Length: -1\r\nUpgrade:", 1),
        "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    }.items():
        yield _raw(name, "status 400", raw)
    header = good.replace(b"Upgrade:", b"X: " + b"x" * 65_536 + b"\r\nUpgrade:", 1)
    yield _raw("a header of 64 KiB", "status 431", header)
    yield _raw("a path of 64 KiB", "status 431", good.replace(b"/ws", b"/ws?" + b"x" * 65_536))


def _raw(name: str, expected: str, raw: bytes) -> BadInput:
    return BadInput(name, expected, raw=raw)
