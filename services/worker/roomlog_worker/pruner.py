"""Prunes the rooms of this worker's shards, a piece between two turns of the consumer, by its thread.

After the message's way: entries go first, and while there are any it prunes one piece in PAUSE_SECONDS. What
is pruned and what stays is said in `log.pruning`.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import structlog
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models import IntegerField, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from roomlog.configuration import configuration
from roomlog.models import RoomEvent, RoomHead
from roomlog.selectors import database_seconds
from roomlog_contract.keyspace import Keyspace

from . import metrics
from .errors import LeaseLost
from .leases import LeaseKeeper
from .log.leases import not_mine
from .log.pruning import DAY, Pruned, prune
from .log.statements import open_rooms

log = structlog.get_logger()

PAUSE_SECONDS: Final = 1.0
"""Between two pieces while entries come, and between two looks at a page of heads."""
ROUND_SECONDS: Final = 60.0
"""Between two looks at the same head, at least."""
TROUBLE_SECONDS: Final = 60.0
"""What keeps it from pruning must not keep the worker from writing."""
PAGE: Final = 200
"""Heads looked at together."""
HELD: Final = {"room__retention__is_held": True}
"""Such rooms are not even looked at; a hold that comes after the look is seen under the lock on the head."""
_FIRST: Final = UUID(int=0)


class Pruner:
    """One worker's pruning. Used by the consumer's thread alone."""

    def __init__(self, keyspace: Keyspace, leases: LeaseKeeper, clock: Callable[[], float]) -> None:
        self._keyspace = keyspace
        self._leases = leases
        self._clock = clock
        self._next = 0.0
        self._after = _FIRST
        """The room behind which the next page of heads begins."""
        self._waiting: dict[UUID, None] = {}
        """Rooms that have something to prune."""
        self._now = datetime.min.replace(tzinfo=UTC)
        """When the page was looked at."""

    def turn(self, *, is_idle: bool) -> None:
        """Prune a piece if one is due.

        Raises:
            LeaseLost: nothing was pruned; the named shards are another's.
        """
        began = self._clock()
        if began < self._next:
            return
        try:
            has_more = self._prune_next() if self._waiting else self._look_at_heads()
        except (DatabaseError, InterfaceError) as error:
            connection.close()
            log.warning("prune_trouble", error=type(error).__name__)
            self._waiting.clear()
            self._next = self._clock() + TROUBLE_SECONDS
            return
        ended = self._clock()
        if is_idle and self._waiting:
            self._next = ended + (ended - began)  # as long as it took
        else:
            self._next = ended + (PAUSE_SECONDS if has_more else ROUND_SECONDS)

    def _look_at_heads(self) -> bool:
        """Find the rooms of the next page whose oldest event is due; return whether there are more pages."""
        self._now = min(timezone.now(), datetime.fromtimestamp(database_seconds(), UTC))
        page = list(_heads_behind(self._after))
        self._after = page[-1][0] if len(page) == PAGE else _FIRST
        for room, oldest, days in page:
            is_mine = self._keyspace.shard_of_room(room) in self._leases.epochs
            if is_mine and oldest is not None and oldest < self._now - days * DAY:
                self._waiting[room] = None
        return self._after != _FIRST

    def _prune_next(self) -> bool:
        """Prune a piece of the room that waits longest; it comes last if there is more."""
        room = next(iter(self._waiting))
        del self._waiting[room]
        if self._keyspace.shard_of_room(room) in self._leases.epochs:
            pruned = self._prune(room)
            metrics.PRUNED.inc(pruned.events)
            if pruned.has_more:
                self._waiting[room] = None
        return True

    def _prune(self, room: UUID) -> Pruned:
        epochs = self._leases.epochs_of([self._keyspace.shard_of_room(room)])
        with transaction.atomic(durable=True):
            opened = open_rooms(epochs, [room], (), self._now)
            if lost := not_mine(epochs, self._leases.uuid, opened.leases):
                raise LeaseLost(lost)
            if not opened.heads:  # somebody sets how long the room is kept
                return Pruned(0, has_more=True)
            return prune(room, self._now)


def _heads_behind(after: UUID) -> Iterable[tuple[UUID, datetime | None, int]]:
    """Return the next rooms that are not kept for ever: each with the time of its oldest event, and its days.

    Where the install keeps its logs for ever these are only the rooms with days of their own.
    """
    first = RoomEvent.objects.filter(room=OuterRef("pk"), seq=OuterRef("first_seq"))
    heads = RoomHead.objects.filter(pk__gt=after).annotate(
        days=Coalesce("room__retention__days", Value(configuration().retention_days, IntegerField())),
        oldest=Subquery(first.order_by().values("date_created")[:1]),
    )
    pruned = heads.filter(days__isnull=False).exclude(**HELD)
    return pruned.order_by("pk").values_list("pk", "oldest", "days")[:PAGE]
