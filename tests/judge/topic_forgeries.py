"""A room of a good history whose topic and name were set, and the ways to spoil it.

Beside `forgeries.py`: each of these breaks one invariant alone.
"""

from typing import Final

from tests.judge.history import History, Row
from tests.judge.moderation import Membership
from tests.judge.topics import NAME_KIND, TOPIC_KIND

from .spoiling import Table, changed, forgeries, handed, spoils, stored, write

ROOM: Final = "0" * 32
BEGAN_AT: Final = 500.0
"""After everything else of the history."""
OWNER, MEMBER, READER, STRANGER = 1, 2, 4, 22
TOPICS: Final = ("tea", "", "coffee")
"""What the room was about, from seq 1 on."""
NAMES: Final = ("kitchen", "the kitchen")
"""What it was called after that."""


def with_topics(history: History) -> History:
    """Return it with one more room: a topic, none, another one, and two names."""
    rows = [Row(ROOM, seq, OWNER, f"0-{seq}", TOPIC_KIND, topic) for seq, topic in enumerate(TOPICS, start=1)]
    rows += [Row(ROOM, seq, OWNER, f"0-{seq}", NAME_KIND, name) for seq, name in enumerate(NAMES, start=4)]
    write(history, rows, BEGAN_AT, READER)
    history.topics = {ROOM: TOPICS[-1], "a" * 32: ""}
    history.names = {ROOM: NAMES[-1], "a" * 32: "as it was made"}
    roles = ((OWNER, "owner"), (MEMBER, "member"), (READER, "member"))
    history.memberships[-1:-1] = [Membership(ROOM, user, role=role) for user, role in roles]
    return history


@spoils
def _name(history: History, room: str, name: str) -> None:
    """Have the database say that a room is called this."""
    history.names[room] = name


@spoils
def _topic(history: History, room: str, topic: str) -> None:
    """Have the database say that a room is about this."""
    history.topics[room] = topic


_WAYS: Final[Table] = {
    "I5": {
        "The log has a topic that nobody has sent": (
            stored(ROOM, 1, text="milk"),
            handed(ROOM, 1, text="milk"),
        ),
        "The log has a name that nobody has sent": (
            stored(ROOM, 4, text="hall"),
            handed(ROOM, 4, text="hall"),
        ),
    },
    "I8": {
        "A reader is handed another topic than the log has": handed(ROOM, 1, text="milk"),
        "A reader is handed another name than the log has": handed(ROOM, 4, text="hall"),
    },
    "I32": {
        "The database has the topic before the last": _topic(ROOM, TOPICS[0]),
        "The database has no topic where the log has one": _topic(ROOM, ""),
        "The database has a topic of a room whose log has none": _topic("a" * 32, "tea"),
        "The database has the name before the last": _name(ROOM, NAMES[0]),
        "A topic is by somebody who is no admin": changed(ROOM, 3, user=MEMBER),
        "A name is by somebody who is no admin": changed(ROOM, 5, user=MEMBER),
        "A topic is by somebody who is not in the room": changed(ROOM, 3, user=STRANGER),
        "A room of two has a topic": lambda history: history.direct_rooms.append(ROOM),
    },
}
TOPIC_FORGERIES: Final = forgeries(_WAYS)
