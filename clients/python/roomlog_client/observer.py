"""What a test or a monitor may watch of a client. Methods are called as it happens and return at once."""

from .events import Item
from .incoming import Incoming


class Observer:
    """Watches nothing; subclasses watch what they need. Connections are numbered 1, 2, 3 … per client."""

    def authenticated(self, connection: int) -> None:
        """The connection is usable from here on."""

    def unreachable(self, connection: int, reason: str) -> None:
        """No connection was made; the reason is a few words for people."""

    def disconnected(self, connection: int, close_code: int | None) -> None:
        """The connection is gone; what it did not answer is unknown."""

    def sent(self, connection: int, uuid: str) -> None:
        """A command of the application goes out, for the first time or again."""

    def heard(self, connection: int, incoming: Incoming) -> None:
        """A frame arrived."""

    def handed_on(self, item: Item) -> None:
        """An item goes to the application."""
