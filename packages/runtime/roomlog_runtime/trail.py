"""Keeps what a process notes of the commands on their way, in one bounded stream of Redis.

Beside the message's way, best effort, and the first to give way: `note` appends to a ring in memory, and a
thread with a connection of its own writes once a second what it finds there. What Redis does not take is
dropped; where Redis is full, the whole stream is. It must not raise, nor let anybody wait.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, TypeVar

import structlog

from .causes import cause_of
from .redis_address import client

log = structlog.get_logger()

Step = TypeVar("Step")

TRAIL_FIELD: Final = b"t"
"""The one field of the stream's entries."""
KEPT_SECONDS: Final = 24 * 60 * 60
"""Older steps are deleted, and not shown while they are not."""
MIB: Final = 1024 * 1024
DEFAULT_MIB: Final = 32
"""Of Redis' memory for the whole trail."""
MAX_MIB: Final = 1024
FLUSH_SECONDS: Final = 1.0
TIMEOUT_SECONDS: Final = 2.0
"""For a connection, and again for an answer."""
CLOSE_SECONDS: Final = 1.0
"""For the last steps, at the end of the process."""
PAUSE_SECONDS: Final = 30.0
"""After a failure nothing is tried for so long."""
RING_STEPS: Final = 20_000
"""Steps that wait for the thread: the oldest give way."""
STEP_BYTES: Final = 1024
"""The most that one takes in memory, with its time and the texts that only it holds."""
ENTRY_STEPS: Final = 2_000
"""In one entry of the stream."""
MEASURE_SECONDS: Final = 10.0
"""Between two looks at the stream's bytes."""
IDLE_SECONDS: Final = 600.0
"""A process without steps writes an empty entry so often: it says that the process notes, and deletes what
is too old."""


class Trail(Generic[Step]):
    """The ring of one process, and the thread that empties it."""

    def __init__(
        self,
        url: str,
        key: str,
        pack: Callable[[str, Sequence[tuple[float, Step]]], bytes],
        mib: int,
    ) -> None:
        """Connect nowhere yet. The stream `key` is cut to `mib`; with 0 there is none.

        `pack(source, steps)` makes an entry's value.
        """
        self._redis = client(url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS)
        self._key = key
        self._pack = pack
        self._source = ""
        self._most_bytes = mib * MIB
        self._ring: deque[tuple[float, Step]] = deque(maxlen=RING_STEPS)
        self._most_entries: int | None = None
        """What the stream is cut to with the next write, because it is too large."""
        self._measured_at = self._wrote_at = float("-inf")
        self._is_lost = False
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="trail", daemon=True)

    def note(self, step: Step, trace: object = None, /) -> None:
        """Keep a step with the present time; a trace is nothing for the trail."""
        self._ring.append((time.time(), step))

    def start(self, source: str) -> None:
        """Start the thread; `source` names this process."""
        self._source = source
        if self._most_bytes:
            self._thread.start()

    def close(self) -> None:
        """Write what is left, if Redis takes it at once, and end the thread."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(CLOSE_SECONDS)

    def flush(self, now: float) -> None:
        """Write what the ring holds; `now` is a monotonic clock's time.

        Raises:
            redis.RedisError: they are lost.
        """
        steps = [self._ring.popleft() for _ in range(len(self._ring))]
        if not steps and now - self._wrote_at < IDLE_SECONDS:
            return
        if now - self._measured_at >= MEASURE_SECONDS:
            self._measured_at = now
            self._measure()
        self._wrote_at = now
        pipeline = self._redis.pipeline(transaction=False)
        for start in range(0, max(len(steps), 1), ENTRY_STEPS):
            value = self._pack(self._source, steps[start : start + ENTRY_STEPS])
            pipeline.xadd(self._key, {TRAIL_FIELD: value}, **self._cut())
        self._most_entries = None
        pipeline.execute()

    def _measure(self) -> None:
        weight = self._redis.memory_usage(self._key) or 0
        if weight > self._most_bytes:
            # A quarter less than allowed, so that the next cut is not due at once.
            length: Any = self._redis.xlen(self._key)
            self._most_entries = int(length * self._most_bytes / weight * 3 / 4)

    def _cut(self) -> dict[str, Any]:
        if self._most_entries is not None:
            return {"maxlen": self._most_entries, "approximate": True}
        return {"minid": int((time.time() - KEPT_SECONDS) * 1000), "approximate": False}

    def _run(self) -> None:
        pause = 0.0
        while not self._closing.wait(pause):
            pause = FLUSH_SECONDS if self._is_written() else PAUSE_SECONDS
        if not self._is_lost:
            self._is_written()

    def _is_written(self) -> bool:
        """Flush, and return whether Redis took it."""
        from redis.exceptions import RedisError

        try:
            self.flush(time.monotonic())
        except (RedisError, ValueError) as error:  # the latter of what can't be packed
            if not self._is_lost:
                log.warning("trail_lost", **cause_of(error))
            self._is_lost = True
            self._yield_to_commands(error)
            self._redis.connection_pool.disconnect()
            return False
        if self._is_lost:
            log.info("trail_kept")
        self._is_lost = False
        return True

    def _yield_to_commands(self, error: Exception) -> None:
        """Give the stream's memory back where Redis has none left for commands."""
        from redis.exceptions import OutOfMemoryError, RedisError

        if isinstance(error, OutOfMemoryError):
            try:
                self._redis.unlink(self._key)
            except RedisError:
                return
