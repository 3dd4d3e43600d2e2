"""What somebody without an account can do at the doors: sockets that say nothing, requests that never end.

Around the message's way; a part of the table in `attacks.py`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from tests.abuse.attacker import Attacker
from tests.harness.raw import upgrade

MANY: Final = 1_100
"""Connections of somebody who has no account."""
SLOW: Final = 64
"""Requests that are being sent, very slowly: several times the api's threads."""
DRIBBLE_SECONDS: Final = 0.5
NESTED: Final = "[" * 1_000 + "]" * 1_000


async def keep_silent_sockets(attacker: Attacker) -> None:
    """Open WebSockets, all of them within a second, and say nothing."""

    async def once(number: int) -> None:
        if attacker.sent < MANY:
            await asyncio.sleep(number / MANY)
        async with attacker.socket(None) as (reader, _writer):
            attacker.sent += 1
            await attacker.listen(reader)

    await attacker.on_all(once, MANY)


async def dribble_upgrades(attacker: Attacker) -> None:
    """Send the head of an upgrade one byte at a time."""
    head = upgrade(urlsplit(attacker.job.websocket).netloc)
    await _dribble(attacker, attacker.job.websocket, lambda: (head[:20], head[20:]))


async def ask_the_gateway(attacker: Attacker) -> None:
    """Ask the gateway for plain pages over kept connections."""
    await _ask(attacker, attacker.job.websocket, b"GET /ws HTTP/1.1\r\nHost: x\r\n\r\n")


async def send_slow_bodies(attacker: Attacker) -> None:
    """Announce a body and send it one byte at a time."""
    head = b"POST /api/v1/token/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    await _dribble(attacker, attacker.job.page, lambda: (head + b"Content-Length: 1000\r\n\r\n{", b" " * 999))


async def send_slow_heads(attacker: Attacker) -> None:
    """Send a request's head one byte at a time."""
    await _dribble(
        attacker, attacker.job.page, lambda: (b"GET /api/v1/rooms/ HTTP/1.1\r\n", b"X: " + b"x" * 999)
    )


async def keep_silent_at_the_api(attacker: Attacker) -> None:
    """Open connections to the api and say nothing."""
    await _dribble(attacker, attacker.job.page, lambda: (b"", b""), MANY)


async def post_nested_json(attacker: Attacker) -> None:
    """Post bodies that a parser can't take in."""
    await _ask(attacker, attacker.job.page, _post("/api/v1/token/", NESTED))


async def guess_passwords(attacker: Attacker) -> None:
    """Ask for tokens with wrong passwords: each answer costs the api a hash."""
    await _ask(
        attacker, attacker.job.page, _post("/api/v1/token/", json.dumps({"username": "x", "password": "y"}))
    )


def _post(path: str, body: str) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


async def _dribble(
    attacker: Attacker, url: str, request: Callable[[], tuple[bytes, bytes]], connections: int = SLOW
) -> None:
    async def once(_: int) -> None:
        at_once, slowly = request()
        async with attacker.tcp(url) as (reader, writer):
            writer.write(at_once)
            attacker.sent += 1
            answer = asyncio.create_task(reader.read(4096))
            for byte in slowly:
                await asyncio.wait([answer], timeout=DRIBBLE_SECONDS)
                if answer.done():
                    break
                writer.write(bytes([byte]))
            said = await answer
            attacker.told[f"status {said.split(b' ', 2)[1].decode()}" if said else "closed"] += 1

    await attacker.on_all(once, connections)


async def _ask(attacker: Attacker, url: str, request: bytes) -> None:
    """Send the request again and again, each after the answer to the last."""

    async def once(_: int) -> None:
        async with attacker.tcp(url) as (reader, writer):
            while not attacker.is_over:
                writer.write(request)
                attacker.sent += 1
                head = await reader.readuntil(b"\r\n\r\n")
                attacker.told[f"status {head.split(b' ', 2)[1].decode()}"] += 1
                length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                if not length or b"connection: close" in head.lower():
                    return
                await reader.readexactly(int(length[0].split(b":")[1]))

    await attacker.on_all(once)
