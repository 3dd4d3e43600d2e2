"""The worker's loop: keep the leases, read a batch, write it, publish it.

One thread, one batch in flight, in order; reads are answered beside it (`lane`). Trouble of the database or
of Redis is no entry's fault: the batch stays in its stream and is read again. `poison` handles the rest.
"""

import time
from collections.abc import Collection, Iterable, Sequence
from typing import Final
from uuid import UUID

import redis
import structlog
from django.db import DatabaseError, InterfaceError, connection

from roomlog.models import PendingCommand
from roomlog_contract import limits
from roomlog_contract.errors import ErrorCode
from roomlog_contract.trail import Note, ignore
from roomlog_runtime.shutdown import Shutdown

from . import metrics
from .beacon import Pulse
from .bus import Bus, RawEntry
from .claim import Claim
from .crash_point import CrashPoint
from .decisions import Outcome, few_changes
from .entries import Entry, Work, entry_of, hop_of, label_of, oldest_ms, pending_entry, shard_of
from .errors import FailAlike, ForeignClaim, LeaseLost, sqlstate_of
from .head_reminders import HeadReminders
from .lane import Lane
from .leases import LeaseKeeper
from .log.erasure import Erased
from .log.errors import RefusedWrite
from .member_sync import with_changes
from .objections import Objections
from .parking import PARKED_SECONDS, Parking
from .poison import Isolation
from .pruner import Pruner
from .publications import Publications, publications
from .steps import noted
from .trouble import Trouble
from .writer import Writer

log = structlog.get_logger()

TROUBLE_SECONDS: Final = 0.5
"""Pause after a turn that a dependency cut short."""
SWEEP_SECONDS: Final = 1.0
"""How long a pending command may wait whose wake-up was lost."""
WITHOUT_REDIS_SECONDS: Final = 1.0
"""For rows of the api in a turn that has no Redis."""
SQLITE_PAUSE_SECONDS: Final = 0.003
"""SQLite's waiting writers poll for their turn; without a pause they would starve."""
STUCK_SECONDS: Final = 60.0
"""A turn takes under 30 s even when every time-out is used up; beyond this the process is stuck."""


class Consumer:
    """One worker process at work."""

    def __init__(
        self,
        bus: Bus,
        leases: LeaseKeeper,
        claim: Claim,
        shutdown: Shutdown,
        crash: CrashPoint,
        lanes: Sequence[Lane] = (),
        pulse: Pulse | None = None,
        note: Note = ignore,
    ) -> None:
        """`lanes` answer the reads of the shards that this process owns; `pulse` is kept for the beacon.

        `note` takes steps of commands for the trail and for spans.
        """
        self._pulse = pulse or Pulse()
        self._bus = bus
        self._note = note
        self._lanes = lanes
        self._leases = leases
        self._claim = claim
        self._writer = Writer(leases, crash)
        self._isolation = Isolation(bus, self._bury, rehearse=self._writer.rehearse)
        self._shutdown = shutdown
        self._crash = crash
        self._owned: set[int] = set()
        """The shards of the last turn."""
        self._reminders = HeadReminders()
        self._next_sweep = 0.0
        self._swept = 0
        """The row up to which the sweep under way has come; 0 between sweeps."""
        self._parking = Parking()
        self._objections = Objections()
        self._turned_at = time.monotonic()
        self._trouble = Trouble()
        self._pruner = Pruner(bus.keyspace, leases, time.monotonic)

    def run(self) -> None:
        """Work until shutdown is requested, then hand the leases over."""
        for lane in self._lanes:
            lane.start()
        while not self._shutdown.requested:
            self.turn()
        self._hand_over()  # first: reads need no lease, and rooms must not wait for those under way
        for lane in self._lanes:
            lane.join()
        self.close()

    def close(self) -> None:
        """End the threads that ask the project's policy. Again is harmless."""
        self._objections.close()

    def is_turning(self) -> bool:
        """Tell whether all loops go round; says nothing about Redis or the database."""
        is_turning = time.monotonic() - self._turned_at < STUCK_SECONDS
        return is_turning and all(lane.is_turning() for lane in self._lanes)

    def trouble(self) -> str | None:
        """Return why the last turn was cut short, or None; that of a lane counts too."""
        return self._trouble.name or next((why for lane in self._lanes if (why := lane.trouble())), None)

    def turn(self) -> None:
        """Do one round of work. Trouble ends it early, after a pause, and is no error."""
        self._turned_at = time.monotonic()
        self._pulse.turned()
        try:
            self._turn()
        except (ForeignClaim, LeaseLost, FailAlike, DatabaseError, InterfaceError, redis.RedisError) as error:
            self._rewind()
            self._cut_short(error)
        else:
            self._recover()

    def _turn(self) -> None:
        self._claim.renew()
        if not self._owned:
            self._bus.ping()  # a worker that doesn't reach Redis takes no shard
            self._leases.redis_answered()
        self._keep_leases()
        if not self._owned:
            self._shutdown.wait(SWEEP_SECONDS / 4)
            return
        self._isolation.start_turn()
        is_through = self._bus.is_through and not self._swept
        if self._parking.is_over(is_used=self._bus.has_passed, is_through=is_through):
            self._rewind()
        raw = self._bus.read(self._owned, self._patience_ms())
        self._leases.redis_answered()
        self._pulse.oldest_ms = oldest_ms(raw)
        self._pulse.began()
        work = self._sort(raw)
        # The sender of one of these entries may have seen the api's answer to the command behind the wake-up.
        is_sweeping = bool(work.spent) or time.monotonic() >= self._next_sweep
        if is_sweeping:
            self._sweep()
        self._write(work.writes)
        if work.spent:
            self._bus.finish((), work.spent)
        self._pulse.ended()
        self._isolation.end_turn()
        self._bus.pass_over()
        if is_sweeping and not (self._swept or self._bus.has_passed):
            self._isolation.acquit(self._owned - work.shards)
        if reminders := self._reminders.due(time.monotonic()):
            self._bus.finish(reminders, {})
        self._pruner.turn(is_idle=not raw and not self._swept)

    def _patience_ms(self) -> int | None:
        """Return how long to wait for entries, None for the bus's own time; not between pieces of a sweep."""
        if self._swept:
            return 0
        return int(PARKED_SECONDS * 1000) if self._bus.has_passed else None

    def _rewind(self) -> None:
        """Read everything from the start again: nothing stays parked or passed over."""
        self._parking.clear()
        self._bus.rewind()
        self._swept = 0

    def _cut_short(self, error: Exception) -> None:
        if isinstance(error, LeaseLost):
            metrics.LEASES_LOST.inc(len(error.shards))
            self._leases.lose(error.shards)
        elif isinstance(error, ForeignClaim):
            self._stand_back(error)
        elif isinstance(error, redis.RedisError):
            self._bus.disconnect()
            self._claim.lapse()
            self._leases.redis_failed()
            if not self._claim.is_foreign:
                self._without_redis()
            self._pause("redis", error)
        else:
            # With the session go its prepared statements and the room cache.
            connection.close()
            self._lose_database(error)
            self._isolation.cut_short(error)
            self._pause("entries" if isinstance(error, FailAlike) else "database", error)

    def _lose_database(self, error: Exception) -> None:
        self._pulse.has_database = False
        if not isinstance(error, FailAlike):
            metrics.show_owned(frozenset(), self._bus.keyspace)

    def _stand_back(self, error: ForeignClaim) -> None:
        """Own nothing while another database's workers hold the prefix: its entries are theirs."""
        try:
            self._leases.release()
        except (DatabaseError, InterfaceError):
            connection.close()
        self._own(set())
        self._trouble.name = str(error)
        self._shutdown.wait(TROUBLE_SECONDS)

    def _without_redis(self) -> None:
        """Process the api's pending commands; gateways find the events by their heads."""
        until = time.monotonic() + WITHOUT_REDIS_SECONDS
        try:
            self._keep_leases()
            while True:
                try:
                    self._sweep()
                except redis.RedisError:
                    self._bus.disconnect()  # the rows are events now; only the notices are lost
                if not self._swept or time.monotonic() > until:
                    break
        except LeaseLost as lost:
            self._leases.lose(lost.shards)
        except (DatabaseError, InterfaceError) as error:
            connection.close()
            self._lose_database(error)
        self._rewind()

    def _pause(self, dependency: str, error: Exception) -> None:
        self._trouble.met(dependency, error)
        self._shutdown.wait(TROUBLE_SECONDS)

    def _recover(self) -> None:
        self._trouble.ended()
        if not self._pulse.has_database:
            self._pulse.has_database = True
            metrics.show_owned(self._owned, self._bus.keyspace)

    def _hand_over(self) -> None:
        try:
            self._leases.release_all()
        except (DatabaseError, InterfaceError) as error:
            log.warning("leases_not_released", error=type(error).__name__)

    def _keep_leases(self) -> None:
        self._leases.keep()
        metrics.TWINS.set(self._leases.twins)
        self._own(set(self._leases.epochs))

    def _own(self, owned: set[int]) -> None:
        """Work on these shards from now on."""
        unclean = frozenset(self._leases.unclean)
        if owned != self._owned or unclean:
            for lane in self._lanes:
                lane.own(owned, unclean)
        self._pulse.shards = frozenset(owned)
        if owned != self._owned:
            self._owned = owned
            self._rewind()
            self._next_sweep = 0.0
            self._isolation.forget_all_but(owned)
            metrics.show_owned(owned if self._pulse.has_database else frozenset(), self._bus.keyspace)
        if unclean:
            self._isolation.suspect(unclean)
            self._leases.unclean.clear()

    def _sort(self, raw: Sequence[RawEntry]) -> Work:
        """Tell commands from wake-ups; what can't be decoded is buried at once."""
        work = Work()
        for stream, entry_id, value in raw:
            entry = entry_of(stream, entry_id, value) if value else None
            if entry is None:
                if not value or self._bury_undecodable(shard_of(stream), label_of(stream, entry_id), value):
                    work.spent[stream].append(entry_id)
            else:
                work.writes.append(entry)
        return work

    def _write(self, entries: list[Entry]) -> None:
        if not entries:
            return
        started, began_ms = time.monotonic(), time.time() * 1000
        sifted = self._objections.sift(entries)
        self._parking.rooms |= sifted.waiting
        if sifted.refused:
            self._tell(publications(sifted.refused), time.time_ns())
        self._commit_all(sifted.ready)
        metrics.BATCH_SECONDS.observe(time.monotonic() - started)
        for entry in entries:
            if received_ms := entry.envelope.received_ms:
                metrics.QUEUED_SECONDS.observe(max(0.0, began_ms - received_ms) / 1000)

    def _sweep(self) -> None:
        """Process a batch of the owned shards' pending commands, the oldest first.

        If there are more, the next turn continues after reading the streams.
        """
        rows = PendingCommand.objects.filter(shard__in=self._owned, id__gt=self._swept)
        batch = list(rows.order_by("id")[: limits.STREAM_BATCH])
        is_full = len(batch) == limits.STREAM_BATCH
        self._swept = batch[-1].pk if is_full else 0
        self._next_sweep = 0.0 if is_full else time.monotonic() + SWEEP_SECONDS
        entries, unfinished = with_changes(self._entries_of(batch))
        self._commit_all(entries)
        if unfinished:
            self._parking.rooms |= unfinished
            self._parking.hurry()
            self._next_sweep = 0.0

    def _commit_all(self, entries: list[Entry]) -> None:
        self._isolation.run(entries, self._commit, self._parking.rooms, limits.STREAM_BATCH)

    def _commit(self, entries: Sequence[Entry]) -> Collection[UUID]:
        few, began_ns = few_changes(entries), time.time_ns()
        if len(few) < len(entries):
            self._parking.hurry()
        with metrics.WRITE_STAGE.time():
            published = self._writer.write(few)
        self._crash.reached("after_commit")
        metrics.BATCH_ENTRIES.observe(len(entries))
        with metrics.PUBLISH_STAGE.time():
            self._tell(published, began_ns)
        if connection.vendor == "sqlite":
            self._shutdown.wait(SQLITE_PAUSE_SECONDS)
        if len(published.outcomes) == len(entries):
            return ()
        done = {outcome.entry.key for outcome in published.outcomes}
        return {entry.room for entry in entries if entry.key not in done}

    def _tell(self, published: Publications, began_ns: int) -> None:
        try:
            with noted(self._note, published.outcomes, began_ns):
                self._publish(published)
        finally:  # what was not published is told with the next reminder of the heads
            self._pulse.wrote([outcome.entry.room for outcome in published.outcomes])
            self._objections.forget([outcome.entry for outcome in published.outcomes])
            for outcome in published.outcomes:
                self._count(outcome)

    def _publish(self, out: Publications) -> None:
        """Publish, delete, and only then answer: an error promises that no worker will process its entry."""
        self._bus.finish(out.notices, out.done)
        self._crash.reached("after_delete")
        self._bus.answer(out.replies)
        # A worker that took a shard before the deletion may have read the entry and be writing it now.
        if out.refusals and self._leases.still_owns({outcome.entry.shard for outcome in out.outcomes}):
            self._bus.answer(out.refusals)

    def _bury(self, entry: Entry, error: str) -> None:
        was_never_stored = self._writer.bury(entry, error)
        metrics.DEAD_LETTERS.inc()
        log.error("dead_letter", action=entry.action, entry=entry.id, **hop_of(entry))
        if was_never_stored:
            refusal = RefusedWrite(ErrorCode.INTERNAL, "The command failed and was not stored.")
            self._publish(publications([Outcome(entry, refusal)]))
        elif entry.stream:
            self._bus.finish((), {entry.stream: [entry.id]})

    def _bury_undecodable(self, shard: int, label: str, value: bytes, pending: int | None = None) -> bool:
        """Store what can't be decoded as a dead letter; return whether to delete it. Else it comes again."""
        try:
            self._writer.bury_undecodable(shard, label, value, pending)
        except (DatabaseError, InterfaceError) as error:  # the others must not wait for that
            log.error("not_buried", shard=shard, entry=label, sqlstate=sqlstate_of(error))
            return False
        metrics.DEAD_LETTERS.inc()
        log.error("entry_undecodable", shard=shard, entry=label, bytes=len(value))
        return True

    def _entries_of(self, rows: Iterable[PendingCommand]) -> list[Entry]:
        """Return waiting rows as entries; what can't be decoded is buried at once."""
        entries = []
        for row in rows:
            value = bytes(row.envelope)
            entry = pending_entry(row.shard, row.pk, value)
            if entry is None:
                self._bury_undecodable(row.shard, f"pending-{row.pk}", value, row.pk)
            else:
                entries.append(entry)
        return entries

    def _count(self, outcome: Outcome) -> None:
        action, result = outcome.entry.action, outcome.result
        if isinstance(result, RefusedWrite):
            metrics.REFUSALS.labels(result.code.value).inc()
        elif isinstance(result, Erased):
            self._isolation.worked(action)
        elif result.duplicate:
            metrics.DUPLICATES.inc()
        else:
            metrics.events_of(action).inc()
            self._isolation.worked(action)
            self._reminders.moved(result.event.room_id, result.epoch, result.event.seq)
