"""I15 and I16: whoever had their messages erased or their account deleted (G14)."""

from collections.abc import Iterator

from tests.judge.history import History

from .anomaly import Anomaly


def erased_is_gone(history: History) -> Iterator[Anomaly]:
    """I15: what was said before an erasure has no text, neither in the log nor for whoever came after it."""
    erased = {operation.key for operation in history.operations if history.is_erased(operation)}
    for row in history.rows:
        if row.key in erased and row.text:
            yield Anomaly.of("I15", row, "was erased and has its text", seq=row.seq)
    came_at: dict[str, float] = {}
    for connection in history.connections:
        came_at.setdefault(connection.client, connection.opened_at)
    done_at = {one.user: one.done_at for one in history.erasures}
    for reading in history.readings:
        for event in reading.events:
            is_gone = (reading.room, event.user, event.uuid) in erased
            if is_gone and event.text and came_at.get(reading.client, 0.0) > done_at[event.user]:
                what = f"was erased by {done_at[event.user]:.1f} and handed on with its text"
                about = reading.room, event.seq, event.user, event.uuid, reading.client, event.at
                yield Anomaly("I15", what, *about)


def deleted_have_left(history: History) -> Iterator[Anomaly]:
    """I16: the log of each room says once that a deleted account left it."""
    deleted = {departure.user for departure in history.departures}
    for membership in history.memberships:
        if membership.user in deleted and membership.to_seq is None:
            what = f"is a member since {membership.from_seq}, and the account is deleted"
            yield Anomaly("I16", what, room=membership.room, user=membership.user)
