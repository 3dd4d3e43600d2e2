"""When which key is looked at, and by which thread: each by one at a time, those that failed later.

After the message's way. A key is a room, or a webhook in a room; its contents and the database are not known
here. A key may wait for somebody else's answer, in no thread's hands. Safe from every thread.
"""

from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterable
from heapq import heappop, heappush
from itertools import count
from threading import Condition
from time import monotonic
from typing import Final, Generic, TypeVar

KEYS: Final = 100_000
"""Keys that wait; more are not looked for meanwhile."""
WAITING: Final = 256
"""Keys that wait for answers; beyond them no other one is taken."""
FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 60.0
"""After a failure, doubled each time; a service that is back is used within this."""
Key = TypeVar("Key", bound=Hashable)


class TryLater(Exception):
    """What was tried has to wait for so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class Schedule(Generic[Key]):
    """The keys that wait for their time, and those in the hands of a thread.

    At most `lane_width` keys of one lane are worked on at a time; without `lane_of` there are no lanes.
    """

    def __init__(
        self,
        clock: Callable[[], float] = monotonic,
        lane_of: Callable[[Key], Hashable] | None = None,
        lane_width: int = 1,
    ) -> None:
        self._clock = clock
        self._lane_of = lane_of
        self._lane_width = lane_width
        self._changed = Condition()
        self._due: dict[Key, float] = {}
        self._queue: list[tuple[float, int, Key]] = []
        """A heap; entries that `_due` contradicts don't count. The number decides between equal times."""
        self._numbers = count()
        self._busy: set[Key] = set()
        self._lanes: Counter[Hashable] = Counter()
        """How many keys of a lane are busy."""
        self._parked: dict[Hashable, list[tuple[float, int, Key]]] = {}
        """What was due while its lane was full."""
        self._waiting: set[Key] = set()
        """Those of the busy keys that wait for an answer."""
        self._answered: deque[Key] = deque(maxlen=KEYS)
        """Those that have it, for the next thread: at most WAITING and one for each thread."""
        self._failures: dict[Key, int] = {}
        self._is_closed = False

    @property
    def is_full(self) -> bool:
        """Return True while no more keys should be added."""
        return len(self._due) >= KEYS

    @property
    def failing(self) -> int:
        """Return how many keys have failed and not been done since."""
        return len(self._failures)

    def add(self, keys: Iterable[Key], seconds: float) -> None:
        """Let these be looked at after so many seconds, those that wait already at their time."""
        with self._changed:
            for key in keys:
                if key not in self._due:
                    self._wait(key, seconds)
            self._changed.notify_all()

    def take(self) -> Key | None:
        """Wait for a key whose time has come, and take it until `done`, `failed` or `wait`.

        None at the end, once no key waits for an answer.
        """
        with self._changed:
            while not (self._is_closed and not self._waiting and not self._answered):
                if self._answered:
                    return self._answered.popleft()
                if self._is_closed or len(self._waiting) >= WAITING:
                    self._changed.wait()
                elif (key := self._taken()) is not None:
                    return key
            return None

    def wait(self, key: Key) -> None:
        """Let a key wait for an answer, and its thread go: to be said before anybody can answer."""
        with self._changed:
            self._waiting.add(key)

    def resume(self, key: Key) -> None:
        """Have a thread take the key, whose answer is there."""
        with self._changed:
            self._waiting.discard(key)
            self._answered.append(key)
            self._changed.notify()

    def done(self, key: Key, again_in: float | None) -> None:
        """Give a key back, which is looked at again after so many seconds if not None."""
        with self._changed:
            self._failures.pop(key, None)
            self._give_back(key, again_in)

    def failed(self, key: Key, pause: float | None = None) -> float:
        """Give a key back that is tried again after a pause, by default a growing one; return its seconds."""
        with self._changed:
            failures = self._failures[key] = self._failures.get(key, 0) + 1
            if pause is None:
                pause = min(FIRST_PAUSE_SECONDS * 2.0 ** (failures - 1), LONGEST_PAUSE_SECONDS)
            self._due.pop(key, None)  # news of it don't shorten the pause
            self._give_back(key, pause)
            return pause

    def clear(self) -> None:
        """Forget what waits: it is another process's work."""
        with self._changed:
            self._due.clear()
            self._queue.clear()
            self._parked.clear()
            self._failures.clear()

    def close(self) -> None:
        """Let every thread end."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def _taken(self) -> Key | None:
        """Take the next key if its time has come; else wait for it, or for a change."""
        if not self._queue or self._queue[0][0] > self._clock():
            self._changed.wait(timeout=self._queue[0][0] - self._clock() if self._queue else None)
            return None
        entry = heappop(self._queue)
        due, _, key = entry
        if self._due.get(key) != due or key in self._busy or not self._has_room(entry):
            return None
        del self._due[key]
        self._busy.add(key)
        return key

    def _has_room(self, entry: tuple[float, int, Key]) -> bool:
        """Take a place in the key's lane; park the entry if there is none."""
        if self._lane_of is None:
            return True
        lane = self._lane_of(entry[2])
        if self._lanes[lane] >= self._lane_width:
            self._parked.setdefault(lane, []).append(entry)
            return False
        self._lanes[lane] += 1
        return True

    def _wait(self, key: Key, seconds: float) -> None:
        self._due[key] = self._clock() + seconds
        if key not in self._busy:
            heappush(self._queue, (self._due[key], next(self._numbers), key))

    def _give_back(self, key: Key, again_in: float | None) -> None:
        self._busy.discard(key)
        self._waiting.discard(key)
        if self._lane_of is not None:
            lane = self._lane_of(key)
            self._lanes[lane] -= 1
            if not self._lanes[lane]:
                del self._lanes[lane]
            for entry in self._parked.pop(lane, ()):
                heappush(self._queue, entry)
        if key in self._due:  # news came meanwhile
            heappush(self._queue, (self._due[key], next(self._numbers), key))
        elif again_in is not None:
            self._wait(key, again_in)
        self._changed.notify_all()
