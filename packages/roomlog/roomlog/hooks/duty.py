"""The chore of outgoing webhooks: finds the rooms that a webhook was not told of, and tells it.

After the message's way. Its threads wait for no receiver: one that hangs holds up its own rooms alone.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from typing import Final
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from roomlog.chores import metrics
from roomlog.chores.duty import WAITING, Duty, Waiting
from roomlog.chores.news import News
from roomlog.models import RoomEvent, RoomHead

from .delivery import Answer, Delivery, Stretch, deliver
from .sender import Sender
from .webhook import Webhook, WebhookCursor

AT_ONCE: Final = 2
"""Rooms of one webhook that are sent together: of all that are under way a receiver that hangs keeps two."""


class Webhooks(Duty[Stretch]):
    """Tells all webhooks."""

    def __init__(self, may_go_on: Callable[[], bool], *, allows_private: bool) -> None:
        super().__init__(lane_of=lambda stretch: stretch.webhook, lane_width=AT_ONCE)
        self._may_go_on = may_go_on
        self._sender = Sender(allows_private=allows_private)
        self._webhooks: list[Webhook] = []
        self._news: News[Stretch] | None = None
        self._answered: dict[Stretch, tuple[Delivery, Answer]] = {}
        """Deliveries whose receiver has answered, for the next thread."""
        self._waiting_since: dict[Stretch, float] = {}
        """When a stretch was found, in seconds since 1970, until nothing is left of it."""

    def look(self, on_page: Callable[[], None]) -> None:
        """Find what is to be sent. Raises django.db errors."""
        self._webhooks = list(Webhook.objects.filter(stopped=Webhook.Stop.NONE))
        if self._news is None:
            self._news = News(RoomEvent.objects.all(), self._behind)
        found = {stretch for room in self._news.fresh() for stretch in self._concerned(room)}
        found |= self._news.missed()
        now = time.time()
        for stretch in found:
            self._waiting_since.setdefault(stretch, now)
        self.schedule.add(found, 0)
        active = {webhook.pk for webhook in self._webhooks}
        for stretch in [one for one in list(self._waiting_since) if one.webhook not in active]:
            self._waiting_since.pop(stretch, None)
        metrics.WEBHOOK_OLDEST_SECONDS.set(now - min(self._waiting_since.values(), default=now))

    def forget(self) -> None:
        """Begin afresh at the next look: another process may work meanwhile."""
        super().forget()
        self._news = None
        self._waiting_since.clear()
        metrics.WEBHOOK_OLDEST_SECONDS.set(0)

    def do(self, key: Stretch) -> float | Waiting | None:
        """Send what is next of a stretch, or go on with it now that its receiver has answered."""
        delivery, answer = self._answered.pop(key, None) or (deliver(key, self._may_go_on), None)
        try:
            post = next(delivery) if answer is None else delivery.send(answer)
        except StopIteration as end:
            again_in: float | None = end.value
            if again_in is None:
                self._waiting_since.pop(key, None)
            return again_in
        self.schedule.wait(key)
        self._sender.post(*post).add_done_callback(partial(self._hear, key, delivery))
        return WAITING

    def close(self, until: float) -> None:
        """End the threads, then the connections."""
        super().close(until)
        self._sender.close()

    def _hear(self, key: Stretch, delivery: Delivery, answer: "Future[Answer]") -> None:
        """Have a thread go on with a delivery; at the end, leave it to the next process."""
        if answer.cancelled():
            self.schedule.done(key, None)
            return
        error = answer.exception()
        self._answered[key] = delivery, type(error).__name__ if error else answer.result()
        self.schedule.resume(key)

    def _concerned(self, room: UUID) -> Iterator[Stretch]:
        for webhook in self._webhooks:
            if webhook.room_id in (None, room):
                yield Stretch(webhook.pk, room)

    def _behind(self, rooms: list[UUID]) -> set[Stretch]:
        """Return the stretches of these rooms that hold events which their webhook was not told of."""
        page = set(rooms)
        wanted = (
            (webhook, page if webhook.room_id is None else page & {webhook.room_id})
            for webhook in self._webhooks
        )
        return {
            Stretch(webhook.pk, room)
            for webhook, some in wanted
            if some
            for room in _rooms_behind(webhook, some)
        }


def _rooms_behind(webhook: Webhook, rooms: set[UUID]) -> QuerySet[RoomHead, UUID]:
    cursors = WebhookCursor.objects.filter(webhook=webhook, room=OuterRef("pk"))
    last = RoomEvent.objects.filter(
        room=OuterRef("pk"), seq=OuterRef("last_seq"), date_created__gt=webhook.date_created
    )
    heads = RoomHead.objects.filter(pk__in=rooms).annotate(told=Subquery(cursors.values("seq")[:1]))
    behind = Q(told__lt=F("last_seq")) | (Q(told=None) & Exists(last))
    return heads.filter(behind).values_list("pk", flat=True)
