"""The proof that nothing is missing: every 20 s the database is asked for the head of each room here.

Beside the event stage. Notices are lost with a link, a failover or a dead worker without anybody noticing;
heads find that within 30 s, and at once after a reconnect (GUARANTEES G6). One question a shard.
"""

import asyncio
import random
from collections import defaultdict
from typing import Final
from uuid import UUID

from roomlog_contract import limits
from roomlog_contract.commands import Cursor
from roomlog_contract.envelope import HeadsRead, ReadHeads
from roomlog_contract.server_events import Heads
from roomlog_contract.shards import shard_of_room

from ..errors import NoReply, NotAccepted
from ..sockets.session import Session
from .incoming_events import IncomingEvents
from .pagination import paginate
from .room import Room
from .worker_questions import WorkerQuestions

PERIOD_SECONDS: Final = 20.0
"""With one repetition still within the 30 s of G6."""
JITTER: Final = 0.2
REPLY_SECONDS: Final = 5.0
RETRY_SECONDS: Final = 1.0
"""Until the shards that did not answer are asked again."""
ROOMS_AT_ONCE: Final = 1000
"""Rooms in one question: 16 KB of ids, one indexed query."""
QUESTIONS_AT_ONCE: Final = 16


class HeadPoll:
    """Asks for heads, in turn and on demand."""

    def __init__(self, questions: WorkerQuestions, incoming: IncomingEvents, rooms: dict[UUID, Room]) -> None:
        self._questions = questions
        self._incoming = incoming
        self._rooms = rooms
        self._wake = asyncio.Event()
        self._permits = asyncio.Semaphore(QUESTIONS_AT_ONCE)

    def at_once(self) -> None:
        """Ask for everything now: notices may have been lost."""
        self._wake.set()

    async def run(self) -> None:
        """Poll until it is cancelled."""
        unanswered: set[UUID] = set()
        while True:
            delay = RETRY_SECONDS if unanswered else PERIOD_SECONDS * random.uniform(1 - JITTER, 1)  # noqa: S311
            is_woken = await self._sleep(delay)
            is_whole = is_woken or not unanswered
            asked = list(self._rooms) if is_whole else [key for key in unanswered if key in self._rooms]
            unanswered = await self._ask_all(asked)
            if is_whole:
                self._tell_those_behind()

    async def _sleep(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return False
        self._wake.clear()
        return True

    async def _ask_all(self, rooms: list[UUID]) -> set[UUID]:
        """Compare the rooms' heads and return those that nobody answered for."""
        questions = []
        for shard, keys in _by_shard(rooms).items():
            for start in range(0, len(keys), ROOMS_AT_ONCE):
                questions.append(self._ask(shard, keys[start : start + ROOMS_AT_ONCE]))
        return set().union(*await asyncio.gather(*questions))

    async def _ask(self, shard: int, rooms: list[UUID]) -> set[UUID]:
        question = ReadHeads(uuid="heads", rooms=rooms)
        try:
            async with self._permits:
                reply = await self._questions.ask(shard, question, REPLY_SECONDS)
        except (NoReply, NotAccepted):
            return set(rooms)
        if isinstance(reply, HeadsRead):
            self._compare(reply)
        return set()

    def _compare(self, reply: HeadsRead) -> None:
        for key, head in reply.heads.items():
            room = self._rooms.get(key)
            if room is not None and room.epoch:
                self._incoming.compare_head(room, reply.epoch, head, is_certain=True)

    def _tell_those_behind(self) -> None:
        """Remind the connections that were told to ask and have not yet."""
        behind: dict[Session, dict[str, Cursor]] = defaultdict(dict)
        for room in self._rooms.values():
            if room.others:
                for session in room.behind():
                    behind[session][room.id.hex] = Cursor(epoch=room.epoch, seq=room.seq)
        for session, rooms in behind.items():
            for page, _ in paginate(list(rooms.items()), limits.PAGE_ROOMS):
                session.tell(Heads(rooms=dict(page)))


def _by_shard(rooms: list[UUID]) -> dict[int, list[UUID]]:
    shards: dict[int, list[UUID]] = defaultdict(list)
    for key in rooms:
        shards[shard_of_room(key)].append(key)
    return shards
