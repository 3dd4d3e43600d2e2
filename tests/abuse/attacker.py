"""The attacker's process: `python -m tests.abuse.attacker` reads a Job and prints what it sent and was told.

Around the message's way. A process of its own, so that its work is not the bystander's; its connections come
back at once when they are closed, as an attacker's would. It ends when the job's time is over.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from tests.abuse.job import Account, Job
from tests.harness.raw import CLOSE, PING, PONG, frame, read_frame, text, upgrade

CONNECTIONS: Final = 8
"""Of one account at once: below the ten that a user may have."""
LEGAL_PER_SECOND: Final = 19.0
"""Commands of a connection that obeys the limit of 20 a second."""
CONNECT_SECONDS: Final = 5.0
REFUSED_SECONDS: Final = 0.05
"""Before the next try where a door stays closed: a loop around a closed door would measure the attacker."""
CHUNK_BYTES: Final = 16 * 1024
"""Small frames are written in chunks of this size."""
READ_BYTES: Final = 256 * 1024
_CODE: Final = re.compile(rb'"error_code":"([a-z_]+)"')
NO_MASK: Final = bytes(4)
"""A legal mask that costs the attacker nothing."""


@dataclass
class Attacker:
    """What an attack does things with, and the tally of what came of them."""

    job: Job
    deadline: float
    told: Counter[str] = field(default_factory=Counter)
    sent: int = 0
    """Frames, requests or connections, as the attack counts them."""
    sent_bytes: int = 0

    @property
    def is_over(self) -> bool:
        """Tell whether the attack's time is over."""
        return time.monotonic() >= self.deadline

    async def on_all(self, work: Callable[[int], Awaitable[None]], connections: int = CONNECTIONS) -> None:
        """Do the work for each connection, again and again until the time is over."""

        async def again(number: int) -> None:
            while not self.is_over:
                try:
                    async with asyncio.timeout_at(asyncio.get_running_loop().time() + self._left):
                        await work(number)
                except TimeoutError:
                    if not self.is_over:
                        self.told["no answer"] += 1
                except (OSError, asyncio.IncompleteReadError):
                    await asyncio.sleep(REFUSED_SECONDS)

        await asyncio.gather(*(again(number) for number in range(connections)))

    async def flood(
        self,
        frames: Callable[[int], Iterator[bytes]],
        *,
        account: Account | None = None,
        per_second: float | None = None,
        is_reading: bool = True,
    ) -> None:
        """Write frames on all connections, as fast as the gateway takes them, or so many a second."""

        async def once(number: int) -> None:
            async with self.socket(account) as (reader, writer):
                writing = self._write(writer, frames(number), per_second)
                if not is_reading:
                    await writing
                    return
                async with asyncio.TaskGroup() as tasks:
                    sending = tasks.create_task(writing)
                    with suppress(OSError, asyncio.IncompleteReadError):
                        await self.listen(reader)
                    sending.cancel()

        await self.on_all(once)

    @asynccontextmanager
    async def socket(
        self, account: Account | None
    ) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """Open a WebSocket, authenticated where an account is given."""
        async with self.tcp(self.job.websocket) as (reader, writer):
            writer.write(upgrade(urlsplit(self.job.websocket).netloc))
            head = await reader.readuntil(b"\r\n\r\n")
            status = head.split(b" ", 2)[1].decode()
            if status != "101":
                self.told[f"status {status}"] += 1
                raise ConnectionRefusedError
            if account is not None:
                writer.write(text(command("authenticate", token=account.token)))
                await self.listen(reader, until=b'"authenticate"')
            yield reader, writer

    @asynccontextmanager
    async def tcp(self, url: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """Open a TCP connection, and drop it without a word at the end."""
        parts = urlsplit(url)
        async with asyncio.timeout(CONNECT_SECONDS):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=READ_BYTES)
        try:
            yield reader, writer
        finally:
            writer.transport.abort()

    async def listen(self, reader: asyncio.StreamReader, until: bytes | None = None) -> None:
        """Read frames and count what they say, until the connection ends or a frame holds these bytes."""
        while True:
            opcode, payload = await read_frame(reader)
            if opcode == CLOSE:
                self.told[f"close {int.from_bytes(payload[:2], 'big')}"] += 1
                raise ConnectionResetError
            if opcode in (PING, PONG):
                continue
            code = _CODE.search(payload)
            self.told[code[1].decode() if code else "answers and events"] += 1
            if until is not None and until in payload:
                return

    @property
    def _left(self) -> float:
        return max(0.0, self.deadline - time.monotonic())

    async def _write(
        self, writer: asyncio.StreamWriter, frames: Iterator[bytes], per_second: float | None
    ) -> None:
        began, written = time.monotonic(), 0
        while not self.is_over:
            chunk = [next(frames)]
            while per_second is None and sum(map(len, chunk)) < CHUNK_BYTES:
                chunk.append(next(frames))
            writer.write(b"".join(chunk))
            await writer.drain()
            written += len(chunk)
            self.sent += len(chunk)
            self.sent_bytes += sum(map(len, chunk))
            pause = began + written / per_second - time.monotonic() if per_second else 0.0
            await asyncio.sleep(max(0.0, pause))


def command(action: str, **keys: Any) -> str:
    """Return a command as JSON; control characters are escaped to six bytes each."""
    return json.dumps({"uuid": action, "action": action, **keys}, separators=(",", ":"))


def cheap(payload: str) -> bytes:
    """Return the frame of one text message with a mask of zeros."""
    return frame(1, payload.encode(), mask=NO_MASK)


async def _attack(job: Job) -> dict[str, Any]:
    from tests.abuse.attacks import ATTACKS

    attacker = Attacker(job, time.monotonic() + job.seconds)
    await ATTACKS[job.attack].act(attacker)
    return {"sent": attacker.sent, "sent_bytes": attacker.sent_bytes, "told": attacker.told}


def main() -> None:
    """Carry out the job of standard input and print the tally."""
    given = json.load(sys.stdin)
    for name in ("member", "collector"):
        given[name] = Account(**given[name])
    json.dump(asyncio.run(_attack(Job(**given))), sys.stdout)


if __name__ == "__main__":
    main()
