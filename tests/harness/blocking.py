"""Blocks of a load: asked for and ended while faults happen, and in the end asked for and listed once more.

Beside the message's way; all of it is in the journal, and nothing is judged here.
"""

import contextlib
import time
from collections.abc import Callable, Iterable
from typing import Final

from roomlog_client import RoomlogError
from tests.harness.changing import Reader
from tests.judge.blocks import Asked, Blocks, Listed

REST_SECONDS: Final = 30.0
"""For an answer when nothing is broken any more."""


async def block(
    blocks: Blocks,
    reader: Reader,
    other: int,
    uuid: str,
    seconds: float,
    *,
    is_blocked: bool,
    last: bool = False,
) -> None:
    """Block somebody or end that; how it ends is in the journal."""
    client, witness = reader
    asked = Asked(witness.user, other, is_blocked, time.monotonic(), None, last)
    place = len(blocks.asked)
    blocks.asked.append(asked)
    ask = client.block_user if is_blocked else client.unblock_user
    with contextlib.suppress(RoomlogError):
        await ask(other, uuid=uuid, timeout_seconds=seconds)
        blocks.asked[place] = asked._replace(answered_at=time.monotonic())


async def settle_blocks(blocks: Blocks, readers: Iterable[Reader], new_uuid: Callable[[], str]) -> None:
    """Ask once more for every second block, and end the others; then list those of each blocker."""
    connected = {reader[1].user: reader for reader in readers if reader[0].is_connected}
    pairs = sorted({(one.blocker, one.blocked) for one in blocks.asked})
    for number, (blocker, blocked) in enumerate(pairs):
        if (reader := connected.get(blocker)) is not None:
            is_blocked = number % 2 == 0
            facts = blocks, reader, blocked, new_uuid(), REST_SECONDS
            await block(*facts, is_blocked=is_blocked, last=True)
    for blocker in sorted({blocker for blocker, _ in pairs} & connected.keys()):
        with contextlib.suppress(RoomlogError):
            listed = await connected[blocker][0].list_blocks()
            blocks.listed.append(Listed(blocker, tuple(user["id"] for user in listed["users"])))
