"""One person of a simulation, and what people do with what was said: mark it read, edit it, delete it, react.

Beside `people.py`, which says who comes and who speaks. All of it is in the journal that the checker judges.
"""

import asyncio
import contextlib
import random
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from roomlog_client import CutOff, RoomlogClient
from tests.harness.changing import Reader, change, choose, look, react
from tests.harness.marking import mark, set_level
from tests.harness.mentioning import Mentioning, call, mention
from tests.harness.receipts import set_receipts
from tests.harness.reporting import report
from tests.harness.topics import rename, set_topic
from tests.judge.journal import Known, Witness
from tests.judge.reports import Reports

SEND_SECONDS: Final = 150.0
"""Longer than all faults of a run: what has no answer then never will."""
LOOK_SECONDS: Final = 20.0
PAUSE_SECONDS: Final = (0.0, 4.0)
TYPED: Final = 60
"""Times that somebody says so in a run."""
TYPING_PAUSE_SECONDS: Final = (0.0, 0.5)
MENTIONING: Final = 24
"""Messages and edits that mention somebody in a run."""
MENTION_PAUSE_SECONDS: Final = (0.0, 1.5)
NAMING: Final = 12
"""Moments of a run at which somebody sets topics and names."""
NOTING: Final = 16
"""Times that somebody sets the level of a room's notifications in a run."""
SHOWING: Final = 24
"""Times that somebody reads in a run in which receipts are turned on and off; with every third of them."""
REPORTING: Final = 10
"""Moments of a run at which somebody reports messages."""
LOOKING: Final = 30
"""Moments of a run at which somebody looks back, in a run with a replica."""
LOOK_PAUSE_SECONDS: Final = (0.0, 1.2)
OWNER: Final = 1
"""Of all rooms that are there from the beginning."""
STRANGERS: Final = 0.3
"""How likely somebody turns receipts on who is not the owner of all rooms."""
TOGETHER: Final = 3
"""Changes at the same moment, at most: often of the same message."""


@dataclass
class Person:
    """One client of one user."""

    client: RoomlogClient
    witness: Witness
    user: int
    dice: random.Random
    laziness_seconds: float
    """Pause between two items that are taken."""

    @property
    def reader(self) -> Reader:
        """Return the client and its journal."""
        return self.client, self.witness

    async def read(self) -> None:
        """Take every item; what it was is in the journal."""
        with contextlib.suppress(CutOff):
            async for _ in self.client.events():
                if self.laziness_seconds:
                    await asyncio.sleep(self.laziness_seconds)


async def mark_some(everybody: Sequence[Person], dice: random.Random, count: int) -> None:
    """Let people mark rooms read up to somewhere, on one device and then perhaps less on another."""
    marking: list[asyncio.Task[None]] = []
    for _ in range(count):
        await asyncio.sleep(dice.uniform(*PAUSE_SECONDS))
        person = dice.choice(everybody)
        if cursors := sorted(person.witness.cursors().items()):
            room, cursor = dice.choice(cursors)
            seq, reader = dice.randint(0, cursor), (person.client, person.witness)
            marking.append(asyncio.create_task(mark(reader, room, seq, new_uuid(dice), SEND_SECONDS)))
    await asyncio.gather(*marking)


async def change_some(everybody: Sequence[Person], dice: random.Random, count: int) -> None:
    """Let people edit and delete messages, several at a moment, while others read the rooms afresh."""
    changing: list[asyncio.Task[None]] = []
    for _ in range(count):
        await asyncio.sleep(dice.uniform(*PAUSE_SECONDS))
        person = dice.choice(everybody)
        reader = person.client, person.witness
        known: Known | None = None
        for _ in range(dice.randint(1, TOGETHER)):
            if known is None or dice.random() < 0.5:
                known = choose(person.witness, dice)
            if known is not None:
                sent = change(reader, known, dice, new_uuid(dice), SEND_SECONDS)
                changing.append(asyncio.create_task(sent))
        other = dice.choice(everybody)
        if cursors := sorted(other.witness.cursors()):
            page = look(other.reader, dice.choice(cursors), new_uuid(dice), LOOK_SECONDS)
            changing.append(asyncio.create_task(page))
    await asyncio.gather(*changing)


async def react_some(everybody: Sequence[Person], dice: random.Random, count: int) -> None:
    """Let people add and remove reactions, several at a moment, while others read the rooms afresh."""
    reacting: list[asyncio.Task[None]] = []
    for _ in range(count):
        await asyncio.sleep(dice.uniform(*PAUSE_SECONDS))
        for _ in range(dice.randint(1, TOGETHER)):
            person = dice.choice(everybody)
            sent = react((person.client, person.witness), dice, new_uuid(dice), SEND_SECONDS)
            reacting.append(asyncio.create_task(sent))
        other = dice.choice(everybody)
        if cursors := sorted(other.witness.cursors()):
            page = look(other.reader, dice.choice(cursors), new_uuid(dice), LOOK_SECONDS)
            reacting.append(asyncio.create_task(page))
    await asyncio.gather(*reacting)


def further_habits(
    everybody: Sequence[Person],
    rooms: Sequence[UUID],
    typing: random.Random | None,
    mentioning: tuple[random.Random | None, ...],
    naming: random.Random | None,
    noting: random.Random | None,
) -> list[Coroutine[None, None, None]]:
    """Return the habits that have dice of their own, where anybody has them."""
    mentions = zip((mention_some, call_some), mentioning, strict=True)
    habits = (type_some, typing), *mentions, (name_some, naming), (note_some, noting)
    return [
        habit(everybody, dice, [room.hex for room in rooms]) for habit, dice in habits if dice is not None
    ]


async def type_some(everybody: Sequence[Person], dice: random.Random, rooms: Sequence[str]) -> None:
    """Let people say that they are typing, also in rooms that they have left or may not write in.

    Everybody watches all rooms from the beginning.
    """
    watching = 0
    for _ in range(TYPED):
        await asyncio.sleep(dice.uniform(*TYPING_PAUSE_SECONDS))
        watching = _watch_all(everybody, rooms, watching)
        person, room = dice.choice(everybody), dice.choice(rooms)
        person.witness.type(room)
        person.client.typing(room)


async def mention_some(everybody: Sequence[Person], dice: random.Random, rooms: Sequence[str]) -> None:
    """Let people mention each other, also those who are out, while others mark the rooms read."""
    await _mention_by(mention, everybody, dice, rooms)


async def call_some(everybody: Sequence[Person], dice: random.Random, rooms: Sequence[str]) -> None:
    """Let people mention whole rooms, while others mark these read."""
    await _mention_by(call, everybody, dice, rooms)


async def _mention_by(
    say: Mentioning, everybody: Sequence[Person], dice: random.Random, rooms: Sequence[str]
) -> None:
    mentioning: list[asyncio.Task[None]] = []
    people = {person.user for person in everybody}
    for _ in range(MENTIONING):
        await asyncio.sleep(dice.uniform(*MENTION_PAUSE_SECONDS))
        person, room = dice.choice(everybody), dice.choice(rooms)
        sent = say(person.reader, room, people, dice, new_uuid, SEND_SECONDS)
        mentioning.append(asyncio.create_task(sent))
        other = dice.choice(everybody)
        if (cursor := other.witness.cursors().get(room)) is not None:
            seq, uuid = dice.randint(0, cursor), new_uuid(dice)
            mentioning.append(asyncio.create_task(mark(other.reader, room, seq, uuid, SEND_SECONDS)))
    await asyncio.gather(*mentioning)


async def name_some(everybody: Sequence[Person], dice: random.Random, rooms: Sequence[str]) -> None:
    """Let people say what rooms are called and are about, several at a moment, also those who may not."""
    naming: list[asyncio.Task[None]] = []
    for _ in range(NAMING):
        await asyncio.sleep(dice.uniform(*PAUSE_SECONDS))
        room = dice.choice(rooms)
        for _ in range(dice.randint(1, TOGETHER)):
            for say in (set_topic, rename):
                sent = say(dice.choice(everybody).reader, room, dice, new_uuid(dice), SEND_SECONDS)
                naming.append(asyncio.create_task(sent))
    await asyncio.gather(*naming)


async def note_some(everybody: Sequence[Person], dice: random.Random, rooms: Sequence[str]) -> None:
    """Let people set the levels of rooms, on several devices at a moment, also where they are out."""
    noting: list[asyncio.Task[str]] = []
    for _ in range(NOTING):
        await asyncio.sleep(dice.uniform(*MENTION_PAUSE_SECONDS))
        person, room = dice.choice(everybody), dice.choice(rooms)
        devices = [one for one in everybody if one.user == person.user]
        for one in devices:
            sent = set_level(one.reader, room, dice.randrange(3), new_uuid(dice), SEND_SECONDS)
            noting.append(asyncio.create_task(sent))
    await asyncio.gather(*noting)


async def report_some(reports: Reports, everybody: Sequence[Person], dice: random.Random) -> None:
    """Let people report messages, several at a moment: often the same one on two devices."""
    reporting: list[asyncio.Task[None]] = []
    for _ in range(REPORTING):
        await asyncio.sleep(dice.uniform(*PAUSE_SECONDS))
        user, seed = dice.choice(everybody).user, dice.getrandbits(32)
        for one in (one for one in everybody if one.user == user):
            sent = report(reports, one.reader, random.Random(seed), new_uuid(dice), SEND_SECONDS)
            reporting.append(asyncio.create_task(sent))
    await asyncio.gather(*reporting)


async def show_some(everybody: Sequence[Person], dice: random.Random, rooms: Sequence[str]) -> None:
    """Let people turn receipts on and off, also those who may not, and read while everybody watches."""
    asked: list[asyncio.Task[None]] = []
    watching = 0
    for number in range(SHOWING):
        await asyncio.sleep(dice.uniform(*MENTION_PAUSE_SECONDS))
        watching = _watch_all(everybody, rooms, watching)
        if not everybody:
            continue  # the first are on their way
        room, other = dice.choice(rooms), dice.choice(everybody)
        if number % 3 == 0:
            owner = next((one for one in everybody if one.user == OWNER), other)
            who = other if dice.random() < STRANGERS else owner
            sent = set_receipts(who.reader, room, dice, new_uuid(dice), SEND_SECONDS)
            asked.append(asyncio.create_task(sent))
        if (cursor := other.witness.cursors().get(room)) is not None:
            seq, uuid = dice.randint(0, cursor), new_uuid(dice)
            asked.append(asyncio.create_task(mark(other.reader, room, seq, uuid, SEND_SECONDS)))
    await asyncio.gather(*asked)


async def look_back(everybody: Sequence[Person], dice: random.Random) -> None:
    """Let people read pages from anywhere in their rooms, several at a moment."""
    looking: list[asyncio.Task[None]] = []
    for _ in range(LOOKING):
        await asyncio.sleep(dice.uniform(*LOOK_PAUSE_SECONDS))
        cursors = [(one, *place) for one in everybody for place in sorted(one.witness.cursors().items())]
        if not cursors:
            continue  # the first are on their way
        person, room, cursor = dice.choice(cursors)
        for _ in range(dice.randint(1, TOGETHER)):
            side = dice.choice(("", "before", "after"))
            wanted = {"limit": dice.randint(1, 20)} | ({side: dice.randint(1, cursor + 1)} if side else {})
            page = look(person.reader, room, new_uuid(dice), LOOK_SECONDS, **wanted)
            looking.append(asyncio.create_task(page))
    await asyncio.gather(*looking)


def _watch_all(everybody: Sequence[Person], rooms: Sequence[str], watching: int) -> int:
    """Let those who have come since watch all rooms; return how many watch then."""
    for person in everybody[watching:]:
        person.client.watch(*rooms)
    return len(everybody)


def new_uuid(dice: random.Random) -> str:
    """Return a uuid that the seed decides."""
    return str(UUID(int=dice.getrandbits(128), version=4))
