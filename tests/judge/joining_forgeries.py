"""A room of a good history that people joined by themselves, and the ways to spoil it.

Beside `forgeries.py`: each of these breaks one invariant alone.
"""

from collections.abc import Callable
from typing import Final

from tests.judge.history import History, Row
from tests.judge.joining import DISCOVERABLE_KIND, JOINING_KIND, Admission, Doors, Invitation
from tests.judge.moderation import NOBODY, Member, Membership, Moderation
from tests.judge.topics import CLOSED, OPEN

from .spoiling import change_applied, change_event, change_row, write

ROOM: Final = "ab" * 16
BEGAN_AT: Final = 700.0
"""After everything else of the history."""
OWNER, MEMBER, JOINER, GUEST = 1, 4, 23, 24
TOKEN: Final = "1" * 32
LOG: Final = (
    (OWNER, DISCOVERABLE_KIND, OPEN, NOBODY),
    (JOINER, JOINING_KIND, "", Moderation(JOINER, "member")),
    (OWNER, DISCOVERABLE_KIND, CLOSED, NOBODY),
    (GUEST, JOINING_KIND, "", Moderation(GUEST, "reader")),
)
"""User, kind, text and whom it concerns how, of each event from seq 1 on; one a second by the clock."""
JOININGS: Final = len(LOG)
INVITATION: Final = Invitation(TOKEN, ROOM, "reader", 4_500, 1, 1, 0)


def with_joining(history: History) -> History:
    """Return it with one more room: opened, joined, closed, and joined by an invitation."""
    rows = [
        Row(ROOM, seq, user, f"ab-{seq}", kind, text)._replace(at_ms=1000 * seq, moderation=moderation)
        for seq, (user, kind, text, moderation) in enumerate(LOG, start=1)
    ]
    write(history, rows, BEGAN_AT, MEMBER)
    history.doors = Doors([], [INVITATION], [Admission(ROOM, 4, TOKEN)])
    history.memberships[-1:-1] = [
        Membership(ROOM, OWNER, role="owner"),
        Membership(ROOM, MEMBER),
        Membership(ROOM, JOINER, 1),
        Membership(ROOM, GUEST, 3, role="reader"),
    ]
    roles = ((OWNER, "owner"), (MEMBER, "member"), (JOINER, "member"), (GUEST, "reader"))
    history.members += [Member(ROOM, user, role) for user, role in roles]
    return history


def let_somebody_join_a_closed_room(history: History) -> None:
    """The log has no opening before the joining."""
    change_event(history, ROOM, 1, text=CLOSED)


def store_another_opening(history: History) -> None:
    """The log has an opening where a closing was sent."""
    for change in (change_row, change_applied):
        change(history, ROOM, 3, text=OPEN)
    history.doors = history.doors._replace(discoverable=[ROOM])


def let_a_member_open_a_room(history: History) -> None:
    """A room is opened by somebody who is no admin."""
    change_event(history, ROOM, 1, user=MEMBER)


def open_a_direct_room(history: History) -> None:
    """A room of two is opened and closed."""
    history.direct_rooms.append(ROOM)


def keep_a_closed_room_open(history: History) -> None:
    """The database has a room open that was closed."""
    history.doors = history.doors._replace(discoverable=[ROOM])


def let_an_invitation_be_of_another_role(history: History) -> None:
    """Somebody joined as another than the invitation says."""
    _change_invitation(history, role="member")


def let_an_invitation_end_before(history: History) -> None:
    """Somebody joined by an invitation that had ended."""
    _change_invitation(history, until_ms=4_000)


def let_an_invitation_be_revoked_before(history: History) -> None:
    """Somebody joined by an invitation that was revoked."""
    _change_invitation(history, revoked_ms=3_500)


def let_an_invitation_be_of_another_room(history: History) -> None:
    """Somebody joined by an invitation to elsewhere."""
    _change_invitation(history, room="a" * 32)


def forget_the_invitation(history: History) -> None:
    """Somebody joined a closed room, by nothing."""
    history.doors = Doors()


def forget_a_use(history: History) -> None:
    """The database counts a use less than the log has."""
    _change_invitation(history, uses=0)


def let_a_member_join(history: History) -> None:
    """Somebody joined who was there."""
    change_event(history, ROOM, 2, user=MEMBER, moderation=Moderation(MEMBER, "member"))
    joiner = history.memberships.index(Membership(ROOM, JOINER, 1))
    history.memberships.pop(joiner)
    history.members.remove(Member(ROOM, JOINER, "member"))


def use_an_invitation_twice(history: History) -> None:
    """Two joined by an invitation for one."""
    change_event(history, ROOM, 2, moderation=Moderation(JOINER, "reader"))
    place = history.memberships.index(Membership(ROOM, JOINER, 1))
    history.memberships[place] = Membership(ROOM, JOINER, 1, role="reader")
    member = history.members.index(Member(ROOM, JOINER, "member"))
    history.members[member] = Member(ROOM, JOINER, "reader")
    history.doors = Doors([], [INVITATION._replace(uses=2)], [Admission(ROOM, seq, TOKEN) for seq in (2, 4)])


def _change_invitation(history: History, **facts: object) -> None:
    history.doors = history.doors._replace(invitations=[INVITATION._replace(**facts)])  # type: ignore[arg-type]


JOINING_FORGERIES: Final[list[tuple[str, Callable[[History], None]]]] = [
    ("I34", let_somebody_join_a_closed_room),
    ("I5", store_another_opening),
    ("I34", let_a_member_open_a_room),
    ("I34", open_a_direct_room),
    ("I34", keep_a_closed_room_open),
    ("I34", let_an_invitation_be_of_another_role),
    ("I34", let_an_invitation_end_before),
    ("I34", let_an_invitation_be_revoked_before),
    ("I34", let_an_invitation_be_of_another_room),
    ("I34", forget_the_invitation),
    ("I34", forget_a_use),
    ("I34", let_a_member_join),
    ("I34", use_an_invitation_twice),
]
"""Each with the one invariant that must flag it."""
