"""I32: what rooms are about (G15)."""

from collections.abc import Iterator

from tests.judge.history import History
from tests.judge.topics import TOPIC_KIND

from .anomaly import Anomaly
from .standings import RANKS, Standings


def topics_agree(history: History) -> Iterator[Anomaly]:
    """I32: only admins and owners of groups set topics, and the database has the last that the log has."""
    standings, direct = Standings(history), frozenset(history.direct_rooms)
    for row, standing in standings.rows():
        if row.kind != TOPIC_KIND:
            continue
        if standings.rank(row.user, standing) < RANKS["admin"] or row.room in direct:
            what = f"is by a {standing.roles.get(row.user, 'stranger')}"
            yield Anomaly.of("I32", row, what, seq=row.seq)
    rows = (row for rows in history.rows_by_room.values() for row in rows)
    last = {row.room: row.text for row in rows if row.kind == TOPIC_KIND}
    for room, topic in history.topics.items():
        if topic != last.get(room, ""):
            yield Anomaly("I32", "has another topic in the database than in its log", room=room)
