"""Offered more than its worker can write, the gate lets in what waits little, and keeps the worker busy.

The admission is real; gateway and worker are a model with a clock of its own. The gateway judges in each turn
what came since the last one; the worker writes batch after batch and says in its beacon how fast.
"""

import random
from collections import defaultdict

import pytest

from roomlog_contract import limits
from roomlog_contract.envelope import Beacon
from roomlog_contract.keyspace import Keyspace
from roomlog_contract.shards import DEFAULT_SHARDS
from roomlog_gateway.redis.admission import Admission
from roomlog_gateway.redis.stream_gate import SAMPLE_SECONDS
from tests.gateway.insides import Clock

KEYSPACE = Keyspace("overload")
COMMIT_SECONDS = 0.004
"""Of a batch, whatever is in it."""
BEACON_SECONDS = 0.25
WARMUP_SECONDS, SECONDS = 1.0, 4.0
MOST_WAIT_MS = 500
"""From a command's arrival to its commit, for 99 of 100."""


class Model:
    """One gateway and one worker, from arrival to commit."""

    def __init__(self, per_second: float, offered: float, turn_seconds: float) -> None:
        """The worker writes so many entries a second in full batches; so many are offered.

        A turn of the gateway's loop takes so long on average.
        """
        self.clock = Clock()
        self.admission = Admission(KEYSPACE, self.clock)
        self.waits_ms: list[float] = []
        """Of what was committed after the warm-up, in this order."""
        self._random = random.Random(7)
        self._began = self.clock.now
        self._per_entry = 1 / per_second - COMMIT_SECONDS / limits.STREAM_BATCH
        self._offered = offered
        self._turn_seconds = turn_seconds
        self._streams: list[list[float]] = [[] for _ in range(DEFAULT_SHARDS)]
        """When each entry arrived."""
        self._batch: dict[int, int] = {}
        self._oldest: dict[int, float] = {}
        self._drained = 0.0
        self._due = {self._turn: 0.0, self._write: 0.0, self._say: 0.0}
        self._turned_at = self._write_began = self.clock.now
        self._samples: list[tuple[int, int, int]] = []
        self._sampled_at: defaultdict[int, float] = defaultdict(float)

    def run(self) -> None:
        """Let the time pass."""
        while self.clock.now < self._began + WARMUP_SECONDS + SECONDS:
            step = min(self._due, key=lambda one: self._due[one])
            self.clock.now = max(self.clock.now, self._due[step])
            self._due[step] = self.clock.now + step()

    def _turn(self) -> float:
        now = self.clock.now
        for shard, entries, added in self._samples:
            self.admission.sampled(KEYSPACE.in_stream(shard), entries, added, self._turned_at)
        looked_at = {self._arrive() for _ in range(round((now - self._turned_at) * self._offered))}
        self._turned_at, self._samples = now, []
        for shard in looked_at:
            if now - self._sampled_at[shard] >= SAMPLE_SECONDS:
                self._sampled_at[shard] = now
                added = self.admission.added(KEYSPACE.in_stream(shard))
                self._samples.append((shard, len(self._streams[shard]), added))
        return self._turn_seconds * self._random.uniform(0.5, 1.5)

    def _arrive(self) -> int:
        shard = self._random.randrange(DEFAULT_SHARDS)
        stream = KEYSPACE.in_stream(shard)
        if not self.admission.is_over(stream):
            self.admission.add(stream)
            self._streams[shard].append(self._random.uniform(self._turned_at, self.clock.now))
        return shard

    def _write(self) -> float:
        now, written = self.clock.now, sum(self._batch.values())
        if written:
            self._drained = written / (now - self._write_began)
        for shard, entries in self._batch.items():
            if now > self._began + WARMUP_SECONDS:
                self.waits_ms += [(now - at) * 1000 for at in self._streams[shard][:entries]]
            del self._streams[shard][:entries]
        used = [shard for shard, entries in enumerate(self._streams) if entries]
        many = limits.STREAM_BATCH // max(1, len(used))
        self._batch = {shard: min(many, len(self._streams[shard])) for shard in used}
        self._oldest = {shard: self._streams[shard][0] for shard in used}
        self._write_began = now
        seconds = COMMIT_SECONDS + sum(self._batch.values()) * self._per_entry
        return seconds * self._random.uniform(0.7, 1.3)

    def _say(self) -> float:
        ages = {shard: int((self.clock.now - at) * 1000) for shard, at in self._oldest.items()}
        shards = list(range(DEFAULT_SHARDS))
        self.admission.heard(Beacon("w", shards, ages, self._drained, 5, database=True))
        return BEACON_SECONDS


@pytest.mark.parametrize(
    ("per_second", "share", "turn_seconds"),
    [(1_000.0, 3.0, 0.03), (5_000.0, 1.5, 0.03), (5_000.0, 3.0, 0.1), (12_000.0, 3.0, 0.03)],
)
def test_what_is_let_in_waits_little_and_keeps_the_worker_at_its_pace(
    per_second: float, share: float, turn_seconds: float
) -> None:
    """Slow workers, usual ones and fast ones, and a gateway that takes long; offered more than they can."""
    model = Model(per_second, per_second * share, turn_seconds)
    model.run()
    waits = sorted(model.waits_ms)
    assert len(waits) >= 0.95 * SECONDS * per_second
    assert waits[int(len(waits) * 0.99)] <= MOST_WAIT_MS
