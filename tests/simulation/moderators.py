"""People of a simulation who say what others may, or pin messages, often at the moment of other commands.

Beside `people.py`, which says who comes and who speaks. All of it is in the journal that the checker judges.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final

from tests.harness.moderating import EPISODES, Step, list_pins, moderate, pin, who_tries
from tests.judge.journal import Known

from .habits import LOOK_SECONDS, PAUSE_SECONDS, SEND_SECONDS, TOGETHER, Person, new_uuid

STEP_SECONDS: Final = (0.0, 2.5)
"""Between two steps: so long somebody is muted or banned."""
FIRST_OWNERS: Final = 0.7
"""How likely it is user 1 who pins, who owns the rooms that were there from the beginning."""
OWNER: Final = 1

Say = Callable[[Person, str], Awaitable[None]]
"""Lets a person say something in a room."""


async def moderate_some(firsts: Sequence[Person], dice: random.Random, count: int, say: Say) -> None:
    """Let the first of them set roles, mute and ban the others, who speak, react and invite all the same."""
    owner, *others = firsts
    going: list[asyncio.Task[None]] = []
    for _ in range(count):
        await asyncio.sleep(dice.uniform(*PAUSE_SECONDS))
        if rooms := sorted(owner.witness.cursors()):
            room, guest = dice.choice(rooms), dice.choice(others)
            going.append(asyncio.create_task(_live_through(owner, others, guest, room, dice, say)))
    await asyncio.gather(*going)


async def _live_through(
    owner: Person, others: Sequence[Person], guest: Person, room: str, dice: random.Random, say: Say
) -> None:
    speaking: list[asyncio.Task[None]] = []
    for step in dice.choice(EPISODES):
        for person in _who_tries(owner, others, dice):
            speaking.append(asyncio.ensure_future(say(guest, room)))  # either may be first
            await _do(person, step, room, guest, dice)
        speaking.append(asyncio.ensure_future(say(guest, room)))
        await asyncio.sleep(dice.uniform(*STEP_SECONDS))
    await asyncio.gather(*speaking)


def _who_tries(owner: Person, others: Sequence[Person], dice: random.Random) -> list[Person]:
    readers = {id(one.witness): one for one in (owner, *others)}
    found = who_tries(owner.reader, [one.reader for one in others], dice)
    return [readers[id(witness)] for _, witness in found]


async def _do(person: Person, step: Step, room: str, guest: Person, dice: random.Random) -> None:
    await moderate(person.reader, step, room, guest.user, new_uuid(dice), SEND_SECONDS)


async def pin_some(everybody: Sequence[Person], dice: random.Random, count: int) -> None:
    """Let people pin and unpin messages, several at a moment, while others list the pins."""
    pinning: list[asyncio.Task[None]] = []
    pinned: list[Known] = []
    owners = [person for person in everybody if person.user == OWNER]
    for _ in range(count):
        await asyncio.sleep(dice.uniform(*PAUSE_SECONDS))
        for _ in range(dice.randint(1, TOGETHER)):
            person = dice.choice(owners if dice.random() < FIRST_OWNERS else everybody)
            done = pin(person.reader, dice, pinned, partial(new_uuid, dice), SEND_SECONDS)
            pinning.append(asyncio.create_task(done))
        other = dice.choice(everybody)
        if cursors := sorted(other.witness.cursors()):
            listed = list_pins(other.reader, dice.choice(cursors), new_uuid(dice), LOOK_SECONDS)
            pinning.append(asyncio.create_task(listed))
    await asyncio.gather(*pinning)
