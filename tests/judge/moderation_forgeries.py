"""A room of a good history in which roles were set and people muted and banned, and the ways to spoil it.

Beside `forgeries.py`: each of these breaks one invariant of moderation alone.
"""

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

from .spoiling import (
    Table,
    asked,
    change_event,
    changed,
    entry,
    forgeries,
    handed,
    leave_out,
    spoils,
    stored,
    without,
    write,
)

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


@spoils
def _member(history: History, /, user: int, **facts: Any) -> None:
    index = next(i for i, one in enumerate(history.members) if (one.room, one.user) == (ROOM, user))
    history.members[index] = history.members[index]._replace(**facts)


@spoils
def _kept(history: History, user: int) -> None:
    """Have somebody who was put out among the database's members."""
    history.members.append(Member(ROOM, user, "member"))


def _invited_by_the_banned(history: History) -> None:
    invited = Moderation(STRANGER, "member")
    change_event(history, ROOM, 15, user=NEWCOMER, kind=INVITATION_KIND, moderation=invited)
    leave_out(history, "bans", lambda one: one.user == STRANGER)
    history.memberships.insert(0, Membership(ROOM, STRANGER, 14))
    history.members.append(Member(ROOM, STRANGER, "member"))


_WAYS: Final[Table] = {
    "I5": {
        "A client asked for a mute with another end": asked(ROOM, 6, moderation=Moderation(GUEST, until=8))
    },
    "I8": {
        "A reader is handed another role than the log has": handed(
            ROOM, 7, moderation=Moderation(LISTENER, "member")
        )
    },
    "I24": {
        "A member without a role makes somebody a reader": changed(ROOM, 7, user=GUEST),
        "An admin makes somebody an owner": changed(ROOM, 13, user=ADMIN),
        "An admin mutes an owner": changed(ROOM, 14, user=ADMIN),
        "Somebody who was banned bans another": changed(ROOM, 15, user=NEWCOMER),
        "An admin mutes and unmutes the own person": (
            changed(ROOM, 3, moderation=Moderation(ADMIN, "admin", FOREVER)),
            changed(ROOM, 4, moderation=Moderation(ADMIN, "admin")),
        ),
        "Somebody is muted and unmuted who is no member": (
            changed(ROOM, 3, moderation=Moderation(STRANGER, "member", FOREVER)),
            changed(ROOM, 4, moderation=Moderation(STRANGER, "member")),
        ),
        "A member is made a member": (
            changed(ROOM, 7, moderation=Moderation(LISTENER, "member")),
            _member(LISTENER, role="member"),
        ),
        "A mute is over at the very time of its event": (
            changed(ROOM, 6, moderation=Moderation(GUEST, "member", 6)),
            _member(GUEST, muted_until=6),
        ),
        "A mute that has ended is lifted": changed(ROOM, 3, moderation=Moderation(GUEST, "member", 4)),
        "A ban that has ended is lifted": changed(ROOM, 8, moderation=Moderation(NEWCOMER, "member", 10)),
        "A ban says that a member was an admin": changed(
            ROOM, 12, moderation=Moderation(NEWCOMER, "admin", FOREVER)
        ),
        "All of this happens between two people": lambda history: history.direct_rooms.append(ROOM),
    },
    "I25": {
        "A message is stored a millisecond before its author's mute ends": changed(ROOM, 9, at_ms=8999),
        "An edit is stored a millisecond before its author's mute ends": (
            changed(ROOM, 9, at_ms=8999, kind=EDIT_KIND, target=5),
            stored(ROOM, 5, edited_seq=9),
        ),
        "A reaction is stored a millisecond before the mute of its author ends": (
            changed(ROOM, 9, at_ms=8999, kind=REACTION_KIND, target=1, emoji=UP, text=""),
            stored(ROOM, 1, reacted_seq=9, reactions=(Reaction(GUEST, UP, 9),)),
        ),
        "A message by somebody who may only read": changed(ROOM, 9, user=LISTENER),
        "A reaction by somebody who may only read": (
            changed(ROOM, 9, user=LISTENER, kind=REACTION_KIND, target=1, emoji=UP, text=""),
            stored(ROOM, 1, reacted_seq=9, reactions=(Reaction(LISTENER, UP, 9),)),
        ),
        "An invitation by somebody who may only read": changed(ROOM, 11, user=LISTENER),
        "A message by somebody whose membership a ban has ended": changed(ROOM, 16, user=NEWCOMER),
        "An invitation by somebody whose membership a ban has ended": _invited_by_the_banned,
        "Nobody has lifted the ban of somebody who is invited": changed(
            ROOM, 10, kind=MESSAGE_KIND, text="text 10", moderation=NOBODY
        ),
        "A ban leaves the membership": (entry("memberships", 0, to_seq=None), _kept(NEWCOMER)),
    },
    "I26": {
        "The database has the role of before": _member(LISTENER, role="member"),
        "The database has a mute that nobody has": _member(ADMIN, muted_until=FOREVER),
        "The database lacks a mute": _member(OWNER, muted_until=0),
        "The database has a member whom a ban took out": _kept(NEWCOMER),
        "The database lacks a ban": without("bans", lambda one: one.user == NEWCOMER),
        "The database has the earlier ban, which was lifted": entry("bans", 0, seq=8),
    },
}
MODERATION_FORGERIES: Final = forgeries(_WAYS)
