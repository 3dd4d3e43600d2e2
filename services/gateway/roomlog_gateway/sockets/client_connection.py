"""What a session needs of its connection, open or closed. Around the message's way."""

from typing import Protocol


class ClientConnection(Protocol):
    """What a session needs of its connection."""

    number: int
    """Names it in the log."""
    heard_at: float
    """When its last frame came."""
    asked_at: float | None
    """When it was asked for a sign of life that has not come yet."""

    @property
    def is_silent(self) -> bool:
        """Return True if it had its time to answer `ask` and gave no sign of life."""

    def ask(self) -> None:
        """Ask for a sign of life, because its place is wanted."""

    def flush(self) -> None:
        """Write what waits in the outbox, as far as the socket takes it."""

    def admit(self) -> None:
        """Let its client send more than a stranger: it has authenticated."""

    def close(self, code: int, reason: str) -> None:
        """Say goodbye after what waits, and end the session."""

    def abort(self) -> None:
        """Cut the socket."""


class Gone:
    """A closed connection, to those who still hold its session."""

    number = 0
    heard_at = 0.0
    asked_at: float | None = None
    is_silent = True

    def ask(self) -> None:
        """Do nothing, like all that follows."""

    def flush(self) -> None:
        """Do nothing."""

    def admit(self) -> None:
        """Do nothing."""

    def close(self, code: int, reason: str) -> None:
        """Do nothing."""

    def abort(self) -> None:
        """Do nothing."""
