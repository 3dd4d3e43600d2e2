"""One room's messages in their present state, for programs that show them. Without any I/O.

Events and answers may come in any order: each message is known as of a seq, and nothing older replaces it.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Final

from .events import Event, RoomReset
from .reactions import Reactions

Message = dict[str, Any]
"""A message as the wire writes it."""
NOBODY: Final = {"mentions": list[int](), "mentions_room": False}
DELETED: Final = {"text": "", **NOBODY, "attachments": list[Any](), "deleted": True}
"""Left by a deletion, and by an edit that has lost its text: the message was deleted later, or erased."""


@dataclass(slots=True)
class _Change:
    """What is known of a message by its edits and its deletion."""

    seq: int
    facts: Message


class Messages:
    """The messages of one room that a program has seen, by seq. Give it each event and answer of the room."""

    def __init__(self, me: int = 0) -> None:
        """Begin with nothing. `me` is the id of the user whose reactions are `mine`."""
        self._me = me
        self._reactions: defaultdict[int, Reactions] = defaultdict(Reactions)
        self._messages: dict[int, Message] = {}
        self._known_at: dict[int, int] = {}
        """Seq of a message → the seq as of which it is known."""
        self._changes: dict[int, _Change] = {}
        """Seq of a message → its latest change, for answers that are older than that."""
        self._pins: dict[int, tuple[int, int | None]] = {}
        """Seq of a message → the seq as of which its pin is known, and when it was pinned."""

    def in_order(self) -> list[Message]:
        """Return the messages, oldest first, in their present state."""
        return [self._shown(self._messages[seq]) for seq in sorted(self._messages)]

    def apply(self, event: Event) -> None:
        """Take over what an event says; one that changes no message is passed over."""
        match event.action:
            case "new_message":
                self._know(event.body["message"], event.seq)
            case "edit_message":
                mentions = {"mentions": event.mentions, "mentions_room": event.mentions_room}
                facts = {"text": event.text, **mentions, "edited_at": event.body["edited_at"]}
                self._change(event, facts if event.text else DELETED)
            case "delete_message":
                self._change(event, DELETED)
            case "add_reaction" | "remove_reaction":
                self._reactions[event.body["message"]["seq"]].apply(event)
            case "pin_message" | "unpin_message":
                self._pin(event.body["message"]["seq"], event.seq, event.body.get("pinned_at"))
            case _:
                pass

    def add(self, answer: dict[str, Any]) -> None:
        """Take over the messages of an answer of `get_history` or `list_pins`."""
        for message in answer["room_messages"]:
            self._know(message, answer["seq"])

    def reset(self, reset: RoomReset) -> None:
        """Begin anew with the messages of a room whose log began anew.

        Its events may come again from the first, so a message counts as known as of its own seq.
        """
        self._messages, self._known_at, self._changes = {}, {}, {}
        self._reactions.clear()
        self._pins.clear()
        for message in reset.messages:
            self._know(message, max(reset.seq, message["seq"]))

    def _shown(self, message: Message) -> Message:
        if message["deleted"]:
            return message | {"reactions": {}, "pinned": None}
        reactions = self._reactions.get(message["seq"])
        shown = {} if reactions is None else {"reactions": reactions.present(self._me)}
        _, pinned = self._pins[message["seq"]]
        return message | shown | {"pinned": pinned}

    def _know(self, message: Message, seq: int) -> None:
        place = message["seq"]
        if message.get("reacted_seq") is not None:
            self._reactions[place].take_over(message)
        self._pin(place, seq, message.get("pinned"))
        if seq < self._known_at.get(place, 0):
            return
        self._messages[place], self._known_at[place] = message, seq
        change = self._changes.get(place)
        if change is not None and change.seq > seq:
            self._merge(place, change)

    def _pin(self, place: int, seq: int, pinned: int | None) -> None:
        known_at, _ = self._pins.get(place, (0, None))
        if seq >= known_at:
            self._pins[place] = seq, pinned

    def _change(self, event: Event, facts: Message) -> None:
        place = event.body["message"]["seq"]
        known = self._changes.get(place)
        if known is not None:
            if event.seq <= known.seq:
                return
            facts = known.facts if known.facts.get("deleted") else known.facts | facts
        change = self._changes[place] = _Change(event.seq, facts)
        if place in self._messages and event.seq > self._known_at[place]:
            self._merge(place, change)

    def _merge(self, place: int, change: _Change) -> None:
        message = self._messages[place]
        if not message["deleted"]:
            message = message | change.facts
            if message["deleted"]:
                message.pop("data", None)
        self._messages[place], self._known_at[place] = message, change.seq
