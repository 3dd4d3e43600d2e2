"""How long somebody waits for an answer: sends, asks again, and prints the distribution.

Shared by the benchmarks that break or start something under a single sender.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import Final
from uuid import uuid4

from tests.harness.stack import Room
from tests.harness.wire import Wire

REPEAT_SECONDS: Final = 12.0
"""An answer that takes longer is asked for again, by the same uuid."""
POLL_SECONDS: Final = 0.01


async def wait_for_answer(wire: Wire, room: Room, began: float) -> float:
    """Send a message to the room until it is answered; return the seconds since `began` (monotonic)."""
    uuid, seen = uuid4().hex, len(wire.frames)
    while True:
        await wire.send("new_message", uuid, room=room.id, text="is anybody there?")
        deadline = time.monotonic() + REPEAT_SECONDS
        while time.monotonic() < deadline:
            if any(frame.get("uuid") == uuid for frame in wire.frames[seen:]):
                return time.monotonic() - began
            await asyncio.sleep(POLL_SECONDS)


def tell(what: str, seconds: list[float]) -> None:
    """Print the distribution."""
    print(f"{what}, {len(seconds)} times")
    print(" ".join(f"{one:.2f}" for one in sorted(seconds)))
    print(f"median {statistics.median(seconds):.2f} s, longest {max(seconds):.2f} s", flush=True)
