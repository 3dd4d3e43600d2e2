"""I38: webhooks are told of every event, in each room's order, and of nothing that was gone (G29)."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from tests.judge.deliveries import Delivery
from tests.judge.history import DELETION_KIND, EDIT_KIND, MESSAGE_KIND, History, Row
from tests.judge.topics import NAME_KIND, ROOM_KINDS, TOPIC_KIND

from .anomaly import Anomaly

TELLING: tuple[str, ...] = (MESSAGE_KIND, EDIT_KIND, NAME_KIND, TOPIC_KIND)
"""Kinds whose text is told."""


def webhooks_are_told(history: History) -> Iterator[Anomaly]:
    """I38: each event at least once, in order, signed, under one identity, as the log had it at that time."""
    if history.deliveries.since is None:
        return
    by_room: defaultdict[str, list[Delivery]] = defaultdict(list)
    for one in history.deliveries.told:
        by_room[one.room].append(one)
        yield from _wrong(history, one)
    for room, rows in history.rows_by_room.items():
        yield from _order(history, room, rows, [one for one in by_room[room] if one.is_taken])
    yield from _identities(history)


def _wrong(history: History, one: Delivery) -> Iterator[Anomaly]:
    """Yield what is wrong with one delivery by itself, whether or not it was taken."""
    row = history.row_at.get((one.room, one.seq))
    if not one.is_signed:
        yield _of(one, "is not signed by the webhook's secret")
    if row is None or (row.uuid, row.kind) != (one.uuid, one.kind):
        yield _of(one, "is no event of the log")
        return
    if one.kind in TELLING and one.text not in history.texts_handed_on(row):
        yield _of(one, "has another text than was sent")
    if one.text and _is_gone(history, row, one.began_at):
        yield _of(one, "has a text that was deleted before")


def _is_gone(history: History, row: Row, at: float) -> bool:
    """Tell whether a deletion or an erasure that took the row's text was known to be done at this time."""
    changes = history.changes.get((row.room, row.target or row.seq), ())
    deletions = (history.operation_of.get(one.key) for one in changes if one.kind == DELETION_KIND)
    answered = (one.answered_at for one in deletions if one is not None)
    if any(done is not None and done < at for done in answered):
        return True
    operation = history.operation_of.get(row.key)
    done = [one for one in history.erasures if one.done_at < at]
    said_at = operation.answered_at if operation is not None else None
    return said_at is not None and any(
        one.user == row.user and said_at < one.began_at and row.kind not in ROOM_KINDS for one in done
    )


def _order(history: History, room: str, rows: Sequence[Row], taken: list[Delivery]) -> Iterator[Anomaly]:
    """Yield what the receiver lacks of a room, and what came too early; what was pruned is told no more."""
    first = list(dict.fromkeys(one.seq for one in taken))
    if first != sorted(first):
        yield Anomaly("I38", "was told of events out of their order", room=room)
    since = (history.deliveries.since or {}).get(room, 0)
    due = [row.seq for row in rows if row.seq > since and not history.retention.has_pruned(room, row.seq)]
    missing = sorted(set(due) - set(first))
    is_known = history.at_rest and not history.deliveries.is_stopped
    if missing and (is_known or missing[0] < max(first, default=0)):
        yield Anomaly("I38", f"was not told of {len(missing)} events", room=room, seq=missing[0])


def _identities(history: History) -> Iterator[Anomaly]:
    """Yield events with several identities in one epoch, and identities with several events."""
    events: defaultdict[str, set[tuple[str, int]]] = defaultdict(set)
    identities: defaultdict[tuple[str, int], set[str]] = defaultdict(set)
    for one in history.deliveries.told:
        events[one.identity].add((one.room, one.seq))
        identities[one.room, one.seq].add(one.identity)
    for several in events.values():
        if len(several) > 1:
            room, seq = min(several)
            yield Anomaly("I38", "shares its identity with another event", room=room, seq=seq)
    for (room, seq), names in identities.items():
        if len(names) > max(len(history.epochs), 1):
            yield Anomaly("I38", "has several identities", room=room, seq=seq)


def _of(one: Delivery, what: str) -> Anomaly:
    return Anomaly("I38", what, room=one.room, seq=one.seq, uuid=one.uuid, at=one.began_at)
