"""I32: what rooms are called, and what they are about (G15)."""

from collections.abc import Iterator

from tests.judge.history import History
from tests.judge.topics import NAME_KIND, TOPIC_KIND

from .anomaly import Anomaly
from .standings import RANKS, Standings


def topics_agree(history: History) -> Iterator[Anomaly]:
    """I32: only admins and owners of groups set names and topics; the database has the log's last."""
    standings, direct = Standings(history), frozenset(history.direct_rooms)
    for row, standing in standings.rows():
        if row.kind not in (NAME_KIND, TOPIC_KIND):
            continue
        if standings.rank(row.user, standing) < RANKS["admin"] or row.room in direct:
            what = f"is by a {standing.roles.get(row.user, 'stranger')}"
            yield Anomaly.of("I32", row, what, seq=row.seq)
    rows = (row for rows in history.rows_by_room.values() for row in rows)
    last = {(row.kind, row.room): row.text for row in rows if row.kind in (NAME_KIND, TOPIC_KIND)}
    for room, topic in history.topics.items():
        if topic != last.get((TOPIC_KIND, room), ""):
            yield Anomaly("I32", "has another topic in the database than in its log", room=room)
    for room, name in history.names.items():
        if name != last.get((NAME_KIND, room), name):  # else it has the name with which it was made
            yield Anomaly("I32", "has another name in the database than in its log", room=room)
