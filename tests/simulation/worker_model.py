"""The model worker: the real worker's turn, step by step, and a place to die, freeze or fail at each step.

Between the model's streams and its tables: read from 0, one transaction, publish, delete, answer. Its rules
are held to the real worker's by `test_contract.py`; nothing here retries by itself.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, TypeVar
from uuid import UUID

from roomlog_contract import limits
from roomlog_contract.commands import NewMessage
from roomlog_contract.envelope import Beacon, HeadMoved, Reply, decode_envelope, encode

from .lease_model import Forgotten, LeaseModel
from .ledger import Batch, Refused
from .reading import reply_to
from .redis_model import KEYSPACE, EntryId, ModelRedis
from .store_model import Key, ModelStore, NotUnique, Transaction, Trouble
from .telling import Entry, Outcome, ids_of, telling_of

T = TypeVar("T")
CALL_SECONDS: Final = (0.0002, 0.002)
"""One way between a worker and the database or Redis."""
BLOCK_SECONDS: Final = 0.2
TROUBLE_SECONDS: Final = 0.5
BEACON_SECONDS: Final = 1.0
"""Four times as long as the product's: it is judged by eight seconds of silence."""
SWEEP_SECONDS: Final = 1.0
REMIND_SECONDS: Final = 2.0


class RedisGone(Exception):
    """Redis is away, or the connection broke: how far a pipeline came is unknown."""


class LeaseLost(Exception):
    """The database says that these shards are another's."""

    def __init__(self, lost: set[int]) -> None:
        super().__init__(lost)
        self.lost = lost


@dataclass
class Ledger:
    """What all workers together decided; the judge asks it what became of an entry."""

    refused: set[Key] = field(default_factory=set)


class WorkerModel:
    """One worker process."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        dice: random.Random,
        redis: ModelRedis,
        store: ModelStore,
        ledger: Ledger,
        ordinal: int,
    ) -> None:
        self._loop, self._dice, self._redis, self._store = loop, dice, redis, store
        self._ledger = ledger
        self.ordinal = ordinal
        self.leases = LeaseModel(store, ordinal)
        self.traps: dict[str, Callable[[], None]] = {}
        """What happens, once, when the worker comes to a step."""
        self.is_cut_off = False
        """It can't reach Redis."""
        self.pipeline_ends_after: int | None = None
        """The next pipeline's connection breaks after so many of its commands."""
        self.commit_is_lost: bool | None = None
        """The next COMMIT's connection breaks: before it arrived (True) or after (False)."""
        self.is_stopping = False
        self.is_alive = True
        self._runs = asyncio.Event()
        self._runs.set()
        self._transaction: Transaction | None = None
        self._moved: dict[UUID, tuple[str, int]] = {}
        self._last_read: dict[bytes, EntryId] = {}
        self._next_sweep = self._next_reminder = 0.0
        self._work = asyncio.Event()
        self._forget_redis = redis.on_entry(self._work.set)
        self._has_database = False
        self._turned_at = loop.time()
        self._task = loop.create_task(self._run())
        self._light = loop.create_task(self._shine())

    # -- what may happen to it ------------------------------------------------------------------

    def kill(self) -> None:
        """End it as SIGKILL does; the database may notice at once or when the transaction idles."""
        if not self.is_alive:
            return
        self.is_alive = False
        self._forget_redis()
        self._task.cancel()
        self._light.cancel()
        if self._transaction is not None and self._dice.random() < 0.5:
            self._transaction.end()

    def pause(self) -> None:
        """Stop it as SIGSTOP does."""
        self._runs.clear()

    def resume(self) -> None:
        """Let it go on as SIGCONT does."""
        self._runs.set()

    # -- its loop -------------------------------------------------------------------------------

    async def _run(self) -> None:
        while not self.is_stopping:
            self._turned_at = self._loop.time()
            try:
                await self._turn()
                self._has_database = True
            except LeaseLost as error:
                self.leases.lose(error.lost)
            except (Trouble, NotUnique):
                self._has_database = False
                await asyncio.sleep(TROUBLE_SECONDS)
            except RedisGone:
                self.leases.redis_failed()
                await self._without_redis()
                await asyncio.sleep(TROUBLE_SECONDS)
            except Forgotten:
                break
        self.is_alive = False
        self._light.cancel()
        self._forget_redis()
        self.leases.release_all()

    async def _shine(self) -> None:
        """Say what the worker does, whatever its writer does meanwhile."""
        while True:
            await asyncio.sleep(BEACON_SECONDS)
            await self._runs.wait()
            turn_ms = int((self._loop.time() - self._turned_at) * 1000)
            owned = sorted(self.leases.epochs)
            said = encode(Beacon("model", owned, {}, 0.0, turn_ms, self._has_database))
            try:
                await self._ask_redis(partial(self._redis.publish, KEYSPACE.beacon_channel.encode(), said))
            except RedisGone:
                continue

    async def _turn(self) -> None:
        if not self.leases.epochs:
            await self._ask_redis(lambda: None)
            self.leases.redis_answered()
        await self._keep_leases()
        if not self.leases.epochs:
            await asyncio.sleep(BLOCK_SECONDS)
            return
        writes, reads, wake_ups = await self._read()
        now = self._loop.time()
        if wake_ups or (now >= self._next_sweep and self._store.safeguards.sweeps):
            self._next_sweep = now + SWEEP_SECONDS
            await self._sweep()
        for start in range(0, len(writes), limits.STREAM_BATCH):
            await self._commit(writes[start : start + limits.STREAM_BATCH])
        await self._answer_reads(reads)
        if wake_ups:
            await self._finish([], wake_ups)
        await self._remind()
        if not (writes or reads or wake_ups):
            await self._wait_for_work()

    async def _wait_for_work(self) -> None:
        """Block as an XREAD does; what came since the last one is found at once."""
        try:
            async with asyncio.timeout(BLOCK_SECONDS):
                await self._work.wait()
        except TimeoutError:
            pass

    async def _without_redis(self) -> None:
        try:
            await self._keep_leases()
            if self._store.safeguards.sweeps:
                await self._sweep()
        except LeaseLost as error:
            self.leases.lose(error.lost)
        except (RedisGone, Trouble, NotUnique):
            pass

    async def _keep_leases(self) -> None:
        if self.leases.is_due():
            owned = set(self.leases.epochs)
            await self._query(self.leases.keep)
            if set(self.leases.epochs) != owned and self._store.safeguards.sweeps:
                self._next_sweep = 0.0

    async def _read(self) -> tuple[list[Entry], list[Entry], dict[str, list[EntryId]]]:
        self._work.clear()
        after = None if self._store.safeguards.reads_from_zero else self._last_read
        await self._point("before_read")
        owned = list(self.leases.epochs)
        raw = await self._ask_redis(lambda: self._redis.read(owned, limits.STREAM_BATCH, after))
        self.leases.redis_answered()
        writes: list[Entry] = []
        reads: list[Entry] = []
        wake_ups: dict[str, list[EntryId]] = defaultdict(list)
        for stream, key, value in raw:
            self._last_read[stream.encode()] = key
            if not value:
                wake_ups[stream].append(key)
                continue
            shard = int(stream.partition("{s")[2][:2])
            entry = Entry(shard, stream, key, decode_envelope(value))
            (reads if stream.endswith(":read") else writes).append(entry)
        if writes:
            await self._point("read")
        return writes, reads, wake_ups

    async def _sweep(self) -> None:
        entries = await self._pending()
        if entries:
            await self._commit(entries)

    async def _pending(self) -> list[Entry]:
        """Return the oldest of the rows that the api left."""
        rows = await self._query(lambda: list(self._store.pending.values()))
        owned = [row for row in rows if row.shard in self.leases.epochs][: limits.STREAM_BATCH]
        return [Entry(row.shard, "", (0, row.id), decode_envelope(row.envelope), row.id) for row in owned]

    # -- one batch ------------------------------------------------------------------------------

    async def _commit(self, entries: Sequence[Entry]) -> None:
        guards = self._store.safeguards
        if not guards.deletes_after_commit:
            await self._finish([], ids_of(entries))
        transaction = self._transaction = self._store.begin()
        try:
            await self._check_leases(transaction, {entry.shard for entry in entries})
            batch = Batch(self._store, transaction)
            commands: Any = [(entry.envelope.command, entry.envelope.user) for entry in entries]
            await self._query(lambda: batch.open(commands))
            outcomes = self._decide(batch, entries)
            await self._point("in_transaction")
            if not guards.answers_after_commit:
                await self._publish(outcomes)
            await self._query_commit(transaction)
        except (Trouble, NotUnique, LeaseLost, RedisGone):
            transaction.end()
            raise
        await self._point("after_commit")
        for outcome in outcomes:
            if outcome.written is not None and not outcome.written.duplicate:
                self._moved[outcome.written.event.room] = (outcome.written.epoch, outcome.written.event.seq)
        if guards.answers_after_commit:
            await self._publish(outcomes)

    async def _check_leases(self, transaction: Transaction, owned: set[int]) -> None:
        if not self._store.safeguards.lease_check:
            await self._query(lambda: None)
            return
        for shard in sorted(owned):
            await transaction.lock(("lease", shard))
        epochs = {shard: self.leases.epochs.get(shard, -1) for shard in owned}
        lost = await self._query(lambda: self._store.lost_leases(epochs, self.leases.number))
        if lost:
            raise LeaseLost(lost)

    def _decide(self, batch: Batch, entries: Sequence[Entry]) -> list[Outcome]:
        outcomes = []
        now_ms = int(self._loop.time() * 1000)
        waiting = set(batch.held_by_others)
        refused_in: set[UUID] = set()
        for entry in entries:
            room = entry.key[1]
            if room in refused_in and not isinstance(entry.envelope.command, NewMessage):
                waiting.add(room)
            if room in waiting:
                continue
            try:
                outcomes.append(Outcome(entry, batch.carry_out(entry.envelope, now_ms)))
            except Refused as refused:
                refused_in.add(room)
                outcomes.append(Outcome(entry, refused=refused.code))
            if entry.pending is not None:
                batch.transaction.done_pending.append(entry.pending)
        return outcomes

    async def _query_commit(self, transaction: Transaction) -> None:
        await self._point("before_commit")
        lost, self.commit_is_lost = self.commit_is_lost, None
        if lost is True:
            raise Trouble("connection lost before COMMIT")
        await self._query(transaction.commit)
        if lost is False:
            raise Trouble("connection lost after COMMIT")

    # -- what is told ---------------------------------------------------------------------------

    async def _publish(self, outcomes: Sequence[Outcome]) -> None:
        told = telling_of(self._store, outcomes)
        done = ids_of([outcome.entry for outcome in outcomes])
        self._ledger.refused |= {outcome.entry.key for outcome in outcomes if outcome.refused}
        await self._finish(told.notices, done if self._store.safeguards.deletes_after_commit else {})
        await self._point("after_delete")
        await self._answer(told.replies)
        owned = {outcome.entry.shard for outcome in outcomes}
        if told.refusals and await self._holds(owned):
            await self._answer(told.refusals)

    async def _holds(self, owned: set[int]) -> bool:
        if not self._store.safeguards.lease_check:
            return True
        epochs = {shard: self.leases.epochs.get(shard, -1) for shard in owned}
        return not await self._query(lambda: self._store.lost_leases(epochs, self.leases.number))

    async def _answer_reads(self, entries: Sequence[Entry]) -> None:
        if not entries:
            return
        replies: dict[str, list[Reply]] = defaultdict(list)
        answers = await self._query(lambda: [reply_to(self._store, entry.envelope) for entry in entries])
        for entry, reply in zip(entries, answers, strict=True):
            replies[entry.envelope.gateway].append(reply)
        await self._answer(replies)
        await self._finish([], ids_of(entries))

    async def _remind(self) -> None:
        now = self._loop.time()
        if now < self._next_reminder or not self._moved:
            return
        self._next_reminder = now + REMIND_SECONDS
        moved, self._moved = self._moved, {}
        notices = [
            (KEYSPACE.room_channel(room), encode(HeadMoved(epoch, seq)))
            for room, (epoch, seq) in moved.items()
        ]
        await self._finish(notices, {})

    async def _finish(self, notices: Sequence[tuple[str, bytes]], done: dict[str, list[EntryId]]) -> None:
        """Publish, then delete; returns once the deletion is confirmed."""
        commands = [partial(self._redis.publish, name.encode(), payload) for name, payload in notices]
        commands += [partial(self._redis.delete, stream.encode(), ids) for stream, ids in done.items()]
        if commands:
            await self._pipeline(commands)

    async def _answer(self, replies: dict[str, list[Reply]]) -> None:
        commands = [
            partial(self._redis.publish, KEYSPACE.gateway_channel(gateway).encode(), encode(bundle))
            for gateway, bundle in replies.items()
            if gateway
        ]
        if commands:
            await self._pipeline(commands)

    # -- the network ----------------------------------------------------------------------------

    async def _pipeline(self, commands: Sequence[Callable[[], object]]) -> None:
        until, self.pipeline_ends_after = self.pipeline_ends_after, None
        await self._ask_redis(lambda: [command() for command in commands[:until]])
        if until is not None:
            raise RedisGone

    async def _ask_redis(self, question: Callable[[], T]) -> T:
        await asyncio.sleep(self._dice.uniform(*CALL_SECONDS))
        if self._redis.is_down or self.is_cut_off:
            raise RedisGone
        answer = question()
        await asyncio.sleep(self._dice.uniform(*CALL_SECONDS))
        await self._runs.wait()
        return answer

    async def _query(self, question: Callable[[], T]) -> T:
        await asyncio.sleep(
            self._dice.uniform(*CALL_SECONDS) + self._dice.random() * self._store.slowness_seconds
        )
        if self._store.is_down:
            raise Trouble("the database is away")
        answer = question()
        await asyncio.sleep(self._dice.uniform(*CALL_SECONDS))
        await self._runs.wait()
        return answer

    async def _point(self, name: str) -> None:
        """Let happen what waits for this step."""
        trap = self.traps.pop(name, None)
        if trap is not None:
            trap()
            await asyncio.sleep(0)
        await self._runs.wait()
