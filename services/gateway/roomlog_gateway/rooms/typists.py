"""The people who type in a room, between two frames that tell of them. Pure; part of the room."""

from roomlog_contract import limits
from roomlog_contract.envelope import IsTyping
from roomlog_contract.events import User


class Typists:
    """Who types in one room, as far as its connections have not been told."""

    __slots__ = ("_names", "next_at")

    def __init__(self) -> None:
        self.next_at = 0.0
        """When the room may be told again."""
        self._names: dict[int, str] = {}

    def add(self, notice: IsTyping) -> None:
        """Note one; of too many in a second the first are told."""
        if len(self._names) < limits.TYPING_NAMES:
            self._names[notice.user] = notice.username

    def discard(self, user: int) -> None:
        """Forget one who has sent what was typed, or left."""
        self._names.pop(user, None)

    def take(self) -> list[User]:
        """Return and forget all."""
        users = [User(user, name) for user, name in self._names.items()]
        self._names.clear()
        return users
