"""The worker's loop: keep the leases, read a batch, write it, publish it, answer the reads.

One thread, one batch in flight, in order. Trouble of the database or of Redis is nobody's fault: the
batch stays in its stream and comes again. Any other failure halves the batch until the entry at fault
stands alone, and gives that one up after five tries.
"""

import time
import traceback
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

import msgspec
import redis
import structlog
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.db.models import QuerySet

from roomlog_contract import limits, shards
from roomlog_contract.envelope import Envelope, decode_envelope
from roomlog_contract.errors import ErrorCode
from roomlog_runtime.shutdown import Shutdown
from roomlog_store.models import PendingCommand

from . import metrics, reader
from .bus import Bus, RawEntry
from .crash import CrashPoint
from .entries import Entry
from .errors import LeaseLost
from .leases import LeaseKeeper
from .outcomes import Outcome, Publications, Recorded, Refused, head_moved, publications
from .writer import Writer

log = structlog.get_logger()

TROUBLE_SECONDS: Final = 0.5
"""Pause after a turn that a dependency cut short."""
SWEEP_SECONDS: Final = 1.0
"""How long a pending command may wait whose wake-up was lost."""
REMIND_SECONDS: Final = 2.0
"""Between reminders of the heads of rooms that moved."""
SQLITE_PAUSE_SECONDS: Final = 0.003
"""SQLite's waiting writers poll for their turn; without a pause they would starve."""
STUCK_SECONDS: Final = 60.0
"""A turn takes under 30 s even when every time-out is used up; beyond this the process is stuck."""


class Consumer:
    """One worker process at work."""

    def __init__(self, bus: Bus, leases: LeaseKeeper, shutdown: Shutdown, crash: CrashPoint) -> None:
        self._bus = bus
        self._leases = leases
        self._writer = Writer(leases, crash)
        self._shutdown = shutdown
        self._crash = crash
        self._failures: dict[str, int] = {}
        """Entry id → failures alone. Bound: an entry leaves it when done or buried."""
        self._suspects: dict[int, int] = {}
        """Shard of an unclean takeover → entries still to be taken one at a time."""
        self._moved: dict[UUID, tuple[str, int]] = {}
        """Heads to remind of: rooms written since the last reminder."""
        self._next_sweep = 0.0
        self._next_reminder = 0.0
        self._turned_at = time.monotonic()
        self._troubled = "starting"

    def run(self) -> None:
        """Work until shutdown is requested, then hand the leases over."""
        while not self._shutdown.requested:
            self._turn_safely()
        self._hand_over()

    def is_turning(self) -> bool:
        """Tell whether the loop goes round; says nothing about Redis or the database."""
        return time.monotonic() - self._turned_at < STUCK_SECONDS

    def trouble(self) -> str | None:
        """Return why the last turn was cut short, or None."""
        return self._troubled or None

    def _turn_safely(self) -> None:
        self._turned_at = time.monotonic()
        try:
            self._turn()
            self._troubled = ""
        except LeaseLost as lost:
            metrics.LEASES_LOST.inc(len(lost.shards))
            self._leases.lose(lost.shards)
        except (OperationalError, InterfaceError) as error:
            self._pause("database", error)
            connection.close()
        except redis.RedisError as error:
            self._bus.disconnect()
            self._without_redis()
            self._pause("redis", error)

    def _turn(self) -> None:
        self._keep_leases()
        if not self._leases.epochs:
            self._shutdown.wait(SWEEP_SECONDS / 4)
            return
        raw = self._bus.read(self._leases.epochs)
        writes, reads, wakes = self._sort(raw)
        self._write(writes)
        self._read(reads)
        if wakes:
            self._bus.finish((), wakes)
        if wakes or time.monotonic() >= self._next_sweep:
            self._sweep()
        self._remind()

    def _without_redis(self) -> None:
        """Carry out what the api left in the database; gateways find the events by their heads."""
        try:
            self._keep_leases()
            self._sweep()
        except (redis.RedisError, DatabaseError, LeaseLost):
            connection.close()

    def _pause(self, dependency: str, error: Exception) -> None:
        metrics.TROUBLE.labels(dependency).inc()
        if self._troubled != dependency:
            log.warning("trouble", dependency=dependency, error=type(error).__name__)
        self._troubled = dependency
        self._shutdown.wait(TROUBLE_SECONDS)

    def _hand_over(self) -> None:
        try:
            self._leases.release_all()
        except DatabaseError as error:
            log.warning("leases_not_released", error=type(error).__name__)

    def _keep_leases(self) -> None:
        before = set(self._leases.epochs)
        self._leases.keep()
        if self._leases.unclean:
            self._suspects |= dict.fromkeys(self._leases.unclean, limits.STREAM_BATCH)
            self._leases.unclean.clear()
        if before != self._leases.epochs.keys():
            self._next_sweep = 0.0
            for shard in range(shards.SHARDS):
                metrics.SHARD_OWNED.labels(f"{shard:02d}").set(shard in self._leases.epochs)

    def _sort(self, raw: Sequence[RawEntry]) -> tuple[list[Entry], list[Entry], dict[str, list[str]]]:
        """Return writes, reads and mere wake-ups; what can't be decoded is buried at once."""
        writes: list[Entry] = []
        reads: list[Entry] = []
        wakes: defaultdict[str, list[str]] = defaultdict(list)
        for stream, entry_id, value in raw:
            envelope = _decoded(value)
            if envelope is None:
                if value:
                    self._bury_undecodable(_shard_of(stream), entry_id, value)
                wakes[stream].append(entry_id)
                continue
            entry = Entry(_shard_of(stream), stream, entry_id, envelope)
            (writes if stream.endswith(":in") else reads).append(entry)
        return writes, reads, wakes

    def _write(self, entries: list[Entry]) -> None:
        if not entries:
            self._acquit(set(self._suspects))
            return
        started = time.monotonic()
        now_ms = time.time() * 1000
        for entry in entries:
            metrics.QUEUED_SECONDS.observe(max(0.0, now_ms - entry.envelope.received_ms) / 1000)
        rooms = {entry.room for entry in entries}
        entries = _pending(PendingCommand.objects.filter(room__in=rooms)) + entries
        parked: set[UUID] = set()
        if self._suspects:
            entries = self._take_singly(entries, parked)
        for start in range(0, len(entries), limits.STREAM_BATCH):
            self._in_halves(entries[start : start + limits.STREAM_BATCH], self._commit, parked)
        metrics.BATCH_SECONDS.observe(time.monotonic() - started)
        if connection.vendor == "sqlite":
            self._shutdown.wait(SQLITE_PAUSE_SECONDS)

    def _take_singly(self, entries: list[Entry], parked: set[UUID]) -> list[Entry]:
        """Write the entries of suspect shards alone, counted before each try; return the others."""
        for entry in entries:
            if entry.shard not in self._suspects:
                continue
            if self._bus.count_try(entry.shard, entry.id) > limits.ENTRY_TRIES:
                self._bury(entry, "kills its process")
            else:
                self._in_halves([entry], self._commit, parked)
            self._suspects[entry.shard] -= 1
        others = [entry for entry in entries if entry.shard not in self._suspects]
        self._acquit({shard for shard, left in self._suspects.items() if left <= 0})
        return others

    def _acquit(self, through: set[int]) -> None:
        """Take the shards' entries in batches again: whatever killed their earlier owner is gone."""
        for shard in through:
            self._bus.forget_tries(shard)
            del self._suspects[shard]

    def _commit(self, entries: Sequence[Entry]) -> None:
        outcomes = self._writer.write(entries)
        self._crash.reached("after_commit")
        metrics.BATCH_ENTRIES.observe(len(entries))
        for outcome in outcomes:
            self._failures.pop(outcome.entry.id, None)
            self._count(outcome)
        out = publications(outcomes)
        self._bus.finish(out.notices, out.done)
        self._crash.reached("after_delete")
        self._bus.answer(out.replies)

    def _read(self, entries: list[Entry]) -> None:
        self._in_halves(entries, self._answer_reads, set())

    def _answer_reads(self, entries: Sequence[Entry]) -> None:
        out = Publications()
        for entry, reply in zip(entries, reader.read(entries), strict=True):
            metrics.READS.labels(entry.action).inc()
            out.replies[entry.envelope.gateway].append(reply)
            out.done[entry.stream].append(entry.id)
        self._bus.finish((), out.done)
        self._bus.answer(out.replies)

    def _in_halves(
        self, entries: list[Entry], step: Callable[[Sequence[Entry]], None], parked: set[UUID]
    ) -> None:
        """Do the step for all entries at once, or halve them until the one at fault stands alone."""
        entries = [entry for entry in entries if not parked or entry.room not in parked]
        if not entries:
            return
        try:
            step(entries)
        except (OperationalError, InterfaceError, redis.RedisError, LeaseLost):
            raise
        except Exception as error:
            if len(entries) == 1:
                self._failed_alone(entries[0], error, parked)
                return
            middle = len(entries) // 2
            self._in_halves(entries[:middle], step, parked)
            self._in_halves(entries[middle:], step, parked)

    def _failed_alone(self, entry: Entry, error: Exception, parked: set[UUID]) -> None:
        failures = self._failures[entry.id] = self._failures.get(entry.id, 0) + 1
        # Only class and place: the text of a database error quotes the row.
        place = traceback.extract_tb(error.__traceback__)[-1]
        log.error(
            "entry_failed",
            action=entry.action,
            entry=entry.id,
            error=type(error).__name__,
            place=f"{place.name}:{place.lineno}",
        )
        if failures >= limits.ENTRY_TRIES:
            self._bury(entry, type(error).__name__)
        elif not entry.stream.endswith(":read"):
            parked.add(entry.room)

    def _bury_undecodable(self, shard: int, entry_id: str, value: bytes) -> None:
        self._writer.keep_undecodable(shard, entry_id, value)
        metrics.DEAD_LETTERS.inc()
        log.error("entry_undecodable", shard=shard, entry=entry_id, bytes=len(value))

    def _bury(self, entry: Entry, error: str) -> None:
        self._writer.bury(entry, error)
        self._failures.pop(entry.id, None)
        metrics.DEAD_LETTERS.inc()
        log.error("dead_letter", action=entry.action, entry=entry.id, uuid=entry.envelope.command.uuid)
        out = publications([Refused(entry, ErrorCode.INTERNAL, "The command failed and was not stored.")])
        self._bus.finish(out.notices, out.done)
        self._bus.answer(out.replies)

    def _sweep(self) -> None:
        """Carry out what the api wrote for the owned shards."""
        self._next_sweep = time.monotonic() + SWEEP_SECONDS
        rows = PendingCommand.objects.filter(shard__in=self._leases.epochs.keys())
        self._in_halves(_pending(rows), self._commit, set())

    def _count(self, outcome: Outcome) -> None:
        if not isinstance(outcome, Recorded):
            metrics.REFUSALS.labels(outcome.code.value).inc()
        elif outcome.duplicate:
            metrics.DUPLICATES.inc()
        else:
            metrics.EVENTS.labels(outcome.entry.action).inc()
            self._moved[outcome.event.room_id] = (outcome.epoch, outcome.event.seq)

    def _remind(self) -> None:
        now = time.monotonic()
        if now < self._next_reminder or not self._moved:
            return
        self._next_reminder = now + REMIND_SECONDS
        heads = [head_moved(room, epoch, seq) for room, (epoch, seq) in self._moved.items()]
        self._moved.clear()
        self._bus.finish(heads, {})


def _decoded(value: bytes) -> Envelope | None:
    try:
        return decode_envelope(value)
    except msgspec.DecodeError:
        return None


def _shard_of(stream: str) -> int:
    """Return NN of `roomlog:{sNN}:in`."""
    return int(stream.partition("{s")[2][:2])


def _pending(rows: QuerySet[PendingCommand]) -> list[Entry]:
    return [
        Entry(row.shard, "", f"pending-{row.pk}", decode_envelope(bytes(row.envelope)), row.pk)
        for row in rows.order_by("id")[: limits.STREAM_BATCH]
    ]
