"""Which rooms have events that somebody was not told of: found without a row for each event.

After the message's way; the log itself is the outbox. Events get ascending ids: those above the highest seen
are new. But workers reserve ids ahead and may use them late. So a second look goes through the rooms, a page
at a time, and compares each head with how far the listener was told. That one misses nothing.
"""

from collections.abc import Callable, Hashable
from time import monotonic
from typing import Final, Generic, TypeVar
from uuid import UUID

from django.db.models import F, Max, QuerySet
from django.db.models.functions import Coalesce

from roomlog.models import ChatRoom, ChoresLease, RoomEvent, RoomHead, RoomTold

EVENTS: Final = 10_000
"""New ones in one look."""
PAGE: Final = 1_000
"""Rooms of which one look compares the heads."""
PAGE_SECONDS: Final = 5.0
"""Between two pages, once each room was compared: 720,000 rooms an hour, by under 1 ms of each second."""
FIRST: Final = UUID(int=0)
Key = TypeVar("Key", bound=Hashable)


def begin(on_page: Callable[[], None]) -> None:
    """Count all that was said until now as told, the first time that chores are done here.

    A page of rooms at a time, each followed by `on_page`: a million rooms take minutes. What is made
    meanwhile has no row and counts as not told.
    """
    if ChoresLease.objects.filter(has_begun=True).exists():
        return
    after = FIRST
    while page := list(RoomHead.objects.filter(pk__gt=after).order_by("pk")[:PAGE]):
        told = (RoomTold(room_id=head.pk, seq=head.last_seq) for head in page)
        RoomTold.objects.bulk_create(told, ignore_conflicts=True)
        after = page[-1].pk
        on_page()
    ChoresLease.objects.update(has_begun=True)


def not_told(rooms: list[UUID]) -> set[UUID]:
    """Return those rooms that have events which the project was not told of."""
    heads = RoomHead.objects.filter(pk__in=rooms).annotate(told=Coalesce("room__told__seq", 0))
    return set(heads.filter(last_seq__gt=F("told")).values_list("pk", flat=True))


class News(Generic[Key]):
    """The looks of one process since it took the lease. Used by one thread.

    `behind` returns what waits in those rooms of a page where somebody was not told of everything.
    """

    def __init__(
        self,
        events: QuerySet[RoomEvent],
        behind: Callable[[list[UUID]], set[Key]],
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._events = events
        self._behind = behind
        self._clock = clock
        self._highest: int | None = None
        """The highest id of an event seen."""
        self._after = FIRST
        self._is_first_round = True
        self._next_page = 0.0

    def fresh(self) -> set[UUID]:
        """Return the rooms of the events since the last look. Raises django.db errors."""
        if self._highest is None:
            self._highest = RoomEvent.objects.aggregate(highest=Max("id"))["highest"] or 0
        rows = self._events.filter(id__gt=self._highest).order_by("id")
        found = list(rows.values_list("id", "room_id")[:EVENTS])
        if found:
            self._highest = found[-1][0]
        return {room for _, room in found}

    def missed(self) -> set[Key]:
        """Return what waits in the next page of rooms. Raises django.db errors."""
        now = self._clock()
        if now < self._next_page:
            return set()
        rooms = ChatRoom.objects.filter(pk__gt=self._after).order_by("pk")
        page = list(rooms.values_list("pk", flat=True)[:PAGE])
        self._after = page[-1] if len(page) == PAGE else FIRST
        self._is_first_round &= self._after != FIRST
        self._next_page = now if self._is_first_round else now + PAGE_SECONDS
        return self._behind(page)
