"""Which rooms the user looks at, and when the server is to be told. Pure: the state sends."""

from collections.abc import Callable, Collection


class Watching:
    """The watched rooms of one client, over all its connections."""

    def __init__(self) -> None:
        self._rooms: tuple[str, ...] = ()
        self.due_at: float | None = None
        """When the server is to be told; None: it knows."""

    def want(self, rooms: Collection[str], now: float) -> None:
        """Take the rooms that the user looks at from here on."""
        self._rooms = tuple(rooms)
        self.due_at = now

    def begin(self, now: float) -> None:
        """Tell a new connection, if there is anything to tell."""
        self.due_at = now if self._rooms else None

    def joined(self, room: str, now: float) -> None:
        """Tell anew that a room is looked at: watching it ended when the user left."""
        if room in self._rooms:
            self.due_at = now

    def refused(self, retry_at: float) -> None:
        """Tell again, later: the server is busy, or will soon say that the user has left a room."""
        self.due_at = retry_at

    def is_due(self, now: float) -> bool:
        """Return whether the server is to be told now."""
        return self.due_at is not None and now >= self.due_at

    def take(self, is_followed: Callable[[str], bool]) -> list[str]:
        """Return what the server is told now: the others of the rooms are not the user's."""
        self.due_at = None
        return [room for room in self._rooms if is_followed(room)]
