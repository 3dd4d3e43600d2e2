"""One transaction for a batch: leases, heads, repeats, events, COMMIT; then the frames.

The stage between the stream and the publication. Raises what the database raises: whose fault it was
is decided by the consumer.
"""

from collections.abc import Iterable, Sequence

from django.db import transaction
from django.utils import timezone

from roomlog_store.models import PendingCommand
from roomlog_worker.log import rules
from roomlog_worker.log.batch import Batch, open_batch
from roomlog_worker.log.leases import lock_leases, not_mine

from .alone import Alone
from .crash import CrashPoint
from .decisions import Decision, decide_all, outcomes
from .entries import Entry
from .errors import LeaseLost
from .leases import LeaseKeeper
from .letters import keep_letter, keep_undecodable
from .outcomes import Publications, Refused, publications


class Writer:
    """Writes batches of entries of shards that this process owns."""

    def __init__(self, leases: LeaseKeeper, crash: CrashPoint) -> None:
        self._leases = leases
        self._crash = crash
        self._alone = Alone(leases, crash)

    def write(self, entries: Sequence[Entry]) -> Publications:
        """Commit the entries in order and return what they became; those that must wait are left out.

        Raises:
            LeaseLost: nothing was written; the entries of the named shards are another's work.
        """
        if len(entries) == 1 and (published := self._alone.write(entries[0])) is not None:
            return published
        with transaction.atomic(durable=True):
            batch, decided = self._decide(entries)
            _delete_pending(decision.entry for decision in decided)
            self._crash.reached("in_transaction")
            batch.store(commits=True)
        self._alone.remember(batch)
        return publications(outcomes(decided, batch.users))

    def rehearse(self, entry: Entry) -> bool:
        """Tell whether the entry would be an event now, and leave nothing of it; raises what `write` does."""
        with transaction.atomic(durable=True):
            batch, _ = self._decide([entry])
            batch.store()
            transaction.set_rollback(True)
        return bool(batch.events)

    def _decide(self, entries: Sequence[Entry]) -> tuple[Batch, list[Decision | Refused]]:
        epochs = self._leases.epochs_of({entry.shard for entry in entries})
        wanted = [rules.wanted_by(entry.write, entry.envelope.user) for entry in entries]
        batch = open_batch(wanted, timezone.now(), epochs)
        if lost := not_mine(epochs, self._leases.uuid, batch.leases):
            raise LeaseLost(lost)
        return batch, decide_all(batch, entries)

    def bury(self, entry: Entry, error: str) -> bool:
        """Keep an entry that can't be carried out where people find it; it will not be tried again.

        Returns False where its command is an event all the same: what failed came after the commit.
        """
        with transaction.atomic():
            epochs = self._leases.epochs_of([entry.shard])
            if lost := lock_leases(epochs, self._leases.uuid):
                raise LeaseLost(lost)
            keep_letter(entry, error)
            _delete_pending([entry])
            return not rules.is_event(entry.write, entry.envelope.user)

    def bury_undecodable(self, shard: int, label: str, value: bytes, pending: int | None = None) -> None:
        """Keep what no release that this one knows has written: perhaps a newer one's gateway did."""
        with transaction.atomic():
            keep_undecodable(shard, label, value)
            if pending is not None:
                PendingCommand.objects.filter(pk=pending).delete()


def _delete_pending(entries: Iterable[Entry]) -> None:
    if rows := [entry.pending for entry in entries if entry.pending is not None]:
        PendingCommand.objects.filter(pk__in=rows).delete()
