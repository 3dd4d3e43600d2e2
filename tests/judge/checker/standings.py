"""Who is what in a room as of each event of its log: member with which role, muted, banned.

Read by the invariants of moderation, pins and deletions. It judges nothing.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from tests.judge.history import History, Row
from tests.judge.moderation import (
    BAN_KIND,
    MUTE_KIND,
    ROLE_KIND,
    UNBAN_KIND,
    UNMUTE_KIND,
    Membership,
)

RANKS: Final = {"reader": 0, "member": 1, "admin": 2, "owner": 3}
STRANGER: Final = -1
STAFF: Final = 4


class Banned(NamedTuple):
    """A ban as the log has it."""

    until: int
    seq: int


@dataclass
class Standing:
    """What the people of one room may do, as of an event of its log."""

    roles: dict[int, str] = field(default_factory=dict)
    mutes: dict[int, int] = field(default_factory=dict)
    """Of members: until when, in seconds; one that is over stays here."""
    bans: dict[int, Banned] = field(default_factory=dict)
    """Likewise."""

    def is_muted(self, user: int, at_ms: int) -> bool:
        """Tell whether a mute holds at that time of the server's clock."""
        return self.mutes.get(user, 0) * 1000 > at_ms

    def is_banned(self, user: int, at_ms: int) -> bool:
        """Tell whether a ban holds at that time of the server's clock."""
        ban = self.bans.get(user)
        return ban is not None and ban.until * 1000 > at_ms

    def join(self, membership: Membership) -> None:
        """Take in a member, whom no earlier mute concerns."""
        self.roles[membership.user] = membership.role
        self.mutes.pop(membership.user, None)

    def leave(self, user: int) -> None:
        """Take out a member, with its mute."""
        self.roles.pop(user, None)
        self.mutes.pop(user, None)

    def apply(self, row: Row) -> None:
        """Take over what an event changes, whether or not it was allowed."""
        member, role, until = row.moderation
        match row.kind:
            case kind if kind == ROLE_KIND and member in self.roles:
                self.roles[member] = role
            case kind if kind == MUTE_KIND and member in self.roles:
                self.mutes[member] = until
            case kind if kind == UNMUTE_KIND:
                self.mutes.pop(member, None)
            case kind if kind == BAN_KIND:
                self.bans[member] = Banned(until, row.seq)
            case kind if kind == UNBAN_KIND:
                self.bans.pop(member, None)


def may_have_lost_bans(history: History) -> frozenset[int]:
    """Return the users whose bans an erasure or the end of the account may have taken: no event says when."""
    erased = {one.user for one in history.erasures}
    return frozenset(erased | {one.user for one in history.departures})


class Standings:
    """The standing of every room, as far as `rows` has come."""

    def __init__(self, history: History) -> None:
        """Prepare; memberships say who comes and goes with which event."""
        self._history = history
        self._staff = frozenset(history.staff)
        self._joins: dict[tuple[str, int], list[Membership]] = defaultdict(list)
        self._ends: dict[tuple[str, int], list[int]] = defaultdict(list)
        for one in history.memberships:
            self._joins[one.room, one.from_seq and one.from_seq + 1].append(one)
            if one.to_seq is not None:
                self._ends[one.room, one.to_seq].append(one.user)
        self.rooms: dict[str, Standing] = {}

    def rows(self) -> Iterator[tuple[Row, Standing]]:
        """Yield each event with its room as it was before it, room by room in the order of the log.

        Events that came before the run are not yielded.
        """
        for room, rows in self._history.rows_by_room.items():
            standing = self.rooms[room] = Standing()
            for one in self._joins[room, 0]:
                standing.join(one)
            for row in rows:
                if row.seq > self._history.baseline.get(room, 0):
                    yield row, standing
                for user in self._ends[room, row.seq]:
                    standing.leave(user)
                for one in self._joins[room, row.seq]:
                    standing.join(one)
                standing.apply(row)

    def rank(self, user: int, standing: Standing) -> int:
        """Return how much somebody may: staff more than an owner, strangers nothing."""
        if user in self._staff:
            return STAFF
        role = standing.roles.get(user)
        return STRANGER if role is None else RANKS[role]

    def ends_with(self, row: Row, user: int) -> bool:
        """Tell whether a membership of that user ends with the event."""
        return user in self._ends[row.room, row.seq]
