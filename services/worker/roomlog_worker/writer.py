"""Makes entries events (leases, heads, repeats, rules, events, COMMIT) and says what to publish.

Between the stream and the publication. A batch is one transaction. A plain message that is the only entry of
its batch is decided on the room cache and stored by one statement, which compares it with the locked rows.
Raises what the database raises: `poison` decides whose fault it was.
"""

from collections.abc import Iterable, Sequence

from django.db import Error, connection, transaction
from django.utils import timezone

from roomlog.models import PendingCommand
from roomlog_contract.commands import NewMessage

from .crash_point import CrashPoint
from .dead_letters import store_letter, store_undecodable
from .decisions import Outcome, decide, decide_all
from .entries import Entry
from .errors import LeaseLost
from .leases import LeaseKeeper
from .log import rules
from .log.batch import Batch, open_batch
from .log.leases import not_mine
from .log.room_cache import RoomCache
from .log.rules import Recorded
from .log.statements import LeaseRow, lock_leases
from .publications import Publications, publications


class Writer:
    """Writes batches of entries of shards that this process owns. Not for use by two threads."""

    def __init__(self, leases: LeaseKeeper, crash: CrashPoint) -> None:
        self._leases = leases
        self._crash = crash
        self._cache = RoomCache()
        self._session: object = None
        """The connection that filled the cache."""

    def write(self, entries: Sequence[Entry]) -> Publications:
        """Commit the entries in order and return what they became; those that must wait are left out.

        Raises:
            LeaseLost: nothing was written; the entries of the named shards are another's work.
            django.db.Error: whether they were committed is unknown.
        """
        if len(entries) == 1 and (published := self._write_single(entries[0])) is not None:
            return published
        with transaction.atomic(durable=True):
            batch, outcomes = self._decide(entries)
            delete_pending(outcome.entry for outcome in outcomes)
            self._crash.reached("in_transaction")
            batch.store(commits=True)
        self._update_cache(batch)
        return publications(outcomes, batch.users)

    def rehearse(self, entry: Entry) -> bool:
        """Tell whether the entry would become an event now, and roll back; raises what `write` does."""
        with transaction.atomic(durable=True):
            batch, _ = self._decide([entry])
            batch.store()
            transaction.set_rollback(True)
        return bool(batch.events)

    def _decide(self, entries: Sequence[Entry]) -> tuple[Batch, list[Outcome]]:
        epochs = self._leases.epochs_of({entry.shard for entry in entries})
        wanted = [rules.wanted_by(entry.write, entry.envelope.user) for entry in entries]
        batch = open_batch(wanted, timezone.now(), epochs)
        if lost := not_mine(epochs, self._leases.uuid, batch.leases):
            raise LeaseLost(lost)
        return batch, decide_all(batch, entries)

    def _write_single(self, entry: Entry) -> Publications | None:
        """Commit a plain message of a cached room by one statement. None if nothing was written.

        The publications are built while PostgreSQL waits for its disk.
        """
        command = entry.envelope.command
        if not isinstance(command, NewMessage) or not _is_plain(entry, command) or connection.in_atomic_block:
            return None
        self._forget_other_sessions()
        batch = self._cache.batch(command.room, entry.envelope.user, timezone.now())
        if batch is None:
            return None
        outcome = decide(batch, entry)
        if not isinstance(outcome.result, Recorded):
            return None  # a refusal needs the present state, and nothing was appended to the cached room
        published: list[Publications] = []
        epoch = self._leases.epochs_of([entry.shard])[entry.shard]
        lease = LeaseRow(entry.shard, self._leases.uuid, epoch)
        try:
            number = self._cache.next_id()
            self._crash.reached("in_transaction")
            is_stored = batch.store_single(
                lease, number, lambda: published.append(publications([outcome], batch.users))
            )
        except Error:
            self._cache.clear()  # the next connection may lead to another server
            raise
        if not is_stored:
            self._cache.forget(command.room)
            return None
        return published[0]

    def _update_cache(self, batch: Batch) -> None:
        """Cache what a stored batch left; on SQLite the cache stays empty."""
        if connection.vendor == "postgresql":
            self._forget_other_sessions()
            self._cache.update(batch)

    def _forget_other_sessions(self) -> None:
        """Clear the cache if it is of an earlier connection: this one may lead to another server."""
        if connection.connection is not self._session:
            self._cache.clear()
            self._session = connection.connection

    def bury(self, entry: Entry, error: str) -> bool:
        """Store an entry that can't be processed as a dead letter; it will not be tried again.

        Return False if its command is an event all the same: the failure came after the commit.
        """
        with transaction.atomic():
            epochs = self._leases.epochs_of([entry.shard])
            if lost := not_mine(epochs, self._leases.uuid, lock_leases(epochs)):
                raise LeaseLost(lost)
            store_letter(entry, error)
            delete_pending([entry])
            return not rules.is_event(entry.write, entry.envelope.user)

    def bury_undecodable(self, shard: int, label: str, value: bytes, pending: int | None = None) -> None:
        """Store bytes that this release can't decode as a dead letter: perhaps a newer gateway wrote them."""
        with transaction.atomic():
            store_undecodable(shard, label, value)
            if pending is not None:
                PendingCommand.objects.filter(pk=pending).delete()


def _is_plain(entry: Entry, command: NewMessage) -> bool:
    """Tell whether sender and room are all that the command depends on."""
    depends_on_more = (
        command.reply_to is not None or command.mentions or command.mentions_room or command.attachments
    )
    return not depends_on_more and entry.pending is None and not entry.envelope.staff


def delete_pending(entries: Iterable[Entry]) -> None:
    """Delete the rows of those entries that came from PendingCommand."""
    if rows := [entry.pending for entry in entries if entry.pending is not None]:
        PendingCommand.objects.filter(pk__in=rows).delete()
