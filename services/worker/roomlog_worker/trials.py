"""Whose fault it is: a failing batch is halved until one entry stands alone, and that has five tries.

Between the consumer and its steps. Trouble of a dependency is nobody's fault and passes through. An entry
that kills its process leaves no exception: after an unclean takeover a shard's first entries are tried
one at a time, counted in Redis before each try.
"""

import traceback
from collections.abc import Callable, Collection, Sequence
from uuid import UUID

import structlog

from roomlog_contract import limits

from .bus import Bus
from .entries import Entry
from .errors import is_trouble

log = structlog.get_logger()

Step = Callable[[Sequence[Entry]], Collection[UUID]]
"""Does something for entries, in order; returns the rooms whose entries it had to leave for later."""
Bury = Callable[[Entry, str], None]
"""Gives an entry up; the text is the reason."""


class Trials:
    """The failures of one worker's entries."""

    def __init__(self, bus: Bus, bury: Bury, is_trouble: Callable[[Exception], bool] = is_trouble) -> None:
        self._bus = bus
        self._bury = bury
        self._is_trouble = is_trouble
        self._failures: dict[tuple[int, str], int] = {}
        """Key of an entry → failures alone. Bound: left by what is done, buried or another's."""
        self._suspects: dict[int, int] = {}
        """Shard of an unclean takeover → entries still to be taken one at a time."""

    def suspect(self, shards: Collection[int]) -> None:
        """Take the next entries of these shards one at a time: one of them may have killed their owner."""
        self._suspects |= dict.fromkeys(shards, limits.STREAM_BATCH)

    def acquit(self, through: Collection[int]) -> None:
        """Take these shards' entries in batches again: whatever killed their earlier owner is gone."""
        for shard in self._suspects.keys() & set(through):
            self._bus.forget_tries(shard)
            del self._suspects[shard]

    def forget_all_but(self, owned: Collection[int]) -> None:
        """Drop what is known of shards that others own now."""
        self._suspects = {shard: left for shard, left in self._suspects.items() if shard in owned}
        self._failures = {key: failures for key, failures in self._failures.items() if key[0] in owned}

    def run(self, entries: Sequence[Entry], step: Step, parked: set[UUID], at_once: int) -> None:
        """Do the step for all entries, in order, at most so many at once.

        Entries of `parked` rooms are left for later, and so are those behind one that had to wait: its room
        is parked then.
        """
        if self._suspects:
            alone = [entry for entry in entries if entry.shard in self._suspects]
            entries = [entry for entry in entries if entry.shard not in self._suspects]
            for entry in alone:
                self._try_alone(entry, step, parked)
        for start in range(0, len(entries), at_once):
            self._try(entries[start : start + at_once], step, parked)

    def _try_alone(self, entry: Entry, step: Step, parked: set[UUID]) -> None:
        shard, label = entry.key
        if self._bus.count_try(shard, label) > limits.ENTRY_TRIES:
            self._bury(entry, "kills its process")
            self._bus.forget_try(shard, label)
        else:
            try:
                self._try([entry], step, parked)
            finally:  # also after trouble: only a death keeps its count
                self._bus.forget_try(shard, label)
        self._suspects[shard] = self._suspects.get(shard, 0) - 1
        if self._suspects[shard] <= 0:
            self.acquit([shard])

    def _try(self, entries: Sequence[Entry], step: Step, parked: set[UUID]) -> None:
        """Do the step for all at once, or halve them until the one at fault stands alone."""
        if parked:
            entries = [entry for entry in entries if entry.room not in parked]
        if not entries:
            return
        try:
            parked.update(step(entries))
        except Exception as error:
            if self._is_trouble(error):
                raise
            if len(entries) == 1:
                self._failed_alone(entries[0], error, parked)
                return
            middle = len(entries) // 2
            self._try(entries[:middle], step, parked)
            self._try(entries[middle:], step, parked)
        else:
            self._forgive(entries)

    def _forgive(self, entries: Sequence[Entry]) -> None:
        if self._failures:
            for entry in entries:
                self._failures.pop(entry.key, None)

    def _failed_alone(self, entry: Entry, error: Exception, parked: set[UUID]) -> None:
        failures = self._failures[entry.key] = self._failures.get(entry.key, 0) + 1
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
            self._failures.pop(entry.key, None)
        elif not entry.is_read:
            parked.add(entry.room)
