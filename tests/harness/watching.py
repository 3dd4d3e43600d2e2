"""Presence of a load: rooms are watched while faults happen, and in the end by everybody, for comparison.

Beside the message's way; all of it is in the journal, and nothing is judged here.
"""

import asyncio
import contextlib
import random
from collections.abc import Callable, Sequence
from typing import Final

from roomlog_contract.limits import PRESENCE_ASK_SECONDS, PRESENCE_KEPT_SECONDS, WATCHED_ROOMS
from tests.harness.marking import Reader
from tests.harness.waiting import eventually
from tests.judge.attendance import AtRest, ToldPresence
from tests.judge.journal import Journal

SEEN_SECONDS: Final = PRESENCE_KEPT_SECONDS + 2 * PRESENCE_ASK_SECONDS
"""G24: in which all watchers see who is connected: what a gateway said that is gone has ended, and a question
that was lost was asked again."""
PAUSE_SECONDS: Final = (0.1, 1.0)
"""Between two people who look at other rooms, of all clients together."""


async def watch_some(
    readers: Callable[[], Sequence[Reader]],
    rooms: Sequence[str],
    dice: random.Random,
    goes_on: Callable[[], bool],
) -> None:
    """Let people look at some rooms, also at those that they are not in, again and again."""
    while goes_on():
        await asyncio.sleep(dice.uniform(*PAUSE_SECONDS))
        if everybody := readers():
            client, _ = dice.choice(everybody)
            client.watch(*dice.sample(rooms, dice.randint(0, min(len(rooms), WATCHED_ROOMS))))


async def watch_all(journal: Journal, readers: Sequence[Reader], seconds: float = SEEN_SECONDS) -> None:
    """Let all watch their rooms until they see who is connected, no longer than promised; note it."""
    for client, witness in readers:
        client.watch(*sorted(witness.cursors())[:WATCHED_ROOMS])
    people = {witness.user for _, witness in readers}

    def is_seen() -> bool:
        connected = [reader for reader in readers if reader[0].is_connected]
        journal.attendance.at_rest = [
            _at_rest(told, connected, people)
            for _, witness in connected
            for room in sorted(witness.cursors())[:WATCHED_ROOMS]
            if (told := witness.told_presence(room)) is not None
        ]
        return all(one.told.users == one.connected for one in journal.attendance.at_rest)

    with contextlib.suppress(AssertionError):  # the checker says who sees others
        await eventually(is_seen, seconds, "all see who is connected")


def _at_rest(told: ToldPresence, connected: Sequence[Reader], people: set[int]) -> AtRest:
    """Compare what a watcher was told with the clients of the run; others of the room may have their own."""
    here = {witness.user for _, witness in connected if told.room in witness.cursors()}
    seen = None if told.users is None else tuple(user for user in told.users if user in people)
    return AtRest(told._replace(users=seen), tuple(sorted(here)))
