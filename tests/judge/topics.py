"""The kinds of rows that say what a room is: their text is the topic, or whether the room is open."""

from collections.abc import Mapping
from typing import Any, Final

from .joining import DISCOVERABLE_KIND

TOPIC_KIND: Final = "set_topic"
ROOM_KINDS: Final = (TOPIC_KIND, DISCOVERABLE_KIND)
"""Kinds of rows whose texts nobody erases."""
OPEN, CLOSED = "open", "closed"


def words_of(facts: Mapping[str, Any], text: str) -> str:
    """Return what an event says, by its facts of its own and its text."""
    if "discoverable" in facts:
        return OPEN if facts["discoverable"] else CLOSED
    topic: str = facts.get("topic", text)
    return topic
