"""The kind of rows that say what a room is about; their text is the topic."""

from typing import Final

TOPIC_KIND: Final = "set_topic"
