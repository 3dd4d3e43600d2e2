"""Who had left what of themselves behind: facts of a history, which `leavers` of the checker judges."""

from typing import NamedTuple


class Erasure(NamedTuple):
    """All that a user had said was to lose its text."""

    user: int
    began_at: float
    """What was answered before has no text in the end."""
    asked_at: float
    """What was sent after keeps its text."""
    done_at: float
    """From here on nobody is handed the texts."""


class Departure(NamedTuple):
    """A user's account was deleted."""

    user: int
    at: float
