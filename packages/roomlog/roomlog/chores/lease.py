"""Which of several `roomlog chores` works: the one whose beat moves in the lease's one row.

As with workers, nobody compares clocks: a beat that stands still for 10 s of one's own monotonic clock is
dead. Two that work at once, after a pause, harm nobody: what the project is told of is told again.
"""

from collections.abc import Callable
from time import monotonic
from typing import Final
from uuid import UUID, uuid4

import structlog
from django.db.models import F

from roomlog.models import ChoresLease

DEAD_SECONDS: Final = 10.0

log = structlog.get_logger()


class Lease:
    """The right to do the chores, as one process sees it. Used by one thread."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self.uuid = uuid4()
        self._clock = clock
        self._seen: tuple[UUID | None, int] | None = None
        """Another's beat as last read, since `_seen_at`."""
        self._seen_at = 0.0

    def keep(self) -> bool:
        """Beat, or take the lease if it is free or its owner is dead; return True while it is this process's.

        Raises django.db errors.
        """
        is_mine = ChoresLease.objects.filter(owner=self.uuid).update(beat=F("beat") + 1) == 1
        return is_mine or self._take()

    def release(self) -> None:
        """Free the lease: another takes it at its next turn."""
        ChoresLease.objects.filter(owner=self.uuid).update(owner=None)

    def forget(self) -> None:
        """Begin to watch anew: nobody's beat could be seen meanwhile."""
        self._seen = None

    def _take(self) -> bool:
        row, _ = ChoresLease.objects.get_or_create(pk=1)
        seen = (row.owner, row.beat)
        if row.owner is not None and not self._is_dead(seen):
            return False
        same = ChoresLease.objects.filter(owner=row.owner, beat=row.beat)
        is_taken = same.update(owner=self.uuid, beat=F("beat") + 1) == 1
        if is_taken:
            log.info("chores_taken", from_a_dead_process=row.owner is not None)
        return is_taken

    def _is_dead(self, seen: tuple[UUID | None, int]) -> bool:
        if seen != self._seen:
            self._seen, self._seen_at = seen, self._clock()
        return self._clock() - self._seen_at >= DEAD_SECONDS
