"""The worker's loop: keep the leases, read a batch, write it, publish it.

One thread, one batch in flight, in order; reads are answered beside it (`lane`). Trouble of the database or
of Redis is nobody's fault: the batch stays in its stream and comes again. What else fails goes to `trials`.
"""

import time
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import redis
import structlog
from django.db import DatabaseError, InterfaceError, connection

from roomlog_contract import limits, shards
from roomlog_contract.errors import ErrorCode
from roomlog_runtime.shutdown import Shutdown
from roomlog_store.models import PendingCommand

from . import metrics
from .bus import Bus, RawEntry
from .crash import CrashPoint
from .entries import Entry, entry_of, label_of, pending_entry, shard_of
from .errors import LeaseLost
from .lane import Lane
from .leases import LeaseKeeper
from .outcomes import Outcome, Publications, Recorded, Refused, head_moved, publications
from .trials import Trials
from .writer import Writer

log = structlog.get_logger()

TROUBLE_SECONDS: Final = 0.5
"""Pause after a turn that a dependency cut short."""
SWEEP_SECONDS: Final = 1.0
"""How long a pending command may wait whose wake-up was lost."""
REMIND_SECONDS: Final = 2.0
"""Between reminders of the heads of rooms that moved."""
REMINDERS: Final = 10_000
"""Rooms in one reminder: they are an accelerator, and gateways ask for themselves."""
SQLITE_PAUSE_SECONDS: Final = 0.003
"""SQLite's waiting writers poll for their turn; without a pause they would starve."""
STUCK_SECONDS: Final = 60.0
"""A turn takes under 30 s even when every time-out is used up; beyond this the process is stuck."""


@dataclass(slots=True)
class _Work:
    """What one read brought."""

    writes: list[Entry] = field(default_factory=list)
    spent: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Wake-ups, and what was buried unread: to be deleted, by stream."""

    @property
    def shards(self) -> set[int]:
        """Return the shards that have work."""
        return {entry.shard for entry in self.writes}


class Consumer:
    """One worker process at work."""

    def __init__(
        self,
        bus: Bus,
        leases: LeaseKeeper,
        shutdown: Shutdown,
        crash: CrashPoint,
        lanes: Sequence[Lane] = (),
    ) -> None:
        """`lanes` answer the reads of the shards that this process owns."""
        self._bus = bus
        self._lanes = lanes
        self._leases = leases
        self._writer = Writer(leases, crash)
        self._trials = Trials(bus, self._bury)
        self._shutdown = shutdown
        self._crash = crash
        self._owned: set[int] = set()
        """The shards of the last turn."""
        self._moved: dict[UUID, tuple[str, int]] = {}
        """Heads to remind of: rooms written since the last reminder."""
        self._next_sweep = 0.0
        self._next_reminder = 0.0
        self._turned_at = time.monotonic()
        self._troubled = "starting"

    def run(self) -> None:
        """Work until shutdown is requested, then hand the leases over."""
        for lane in self._lanes:
            lane.start()
        while not self._shutdown.requested:
            self.turn()
        for lane in self._lanes:
            lane.join()
        self._hand_over()

    def is_turning(self) -> bool:
        """Tell whether all loops go round; says nothing about Redis or the database."""
        is_turning = time.monotonic() - self._turned_at < STUCK_SECONDS
        return is_turning and all(lane.is_turning() for lane in self._lanes)

    def trouble(self) -> str | None:
        """Return why the last turn was cut short, or None; that of a lane counts too."""
        return self._troubled or next((why for lane in self._lanes if (why := lane.trouble())), None)

    def turn(self) -> None:
        """Do one round of work. Trouble ends it early, after a pause, and is no error."""
        self._turned_at = time.monotonic()
        try:
            self._turn()
            self._troubled = ""
        except LeaseLost as lost:
            metrics.LEASES_LOST.inc(len(lost.shards))
            self._leases.lose(lost.shards)
        except (DatabaseError, InterfaceError) as error:
            connection.close()
            self._pause("database", error)
        except redis.RedisError as error:
            self._bus.disconnect()
            self._leases.redis_failed()
            self._without_redis()
            self._pause("redis", error)

    def _turn(self) -> None:
        if not self._owned:
            self._bus.ping()  # whoever doesn't reach Redis is given no shard
            self._leases.redis_answered()
        self._keep_leases()
        if not self._owned:
            self._shutdown.wait(SWEEP_SECONDS / 4)
            return
        raw = self._bus.read(self._owned)
        self._leases.redis_answered()
        work = self._sort(raw)
        parked: set[UUID] = set()
        # Whoever sent one of these entries may have seen the api's answer to what the wake-up stands for.
        is_sweeping = bool(work.spent) or time.monotonic() >= self._next_sweep
        if is_sweeping:
            self._sweep(parked)
        self._write(work.writes, parked)
        if work.spent:
            self._bus.finish((), work.spent)
        if is_sweeping and len(raw) < self._bus.most_entries:
            self._trials.acquit(self._owned - work.shards)
        self._remind()

    def _without_redis(self) -> None:
        """Carry out what the api left in the database; gateways find the events by their heads."""
        try:
            self._keep_leases()
            self._sweep(set())
        except redis.RedisError:
            pass  # the rows are written and gone; only nobody could be told
        except LeaseLost as lost:
            self._leases.lose(lost.shards)
        except (DatabaseError, InterfaceError):
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
        except (DatabaseError, InterfaceError) as error:
            log.warning("leases_not_released", error=type(error).__name__)

    def _keep_leases(self) -> None:
        self._leases.keep()
        metrics.TWINS.set(self._leases.twins)
        owned, unclean = set(self._leases.epochs), frozenset(self._leases.unclean)
        if owned != self._owned or unclean:
            for lane in self._lanes:
                lane.own(owned, unclean)
        if owned != self._owned:
            self._owned = owned
            self._next_sweep = 0.0
            self._trials.forget_all_but(owned)
            for shard in range(shards.SHARDS):
                metrics.SHARD_OWNED.labels(f"{shard:02d}").set(shard in owned)
        if unclean:
            self._trials.suspect(unclean)
            self._leases.unclean.clear()

    def _sort(self, raw: Sequence[RawEntry]) -> _Work:
        """Tell commands from wake-ups; what can't be decoded is buried at once."""
        work = _Work()
        for stream, entry_id, value in raw:
            entry = entry_of(stream, entry_id, value) if value else None
            if entry is None:
                if value:
                    self._bury_undecodable(shard_of(stream), label_of(stream, entry_id), value)
                work.spent[stream].append(entry_id)
            else:
                work.writes.append(entry)
        return work

    def _write(self, entries: list[Entry], parked: set[UUID]) -> None:
        if not entries:
            return
        started, began_ms = time.monotonic(), time.time() * 1000
        self._commit_all(entries, parked)
        metrics.BATCH_SECONDS.observe(time.monotonic() - started)
        for entry in entries:
            if received_ms := entry.envelope.received_ms:
                metrics.QUEUED_SECONDS.observe(max(0.0, began_ms - received_ms) / 1000)

    def _sweep(self, parked: set[UUID]) -> None:
        """Carry out what the api wrote for the owned shards, the oldest first."""
        self._next_sweep = time.monotonic() + SWEEP_SECONDS
        self._commit_all(self._pending(), parked)

    def _commit_all(self, entries: list[Entry], parked: set[UUID]) -> None:
        self._trials.run(entries, self._commit, parked, limits.STREAM_BATCH)

    def _commit(self, entries: Sequence[Entry]) -> Collection[UUID]:
        published = self._writer.write(entries)
        self._crash.reached("after_commit")
        try:
            self._publish(published)
        finally:  # what was not published is told with the next reminder of the heads
            metrics.BATCH_ENTRIES.observe(len(entries))
            for outcome in published.outcomes:
                self._count(outcome)
        if connection.vendor == "sqlite":
            self._shutdown.wait(SQLITE_PAUSE_SECONDS)
        if len(published.outcomes) == len(entries):
            return ()
        done = {outcome.entry.key for outcome in published.outcomes}
        return {entry.room for entry in entries if entry.key not in done}

    def _publish(self, out: Publications) -> None:
        """Publish, delete, and only then answer: an error says that its entry is nobody's work any more."""
        self._bus.finish(out.notices, out.done)
        self._crash.reached("after_delete")
        self._bus.answer(out.replies)
        # Whoever took a shard before the deletion may have read the entry and be writing it now.
        if out.refusals and self._leases.hold({outcome.entry.shard for outcome in out.outcomes}):
            self._bus.answer(out.refusals)

    def _bury(self, entry: Entry, error: str) -> None:
        was_never_stored = self._writer.bury(entry, error)
        metrics.DEAD_LETTERS.inc()
        log.error("dead_letter", action=entry.action, entry=entry.id, uuid=entry.envelope.command.uuid)
        if was_never_stored:
            refusal = Refused(entry, ErrorCode.INTERNAL, "The command failed and was not stored.")
            self._publish(publications([refusal]))
        elif entry.stream:
            self._bus.finish((), {entry.stream: [entry.id]})

    def _bury_undecodable(self, shard: int, label: str, value: bytes, pending: int | None = None) -> None:
        self._writer.bury_undecodable(shard, label, value, pending)
        metrics.DEAD_LETTERS.inc()
        log.error("entry_undecodable", shard=shard, entry=label, bytes=len(value))

    def _pending(self) -> list[Entry]:
        """Return the oldest of the waiting rows; what can't be decoded is buried at once."""
        entries = []
        rows = PendingCommand.objects.filter(shard__in=self._owned)
        for row in rows.order_by("id")[: limits.STREAM_BATCH]:
            value = bytes(row.envelope)
            entry = pending_entry(row.shard, row.pk, value)
            if entry is None:
                self._bury_undecodable(row.shard, f"pending-{row.pk}", value, row.pk)
            else:
                entries.append(entry)
        return entries

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
        moved = list(self._moved.items())[-REMINDERS:]
        self._moved.clear()
        self._bus.finish([head_moved(room, epoch, seq) for room, (epoch, seq) in moved], {})
