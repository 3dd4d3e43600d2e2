"""A command on a worker's bench: an entry of a shard's stream, or a row that the api left."""

from dataclasses import dataclass
from typing import cast
from uuid import UUID

from roomlog_contract.commands import NewMessage, RoomWrite, action_of
from roomlog_contract.envelope import Envelope
from roomlog_store.services import room_of


@dataclass(frozen=True, slots=True)
class Entry:
    """One command to carry out. The same command may come in several entries: all but one are repeats."""

    shard: int
    stream: str
    """Empty for a pending row."""
    id: str
    """The stream's id, or `pending-<row>`."""
    envelope: Envelope
    pending: int | None = None
    """The PendingCommand row to delete in the transaction that writes the event."""

    @property
    def write(self) -> RoomWrite:
        """Return the command of an entry of an `in` stream."""
        return cast(RoomWrite, self.envelope.command)

    @property
    def room(self) -> UUID:
        """Return the room that a write goes to."""
        command = self.write
        if isinstance(command, NewMessage):
            return command.room
        return room_of(command, self.envelope.user)

    @property
    def action(self) -> str:
        """Return the command's name on the wire."""
        return action_of(self.envelope.command)
