"""The kinds of rows that say what a room is: their text is the name, the topic, or whether it is open."""

from collections.abc import Mapping
from typing import Any, Final

from .joining import DISCOVERABLE_KIND

NAME_KIND: Final = "rename_room"
TOPIC_KIND: Final = "set_topic"
ROOM_KINDS: Final = (NAME_KIND, TOPIC_KIND, DISCOVERABLE_KIND)
"""Kinds of rows whose texts nobody erases."""
OPEN, CLOSED = "open", "closed"


def words_of(kind: str, facts: Mapping[str, Any], text: str) -> str:
    """Return what an event says, by its kind, its facts of its own and its text."""
    if "discoverable" in facts:
        return OPEN if facts["discoverable"] else CLOSED
    words: str = facts["name"] if kind == NAME_KIND else facts.get("topic", text)
    return words
