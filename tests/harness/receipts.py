"""Receipts of a load: turned on and off while faults happen, and in the end known by everybody who watches.

Beside the message's way; all of it is in the journal, and nothing is judged here.
"""

import contextlib
import random
import time
from collections.abc import Callable, Sequence
from typing import Final

from roomlog_client import RoomlogError
from roomlog_contract.limits import RECEIPTS_ASK_SECONDS, WATCHED_ROOMS
from tests.harness.marking import Reader
from tests.harness.waiting import eventually
from tests.judge.journal import Journal, Known
from tests.judge.receipts import RECEIPTS_KIND, MarksAtRest

SHOWN: Final = 0.75
"""How likely receipts are turned on, whether or not they are."""
KNOWN_SECONDS: Final = 2 * RECEIPTS_ASK_SECONDS + 2.0
"""G28: in which all watchers know all marks, though a notice and a question were lost."""
Stored = dict[str, dict[int, int]]
"""The marks of rooms that show them, by user."""


async def set_receipts(reader: Reader, room: str, dice: random.Random, uuid: str, seconds: float) -> None:
    """Turn the receipts of a room on or off; how it ends is in the journal."""
    client, witness = reader
    witness.want_change(RECEIPTS_KIND, Known(room, 0, 0, 0), uuid)
    with contextlib.suppress(RoomlogError):
        await client.set_receipts(room, dice.random() < SHOWN, uuid=uuid, timeout_seconds=seconds)


async def know_all(
    journal: Journal, readers: Sequence[Reader], stored: Callable[[], Stored] | None = None
) -> None:
    """Let all watch their rooms until they know the marks, no longer than promised; note what they know.

    Without `stored`, the database's present ones, those count alone that the server has just listed.
    """
    listed: Stored = {room: {} for room in journal.receipts.listed}
    for mark in journal.fresh_marks:
        if mark.room in listed:
            listed[mark.room][mark.user] = mark.read_seq
    for client, witness in readers:
        client.watch(*sorted(witness.cursors())[:WATCHED_ROOMS])

    def is_known() -> bool:
        expected = stored() if stored else listed
        journal.receipts.at_rest = [
            MarksAtRest(
                *(witness.client, witness.user, room, time.monotonic()),
                tuple(sorted(client.receipts(room).items())),
                None if stored else tuple(sorted(listed.get(room, ()))),
            )
            for client, witness in readers
            if client.is_connected
            for room in sorted(witness.cursors())[:WATCHED_ROOMS]
        ]
        return all(_agrees(one, expected.get(one.room, {})) for one in journal.receipts.at_rest)

    with contextlib.suppress(AssertionError):  # the checker says who knows others
        await eventually(is_known, KNOWN_SECONDS, "all know who has read what")


def _agrees(known: MarksAtRest, expected: dict[int, int]) -> bool:
    marks = dict(known.marks)
    if known.among is None or not expected:
        return marks == expected
    return all(marks.get(user) == seq for user, seq in expected.items())
