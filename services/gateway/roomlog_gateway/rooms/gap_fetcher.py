"""Fetching what a room misses. Beside the event stage: one fetch at a time per room, pages until the head.

A lost notice shows as a jump in seq, or as a head that is higher than what came. It must not give up while
the database says that there is more: 50 ms for the notice itself, then the log is asked (GUARANTEES G6).
"""

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any, Final
from uuid import UUID

import structlog

from roomlog_contract import limits
from roomlog_contract.envelope import EventsFetched, FetchEvents
from roomlog_contract.keyspace import Keyspace

from .. import metrics
from ..errors import NoReply, NotAccepted
from .room import Room
from .worker_questions import WorkerQuestions

log = structlog.get_logger()

FETCH_SECONDS: Final = 5.0
"""For one page; a worker that takes longer is overloaded or gone, and the page is asked for again."""
FETCHES_AT_ONCE: Final = 4
"""Pages asked of one shard at the same time: after a reconnect all its rooms may have gaps."""
FIRST_BACKOFF_SECONDS: Final = 0.2
MAX_BACKOFF_SECONDS: Final = 5.0
FRUITLESS_PAGES: Final = 5
"""Pages in a row with nothing in them, after which a seq that was announced is taken for non-existent."""


OnPage = Callable[[Room, EventsFetched], None]
"""Takes a page of the log: whoever found the gap."""


class GapFetcher:
    """The fetches under way."""

    def __init__(
        self,
        keyspace: Keyspace,
        questions: WorkerQuestions,
        rooms: dict[UUID, Room],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._keyspace = keyspace
        self._questions = questions
        self._rooms = rooms
        self._spawn = spawn
        self._watched: set[UUID] = set()
        self._permits = [asyncio.Semaphore(FETCHES_AT_ONCE) for _ in range(keyspace.shards)]

    def watch(self, room: Room, on_page: OnPage) -> None:
        """Fetch the room's gap if it is still there after 50 ms; again is harmless."""
        if room.id not in self._watched:
            self._watched.add(room.id)
            self._spawn(self._watch(room, on_page, limits.HELD_SECONDS))

    def doubt(self, room: Room, on_page: OnPage) -> None:
        """Ask the database at once which log holds: an event of another epoch came."""
        if room.id not in self._watched:
            self._watched.add(room.id)
            self._spawn(self._watch(room, on_page, 0.0, is_forced=True))

    async def _watch(
        self, room: Room, on_page: OnPage, delay_seconds: float, is_forced: bool = False
    ) -> None:
        try:
            await asyncio.sleep(delay_seconds)
            if is_forced or not room.close_gap():
                metrics.GAPS.inc()
                await self._fetch(room, on_page, is_forced)
        finally:
            self._watched.discard(room.id)
        if self._is_here(room) and not room.close_gap():
            self.watch(room, on_page)

    async def _fetch(self, room: Room, on_page: OnPage, is_forced: bool) -> None:
        backoff, fruitless = FIRST_BACKOFF_SECONDS, 0
        while self._is_here(room) and (is_forced or not room.close_gap()):
            before = room.seq
            has_answer = await self._fetch_page(room, on_page)
            is_forced = is_forced and not has_answer
            if has_answer and room.seq != before:
                backoff, fruitless = FIRST_BACKOFF_SECONDS, 0
                continue
            fruitless += has_answer
            if fruitless >= FRUITLESS_PAGES:
                log.error("room_gap_is_empty", room=room.id.hex, seq=room.seq, target=room.target)
                room.give_up()
            elif not room.close_gap() or is_forced:
                await asyncio.sleep(backoff * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, no secret
                backoff = min(backoff * 2, MAX_BACKOFF_SECONDS)

    async def _fetch_page(self, room: Room, on_page: OnPage) -> bool:
        """Ask for the events after the room's last one and return whether the database answered."""
        shard = self._keyspace.shard_of_room(room.id)
        question = FetchEvents(uuid="gap", room=room.id, after=room.seq, limit=limits.PAGE_EVENTS)
        try:
            async with self._permits[shard]:
                reply = await self._questions.ask(shard, question, FETCH_SECONDS)
        except (NoReply, NotAccepted):
            return False
        if isinstance(reply, EventsFetched):
            on_page(room, reply)
        return True

    def _is_here(self, room: Room) -> bool:
        return self._rooms.get(room.id) is room
