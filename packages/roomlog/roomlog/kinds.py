"""The kinds of a log's events that code tells apart, by the wire's names of their actions."""

from typing import Final

MESSAGE: Final = "new_message"
"""The kind of events that people read as messages."""
EDIT: Final = "edit_message"
DELETION: Final = "delete_message"
CHANGES: Final = frozenset(
    {EDIT, DELETION, "add_reaction", "remove_reaction", "pin_message", "unpin_message"}
)
"""The kinds of events that concern a message, and nobody's membership."""
