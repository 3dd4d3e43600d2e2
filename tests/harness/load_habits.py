"""What people of a load do besides sending, each habit again and again with dice of its own.

So that a habit that is added changes nothing of the others in the loads of the same seed.
"""

import asyncio
import random
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, Protocol

from tests.harness.blocking import block
from tests.harness.bringing import Files, bring
from tests.harness.changing import Reader, change, choose, react
from tests.harness.joining import Invitations, go_and_come
from tests.harness.load_client import SEND_SECONDS, LoadClient, new_uuid
from tests.harness.marking import mark, set_level
from tests.harness.mentioning import Mentioning
from tests.harness.moderating import EPISODES, REMOVAL, moderate, pin, who_tries
from tests.harness.reporting import report
from tests.harness.watching import watch_some
from tests.judge.journal import Journal, Known

BLOCKED: Final = 0.6
"""How likely somebody is blocked rather than unblocked."""
CHANGE_PAUSE_SECONDS: Final = (0.1, 0.5)
"""Between two edits, deletions or reactions of all clients together."""
MARK_PAUSE_SECONDS: Final = (0.05, 0.35)
"""Between two read marks of all clients together."""
LEVEL_PAUSE_SECONDS: Final = (0.3, 1.5)
"""Between two levels of notifications."""
MODERATION_PAUSE_SECONDS: Final = (0.1, 0.6)
"""Between two roles, mutes and bans of all clients together: so long somebody is muted or banned."""
ARCHIVE_PAUSE_SECONDS: Final = (3.0, 6.0)
"""Between two rooms that are archived for a moment: so long everybody may speak."""
TYPING_PAUSE_SECONDS: Final = (0.05, 0.35)
"""Between two people who say that they type, of all clients together."""

Deciding = Callable[[Reader, str, random.Random, str, float], Coroutine[Any, Any, None]]
"""`set_topic` or `set_receipts`."""


class Person(Protocol):
    """Somebody with a token."""

    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def token(self) -> str: ...


class Place(Protocol):
    """A room."""

    @property
    def id(self) -> str: ...
    @property
    def members(self) -> Sequence[Person]: ...


class Habits:
    """The habits of a load's people; the load says who and where they are."""

    journal: Journal
    _seed: int
    _rooms: Sequence[Place]
    _files: Files
    _invitations: Invitations
    _senders: list[LoadClient]
    _clients: list[LoadClient]
    _is_sending: bool

    async def _mark(self) -> None:
        """Have somebody mark a room read up to somewhere, again and again."""
        dice = random.Random(f"{self._seed}-marks")
        while self._is_sending:
            one = dice.choice(self._clients)
            if cursors := sorted(one.witness.cursors().items()):
                room, cursor = dice.choice(cursors)
                await mark(one.reader, room, dice.randint(0, cursor), new_uuid(dice), SEND_SECONDS)
            await asyncio.sleep(dice.uniform(*MARK_PAUSE_SECONDS))

    async def _set_levels(self) -> None:
        """Have somebody set the level of a room's notifications, again and again."""
        dice = random.Random(f"{self._seed}-levels")
        while self._is_sending:
            one = dice.choice(self._clients)
            if cursors := sorted(one.witness.cursors()):
                room, number = dice.choice(cursors), dice.randrange(3)
                await set_level(one.reader, room, number, new_uuid(dice), SEND_SECONDS)
            await asyncio.sleep(dice.uniform(*LEVEL_PAUSE_SECONDS))

    async def _change(self) -> None:
        """Have somebody edit or delete a message of late, again and again."""
        dice = random.Random(f"{self._seed}-changes")
        while self._is_sending:
            one = dice.choice(self._senders)
            if (known := choose(one.witness, dice)) is not None:
                await change(one.reader, known, dice, new_uuid(dice), SEND_SECONDS)
            await asyncio.sleep(dice.uniform(*CHANGE_PAUSE_SECONDS))

    async def _react(self) -> None:
        """Have somebody react to a message of late, again and again."""
        dice = random.Random(f"{self._seed}-reactions")
        while self._is_sending:
            await react(dice.choice(self._senders).reader, dice, new_uuid(dice), SEND_SECONDS)
            await asyncio.sleep(dice.uniform(*CHANGE_PAUSE_SECONDS))

    async def _moderate(self) -> None:
        """Have owners set roles, mute and ban, each time until all is as before, again and again."""
        dice = random.Random(f"{self._seed}-moderation")
        senders = {one.witness.user: one.reader for one in self._senders}
        rooms = [room for room in self._rooms if room.members[0].id in senders and len(room.members) > 1]
        while self._is_sending and rooms:
            room = dice.choice(rooms)
            owner, *others = (member.id for member in room.members)
            readers = [senders[user] for user in others if user in senders]
            user = dice.choice(others)
            for step in dice.choice((*EPISODES, REMOVAL)):
                for reader in who_tries(senders[owner], readers, dice):
                    await moderate(reader, step, room.id, user, new_uuid(dice), SEND_SECONDS)
                await asyncio.sleep(dice.uniform(*MODERATION_PAUSE_SECONDS))

    async def _pin(self) -> None:
        """Have an owner, sometimes somebody else, pin and unpin messages of late, again and again."""
        dice = random.Random(f"{self._seed}-pins")
        pinned: list[Known] = []
        senders = {one.witness.user: one.reader for one in self._senders}
        owners = [user for room in self._rooms if (user := room.members[0].id) in senders]
        while self._is_sending and owners:
            for reader in who_tries(senders[dice.choice(owners)], list(senders.values()), dice):
                await pin(reader, dice, pinned, lambda: new_uuid(dice), SEND_SECONDS)
            await asyncio.sleep(dice.uniform(*CHANGE_PAUSE_SECONDS))

    async def _type(self) -> None:
        """Have people say that they type, also where they are muted, readers or away, again and again."""
        dice = random.Random(f"{self._seed}-typing")
        while self._is_sending:
            one, room = dice.choice(self._senders), dice.choice(self._rooms)
            one.witness.type(room.id)
            one.client.typing(room.id)
            await asyncio.sleep(dice.uniform(*TYPING_PAUSE_SECONDS))

    async def _watch(self) -> None:
        """Have people look at other rooms, again and again."""
        rooms, dice = [room.id for room in self._rooms], random.Random(f"{self._seed}-watching")
        readers = [one.reader for one in self._clients]
        await watch_some(lambda: readers, rooms, dice, lambda: self._is_sending)

    async def _mention(self, say: Mentioning, name: str) -> None:
        """Have people mention others of their rooms, also those who are banned just now, again and again."""
        dice = random.Random(f"{self._seed}-{name}")
        while self._is_sending:
            one = dice.choice(self._senders)
            rooms = [room for room in self._rooms if room.id in one.rooms]
            if rooms:
                room = dice.choice(rooms)
                people = {member.id for member in room.members}
                await say(one.reader, room.id, people, dice, new_uuid, SEND_SECONDS)
            await asyncio.sleep(dice.uniform(*CHANGE_PAUSE_SECONDS))

    async def _block(self) -> None:
        """Have two people block each other and end that, again and again; they share rooms with others."""
        dice, two = random.Random(f"{self._seed}-blocks"), self._senders[:2]
        while self._is_sending and len(two) > 1:
            one, other = dice.sample(two, 2)
            facts = self.journal.blocks, one.reader, other.witness.user, new_uuid(dice), SEND_SECONDS
            await block(*facts, is_blocked=dice.random() < BLOCKED)
            await asyncio.sleep(dice.uniform(*CHANGE_PAUSE_SECONDS))

    async def _report(self) -> None:
        """Have somebody report a message of late, again and again."""
        dice = random.Random(f"{self._seed}-reports")
        while self._is_sending:
            reader = dice.choice(self._clients).reader
            await report(self.journal.reports, reader, dice, new_uuid(dice), SEND_SECONDS)
            await asyncio.sleep(dice.uniform(*LEVEL_PAUSE_SECONDS))

    async def _bring(self) -> None:
        """Have people send files where they have some, again and again, also files that are sent already."""
        dice = random.Random(f"{self._seed}-files")
        while self._is_sending and self._files:
            one = dice.choice(self._senders)
            if one.rooms:
                await bring(one.reader, dice.choice(one.rooms), self._files, dice, new_uuid, SEND_SECONDS)
            await asyncio.sleep(dice.uniform(*CHANGE_PAUSE_SECONDS))

    async def _decide(self, say: Deciding, name: str, pause_seconds: tuple[float, float]) -> None:
        """Have owners, sometimes somebody else, set something of their rooms, again and again."""
        dice = random.Random(f"{self._seed}-{name}")
        senders = {one.witness.user: one.reader for one in self._senders}
        rooms = [room for room in self._rooms if room.members[0].id in senders]
        while self._is_sending and rooms:
            room = dice.choice(rooms)
            for reader in who_tries(senders[room.members[0].id], list(senders.values()), dice):
                await say(reader, room.id, dice, new_uuid(dice), SEND_SECONDS)
            await asyncio.sleep(dice.uniform(*pause_seconds))

    async def _join(self) -> None:
        """Have somebody leave a room and join it again, again and again; the owner opens and closes it."""
        dice = random.Random(f"{self._seed}-joining")
        senders = {one.witness.user: one.reader for one in self._senders}
        rooms = [room for room in self._rooms if room.members[0].id in senders and len(room.members) > 1]
        while self._is_sending and rooms:
            room = dice.choice(rooms)
            owner, *others = (senders[member.id] for member in room.members if member.id in senders)
            if others:
                how = (dice, new_uuid, SEND_SECONDS)
                await go_and_come(
                    owner, dice.choice(others), room.id, self._invitations.get(room.id, ()), *how
                )
            await asyncio.sleep(dice.uniform(*MODERATION_PAUSE_SECONDS))
