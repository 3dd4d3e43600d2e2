"""A room of a good history in which roles were set and people muted and banned, and the ways to spoil it.

Beside `forgeries.py`: each of these breaks one invariant of moderation alone.
"""

from collections.abc import Callable
from typing import Any, Final

from tests.judge.history import EDIT_KIND, MESSAGE_KIND, History, Row
from tests.judge.moderation import (
    BAN_KIND,
    FOREVER,
    INVITATION_KIND,
    MUTE_KIND,
    NOBODY,
    ROLE_KIND,
    UNBAN_KIND,
    UNMUTE_KIND,
    Ban,
    Member,
    Membership,
    Moderation,
)
from tests.judge.reactions import REACTION_KIND, Reaction

from .spoiling import change_applied, change_event, change_operation, change_row, write

ROOM: Final = "8" * 32
BEGAN_AT: Final = 200.0
"""After everything else of the history."""
OWNER, ADMIN, GUEST, LISTENER, NEWCOMER, STRANGER = 1, 2, 3, 4, 21, 22
UP: Final = "\N{THUMBS UP SIGN}"
LOG: Final = (
    (OWNER, MESSAGE_KIND, NOBODY),
    (OWNER, ROLE_KIND, Moderation(ADMIN, "admin")),
    (ADMIN, MUTE_KIND, Moderation(GUEST, "member", FOREVER)),
    (ADMIN, UNMUTE_KIND, Moderation(GUEST, "member")),
    (GUEST, MESSAGE_KIND, NOBODY),
    (ADMIN, MUTE_KIND, Moderation(GUEST, "member", 9)),
    (ADMIN, ROLE_KIND, Moderation(LISTENER, "reader")),
    (ADMIN, BAN_KIND, Moderation(NEWCOMER, "member", FOREVER)),
    (GUEST, MESSAGE_KIND, NOBODY),
    (ADMIN, UNBAN_KIND, Moderation(NEWCOMER, "member")),
    (OWNER, INVITATION_KIND, Moderation(NEWCOMER, "member")),
    (ADMIN, BAN_KIND, Moderation(NEWCOMER, "member", FOREVER)),
    (OWNER, ROLE_KIND, Moderation(GUEST, "owner")),
    (GUEST, MUTE_KIND, Moderation(OWNER, "owner", FOREVER)),
    (GUEST, BAN_KIND, Moderation(STRANGER, "member", 30)),
    (GUEST, MESSAGE_KIND, NOBODY),
)
"""User, kind and whom it concerns how, of each event, from seq 1 on; one a second by the server's clock."""
MODERATIONS: Final = len(LOG)


def with_moderation(history: History) -> History:
    """Return it with one more room: a mute that is lifted, one that ends, a ban, an invitation, a ban."""
    rows = [
        Row(ROOM, seq, user, f"8-{seq}", kind, f"text {seq}" if kind == MESSAGE_KIND else "")._replace(
            at_ms=1000 * seq, moderation=moderation
        )
        for seq, (user, kind, moderation) in enumerate(LOG, start=1)
    ]
    write(history, rows, BEGAN_AT, OWNER)
    roles = ((OWNER, "owner"), (ADMIN, "member"), (GUEST, "member"), (LISTENER, "member"))
    history.memberships[:0] = [Membership(ROOM, user, role=role) for user, role in roles]
    history.memberships.insert(0, Membership(ROOM, NEWCOMER, 10, 12))
    history.members += [
        Member(ROOM, OWNER, "owner", FOREVER),
        Member(ROOM, ADMIN, "admin"),
        Member(ROOM, GUEST, "owner", 9),
        Member(ROOM, LISTENER, "reader"),
    ]
    history.bans += [Ban(ROOM, NEWCOMER, FOREVER, 12), Ban(ROOM, STRANGER, 30, 15)]
    return history


def _change(history: History, seq: int, **facts: Any) -> None:
    change_event(history, ROOM, seq, **facts)


def _change_member(history: History, user: int, **facts: Any) -> None:
    index = next(i for i, one in enumerate(history.members) if (one.room, one.user) == (ROOM, user))
    history.members[index] = history.members[index]._replace(**facts)


def mute_for_longer_than_was_asked(history: History) -> None:
    """A client asked for a mute with another end."""
    change_operation(history, ROOM, 6, moderation=Moderation(GUEST, until=8))


def hand_on_another_role(history: History) -> None:
    """A reader is handed another role than the log has."""
    change_applied(history, ROOM, 7, moderation=Moderation(LISTENER, "member"))


def let_a_member_set_a_role(history: History) -> None:
    """A member without a role makes somebody a reader."""
    _change(history, 7, user=GUEST)


def let_an_admin_name_an_owner(history: History) -> None:
    """An admin makes somebody an owner."""
    _change(history, 13, user=ADMIN)


def let_an_admin_mute_an_owner(history: History) -> None:
    """An admin mutes an owner."""
    _change(history, 14, user=ADMIN)


def let_a_banned_person_ban(history: History) -> None:
    """Somebody who was banned bans another."""
    _change(history, 15, user=NEWCOMER)


def mute_oneself(history: History) -> None:
    """An admin mutes and unmutes the own person."""
    _change(history, 3, moderation=Moderation(ADMIN, "admin", FOREVER))
    _change(history, 4, moderation=Moderation(ADMIN, "admin"))


def mute_a_stranger(history: History) -> None:
    """Somebody is muted and unmuted who is no member."""
    _change(history, 3, moderation=Moderation(STRANGER, "member", FOREVER))
    _change(history, 4, moderation=Moderation(STRANGER, "member"))


def give_the_role_that_is_there(history: History) -> None:
    """A member is made a member."""
    _change(history, 7, moderation=Moderation(LISTENER, "member"))
    _change_member(history, LISTENER, role="member")


def mute_into_the_past(history: History) -> None:
    """A mute is over at the very time of its event."""
    _change(history, 6, moderation=Moderation(GUEST, "member", 6))
    _change_member(history, GUEST, muted_until=6)


def unmute_when_the_mute_is_over(history: History) -> None:
    """A mute that has ended is lifted."""
    _change(history, 3, moderation=Moderation(GUEST, "member", 4))


def unban_when_the_ban_is_over(history: History) -> None:
    """A ban that has ended is lifted."""
    _change(history, 8, moderation=Moderation(NEWCOMER, "member", 10))


def misstate_a_role(history: History) -> None:
    """A ban says that a member was an admin."""
    _change(history, 12, moderation=Moderation(NEWCOMER, "admin", FOREVER))


def moderate_a_direct_room(history: History) -> None:
    """All of this happens between two people."""
    history.direct_rooms.append(ROOM)


def let_the_muted_write(history: History) -> None:
    """A message is stored a millisecond before its author's mute ends."""
    _change(history, 9, at_ms=8999)


def let_the_muted_edit(history: History) -> None:
    """An edit is stored a millisecond before its author's mute ends."""
    _change(history, 9, at_ms=8999, kind=EDIT_KIND, target=5)
    change_row(history, ROOM, 5, edited_seq=9)


def let_the_muted_react(history: History) -> None:
    """A reaction is stored a millisecond before the mute of its author ends."""
    _change(history, 9, at_ms=8999, kind=REACTION_KIND, target=1, emoji=UP, text="")
    change_row(history, ROOM, 1, reacted_seq=9, reactions=(Reaction(GUEST, UP, 9),))


def let_a_reader_write(history: History) -> None:
    """A message by somebody who may only read."""
    _change(history, 9, user=LISTENER)


def let_a_reader_react(history: History) -> None:
    """A reaction by somebody who may only read."""
    _change(history, 9, user=LISTENER, kind=REACTION_KIND, target=1, emoji=UP, text="")
    change_row(history, ROOM, 1, reacted_seq=9, reactions=(Reaction(LISTENER, UP, 9),))


def let_a_reader_invite(history: History) -> None:
    """An invitation by somebody who may only read."""
    _change(history, 11, user=LISTENER)


def let_a_banned_person_write(history: History) -> None:
    """A message by somebody whose membership a ban has ended."""
    _change(history, 16, user=NEWCOMER)


def let_a_banned_person_invite(history: History) -> None:
    """An invitation by somebody whose membership a ban has ended."""
    invited = Moderation(STRANGER, "member")
    _change(history, 15, user=NEWCOMER, kind=INVITATION_KIND, moderation=invited)
    history.bans = [one for one in history.bans if one.user != STRANGER]
    history.memberships.insert(0, Membership(ROOM, STRANGER, 14))
    history.members.append(Member(ROOM, STRANGER, "member"))


def invite_a_banned_person(history: History) -> None:
    """Nobody has lifted the ban of somebody who is invited."""
    _change(history, 10, kind=MESSAGE_KIND, text="text 10", moderation=NOBODY)


def let_a_banned_person_stay(history: History) -> None:
    """A ban leaves the membership."""
    history.memberships[0] = history.memberships[0]._replace(to_seq=None)
    history.members.append(Member(ROOM, NEWCOMER, "member"))


def keep_an_old_role(history: History) -> None:
    """The database has the role of before."""
    _change_member(history, LISTENER, role="member")


def keep_a_lifted_mute(history: History) -> None:
    """The database has a mute that nobody has."""
    _change_member(history, ADMIN, muted_until=FOREVER)


def lose_a_mute(history: History) -> None:
    """The database lacks a mute."""
    _change_member(history, OWNER, muted_until=0)


def keep_a_banned_member(history: History) -> None:
    """The database has a member whom a ban took out."""
    history.members.append(Member(ROOM, NEWCOMER, "member"))


def lose_a_ban(history: History) -> None:
    """The database lacks a ban."""
    history.bans = [one for one in history.bans if one.user != NEWCOMER]


def keep_a_lifted_ban(history: History) -> None:
    """The database has the earlier ban, which was lifted."""
    history.bans = [one._replace(seq=8) if one.user == NEWCOMER else one for one in history.bans]


MODERATION_FORGERIES: Final[list[tuple[str, Callable[[History], None]]]] = [
    ("I5", mute_for_longer_than_was_asked),
    ("I8", hand_on_another_role),
    ("I24", let_a_member_set_a_role),
    ("I24", let_an_admin_name_an_owner),
    ("I24", let_an_admin_mute_an_owner),
    ("I24", let_a_banned_person_ban),
    ("I24", mute_oneself),
    ("I24", mute_a_stranger),
    ("I24", give_the_role_that_is_there),
    ("I24", mute_into_the_past),
    ("I24", unmute_when_the_mute_is_over),
    ("I24", unban_when_the_ban_is_over),
    ("I24", misstate_a_role),
    ("I24", moderate_a_direct_room),
    ("I25", let_the_muted_write),
    ("I25", let_the_muted_edit),
    ("I25", let_the_muted_react),
    ("I25", let_a_reader_write),
    ("I25", let_a_reader_react),
    ("I25", let_a_reader_invite),
    ("I25", let_a_banned_person_write),
    ("I25", let_a_banned_person_invite),
    ("I25", invite_a_banned_person),
    ("I25", let_a_banned_person_stay),
    ("I26", keep_an_old_role),
    ("I26", keep_a_lifted_mute),
    ("I26", lose_a_mute),
    ("I26", keep_a_banned_member),
    ("I26", lose_a_ban),
    ("I26", keep_a_lifted_ban),
]
"""Each with the one invariant that must flag it."""
