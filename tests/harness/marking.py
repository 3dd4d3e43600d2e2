"""Read marks and levels of a load: set while faults happen; in the end set, told and fetched for comparison.

Beside the message's way; all of it is in the journal, and nothing is judged here.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable
from typing import Final

from roomlog_client import RoomlogClient, RoomlogError
from roomlog_contract.commands import Notify
from tests.harness.waiting import eventually
from tests.judge.journal import Journal, Witness
from tests.judge.marks import Mark

MARK_SECONDS: Final = 30.0
"""For the answer to a mark when nothing is broken any more."""
AGREE_SECONDS: Final = 1.0
"""G16: in which all connections of a user know of a mark."""
MARKING: Final = 20
"""People who mark their rooms in the end, of however many there are."""

LEVELS: Final[tuple[Notify, ...]] = ("all", "mentions", "none")

Reader = tuple[RoomlogClient, Witness]


async def mark(reader: Reader, room: str, seq: int, uuid: str, seconds: float = MARK_SECONDS) -> None:
    """Say that a client has read so far; how it ends is in the journal."""
    client, witness = reader
    witness.want_mark(uuid, seq)
    with contextlib.suppress(RoomlogError):
        await client.mark_read(room, seq, uuid=uuid, timeout_seconds=seconds)


async def set_level(reader: Reader, room: str, number: int, uuid: str, seconds: float = MARK_SECONDS) -> str:
    """Set the level of this number, of three; return it, or nothing where it is not known to be set."""
    level = LEVELS[number % len(LEVELS)]
    try:
        await reader[0].set_notifications(room, level, uuid=uuid, timeout_seconds=seconds)
    except RoomlogError:
        return ""
    return level


async def mark_all(journal: Journal, readers: Iterable[Reader], new_uuid: Callable[[], str]) -> None:
    """Have a connected client of each of the first users mark its rooms; note what the server lists then."""
    levels: dict[tuple[int, str], str] = {}
    first: dict[int, Reader] = {}
    for reader in readers:
        if reader[0].is_connected and len(first) < MARKING:
            first.setdefault(reader[1].user, reader)

    async def mark_rooms(reader: Reader, rooms: list[tuple[str, int, str]]) -> None:
        for room, seq, uuid in rooms:
            await mark(reader, room, seq, uuid)
            levels[reader[1].user, room] = await set_level(reader, room, seq, f"{uuid}-level")

    await asyncio.gather(
        *(
            mark_rooms(reader, [(room, seq, new_uuid()) for room, seq in reader[1].cursors().items()])
            for reader in first.values()
        )
    )
    for client, witness in first.values():
        with contextlib.suppress(RoomlogError):
            listed = await client.list_rooms()
            journal.receipts.listed |= {room["id"] for room in listed["rooms"] if room.get("receipts")}
            journal.fresh_marks += [
                Mark(
                    *(witness.client, witness.user, room["id"], time.monotonic()),
                    *(room["seq"], room["read_seq"], room["unread"]),
                    unread_mentions=room["unread_mentions"],
                    notify=room.get("notify", "all"),  # an earlier release tells of no level
                    set_last=levels.get((witness.user, room["id"]), ""),
                )
                for room in listed["rooms"]
                if room["id"] in witness.cursors()
            ]


async def agree(journal: Journal, readers: Iterable[Reader], seconds: float = AGREE_SECONDS) -> None:
    """Wait until every connected client knows the marks that were listed, no longer than promised."""
    fresh = {(mark.room, mark.user): (mark.read_seq, mark.notify) for mark in journal.fresh_marks}
    asked = {mark.user for mark in journal.fresh_marks}
    concerned = [reader for reader in readers if reader[1].user in asked]

    def is_known() -> bool:
        journal.known_marks = [mark for reader in concerned for mark in _known(reader)]
        known = (((mark.room, mark.user), (mark.read_seq, mark.notify)) for mark in journal.known_marks)
        return all(fresh.get(pair, told) == told for pair, told in known)

    with contextlib.suppress(AssertionError):  # the checker says who knows another
        await eventually(is_known, seconds, "all know the same marks")


def _known(reader: Reader) -> list[Mark]:
    """Return what a connected client believes of its rooms."""
    client, witness = reader
    if not client.is_connected:
        return []
    now, who = time.monotonic(), (witness.client, witness.user)
    return [
        Mark(*who, room.id, now, room.seq, room.read_seq, room.unread, notify=room.notify)
        for room in client.rooms()
    ]
