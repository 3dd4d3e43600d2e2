"""When which room is looked at, and by which thread: each by one at a time, those that failed later.

After the message's way. Knows neither rooms' contents nor the database. Safe from every thread.
"""

from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from threading import Condition
from time import monotonic
from typing import Final
from uuid import UUID

ROOMS: Final = 100_000
"""Rooms that wait; more are not looked for meanwhile."""
FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 60.0
"""After a failure, doubled each time; a service that is back is used within this."""


class Schedule:
    """The rooms that wait for their time, and those in the hands of a thread."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._changed = Condition()
        self._due: dict[UUID, float] = {}
        self._queue: list[tuple[float, UUID]] = []
        """A heap; entries that `_due` contradicts don't count."""
        self._busy: set[UUID] = set()
        self._failures: dict[UUID, int] = {}
        self._is_closed = False

    @property
    def is_full(self) -> bool:
        """Return True while no more rooms should be added."""
        return len(self._due) >= ROOMS

    @property
    def failing(self) -> int:
        """Return how many rooms have failed and not been told of since."""
        return len(self._failures)

    def add(self, rooms: Iterable[UUID], seconds: float) -> None:
        """Let these be looked at after so many seconds, those that wait already at their time."""
        with self._changed:
            for room in rooms:
                if room not in self._due:
                    self._wait(room, seconds)
            self._changed.notify_all()

    def take(self) -> UUID | None:
        """Wait for a room whose time has come, and take it until `done` or `failed`. None at the end."""
        with self._changed:
            while not self._is_closed:
                if self._queue and self._queue[0][0] <= self._clock():
                    due, room = heappop(self._queue)
                    if self._due.get(room) == due and room not in self._busy:
                        del self._due[room]
                        self._busy.add(room)
                        return room
                else:
                    self._changed.wait(timeout=self._queue[0][0] - self._clock() if self._queue else None)
            return None

    def done(self, room: UUID, again_in: float | None) -> None:
        """Give a room back, which is looked at again after so many seconds if not None."""
        with self._changed:
            self._failures.pop(room, None)
            self._give_back(room, again_in)

    def failed(self, room: UUID) -> float:
        """Give a room back that is tried again after a pause; return the pause's seconds."""
        with self._changed:
            failures = self._failures[room] = self._failures.get(room, 0) + 1
            pause = min(FIRST_PAUSE_SECONDS * 2.0 ** (failures - 1), LONGEST_PAUSE_SECONDS)
            self._due.pop(room, None)  # news of it don't shorten the pause
            self._give_back(room, pause)
            return pause

    def clear(self) -> None:
        """Forget what waits: it is another process's work."""
        with self._changed:
            self._due.clear()
            self._queue.clear()
            self._failures.clear()

    def close(self) -> None:
        """Let every thread end."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _wait(self, room: UUID, seconds: float) -> None:
        self._due[room] = self._clock() + seconds
        if room not in self._busy:
            heappush(self._queue, (self._due[room], room))

    def _give_back(self, room: UUID, again_in: float | None) -> None:
        self._busy.discard(room)
        if room in self._due:  # news came meanwhile
            heappush(self._queue, (self._due[room], room))
        elif again_in is not None:
            self._wait(room, again_in)
        self._changed.notify()
