"""Isolates poison entries: halves a failing batch until one entry fails alone, and gives that five tries.

Between the consumer and its steps. Trouble of a dependency is no entry's fault and is raised. If the same
trouble comes again on a new connection, entries are tried one at a time, so that only those that cause it
wait. An entry that kills its process leaves no exception: after an unclean takeover a shard's first entries
are tried one at a time, counted in Redis before each try.
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Final
from uuid import UUID

import structlog
from django.db import DatabaseError, InterfaceError

from roomlog_contract import limits

from .blame import Blame, Way, command_of, way_of
from .bus import Bus
from .entries import Entry, hop_of
from .errors import FailAlike, is_of_a_statement, is_trouble, sqlstate_of

log = structlog.get_logger()

Step = Callable[[Sequence[Entry]], Collection[UUID]]
"""Does something for entries, in order; returns the rooms whose entries it had to leave for later."""
Rehearse = Callable[[Entry], bool]
"""Does the step's work and takes it back; returns whether it was more than a repeat or a refusal."""
Bury = Callable[[Entry, str], None]
"""Gives an entry up; the text is the reason."""

STUBBORN_SECONDS: Final = 3.0
"""For entries one at a time, some of which take a whole time-out: a turn must end before the leases' 10 s."""


class Isolation:
    """Runs steps for entries and remembers which entries failed alone."""

    def __init__(
        self,
        bus: Bus,
        bury: Bury,
        is_trouble: Callable[[Exception], bool] = is_trouble,
        rehearse: Rehearse | None = None,
    ) -> None:
        """Without `rehearse`, entries of one room do not wait for each other, and all are tried."""
        self._bus = bus
        self._bury = bury
        self._is_trouble = is_trouble
        self._rehearse = rehearse
        self._failures: dict[tuple[int, str], int] = {}
        """Key of an entry → failures alone. Bound: left by what is done, buried or another's."""
        self._suspects: dict[int, int] = {}
        """Shard of an unclean takeover → entries still to be taken one at a time."""
        self._blame = Blame(is_trouble)
        self._cut_by = ""
        """State of the trouble that cut the last turn short."""
        self._is_stubborn = False
        """The turn before was cut short by the same."""
        self._accused: dict[UUID, Entry] = {}
        """Room → the entry that failed alone in this run, and that the room's others wait for."""
        self._told: set[Way] = set()
        """Ways to fail that make some entries wait while others continue; each is logged once."""

    def start_turn(self) -> None:
        """Start a turn."""
        self._blame.start_turn()

    def worked(self, action: str) -> None:
        """Note that a command of this action was carried out: entries of it that fail do so by themselves."""
        self._blame.worked(action)

    def cut_short(self, error: Exception) -> None:
        """Note what ended a turn early; the connection was dropped since."""
        state = sqlstate_of(error)
        self._is_stubborn = bool(state) and state == self._cut_by and is_of_a_statement(state)
        self._cut_by = state

    def end_turn(self) -> None:
        """End a turn: count the failures that are their entries' own, and bury what has had its tries.

        Raises:
            FailAlike: nothing worked, and what failed did so in one way, in more than one room.
            django.db.Error: nothing worked, because of trouble.
        """
        verdict = self._blame.judge()
        for entry, error in verdict.own:
            self._failed_alone(entry, error)
        if verdict.common is None:
            self._cut_by, self._is_stubborn, self._told = "", False, set()
        elif not verdict.may_go_on:
            if self._is_trouble(verdict.common):
                raise verdict.common
            raise FailAlike from verdict.common
        elif (way := way_of(verdict.common)) not in self._told:
            self._told.add(way)
            log.error("entries_wait", error=way[0], place=way[1])

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
        self._accused.clear()
        self._run(entries, step, parked, at_once)
        if self._accused and self._rehearse is not None:
            for witness in self._witnesses(entries):
                self._hear(witness, self._rehearse)

    def _run(self, entries: Sequence[Entry], step: Step, parked: set[UUID], at_once: int) -> None:
        if self._suspects:
            alone = [entry for entry in entries if entry.shard in self._suspects]
            entries = [entry for entry in entries if entry.shard not in self._suspects]
            for entry in alone:
                self._try_alone(entry, step, parked)
        until = time.monotonic() + STUBBORN_SECONDS
        at_once = 1 if self._is_stubborn else at_once
        for start in range(0, len(entries), at_once):
            if self._is_stubborn and time.monotonic() > until:
                parked.update(entry.room for entry in entries[start:] if not entry.is_read)
                return
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
        """Do the step for all at once; if it fails, halve them until one entry fails alone."""
        if parked:
            entries = [entry for entry in entries if entry.room not in parked]
        if not entries:
            return
        try:
            parked.update(step(entries))
        except Exception as error:
            if self._is_trouble(error) and not self._is_met_again(error):
                raise
            if len(entries) == 1:
                self._blame.failed(entries[0], error)
                if not entries[0].is_read:
                    parked.add(entries[0].room)
                    self._accused[entries[0].room] = entries[0]
                return
            middle = len(entries) // 2
            self._try(entries[:middle], step, parked)
            self._try(entries[middle:], step, parked)
        else:
            self._forgive(entries)

    def _witnesses(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        """Yield the next command behind each entry that failed alone: its room may be the only one here."""
        asked: set[UUID] = set()
        behind: set[UUID] = set()
        for entry in entries:
            accused = self._accused.get(entry.room)
            if entry is accused:
                behind.add(entry.room)
            elif accused and entry.room in behind - asked and command_of(entry) != command_of(accused):
                asked.add(entry.room)
                yield entry

    def _hear(self, witness: Entry, rehearse: Rehearse) -> None:
        """Rehearse the next command: if it works, the entry before is at fault; if it fails too, neither."""
        try:
            works = rehearse(witness)
        except Exception as error:
            if self._is_trouble(error) and not self._is_met_again(error):
                raise
            self._blame.heard(witness, error)
        else:
            if works:
                self._blame.worked(witness.action)

    def _is_met_again(self, error: Exception) -> bool:
        return self._is_stubborn and is_of_a_statement(sqlstate_of(error)) and bool(sqlstate_of(error))

    def _forgive(self, entries: Sequence[Entry]) -> None:
        if self._failures:
            for entry in entries:
                self._failures.pop(entry.key, None)

    def _failed_alone(self, entry: Entry, error: Exception) -> None:
        failures = self._failures[entry.key] = self._failures.get(entry.key, 0) + 1
        name, place = way_of(error)
        log.error(
            "entry_failed", action=entry.action, entry=entry.id, error=name, place=place, **hop_of(entry)
        )
        if failures < limits.ENTRY_TRIES:
            return
        try:
            self._bury(entry, name)
        except (DatabaseError, InterfaceError) as trouble:  # the others must not wait for that
            log.error("not_buried", entry=entry.id, sqlstate=sqlstate_of(trouble), **hop_of(entry))
        else:
            self._failures.pop(entry.key, None)
