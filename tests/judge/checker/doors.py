"""I34: who comes in without being brought (G25)."""

from collections import Counter
from collections.abc import Iterator

from tests.judge.history import History, Row
from tests.judge.joining import DISCOVERABLE_KIND, JOINING_KIND, Invitation
from tests.judge.topics import OPEN

from .anomaly import Anomaly
from .standings import RANKS, STAFF, STRANGER, Standings


def joiners_are_admitted(history: History) -> Iterator[Anomaly]:
    """I34: people join rooms that are open at that seq, or by an invitation that is; as many as it says."""
    standings, direct = Standings(history), frozenset(history.direct_rooms)
    invitations = {one.id: one for one in history.doors.invitations}
    admissions = {(room, seq): invitation for room, seq, invitation in history.doors.admissions}
    is_open: dict[str, bool] = {}
    uses = Counter[str]()
    for row, standing in standings.rows():
        rank, what = standings.rank(row.user, standing), ""
        if row.kind == DISCOVERABLE_KIND:
            is_open[row.room] = row.text == OPEN
            may = rank >= RANKS["admin"] and row.room not in direct
            what = "" if may else f"is by a {standing.roles.get(row.user, 'stranger')}"
        elif row.kind == JOINING_KIND and rank != STAFF:
            name = admissions.get((row.room, row.seq), "")
            uses[name] += 1
            role = _role_of(row, invitations.get(name), uses[name]) if name else "member"
            role = role if name or is_open.get(row.room) else ""
            what = "" if rank == STRANGER else "is by a member"
            what = what or ("" if row.moderation == (row.user, role, 0) else "is by nobody who may join so")
        if what:
            yield Anomaly.of("I34", row, what, seq=row.seq)
    yield from _stored_otherwise(history, is_open, uses)


def _role_of(row: Row, invitation: Invitation | None, uses: int) -> str:
    """Return the role with which an invitation lets in; empty if it does not, at the time of the row."""
    if invitation is None or invitation.room != row.room or row.at_ms >= invitation.until_ms:
        return ""
    is_over = 0 < invitation.revoked_ms < row.at_ms or 0 < invitation.most_uses < uses
    return "" if is_over else invitation.role


def _stored_otherwise(history: History, is_open: dict[str, bool], uses: Counter[str]) -> Iterator[Anomaly]:
    """Find rooms and invitations of which the database says something else than the logs."""
    told = {room for room, so in is_open.items() if so}
    for room in sorted(told ^ set(history.doors.discoverable)):
        yield Anomaly("I34", "is open by its log or by the database alone", room=room)
    for one in history.doors.invitations:
        if one.uses != uses[one.id]:
            what = f"has an invitation with {one.uses} uses, of which the log has {uses[one.id]}"
            yield Anomaly("I34", what, room=one.room)
