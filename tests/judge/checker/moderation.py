"""I24 to I26: roles, mutes and bans: who may set them, whom they silence, what is stored (G19)."""

from collections.abc import Iterator
from typing import Final

from tests.judge.history import EDIT_KIND, MESSAGE_KIND, History, Row
from tests.judge.moderation import (
    BAN_KIND,
    COMING,
    FOREVER,
    INVITATION_KIND,
    MODERATION,
    MUTE_KIND,
    ROLE_KIND,
    UNBAN_KIND,
    UNMUTE_KIND,
    Ban,
    Member,
)
from tests.judge.reactions import REACTION_KIND

from .anomaly import Anomaly
from .standings import RANKS, STAFF, STRANGER, Standing, Standings, may_have_lost_bans

WRITING: Final = (MESSAGE_KIND, EDIT_KIND, REACTION_KIND)
"""Kinds of rows that are not for the muted, nor for readers."""


def moderators_are_allowed(history: History) -> Iterator[Anomaly]:
    """I24: who sets a role, mutes or bans has the role for it at that seq, and there is something to do."""
    standings, direct = Standings(history), frozenset(history.direct_rooms)
    for row, standing in standings.rows():
        if row.kind not in MODERATION:
            continue
        what = _is_not_allowed(row, standing, standings.rank(row.user, standing)) or _is_idle(row, standing)
        if row.room in direct:
            what = "is in a direct room"
        if what:
            yield Anomaly.of("I24", row, what, seq=row.seq)


def _is_not_allowed(row: Row, standing: Standing, rank: int) -> str:
    """Return why this person may not do that to this one; empty if they may."""
    member, role, _ = row.moderation
    if rank == STRANGER:
        return "is by somebody who is no member"
    concerns_owner = standing.roles.get(member) == "owner" or (row.kind == ROLE_KIND and role == "owner")
    if rank < RANKS["owner" if concerns_owner else "admin"]:
        return f"is by a {standing.roles[row.user]}, about {member}"
    is_harsh = row.kind in (MUTE_KIND, BAN_KIND)
    return "is about the very person who did it" if is_harsh and member == row.user else ""


def _is_idle(row: Row, standing: Standing) -> str:
    """Return why there is nothing to do; empty if there is."""
    member, role, until = row.moderation
    had = standing.roles.get(member)
    if had is None and row.kind in (ROLE_KIND, MUTE_KIND, UNMUTE_KIND):
        return f"is about {member}, who is no member"
    if row.kind == ROLE_KIND:
        return "" if role in RANKS and role != had else f"makes {member} a {role}, who was a {had}"
    if row.kind in (MUTE_KIND, BAN_KIND) and until * 1000 <= row.at_ms:
        return f"has its end {until} behind it"
    if row.kind == UNMUTE_KIND and not standing.is_muted(member, row.at_ms):
        return f"is about {member}, who is not muted"
    if row.kind == UNBAN_KIND:
        return "" if standing.is_banned(member, row.at_ms) else f"is about {member}, who is not banned"
    return "" if role == (had or "member") else f"says that {member} was a {role}, and not a {had}"


def silenced_are_silent(history: History) -> Iterator[Anomaly]:
    """I25: readers, the muted, the banned and the absent write nothing, and no banned person comes in."""
    standings, uncertain = Standings(history), may_have_lost_bans(history)
    known = {(one.room, one.user) for one in history.memberships}
    for row, standing in standings.rows():
        what = ""
        rank = standings.rank(row.user, standing)
        if rank != STAFF and row.kind in WRITING:
            what = _is_silenced(row, standing, rank)
        elif row.kind in COMING:
            if row.kind == INVITATION_KIND:
                is_absent = rank == STRANGER and (row.room, row.user) in known
                what = "is by somebody who is no member any more" if is_absent else ""
                what = "is by a reader" if rank == RANKS["reader"] else what
            member = row.moderation.member
            if member not in uncertain and standing.is_banned(member, row.at_ms):
                what = f"brings {member} in, who is banned"
        elif row.kind == BAN_KIND and row.moderation.member in standing.roles:
            is_out = standings.ends_with(row, row.moderation.member)
            what = "" if is_out else f"bans {row.moderation.member}, who stays a member"
        if what:
            yield Anomaly.of("I25", row, what, seq=row.seq)


def _is_silenced(row: Row, standing: Standing, rank: int) -> str:
    if rank == STRANGER:  # I23 says so of reactions
        return "" if row.kind == REACTION_KIND else "is by somebody who is no member"
    if rank == RANKS["reader"]:
        return "is by a reader"
    if standing.is_muted(row.user, row.at_ms):
        return f"is by somebody who is muted until {standing.mutes[row.user]}"
    return ""


def standings_agree(history: History) -> Iterator[Anomaly]:
    """I26: the database has the roles, mutes and bans that the log leaves."""
    standings = Standings(history)
    for _ in standings.rows():
        pass
    uncertain = may_have_lost_bans(history)
    rooms = {one.room for one in history.members}
    for room in sorted(rooms):
        standing = standings.rooms.get(room, Standing())
        expected = {
            Member(room, user, role, standing.mutes.get(user, 0)) for user, role in standing.roles.items()
        }
        for one in sorted(expected ^ {one for one in history.members if one.room == room}):
            where = "the log" if one in expected else "the database"
            what = f"is a {one.role}, muted until {one.muted_until}, by {where} alone"
            yield Anomaly("I26", what, room, user=one.user)
        yield from _bans_otherwise(history, room, standing, uncertain)


def _bans_otherwise(
    history: History, room: str, standing: Standing, uncertain: frozenset[int]
) -> Iterator[Anomaly]:
    """Find bans that only one side has; one with an end may be forgotten when it is over."""
    expected = {Ban(room, user, *ban) for user, ban in standing.bans.items() if user not in uncertain}
    found = {one for one in history.bans if one.room == room and one.user not in uncertain}
    for one in sorted(expected ^ found):
        if one in found or one.until == FOREVER:
            where = "the database" if one in found else "the log"
            yield Anomaly(
                "I26", f"is banned at {one.seq} until {one.until} by {where} alone", room, user=one.user
            )
