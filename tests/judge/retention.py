"""What a history knows of events that were kept no longer."""

from typing import NamedTuple


class Retention(NamedTuple):
    """What was to be kept, and what was not; `History.rows` has what was pruned as it was then."""

    kept_seconds: float = 0.0
    """How old an event was at least when it was pruned, by the server's clock."""
    held: tuple[str, ...] = ()
    """Rooms under a legal hold all the time."""
    first_seqs: dict[str, int] = {}
    """Where each room's log begins in the end."""
    pruned: dict[str, dict[int, float]] = {}
    """When each event was first seen to be gone, by room and seq."""

    def has_pruned(self, room: str, seq: int) -> bool:
        """Tell whether the event is gone, and with it all rows beside the log that belong to it."""
        return seq in self.pruned.get(room, {})
