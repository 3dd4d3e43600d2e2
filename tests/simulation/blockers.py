"""People of a simulation who block each other, in direct rooms and in those that they share.

Beside `habits.py`. All of it is in the journal that the checker judges.
"""

import asyncio
import contextlib
import random
from collections.abc import Sequence
from typing import Any, Final

from roomlog_client import RoomlogError
from roomlog_contract.shards import direct_room_id
from tests.harness.blocking import block
from tests.judge.blocks import Blocks

from .habits import PAUSE_SECONDS, SEND_SECONDS, Person, new_uuid

TIMES: Final = 10
"""Blocks and their ends in a run."""
ENDS: Final = 0.35
"""How likely an end is asked for, whether or not there is a block."""
SAYINGS: Final = 3
"""Messages in the direct room after each, at most."""
SAYING_SECONDS: Final = (0.0, 0.4)


async def block_some(blocks: Blocks, everybody: Sequence[Person], dice: random.Random) -> None:
    """Let people make direct rooms, block each other and write there all the same."""
    blocking: list[asyncio.Task[None]] = []
    for _ in range(TIMES):
        await asyncio.sleep(dice.uniform(*PAUSE_SECONDS))
        one, other = dice.choice(everybody), dice.choice(everybody)
        if one.user == other.user:
            continue
        room, pair = direct_room_id(one.user, other.user).hex, sorted((one.user, other.user))
        if room not in blocks.direct:
            blocks.direct[room] = (pair[0], pair[1])
            blocking.append(asyncio.create_task(_make(one, other, new_uuid(dice))))
            await asyncio.sleep(dice.uniform(*PAUSE_SECONDS))
        is_blocked, uuid = dice.random() >= ENDS, new_uuid(dice)
        asked = block(blocks, one.reader, other.user, uuid, SEND_SECONDS, is_blocked=is_blocked)
        blocking.append(asyncio.create_task(asked))
        for _ in range(dice.randint(1, SAYINGS)):
            await asyncio.sleep(dice.uniform(*SAYING_SECONDS))
            said = _say(dice.choice((one, other)), room, new_uuid(dice))
            blocking.append(asyncio.create_task(said))
    await asyncio.gather(*blocking)


async def _make(one: Person, other: Person, uuid: str) -> None:
    facts: dict[str, Any] = {"kind": "direct", "members": [other.user]}
    with contextlib.suppress(RoomlogError):
        await one.client.request("create_room", uuid=uuid, timeout_seconds=SEND_SECONDS, **facts)


async def _say(person: Person, room: str, uuid: str) -> None:
    person.witness.want(room, uuid, f"text of {uuid}")
    with contextlib.suppress(RoomlogError):
        await person.client.send(room, f"text of {uuid}", uuid=uuid, timeout_seconds=SEND_SECONDS)
