"""Keeps the index of the search up to the logs of this worker's shards, in a thread of its own.

After the message's way: the writer never waits for it, and while entries wait for the writer it works less.
Two workers may index the same room in a handover: the second one passes it over (`roomlog.search.index`).
"""

import threading
import time
from collections.abc import Callable
from typing import Final
from uuid import UUID

import structlog
from django.db import connection

from roomlog.databases import commit_lazily
from roomlog.search.index import ROOMS_AT_ONCE, behind_after, index
from roomlog_contract.keyspace import Keyspace
from roomlog_runtime.shutdown import Shutdown

from . import metrics
from .beacon import MOST_ROOMS, Pulse

log = structlog.get_logger()

PAUSE_SECONDS: Final = 0.5
"""Between two looks: a message is found within 2 s, unless more are written than can be indexed."""
TROUBLE_SECONDS: Final = 2.0
BEHIND_MS: Final = 200
"""Entries that have waited so long go first: the index gets one piece in PAUSE_SECONDS."""
PAGE: Final = 1_000
"""Heads looked at together."""
PAGE_SECONDS: Final = 10.0
"""Between two pages, once all were looked at: who wrote a room knows of it without them."""
_FIRST: Final = UUID(int=0)


class Indexer:
    """One worker's thread. Used by that thread alone."""

    def __init__(
        self,
        keyspace: Keyspace,
        pulse: Pulse,
        shutdown: Shutdown,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`pulse` says which shards are this worker's and which rooms it wrote."""
        self._keyspace = keyspace
        self._pulse = pulse
        self._shutdown = shutdown
        self._clock = clock
        self._shards: frozenset[int] = frozenset()
        self._waiting: dict[UUID, None] = {}
        """Rooms, those that were written first are first."""
        self._after = _FIRST
        """The room behind which the next page of heads begins."""
        self._is_first_round = True
        self._next_page = 0.0
        self._at_once = ROOMS_AT_ONCE
        self._is_troubled = False
        self._thread = threading.Thread(target=self._run, name="indexer", daemon=True)

    def start(self) -> None:
        """Start the thread; it ends soon after shutdown is requested."""
        self._thread.start()

    def turn(self) -> float:
        """Index a piece; return how many seconds to wait until the next one. Trouble is logged once."""
        try:
            seconds = self._turn()
        except Exception as error:  # the thread's boundary: the writer needs no index
            connection.close()
            if not self._is_troubled:
                # Its class alone: the text may hold a message's.
                log.warning("index_trouble", error=type(error).__name__)
            self._is_troubled = True
            return TROUBLE_SECONDS
        self._is_troubled = False
        return seconds

    def _run(self) -> None:
        while not self._shutdown.wait(self.turn()):
            pass
        connection.close()

    def _turn(self) -> float:
        self._take_over(self._pulse.shards)
        if not self._shards:
            return PAUSE_SECONDS
        if connection.connection is None:
            commit_lazily(connection)
        while self._pulse.written and len(self._waiting) < MOST_ROOMS:
            self._waiting.setdefault(self._pulse.written.pop())
        self._look_at_heads()
        if not self._waiting:
            return 0.0 if self._is_first_round else PAUSE_SECONDS
        began = self._clock()
        has_more = self._index()
        if self._is_writer_behind() or not has_more:
            return PAUSE_SECONDS
        return self._clock() - began  # as long as it took: the writer shares the interpreter

    def _take_over(self, shards: frozenset[int]) -> None:
        """Look at all heads for what the owner before has not indexed of new shards."""
        if shards - self._shards:
            self._after, self._is_first_round, self._next_page = _FIRST, True, 0.0
        self._shards = shards

    def _look_at_heads(self) -> None:
        now = self._clock()
        if now < self._next_page or len(self._waiting) > MOST_ROOMS - PAGE:
            return
        behind, last = behind_after(self._after, PAGE)
        for room in behind:
            if self._keyspace.shard_of_room(room) in self._shards:
                self._waiting.setdefault(room)
        self._after = last or _FIRST
        self._is_first_round &= last is not None
        self._next_page = now if self._is_first_round else now + PAGE_SECONDS

    def _index(self) -> bool:
        """Index a piece of the rooms that wait; return whether there is more that can be done at once.

        Those that fail come last, and one by one: they don't keep the others back.
        """
        rooms = list(self._waiting)[: self._at_once]
        for room in rooms:
            del self._waiting[room]
        try:
            indexed = index(rooms)
        except Exception:
            self._at_once = 1
            self._waiting |= dict.fromkeys(rooms)
            raise
        self._at_once = min(2 * self._at_once, ROOMS_AT_ONCE)
        self._waiting |= dict.fromkeys(indexed.behind)
        metrics.INDEXED.inc(indexed.messages)
        return bool(self._waiting) and indexed.messages > 0

    def _is_writer_behind(self) -> bool:
        oldest = min(self._pulse.oldest_ms.values(), default=None)
        return oldest is not None and time.time() * 1000 - oldest > BEHIND_MS
