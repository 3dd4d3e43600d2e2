"""Roles, mutes and bans as the log and the database hold them, in the words of the checker.

It judges nothing, and knows no clock: ends are whole seconds since 1970.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .joining import JOINING_KIND, NO_DOORS, Doors
from .reports import Report
from .values import milliseconds_of

if TYPE_CHECKING:
    from .history import Row

ROLE_KIND: Final = "set_role"
MUTE_KIND: Final = "mute_user"
UNMUTE_KIND: Final = "unmute_user"
BAN_KIND: Final = "ban_user"
UNBAN_KIND: Final = "unban_user"
MODERATION: Final = (ROLE_KIND, MUTE_KIND, UNMUTE_KIND, BAN_KIND, UNBAN_KIND)
"""Kinds of rows by which somebody with a role says what another may."""
INVITATION_KIND: Final = "invite_user"
COMING: Final = (INVITATION_KIND, JOINING_KIND)
"""Kinds of rows that begin a membership."""
REMOVAL_KIND: Final = "remove_user"
LEAVING: Final = (REMOVAL_KIND, "leave_room", BAN_KIND)
"""Kinds of rows that end a membership; a ban also concerns people who have none."""
ENDING: Final = (MUTE_KIND, BAN_KIND)
"""Kinds of rows that may have an end."""
FOREVER: Final = 253_402_214_400
"""9999-12-31 in UTC: stands for no end."""


class Moderation(NamedTuple):
    """Whom a command or an event concerns, and how."""

    member: int = 0
    role: str = ""
    """Of an event: the role that the person has, or had."""
    until: int = 0
    """Of a mute or ban: its end; `FOREVER` for none."""


NOBODY: Final = Moderation()


class Member(NamedTuple):
    """One membership as the database holds it in the end."""

    room: str
    user: int
    role: str
    muted_until: int = 0
    """0 where the person is not muted."""


class Ban(NamedTuple):
    """One ban as the database holds it in the end."""

    room: str
    user: int
    until: int
    seq: int
    """Of the event that set it."""


class Tables(NamedTuple):
    """What the database has besides the logs in the end."""

    members: list[Member]
    bans: list[Ban]
    topics: dict[str, str]
    names: dict[str, str]
    doors: Doors = NO_DOORS
    blocks: Sequence[tuple[int, int]] = ()
    """Who blocks whom."""
    receipts: dict[str, dict[int, int]] = {}
    """Of the rooms that show them, each member's mark."""
    reports: Sequence[Report] = ()

    def of_rooms(self, rooms: Collection[str], blockers: Collection[int]) -> "Tables":
        """Return what of it concerns these rooms, and these people's blocks."""
        return Tables(
            [one for one in self.members if one.room in rooms],
            [one for one in self.bans if one.room in rooms],
            {room: topic for room, topic in self.topics.items() if room in rooms},
            {room: name for room, name in self.names.items() if room in rooms},
            self.doors.of_rooms(rooms),
            [one for one in self.blocks if one[0] in blockers],
            self.receipts,
            [one for one in self.reports if one.room in rooms],
        )


class Membership(NamedTuple):
    """A user is a member of a room after `from_seq` up to and with `to_seq`; None is for ever."""

    room: str
    user: int
    from_seq: int = 0
    to_seq: int | None = None
    role: str = "member"
    """At its beginning."""


def moderation_of(kind: str, member: int | None, role: str | None, until: int | None) -> Moderation:
    """Return what a row or a frame says of the person whom it concerns."""
    if member is None:
        return NOBODY
    end = FOREVER if until is None else until
    return Moderation(member, role or "", end if kind in ENDING else 0)


def as_sent(kind: str, moderation: Moderation) -> Moderation:
    """Return what of it a command says: only some name a role, and whoever joins names nobody."""
    if kind == JOINING_KIND:
        return NOBODY
    return moderation if kind in (ROLE_KIND, INVITATION_KIND) else moderation._replace(role="")


def told_by(kind: str, body: Mapping[str, Any]) -> Moderation:
    """Return what an event's frame says of the person whom it concerns."""
    if kind not in MODERATION:
        return NOBODY
    member = body["member"]
    return moderation_of(kind, member["id"], member["role"], body.get("until"))


def end_of(stored: datetime | str | None) -> int:
    """Return the end in a column; `FOREVER` for one without a value."""
    return FOREVER if stored is None else milliseconds_of(stored) // 1000


def memberships_of(rows: Iterable["Row"], first: Iterable[Membership]) -> list[Membership]:
    """Return who was a member from which event to which: the first members, and what the logs tell.

    A ban of somebody who is no member ends nothing.
    """
    found, present = [], {(one.room, one.user): one for one in first}
    for row in sorted(rows, key=lambda row: row.seq):
        key = row.room, row.moderation.member
        if row.kind in COMING:
            present[key] = Membership(*key, row.seq - 1, role=row.moderation.role)
        elif row.kind in LEAVING and key in present:
            found.append(present.pop(key)._replace(to_seq=row.seq))
    return [*found, *present.values()]
