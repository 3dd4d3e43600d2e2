"""Answers the commands of one kind of `read` streams in a thread of its own: reads never stop writes.

Beside the writer, with connections to Redis and to the database of its own. Answers are made from committed
rows, so a lane needs no lease: two lanes that answer the same command give the same answer. An entry leaves
its stream only after its reply was published. It must not write a room's log; all it writes are read
marks, levels of notifications, blocks and reports of messages.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

import redis
import structlog
from django.db import DatabaseError, InterfaceError, connection

from roomlog.authenticators import Authenticator, own_authenticators
from roomlog.databases import limit_reads
from roomlog.replica import Replica
from roomlog_contract.codec import encode_frame
from roomlog_contract.envelope import Answered, Reply
from roomlog_contract.errors import ErrorCode
from roomlog_contract.keyspace import Keyspace
from roomlog_runtime.causes import cause_of
from roomlog_runtime.logs import is_debug
from roomlog_runtime.shutdown import Shutdown

from . import blocks, dead_letters, marks, metrics, reader, reports
from .bus import READ_BATCH, Bus, ChannelNotice
from .cluster_bus import bus_of
from .entries import Entry, entry_of, hop_of, label_of, shard_of
from .errors import FailAlike, is_trouble_of_reads, sqlstate_of
from .fairness import Fairness
from .logins import Logins
from .pace import Pace
from .poison import Isolation
from .publications import error_answer

log = structlog.get_logger()

READS_AT_ONCE: Final = 32
"""Read commands answered together: their pages are in memory at the same time."""
LANES: Final = 2
"""Of a worker: `lanes_of`."""
TURN_SECONDS: Final = 0.1
"""After this a turn begins no further read, and looks who else has come."""
IDLE_SECONDS: Final = 0.25
"""Between two looks while this process owns no shard."""
TROUBLE_SECONDS: Final = 0.5
"""Pause after a turn that a dependency cut short."""
STUCK_SECONDS: Final = 60.0
"""A turn takes under 30 s even when every time-out is used up; beyond this the thread is stuck."""
JOIN_SECONDS: Final = 5.0
"""For the turn under way when the process ends; what it has not answered stays for the next owner."""


class Lane:
    """One thread of reads; `at_once` of them are asked of the database together."""

    def __init__(
        self,
        name: str,
        bus: Bus,
        shutdown: Shutdown,
        at_once: int = READS_AT_ONCE,
        authenticators: Sequence[Authenticator] = (),
    ) -> None:
        self.has_failed = False
        """The thread has ended by a fault of its own."""
        self._name = name
        self.bus = bus
        self._shutdown = shutdown
        self._at_once = at_once
        self._isolation = Isolation(bus, self._bury, is_trouble_of_reads)
        self._logins = Logins(authenticators)
        self._replica = Replica(count=lambda outcome: metrics.REPLICA_READS.labels(outcome).inc())
        self._fairness = Fairness()
        self._pace = Pace(time.monotonic())
        self._thread = threading.Thread(target=self._run, name=f"reads-{name}", daemon=True)
        self._told = threading.Lock()
        self._owned: frozenset[int] = frozenset()
        self._unclean: set[int] = set()
        self._turned_at = time.monotonic()
        self._troubled = ""
        self._since = 0.0
        """When the trouble began."""
        self._failing: set[str] = set()
        """Which of what the lane writes can't be written just now."""

    def own(self, shards: Collection[int], unclean: Collection[int]) -> None:
        """Read these shards' streams from now on; the first entries of the unclean ones may be deadly."""
        with self._told:
            self._owned = frozenset(shards)
            self._unclean.update(unclean)

    def start(self) -> None:
        """Start the thread; it ends when shutdown is requested."""
        self._thread.start()

    def join(self) -> None:
        """Wait for the turn under way, at most JOIN_SECONDS."""
        self._thread.join(JOIN_SECONDS)

    def close(self) -> None:
        """Give Redis and the threads of logins back; the thread does so itself at its end."""
        self._logins.close()
        self._replica.close()
        self.bus.disconnect()

    def is_turning(self) -> bool:
        """Return whether the thread goes round."""
        return not self.has_failed and time.monotonic() - self._turned_at < STUCK_SECONDS

    def trouble(self) -> str | None:
        """Return why the last turn was cut short, or None."""
        return self._troubled or None

    def turn(self) -> None:
        """Do one round of reads. Trouble ends it early, after a pause, and is no error."""
        self._turned_at = time.monotonic()
        try:
            self._turn()
            self._recover()
        except (FailAlike, DatabaseError, InterfaceError) as error:
            connection.close()
            self._isolation.cut_short(error)
            self._pause("entries" if isinstance(error, FailAlike) else "database", error)
        except redis.RedisError as error:
            self.bus.disconnect()
            self._pause("redis", error)

    def _run(self) -> None:
        try:
            while not self._shutdown.requested:
                self.turn()
        except Exception as error:  # the thread's boundary: the process must end with it
            log.error("lane_failed", lane=self._name, error=type(error).__name__)
            self.has_failed = True
            self._shutdown.request()
        finally:
            connection.close()
            self.close()

    def _turn(self) -> None:
        owned = self._take_over()
        if not owned:
            self._shutdown.wait(IDLE_SECONDS)
            return
        if connection.connection is None:
            limit_reads(connection)
        self._isolation.start_turn()
        raw = self.bus.read(owned)
        until = time.monotonic() + TURN_SECONDS
        waiting = self._readable(raw)
        through = owned - {entry.shard for entry in waiting}
        waiting, unanswered = self._logins.sift(waiting)
        if unanswered:
            self._publish(unanswered, ())
        if not waiting:
            self._logins.wait()
        self._fairness.age(time.monotonic())
        while waiting and time.monotonic() < until:
            chosen = self._fairness.take(waiting, self._at_once)
            self._isolation.run(chosen, self._answer, set(), self._at_once)
            taken = {entry.key for entry in chosen}
            waiting = [entry for entry in waiting if entry.key not in taken]
        self._isolation.end_turn()
        if len(raw) < self.bus.most_entries:
            self._isolation.acquit(through)

    def _take_over(self) -> frozenset[int]:
        """Return the shards to read, and take in what the writer has told since the last turn."""
        with self._told:
            owned, unclean = self._owned, self._unclean
            self._unclean = set()
        self._isolation.forget_all_but(owned)
        if unclean:
            self._isolation.suspect(unclean & owned)
        return owned

    def _readable(self, raw: Sequence[tuple[str, str, bytes]]) -> list[Entry]:
        """Return the entries; what can't be decoded is buried at once, and wake-ups have no use here."""
        entries: list[Entry] = []
        spent: defaultdict[str, list[str]] = defaultdict(list)
        for stream, entry_id, value in raw:
            entry = entry_of(stream, entry_id, value) if value else None
            if entry is not None:
                entries.append(entry)
                continue
            if not value or self._bury_undecodable(shard_of(stream), label_of(stream, entry_id), value):
                spent[stream].append(entry_id)
        if spent:
            self.bus.finish((), spent)
        return entries

    def _bury_undecodable(self, shard: int, label: str, value: bytes) -> bool:
        """Store what can't be decoded as a dead letter; return whether to delete it. Else it comes again."""
        try:
            dead_letters.store_undecodable(shard, label, value)
        except (DatabaseError, InterfaceError) as error:  # the others must not wait for that
            log.error("not_buried", shard=shard, entry=label, sqlstate=sqlstate_of(error))
            return False
        return True

    def _answer(self, entries: Sequence[Entry]) -> Collection[UUID]:
        began = time.monotonic()
        given_up: list[Entry] = []
        try:
            marked, reported, blocked = marks.move(entries), reports.store(entries), blocks.store(entries)
            for name, error, is_of_it in (
                ("marks", marked.error, marks.is_mark),
                ("reports", reported.error, reports.is_report),
                ("blocks", blocked.error, blocks.is_block),
            ):
                self._note_unwritten(name, error)
                if error is not None:
                    if not connection.is_usable():
                        raise error
                    given_up += [entry for entry in entries if is_of_it(entry)]
            entries = [entry for entry in entries if entry not in given_up] if given_up else entries
            verdicts, stored = self._logins.verdicts(entries), {**reported.answers, **blocked.answers}
            replies = reader.read(entries, verdicts, marked.rooms, stored, self._replica)
        finally:
            self._fairness.charge(entries, time.monotonic() - began)
        for entry in entries:
            metrics.READS.labels(entry.action).inc()
            if is_debug():
                log.debug(
                    "read_answered", action=entry.action, request=entry.envelope.request, **hop_of(entry)
                )
            self._isolation.worked(entry.action)
        self._publish([*entries, *given_up], replies, [*marked.notices, *blocked.notices])
        return ()

    def _note_unwritten(self, name: str, error: Exception | None) -> None:
        if error is None:
            self._failing.discard(name)
            return
        self._note(name, error, is_new=name not in self._failing)
        self._failing.add(name)

    def _publish(
        self, entries: Sequence[Entry], replies: Sequence[Reply], notices: Sequence[ChannelNotice] = ()
    ) -> None:
        """Publish replies and notices, delete the entries, wait where Redis' subscribers could not follow.

        Without replies the entries stay unanswered.
        """
        by_gateway: defaultdict[str, list[Reply]] = defaultdict(list)
        done: defaultdict[str, list[str]] = defaultdict(list)
        for entry, reply in zip(entries, replies, strict=False):
            by_gateway[entry.envelope.gateway].append(reply)
        for entry in entries:
            done[entry.stream].append(entry.id)
        published = self.bus.answer(by_gateway)
        self.bus.finish(notices, done)
        self._logins.forget(entries)
        seconds = self._pace.seconds_after(published, time.monotonic())
        if seconds > 0:
            self._fairness.charge(entries, seconds)
            self._shutdown.wait(seconds)

    def _bury(self, entry: Entry, error: str) -> None:
        dead_letters.store_letter(entry, error)
        metrics.DEAD_LETTERS.inc()
        log.error("dead_letter", action=entry.action, entry=entry.id, **hop_of(entry))
        refusal = error_answer(entry, ErrorCode.INTERNAL, "The command failed and was not stored.")
        self._publish([entry], [Answered(entry.envelope.request, encode_frame(refusal))])

    def _pause(self, dependency: str, error: Exception) -> None:
        if not self._troubled:
            self._since = time.monotonic()
        self._note(dependency, error, is_new=self._troubled != dependency)
        self._troubled = dependency
        self._shutdown.wait(TROUBLE_SECONDS)

    def _recover(self) -> None:
        if self._troubled:
            seconds = round(time.monotonic() - self._since, 1)
            log.info("trouble_over", dependency=self._troubled, lane=self._name, seconds=seconds)
        self._troubled = ""

    def _note(self, dependency: str, error: Exception, *, is_new: bool) -> None:
        """Count the trouble, and log its beginning."""
        metrics.TROUBLE.labels(dependency).inc()
        if is_new:
            log.warning("trouble", dependency=dependency, lane=self._name, **cause_of(error))


def lanes_of(redis_url: str, keyspace: Keyspace, shutdown: Shutdown) -> list[Lane]:
    """Return a worker's lanes: what cursors wait for, and apart from it what people browse, one by one.

    So a read that takes its whole time-out delays no login and no cursor, and fails no other read.
    """
    logins, browsing = (
        bus_of(redis_url, keyspace, stream_of, batch=READ_BATCH)
        for stream_of in (keyspace.read_stream, keyspace.browse_stream)
    )
    return [
        Lane("cursors", logins, shutdown, authenticators=own_authenticators()),
        Lane("browsing", browsing, shutdown, at_once=1),
    ]
