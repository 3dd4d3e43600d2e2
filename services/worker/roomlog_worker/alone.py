"""A message that is alone in its batch: one statement, no transaction around it. Beside the usual way.

It is decided on what this process remembers of its room, by the same rules. The statement stores it only if
lease, head and sender are still so under the locks; else the usual way decides. What is published is made
while PostgreSQL waits for its disk.
"""

from datetime import UTC, datetime

from django.db import Error, connection

from roomlog_contract.commands import NewMessage
from roomlog_worker.log.batch import Batch
from roomlog_worker.log.room_cache import Remembered
from roomlog_worker.log.statements import LeaseRow

from .crash import CrashPoint
from .decisions import Decision, decide, outcomes
from .entries import Entry
from .leases import LeaseKeeper
from .outcomes import Publications, publications


class Alone:
    """Writes single messages to rooms that are remembered; for PostgreSQL alone."""

    def __init__(self, leases: LeaseKeeper, crash: CrashPoint) -> None:
        self._leases = leases
        self._crash = crash
        self._remembered = Remembered()
        self._session: object = None
        """The connection that all of it was learnt on."""

    def remember(self, batch: Batch) -> None:
        """Keep what a batch, stored the usual way, left; without PostgreSQL nothing is ever remembered."""
        if connection.vendor == "postgresql":
            self._forget_other_sessions()
            self._remembered.keep(batch)

    def write(self, entry: Entry) -> Publications | None:
        """Commit the entry and return what it publishes; None where nothing was done and all is open.

        Raises:
            django.db.Error: as the usual way does; whether it was committed is unknown.
        """
        command = entry.envelope.command
        if not isinstance(command, NewMessage) or not _is_plain(entry, command):
            return None
        if connection.in_atomic_block:
            return None
        self._forget_other_sessions()
        batch = self._remembered.batch(command.room, entry.envelope.user, datetime.now(UTC))
        if batch is None:
            return None
        decision = decide(batch, entry)
        if not isinstance(decision, Decision):
            return None  # it changed nothing, and a refusal needs the present state
        published: list[Publications] = []
        epoch = self._leases.epochs_of([entry.shard])[entry.shard]
        lease = LeaseRow(entry.shard, self._leases.uuid, epoch)
        try:
            number = self._remembered.next_id()
            self._crash.reached("in_transaction")
            is_stored = batch.store_alone(
                lease, number, lambda: published.append(publications(outcomes([decision], batch.users)))
            )
        except Error:
            self._remembered.clear()  # the next connection may lead to another server
            raise
        if not is_stored:
            self._remembered.forget(command.room)
            return None
        return published[0]

    def _forget_other_sessions(self) -> None:
        """Drop what an earlier connection told: this one may lead to another server."""
        if connection.connection is not self._session:
            self._remembered.clear()
            self._session = connection.connection


def _is_plain(entry: Entry, command: NewMessage) -> bool:
    """Tell whether sender and room are all that the command depends on."""
    return command.reply_to is None and entry.pending is None and not entry.envelope.staff
