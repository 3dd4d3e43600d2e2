"""A room of a good history that people joined by themselves, and the ways to spoil it.

Beside `forgeries.py`: each of these breaks one invariant alone.
"""

from typing import Any, Final

from tests.judge.history import History, Row
from tests.judge.joining import DISCOVERABLE_KIND, JOINING_KIND, Admission, Doors, Invitation
from tests.judge.moderation import NOBODY, Member, Membership, Moderation
from tests.judge.topics import CLOSED, OPEN

from .spoiling import Spoil, Table, change_entry, changed, forgeries, handed, spoils, stored, write

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


@spoils
def _doors(history: History, /, **facts: Any) -> None:
    """Have the database keep other doors."""
    history.doors = history.doors._replace(**facts)


def _invitation(**facts: Any) -> Spoil:
    """Say that the invitation was another."""
    return _doors(invitations=[INVITATION._replace(**facts)])


@spoils
def _joined(history: History, role: str) -> None:
    """Have who joined first be in the room as this."""
    place = history.memberships.index(Membership(ROOM, JOINER, 1))
    change_entry(history, "memberships", place, role=role)
    place = history.members.index(Member(ROOM, JOINER, "member"))
    change_entry(history, "members", place, role=role)


def _never_joined(history: History) -> None:
    history.memberships.remove(Membership(ROOM, JOINER, 1))
    history.members.remove(Member(ROOM, JOINER, "member"))


_WAYS: Final[Table] = {
    "I5": {
        "The log has an opening where a closing was sent": (
            stored(ROOM, 3, text=OPEN),
            handed(ROOM, 3, text=OPEN),
            _doors(discoverable=[ROOM]),
        )
    },
    "I34": {
        "The log has no opening before the joining": changed(ROOM, 1, text=CLOSED),
        "A room is opened by somebody who is no admin": changed(ROOM, 1, user=MEMBER),
        "A room of two is opened and closed": lambda history: history.direct_rooms.append(ROOM),
        "The database has a room open that was closed": _doors(discoverable=[ROOM]),
        "Somebody joined as another than the invitation says": _invitation(role="member"),
        "Somebody joined by an invitation that had ended": _invitation(until_ms=4_000),
        "Somebody joined by an invitation that was revoked": _invitation(revoked_ms=3_500),
        "Somebody joined by an invitation to elsewhere": _invitation(room="a" * 32),
        "Somebody joined a closed room, by nothing": _doors(invitations=[], admissions=[]),
        "The database counts a use less than the log has": _invitation(uses=0),
        "Somebody joined who was there": (
            changed(ROOM, 2, user=MEMBER, moderation=Moderation(MEMBER, "member")),
            _never_joined,
        ),
        "Two joined by an invitation for one": (
            changed(ROOM, 2, moderation=Moderation(JOINER, "reader")),
            _joined("reader"),
            _invitation(uses=2),
            _doors(admissions=[Admission(ROOM, seq, TOKEN) for seq in (2, 4)]),
        ),
    },
}
JOINING_FORGERIES: Final = forgeries(_WAYS)
