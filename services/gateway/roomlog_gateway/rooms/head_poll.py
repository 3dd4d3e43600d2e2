"""The proof that nothing is missing: every 20 s the database is asked for the head of each room here.

Beside the event stage. Notices are lost with a link, a failover or a dead worker without anybody noticing;
heads find that within 30 s, and at once after a reconnect (GUARANTEES G6). A question holds many rooms and
the heads that are known of them: the worker names only those that differ.
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
"""Until what was not answered is asked again, of another worker if there is one."""
ROOMS_AT_ONCE: Final = 2000
"""Rooms in one question: 50 KB, less than a client's largest frame, and one indexed query."""
UNKNOWN: Final = -1
"""A head that no room has, for rooms whose head is wanted in any case."""
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
        starts = range(0, len(rooms), ROOMS_AT_ONCE)
        questions = [self._ask(rooms[start : start + ROOMS_AT_ONCE]) for start in starts]
        return set().union(*await asyncio.gather(*questions))

    async def _ask(self, rooms: list[UUID]) -> set[UUID]:
        try:
            async with self._permits:
                reply = await self._questions.ask_any(self._question(rooms), REPLY_SECONDS)
        except (NoReply, NotAccepted):
            return set(rooms)
        if isinstance(reply, HeadsRead):
            self._compare(reply)
        return set()

    def _question(self, rooms: list[UUID]) -> ReadHeads:
        here = [room for key in rooms if (room := self._rooms.get(key)) is not None]
        epoch = here[0].epoch if here else ""
        seqs = [room.seq if room.epoch == epoch and room.gap_since is None else UNKNOWN for room in here]
        return ReadHeads(uuid="heads", rooms=[room.id for room in here], epoch=epoch, seqs=seqs)

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
