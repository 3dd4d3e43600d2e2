"""Sends one webhook the events of one room: from its cursor on, one after the other, as the log has them now.

After the message's way. The cursor moves after the receiver's 2xx: at least once, in the room's order. It
must not remember anything of its own: whatever process comes next goes on from the cursor.
"""

import random
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Final, NamedTuple
from uuid import UUID

import msgspec
import structlog
from django.db.models.functions import Coalesce
from django.utils import timezone

from roomlog.chores import metrics
from roomlog.chores.schedule import TryLater
from roomlog.frames import frame_of, named_in
from roomlog.models import RoomEvent, RoomHead
from roomlog.selectors import users_by_id
from roomlog_contract.codec import encode_frame

from .signature import signed_headers
from .webhook import Webhook, WebhookCursor

AT_ONCE: Final = 20
"""Events looked for together; the receiver gets each by itself."""
FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 600.0
"""After a failure, doubled each time, and up to a quarter shorter, so that rooms don't come all together."""
GIVE_UP_AFTER: Final = timedelta(days=3)
"""Over it the webhook is stopped; whoever starts it again in the admin loses nothing."""
MEDIA_TYPE: Final = "application/json"
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Stretch:
    """The events of one room that one webhook is still to be told of."""

    webhook: int
    room: UUID


class Post(NamedTuple):
    """What the receiver is to get."""

    url: str
    body: bytes
    headers: dict[str, str]


Answer = int | str
"""A status, or the class of the error that came in its place."""
Delivery = Generator[Post, Answer, float | None]


def deliver(stretch: Stretch, may_go_on: Callable[[], bool]) -> Delivery:
    """Yield the next events one by one, each to be answered with what came of it.

    Returns 0.0 if there may be more, None if nothing is left to do now. Another thread may go on with it at
    each answer: nothing of the database is held meanwhile.

    Raises:
        TryLater: the receiver did not take an event; also django.db errors.
    """
    webhook = Webhook.objects.filter(pk=stretch.webhook, stopped=Webhook.Stop.NONE).first()
    if webhook is None:
        return None
    cursor = cursor_of(webhook, stretch.room)
    if cursor.next_try_at is not None and (left := _seconds_until(cursor.next_try_at)) > 0:
        raise TryLater(left)
    behind = RoomEvent.objects.filter(room=stretch.room, seq__gt=cursor.seq).order_by("seq")
    next_ones = list(behind.values_list("seq", "kind")[:AT_ONCE])
    for seq, kind in next_ones:
        if webhook.wants(kind):
            if not may_go_on():
                return None
            post = _post(webhook, stretch.room, seq)
            if post is not None and not _is_taken(answer := (yield post)):
                _fail(webhook, cursor, str(answer))
        if not _move(cursor, seq):
            return None
    return 0.0 if len(next_ones) == AT_ONCE else None


def cursor_of(webhook: Webhook, room: UUID) -> WebhookCursor:
    """Return how far the webhook is in this room; the first time, it begins with what came after the webhook.

    A room that was silent since needs no row.
    """
    found = WebhookCursor.objects.filter(webhook=webhook, room=room).first()
    if found is not None:
        return found
    before = RoomEvent.objects.filter(room=room, date_created__lte=webhook.date_created)
    seq = before.order_by("-seq").values_list("seq", flat=True).first() or 0
    made, _ = WebhookCursor.objects.get_or_create(webhook=webhook, room_id=room, defaults={"seq": seq})
    return made


def _post(webhook: Webhook, room: UUID, seq: int) -> Post | None:
    """Return an event as it is at this moment; None: the log begins later now.

    Read here and not with the others, because its text may be deleted while those before it are sent.
    """
    event = RoomEvent.objects.filter(room=room, seq=seq).first()
    if event is None:
        return None
    epoch = RoomHead.objects.values_list("epoch", flat=True).get(pk=room)
    frame = msgspec.Raw(encode_frame(frame_of(event, epoch, users_by_id(named_in(event)))))
    created = event.date_created.astimezone(UTC).isoformat(timespec="milliseconds")
    body = msgspec.json.encode({"type": event.kind, "timestamp": created, "data": frame})
    identity = f"{epoch}_{room.hex}_{seq}"
    headers = signed_headers(webhook.secret, identity, int(time.time()), body)
    return Post(webhook.url, body, {"Content-Type": MEDIA_TYPE, "User-Agent": "Roomlog", **headers})


def _is_taken(answer: Answer) -> bool:
    """Tell whether the receiver has the event, and count it."""
    result = "unreachable" if isinstance(answer, str) else "taken" if answer // 100 == 2 else "refused"
    metrics.WEBHOOK_DELIVERIES.labels(result).inc()
    return result == "taken"


def _move(cursor: WebhookCursor, seq: int) -> bool:
    """Move on to this seq, which ends a failure; False if another process has moved the cursor."""
    same = WebhookCursor.objects.filter(pk=cursor.pk, seq=cursor.seq)
    cursor.seq = seq
    well = {"attempts": 0, "failing_since": None, "next_try_at": None, "last_error": ""}
    return same.update(seq=seq, **well) == 1


def _fail(webhook: Webhook, cursor: WebhookCursor, outcome: str) -> None:
    """Store the failure and raise when to come again; stop the webhook if it is gone, or fails for days."""
    now = timezone.now()
    pause = pause_after(cursor.attempts + 1)
    since = cursor.failing_since or now
    WebhookCursor.objects.filter(pk=cursor.pk, seq=cursor.seq).update(
        attempts=cursor.attempts + 1,
        failing_since=Coalesce("failing_since", since),  # another process may have set it meanwhile
        next_try_at=now + timedelta(seconds=pause),
        last_error=outcome,
    )
    log.warning("webhook_failed", webhook=webhook.pk, room=cursor.room_id.hex, error=outcome, again_in=pause)
    if outcome == str(int(HTTPStatus.GONE)):
        _stop(webhook, Webhook.Stop.GONE)
    elif now - since >= GIVE_UP_AFTER:
        _stop(webhook, Webhook.Stop.FAILING)
    raise TryLater(pause)


def _stop(webhook: Webhook, stop: Webhook.Stop) -> None:
    if webhook.stop(stop):
        log.error("webhook_stopped", webhook=webhook.pk, reason=stop.value)


def pause_after(attempts: int) -> float:
    """Return the seconds before the next attempt, after so many failed ones."""
    longest = min(FIRST_PAUSE_SECONDS * 2.0 ** min(attempts - 1, 30), LONGEST_PAUSE_SECONDS)
    return round(longest * random.uniform(0.75, 1.0), 3)  # noqa: S311 - spreads, hides nothing


def _seconds_until(moment: datetime) -> float:
    return (moment - timezone.now()).total_seconds()
