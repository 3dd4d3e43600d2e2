"""A command on its way into a log: what is asked, by whom, and by which right."""

from typing import Generic, TypeVar
from uuid import UUID

from msgspec import Struct

from roomlog_contract.commands import RoomWrite

from .statements import Key

Write = TypeVar("Write", bound=RoomWrite)


class Asked(Struct, Generic[Write], frozen=True):
    """One command to decide."""

    command: Write
    room: UUID
    user: int
    body_hash: str
    is_staff: bool
    """Asked in the admin: roles, membership and limits don't count."""
    data: str = ""
    """What a project's code sends with a message, as JSON."""

    @property
    def key(self) -> Key:
        """Return what names the command for ever."""
        return self.command.uuid, self.room, self.user
