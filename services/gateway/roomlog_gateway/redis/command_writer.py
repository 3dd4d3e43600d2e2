"""Commands into the streams of Redis: everything that one loop turn brings leaves in one write, in order.

Stage: router → worker. Nothing is ever sent twice by this file, so a command is refused (certainly not in
Redis), taken, or unknown; for unknown nobody is told anything (GUARANTEES G7).
"""

import asyncio
from collections import deque
from collections.abc import Callable
from enum import Enum, auto
from typing import Any, Final, NamedTuple

import hiredis
import structlog

from roomlog_contract.envelope import ENTRY_FIELD

from .. import metrics
from ..errors import NotAccepted
from .admission import Admission
from .link import RedisLink, pack
from .stream_gate import RETRY_MS, StreamGate

log = structlog.get_logger()

PENDING_ENTRIES: Final = 20_000
"""Commands that may wait while Redis is being reached or takes nothing: one second's worth."""
PENDING_BYTES: Final = 64 * 1024 * 1024
"""Their bytes."""
DOWN_RETRY_MS: Final = 1000
"""Told with busy while Redis is away, and until a worker has said how many shards there are."""
KNOWN_ERRORS: Final = frozenset(
    {"OOM", "READONLY", "NOREPLICAS", "LOADING", "MISCONF", "CLUSTERDOWN", "MOVED", "ASK", "NOPERM", "NOAUTH"}
)
"""Names of error replies that metrics count by name."""
_PING: Final = b"*1\r\n$4\r\nPING\r\n"


class _Size(Enum):
    ENTRIES = auto()
    BYTES = auto()


class _Sample(NamedTuple):
    """A question about a stream's size that was written behind the commands."""

    stream: str
    gate: StreamGate
    size: _Size
    added: int
    """What this gateway had added to the stream before."""
    asked_at: float


class CommandWriter:
    """The one ordered writer of commands; `on_refused(request, retry_after_ms)` hears of certain failures."""

    name = "commands"

    def __init__(
        self,
        url: str,
        clock: Callable[[], float],
        on_refused: Callable[[int, int], None],
        admission: Admission,
    ) -> None:
        self._clock = clock
        self._admission = admission
        self._on_refused = on_refused
        self.link = RedisLink(url, self, clock)
        self._prefixes: dict[str, bytes] = {}
        self._gates: dict[str, StreamGate] = {}
        self._touched: set[str] = set()
        """Streams of the commands that wait."""
        self._doubted: set[str] = set()
        """Streams that were over at a command since the last write: is it still so?"""
        self._pending: list[bytes] = []
        self._requests: list[int | None] = []
        """For each command that waits, who asked for it."""
        self._pending_bytes = 0
        # bound: PENDING_ENTRIES before the link pauses, two for each touched stream, one for each hint
        self._expected: deque[int | _Sample | None] = deque()
        self._is_scheduled = False
        self.is_up = False
        self.is_demoted = False
        """Redis has become a replica: it takes no command, and its notices can't be relied on either."""

    def admit(self, stream: str) -> None:
        """Look whether a command for this stream would wait too long.

        Raises:
            NotAccepted: it would.
        """
        if self._admission.is_over(stream):
            self._doubted.add(stream)
            self._schedule()
            raise NotAccepted(RETRY_MS)

    def add(self, stream: str, envelope: bytes, request: int) -> None:
        """Append a command to a stream with the next write.

        Raises:
            NotAccepted: it was not taken, now and for certain.
        """
        if not self._admission.is_agreed:
            raise NotAccepted(DOWN_RETRY_MS)
        gate = self._gates.get(stream)
        if gate is None:
            gate = self._gates[stream] = StreamGate()
        if gate.is_shut:
            raise NotAccepted(RETRY_MS)
        if not (self.is_up or self.link.is_trying):
            raise NotAccepted(DOWN_RETRY_MS)
        if len(self._pending) >= PENDING_ENTRIES or self._pending_bytes + len(envelope) > PENDING_BYTES:
            raise NotAccepted(RETRY_MS)
        self._pending.append(b"%b%d\r\n%b\r\n" % (self._xadd_prefix(stream), len(envelope), envelope))
        self._pending_bytes += len(envelope)
        self._requests.append(request)
        self._admission.add(stream)
        self._touched.add(stream)
        self._schedule()

    def publish(self, channel: str, payload: bytes) -> bool:
        """Publish what may be lost, and return whether it was written; commands come first."""
        if not (self.is_up and self.link.is_writable):
            return False
        self._expected.append(None)
        self.link.write(pack(self._publish_command(channel), channel, payload))
        return True

    def tick(self, now: float) -> None:
        """Sample the streams that take nothing, so that they do again without traffic; ten times a second."""
        metrics.SHUT_GATES.set(self.sample_shut(now))

    def sample_shut(self, now: float) -> int:
        """Sample the streams that take nothing, and return how many they are."""
        is_over = self._admission.is_over
        shut = [stream for stream, gate in self._gates.items() if gate.is_shut or is_over(stream)]
        if shut and self.is_up:
            self.link.write(b"".join(self._samples(shut, now)))
        return len(shut)

    def silent(self, now: float, seconds: float) -> frozenset[int]:
        """Return the shards of which Redis alone says nothing for so long: none, of one server."""
        return frozenset()

    def link_up(self) -> None:
        self.is_up = True
        metrics.REDIS_LINKS.labels(self.name).set(1)
        self._flush()

    def link_writable(self) -> None:
        self._flush()

    def link_silent(self) -> None:
        self._expected.append(None)
        self.link.write(_PING)

    def link_reply(self, reply: Any) -> None:
        expected = self._expected.popleft()
        is_error = isinstance(reply, hiredis.ReplyError)
        if type(expected) is int:
            if is_error:
                # Every error reply to XADD (-OOM, -READONLY, -LOADING …) means that it was not executed.
                self._note(str(reply))
                self._refuse(expected, RETRY_MS)
        elif isinstance(expected, _Sample) and not is_error:
            if expected.size is _Size.ENTRIES:
                expected.gate.sampled(reply)
                self._admission.sampled(expected.stream, reply, expected.added, expected.asked_at)
            else:
                expected.gate.weighed(reply or 0)

    def link_down(self) -> None:
        self.is_up = self.is_demoted = False
        metrics.REDIS_LINKS.labels(self.name).set(0)
        metrics.UNKNOWN.inc(sum(type(expected) is int for expected in self._expected))
        self._expected.clear()
        self._gates.clear()
        self._touched.clear()
        self._doubted.clear()
        requests, self._requests, self._pending = self._requests, [], []
        self._pending_bytes = 0
        for request in requests:
            if request is not None:
                self._refuse(request, DOWN_RETRY_MS)

    def _publish_command(self, channel: str) -> str:
        return "PUBLISH"

    def _schedule(self) -> None:
        if not self._is_scheduled and self.is_up:
            self._is_scheduled = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._is_scheduled = False
        if not (self._pending or self._doubted) or not self.link.is_writable:
            return
        if self._pending:
            metrics.BATCH.observe(len(self._pending))
        self._expected.extend(self._requests)
        streams = self._touched | (self._doubted & self._gates.keys())
        writes = self._pending + self._samples(streams, self._clock())
        self._pending, self._requests, self._pending_bytes = [], [], 0
        self._touched.clear()
        self._doubted.clear()
        if writes:
            self.link.write(b"".join(writes))

    def _samples(self, streams: "set[str] | list[str]", now: float) -> list[bytes]:
        writes = []
        for stream in streams:
            gate = self._gates[stream]
            if gate.wants_sample(now):
                self._expected.append(
                    _Sample(stream, gate, _Size.ENTRIES, self._admission.added(stream), now)
                )
                writes.append(pack("XLEN", stream))
            if gate.wants_weight(now):
                self._expected.append(_Sample(stream, gate, _Size.BYTES, 0, now))
                writes.append(pack("MEMORY", "USAGE", stream))
        return writes

    def _note(self, error: str) -> None:
        """Log what Redis said; a replica that was our primary is left, so that the new one is found."""
        name = error.partition(" ")[0]
        if name == "READONLY" and not self.is_demoted:
            log.warning("redis_demoted")
            self.is_demoted = True
        metrics.REDIS_ERRORS.labels(name if name in KNOWN_ERRORS else "other").inc()

    def _refuse(self, request: int, retry_after_ms: int) -> None:
        metrics.REFUSED.inc()
        self._on_refused(request, retry_after_ms)

    def _xadd_prefix(self, stream: str) -> bytes:
        """Return the bytes of an XADD up to the value's length; at most three streams a shard."""
        prefix = self._prefixes.get(stream)
        if prefix is None:
            key = stream.encode()
            prefix = b"*5\r\n$4\r\nXADD\r\n$%d\r\n%b\r\n$1\r\n*\r\n$%d\r\n%b\r\n$" % (
                len(key),
                key,
                len(ENTRY_FIELD),
                ENTRY_FIELD,
            )
            self._prefixes[stream] = prefix
        return prefix
