"""Files in a simulation: uploaded while people begin to speak, then brought by messages, some by two at once.

Beside `habits.py`, with dice of its own. Requests and storage are not simulated.
"""

import asyncio
import random
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from roomlog.models import Attachment
from tests.harness.bringing import Files, bring

from .habits import SEND_SECONDS, Person, new_uuid
from .store import SPEAKERS
from .world import World

UPLOADED: Final = 6
"""Files of one person in one room."""
BRINGING: Final = 32
"""Messages with files in a run."""
PAUSE_SECONDS: Final = (0.0, 1.0)
TOGETHER: Final = 2
"""Such messages at one moment, at most, and of one person."""


async def bring_some(world: World, everybody: Sequence[Person], dice: random.Random) -> None:
    """Let people send files, in all of the rooms, for as long as a run takes."""
    files = await _upload(world, dice)
    rooms = sorted({room for room, _ in files})
    bringing: list[asyncio.Task[None]] = []
    for _ in range(BRINGING):
        await asyncio.sleep(dice.uniform(*PAUSE_SECONDS))
        person, room = dice.choice(everybody), dice.choice(rooms)
        for _ in range(dice.randint(1, TOGETHER)):
            sent = bring(person.reader, room, files, dice, new_uuid, SEND_SECONDS)
            bringing.append(asyncio.create_task(sent))
    await asyncio.gather(*bringing)


def name_of(file: str) -> str:
    """Return the name of a file, which nothing else has."""
    return f"named-{file}.txt"


async def _upload(world: World, dice: random.Random) -> Files:
    files = {
        (room.hex, user): [UUID(new_uuid(dice)).hex for _ in range(UPLOADED)]
        for room in world.rooms
        for user in SPEAKERS
    }
    rows = [
        Attachment(
            **{"id": UUID(file), "room_id": UUID(room), "user_id": user, "uuid": file, "file": file},
            **{"name": name_of(file), "size": 1, "type": "text/plain", "is_stored": True},
        )
        for (room, user), ids in files.items()
        for file in ids
    ]
    while not await world.api.request(lambda: Attachment.objects.bulk_create(rows, ignore_conflicts=True)):
        pass
    return files
