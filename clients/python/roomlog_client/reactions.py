"""The reactions to one message in their present state. Without any I/O.

Counts can't be applied twice, so each event counts once: if it is above what the last answer held.
"""

from dataclasses import dataclass, field
from typing import Any, Final

from .events import Event

REACTORS_NAMED: Final = 5
"""The most people that an emoji names."""


@dataclass(slots=True)
class Reactions:
    """What an answer told, and the events that come on top."""

    seq: int = 0
    """The seq of the last event in `told`."""
    told: dict[str, Any] = field(default_factory=dict)
    events: dict[int, Event] = field(default_factory=dict)

    def apply(self, event: Event) -> None:
        """Take over an event, in whatever order they come."""
        if event.seq > self.seq:
            self.events[event.seq] = event

    def take_over(self, message: dict[str, Any]) -> None:
        """Begin anew from a message of an answer, if it holds later events."""
        seq = message["reacted_seq"] or 0
        if seq > self.seq:
            self.seq, self.told = seq, message["reactions"]
            self.events = {later: event for later, event in self.events.items() if later > seq}

    def present(self, me: int) -> dict[str, Any]:
        """Return what the wire calls `reactions`, as the person `me` sees them."""
        shown = {emoji: facts | {"users": list(facts["users"])} for emoji, facts in self.told.items()}
        for _, event in sorted(self.events.items()):
            emoji, user = event.body["emoji"], event.body["user"]
            facts = shown.setdefault(emoji, {"count": 0, "users": [], "mine": False})
            is_added = event.action == "add_reaction"
            facts["count"] += 1 if is_added else -1
            if user["id"] == me:
                facts["mine"] = is_added
            facts["users"] = [one for one in facts["users"] if one["id"] != user["id"]]
            if is_added and len(facts["users"]) < REACTORS_NAMED:
                facts["users"].append(user)
            if not facts["count"]:
                del shown[emoji]
        return shown
