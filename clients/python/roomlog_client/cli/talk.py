"""What `roomlog chat` shows of a room: messages, one's own that wait, who types, who is there. No I/O.

Beside the message's way. Names and texts leave it unable to command a terminal.
"""

from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from roomlog_client.events import (
    Degraded,
    Event,
    Item,
    RoomJoined,
    RoomLeft,
    RoomPresence,
    RoomReset,
    RoomTyping,
)
from roomlog_client.messages import Messages
from roomlog_contract.events import User
from roomlog_contract.server_events import Recovered

from .event_lines import words_of
from .terminal import plain

TYPING_SECONDS: Final = 5.0
"""Somebody counts as typing for so long."""
MOST_ROWS: Final = 1_000
"""Messages that are shown, the newest: each change draws all of them."""
REFUSED: Final = 20
"""Of one's own refused messages so many are shown."""


@dataclass(frozen=True)
class Row:
    """One line of the room, or several; `style` is rich's."""

    text: str
    style: str = ""


class Talk:
    """One room, as one of its members sees it."""

    def __init__(self, room: str, me: User) -> None:
        """Begin with an empty screen; history and events come."""
        self._room = room
        self._messages = Messages(me.id)
        self._me = me
        self._waiting: dict[str, str] = {}
        """Text by uuid, in the order of sending."""
        self._refused: deque[Row] = deque(maxlen=REFUSED)
        self._typists: dict[int, tuple[str, float]] = {}
        """Name and end by the user's id."""
        self._has_earlier = True
        self.has_left = False
        self.is_degraded = False
        self.online: int | None = None
        """How many of the room are connected, as it was told last."""

    def apply(self, item: Item, now: float) -> None:
        """Take over what happens; other rooms don't concern us."""
        match item:
            case Event(room=self._room):
                self._typists.pop(item.user.id, None)
                self._messages.apply(item)
            case RoomReset(room=self._room):
                self._messages.reset(item)
                self._has_earlier = True
            case RoomTyping(room=self._room):
                until = now + TYPING_SECONDS
                self._typists |= {user.id: (plain(user.username), until) for user in item.users}
            case RoomPresence(room=self._room):
                self.online = item.count
            case RoomLeft(room=self._room):
                self.has_left = True
            case RoomJoined() if item.room.id == self._room:
                self.has_left = False
            case Degraded():
                self.is_degraded = item.rooms is None or self._room in item.rooms
            case Recovered():
                self.is_degraded = False
            case _:
                pass

    def disconnected(self) -> None:
        """Forget what the next connection says anew."""
        self.is_degraded, self.online = False, None

    def add_earlier(self, answer: dict[str, Any]) -> None:
        """Take over an answer of `get_history`."""
        self._messages.add(answer)
        self._has_earlier = answer["more"]

    @property
    def oldest(self) -> int | None:
        """The seq of the first message that is known."""
        known = self._messages.in_order()
        return known[0]["seq"] if known else None

    @property
    def wants_earlier(self) -> bool:
        """Whether there are earlier messages, and place to show them."""
        return self._has_earlier and len(self._messages.in_order()) < MOST_ROWS

    def wait(self, uuid: str, text: str) -> None:
        """Show a message of one's own that has no answer yet."""
        self._waiting[uuid] = text

    def settle(self, uuid: str, refusal: str = "") -> None:
        """Show it no more as waiting: it is an event of the log, or was refused."""
        text = self._waiting.pop(uuid)
        if refusal:
            self._refused.append(Row(f"not sent ({plain(refusal)}): {_lines(text)}", "red"))

    def rows(self) -> list[Row]:
        """Return all that is said, oldest first; what waits or was refused stands at the end."""
        said = [_row(message) for message in self._messages.in_order()[-MOST_ROWS:]]
        me = plain(self._me.username)
        waiting = [Row(f"pending {me}: {_lines(text)}", "dim italic") for text in self._waiting.values()]
        return [*said, *self._refused, *waiting]

    def typing(self, now: float) -> str:
        """Return the sentence about who types, or nothing."""
        self._typists = {user: one for user, one in self._typists.items() if one[1] > now}
        names = [name for name, _ in self._typists.values()]
        if len(names) > 2:
            return "several people are typing…"
        return f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'} typing…" if names else ""

    def pending(self) -> int:
        """Return how many messages of one's own wait for an answer."""
        return len(self._waiting)


def _row(message: dict[str, Any]) -> Row:
    time = f"{datetime.fromtimestamp(message['timestamp_ms'] / 1000):%Y-%m-%d %H:%M}"
    begin = f"{time} {plain(message['user']['username'])}:"
    if message["deleted"]:
        return Row(f"{begin} (deleted)", "dim")
    edited = " (edited)" if message.get("edited_at") else ""
    return Row(f"{begin} {_lines(words_of(message))}{edited}")


def _lines(text: str) -> str:
    return "\n".join(plain(line) for line in text.splitlines())
