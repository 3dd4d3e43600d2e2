"""A model of the database: rows, locks that end with their transaction, unique keys, and its faults.

Behind the model worker. A transaction's writes appear at COMMIT, all or none. `Safeguards` are what an
ablation takes away; everything else is as in `roomlog`, to which `test_contract.py` holds it.
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from roomlog_contract.shards import SHARDS

LOCK_SECONDS: Final = 1.0
"""lock_timeout of the workers' sessions."""
IDLE_SECONDS: Final = 5.0
"""idle_in_transaction_session_timeout: a paused worker keeps its locks no longer."""
LOCK_POLL_SECONDS: Final = 0.01
EPOCH: Final = "00000000000000e1"

Key = tuple[str, UUID, int]
"""uuid, room, user."""


class Trouble(Exception):
    """The database is nobody's fault: the batch stays where it is."""


class NotUnique(Exception):
    """A unique key is there already."""


@dataclass(frozen=True, slots=True)
class EventRow:
    """One place in a room's log."""

    id: int
    room: UUID
    seq: int
    number: int
    kind: str
    user: int
    uuid: str
    body: bytes
    text: str
    data: dict[str, Any]
    created_ms: int

    @property
    def key(self) -> Key:
        return self.uuid, self.room, self.user


@dataclass(slots=True)
class RoomRow:
    """A room with its head and its members' roles."""

    id: UUID
    name: str
    epoch: str
    last_seq: int = 0
    messages: int = 0
    members: dict[int, str] = field(default_factory=dict)


@dataclass(slots=True)
class LeaseRow:
    """Who owns a shard."""

    owner: int | None = None
    epoch: int = 0


@dataclass(slots=True)
class WorkerRow:
    """A worker process that registered."""

    ordinal: int
    beat: int = 0
    reaches_redis: bool = True


@dataclass(frozen=True, slots=True)
class PendingRow:
    """A command that came with somebody's transaction."""

    id: int
    shard: int
    envelope: bytes


@dataclass(frozen=True)
class Safeguards:
    """What keeps the log right on the worker's side; all of it, but in ablations."""

    unique_keys: bool = True
    head_lock: bool = True
    lease_check: bool = True
    finds_repeats: bool = True
    reads_from_zero: bool = True
    deletes_after_commit: bool = True
    answers_after_commit: bool = True
    compares_bodies: bool = True
    sweeps: bool = True


class Transaction:
    """One worker's open transaction: its locks and what it will have written."""

    def __init__(self, store: "ModelStore") -> None:
        self._store = store
        self.events: list[EventRow] = []
        self.rooms: dict[UUID, RoomRow] = {}
        """The rooms of the batch as this transaction leaves them."""
        self.done_pending: list[int] = []
        self.is_over = False
        self._timer: asyncio.TimerHandle | None = None
        self.touch()

    def touch(self) -> None:
        """A statement came: the idle time begins anew."""
        if self.is_over:
            raise Trouble("the transaction was ended")
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._store.loop.call_later(IDLE_SECONDS, self.end)

    def end(self) -> None:
        """Roll back, unless it was committed; again is harmless."""
        self.is_over = True
        if self._timer is not None:
            self._timer.cancel()
        self._store.unlock(self)

    async def lock(self, row: object) -> None:
        """Hold a row until the end; waits for its holder up to a second."""
        deadline = self._store.loop.time() + LOCK_SECONDS
        while not self._store.try_lock(row, self):
            if self._store.loop.time() >= deadline:
                raise Trouble("lock timeout")
            await asyncio.sleep(LOCK_POLL_SECONDS)

    def commit(self) -> None:
        """Make the writes everybody's.

        Raises:
            NotUnique: nothing was written.
        """
        self.touch()
        try:
            self._store.apply(self)
        finally:
            self.end()


class ModelStore:
    """All committed rows."""

    def __init__(self, loop: asyncio.AbstractEventLoop, safeguards: Safeguards) -> None:
        self.loop = loop
        self.safeguards = safeguards
        self.is_down = False
        self.slowness_seconds = 0.0
        """How much longer a statement may take."""
        self.users: dict[int, str] = {}
        self.tokens: dict[str, int] = {}
        self.rooms: dict[UUID, RoomRow] = {}
        self.logs: dict[UUID, list[EventRow]] = {}
        self.keys: dict[Key, EventRow] = {}
        self.leases = {shard: LeaseRow() for shard in range(SHARDS)}
        self.workers: dict[int, WorkerRow] = {}
        """By number: higher ones are later processes."""
        self.pending: dict[int, PendingRow] = {}
        self.lease_changes = 0
        self._ids = 0
        self._held: dict[object, Transaction] = {}

    def next_id(self) -> int:
        """Return a number that no row has; those of a transaction that fails are gone."""
        self._ids += 1
        return self._ids

    def make_room(self, room: RoomRow) -> None:
        """Commit a room with its first event, before anything happens."""
        self.rooms[room.id] = room
        room.last_seq = 1
        members = [[user, role] for user, role in room.members.items()]
        maker = next(iter(room.members))
        data = {"name": room.name, "kind": "group", "members": members}
        made = EventRow(self.next_id(), room.id, 1, 0, "create_room", maker, "make", b"", "", data, 0)
        self.logs[room.id] = [made]
        self.keys[made.key] = made

    def begin(self) -> Transaction:
        return Transaction(self)

    def try_lock(self, row: object, transaction: Transaction) -> bool:
        """Take a row's lock unless another holds it."""
        transaction.touch()
        return self._held.setdefault(row, transaction) is transaction

    def is_locked(self, row: object) -> bool:
        return row in self._held

    def unlock(self, transaction: Transaction) -> None:
        """Free what a transaction held."""
        self._held = {row: holder for row, holder in self._held.items() if holder is not transaction}

    def end_all(self) -> None:
        """The server stops: every open transaction is rolled back."""
        for transaction in dict.fromkeys(self._held.values()):
            transaction.end()

    def apply(self, transaction: Transaction) -> None:
        """Write what a transaction wrote, if the unique keys allow it."""
        if self.safeguards.unique_keys:
            self._check_unique(transaction.events)
        for event in transaction.events:
            self.logs[event.room].append(event)
            self.keys.setdefault(event.key, event)
        for moved in {event.room for event in transaction.events}:
            self.rooms[moved] = transaction.rooms[moved]
        for row in transaction.done_pending:
            self.pending.pop(row, None)

    def take_lease(self, shard: int, seen_epoch: int, owner: int) -> bool:
        """Take a lease that nobody took since its epoch was read.

        Raises:
            Trouble: its row is locked; a real UPDATE would wait, and end after a second.
        """
        lease = self.leases[shard]
        if self.safeguards.lease_check and self.is_locked(("lease", shard)):
            raise Trouble("lock timeout")
        if lease.epoch != seen_epoch:
            return False
        lease.owner, lease.epoch = owner, lease.epoch + 1
        self.lease_changes += 1
        return True

    def release_leases(self, shards: Collection[int], owner: int) -> None:
        """Free those of the leases that are still the owner's."""
        for shard in shards:
            if self.leases[shard].owner == owner:
                self.leases[shard].owner = None
                self.lease_changes += 1

    def lost_leases(self, epochs: dict[int, int], owner: int) -> set[int]:
        """Return the leases that are no longer mine."""
        return {
            shard
            for shard, epoch in epochs.items()
            if (self.leases[shard].owner, self.leases[shard].epoch) != (owner, epoch)
        }

    def _check_unique(self, events: list[EventRow]) -> None:
        for event in events:
            places = {row.seq for row in self.logs[event.room][-len(events) - 64 :]}
            if event.key in self.keys or event.seq in places:
                raise NotUnique
