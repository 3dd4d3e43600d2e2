"""A room of a good history whose topic was set, and the ways to spoil it.

Beside `forgeries.py`: each of these breaks one invariant alone.
"""

from collections.abc import Callable
from typing import Final

from tests.judge.history import History, Row
from tests.judge.moderation import Membership
from tests.judge.topics import TOPIC_KIND

from .spoiling import change_applied, change_event, change_row, write

ROOM: Final = "0" * 32
BEGAN_AT: Final = 500.0
"""After everything else of the history."""
OWNER, MEMBER, READER, STRANGER = 1, 2, 4, 22
TOPICS: Final = ("tea", "", "coffee")
"""What the room was about, from seq 1 on."""


def with_topics(history: History) -> History:
    """Return it with one more room: a topic, none, and another one."""
    rows = [Row(ROOM, seq, OWNER, f"0-{seq}", TOPIC_KIND, topic) for seq, topic in enumerate(TOPICS, start=1)]
    write(history, rows, BEGAN_AT, READER)
    history.topics = {ROOM: TOPICS[-1], "a" * 32: ""}
    roles = ((OWNER, "owner"), (MEMBER, "member"), (READER, "member"))
    history.memberships[-1:-1] = [Membership(ROOM, user, role=role) for user, role in roles]
    return history


def store_another_topic(history: History) -> None:
    """The log has a topic that nobody has sent."""
    for change in (change_row, change_applied):
        change(history, ROOM, 1, text="milk")


def hand_on_another_topic(history: History) -> None:
    """A reader is handed another topic than the log has."""
    change_applied(history, ROOM, 1, text="milk")


def keep_an_earlier_topic(history: History) -> None:
    """The database has the topic before the last."""
    history.topics[ROOM] = TOPICS[0]


def lose_the_last_topic(history: History) -> None:
    """The database has no topic where the log has one."""
    history.topics[ROOM] = ""


def have_a_topic_that_nobody_set(history: History) -> None:
    """The database has a topic of a room whose log has none."""
    history.topics["a" * 32] = "tea"


def let_a_member_set_a_topic(history: History) -> None:
    """A topic is by somebody who is no admin."""
    change_event(history, ROOM, 3, user=MEMBER)


def let_a_stranger_set_a_topic(history: History) -> None:
    """A topic is by somebody who is not in the room."""
    change_event(history, ROOM, 3, user=STRANGER)


def set_the_topic_of_a_direct_room(history: History) -> None:
    """A room of two has a topic."""
    history.direct_rooms.append(ROOM)


TOPIC_FORGERIES: Final[list[tuple[str, Callable[[History], None]]]] = [
    ("I5", store_another_topic),
    ("I8", hand_on_another_topic),
    ("I32", keep_an_earlier_topic),
    ("I32", lose_the_last_topic),
    ("I32", have_a_topic_that_nobody_set),
    ("I32", let_a_member_set_a_topic),
    ("I32", let_a_stranger_set_a_topic),
    ("I32", set_the_topic_of_a_direct_room),
]
"""Each with the one invariant that must flag it."""
