"""Files of a load: messages that bring some, also those of others and those that another message has.

Beside the message's way; all of it is in the journal, and nothing is judged here. The rows of the files are
there before: no storage has bytes of them.
"""

import contextlib
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final
from uuid import uuid4

from roomlog_client import RoomlogError
from tests.harness.changing import Reader
from tests.harness.stack import Room, Stack
from tests.judge.history import MESSAGE_KIND
from tests.judge.values import content_of

Files = Mapping[tuple[str, int], Sequence[str]]
"""The ids of files, by the room and the person who has uploaded them."""
BROUGHT: Final = 2
"""Files of one message, at most."""
_INSERT: Final = (
    "INSERT INTO roomlog_attachment (id, room_id, user_id, uuid, file, digest, name, size, type, thumbnail,"
    " is_stored, date_created) VALUES"
)
_VALUES: Final = "(%s, %s, %s, %s, %s, '', 'a.txt', 1, 'text/plain', '', TRUE, CURRENT_TIMESTAMP)"
WRONG: Final = 0.1
"""How likely the files are another's."""


def upload_rows(stack: Stack, rooms: Iterable[Room], number: int) -> Files:
    """Store rows of so many files of each member of each room, as uploads leave them; return their ids."""
    files = {
        (room.id, member.id): [uuid4().hex for _ in range(number)]
        for room in rooms
        for member in room.members
    }
    rows = [(file, *place, file, file) for place, ids in files.items() for file in ids]
    values = ", ".join([_VALUES] * len(rows))
    stack.sql(f"{_INSERT} {values}", *(value for row in rows for value in row))
    return files


async def bring(
    reader: Reader,
    room: str,
    files: Files,
    dice: random.Random,
    new_uuid: Callable[[random.Random], str],
    seconds: float,
) -> None:
    """Send a message with files of the room; how it ends is in the journal."""
    client, witness = reader
    owners = sorted(user for place, user in files if place == room and user != witness.user)
    user = dice.choice(owners) if owners and dice.random() < WRONG else witness.user
    pool = files.get((room, user), ())
    brought = dice.sample(pool, min(len(pool), dice.randint(1, BROUGHT)))
    uuid = new_uuid(dice)
    text = f"files of {uuid}"
    witness.want(room, uuid, text, data=content_of("", brought))
    with contextlib.suppress(RoomlogError):
        await client.request(
            MESSAGE_KIND, room=room, uuid=uuid, text=text, attachments=brought, timeout_seconds=seconds
        )
