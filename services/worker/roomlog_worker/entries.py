"""A command to process: an entry of a shard's stream, or a row of PendingCommand."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast
from uuid import UUID

import msgspec

from roomlog_contract.commands import NewMessage, RoomWrite, action_of
from roomlog_contract.envelope import Envelope, EraseMessages, SyncMembers, decode_envelope
from roomlog_contract.shards import room_of

_READS: Final = (":read", ":browse")


class Entry(msgspec.Struct, frozen=True):
    """One command to process. The same command may come in several entries: all but one are repeats."""

    shard: int
    stream: str
    """Empty for a pending row."""
    id: str
    """The stream's id, or `pending-<row>`."""
    envelope: Envelope
    pending: int | None = None
    """The PendingCommand row to delete in the transaction that writes the event."""

    @property
    def key(self) -> tuple[int, str]:
        """Return what names the entry among all: the first entries of a millisecond share an id."""
        return self.shard, label_of(self.stream, self.id)

    @property
    def is_read(self) -> bool:
        """Tell whether it came by a `read` or `browse` stream."""
        return self.stream.endswith(_READS)

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


@dataclass(slots=True)
class Work:
    """What one read brought."""

    writes: list[Entry] = field(default_factory=list)
    spent: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Wake-ups, and what was buried unread: to be deleted, by stream."""

    @property
    def shards(self) -> set[int]:
        """Return the shards that have work."""
        return {entry.shard for entry in self.writes}


def hop_of(entry: Entry) -> dict[str, Any]:
    """Return the fields `uuid` and `shard` of a line about an entry."""
    return {"uuid": entry.envelope.command.uuid, "shard": entry.shard}


def label_of(stream: str, entry_id: str) -> str:
    """Return an entry's name within its shard."""
    return f"{stream.rpartition(':')[2]} {entry_id}" if stream.endswith(_READS) else entry_id


def kind_of(label: str) -> str:
    """Return what the names of entries of one kind of streams begin with."""
    kind, blank, _ = label.rpartition(" ")
    return kind + blank


def shard_of(stream: str) -> int:
    """Return NN of `<prefix>:{sNN}:in`."""
    return int(stream.partition("{s")[2].partition("}")[0])


def oldest_ms(raw: Sequence[tuple[str, str, bytes]]) -> dict[int, int]:
    """Return the time of each shard's first entry: an id begins with Redis' clock."""
    return {shard_of(stream): int(entry_id.partition("-")[0]) for stream, entry_id, _ in reversed(raw)}


def entry_of(stream: str, entry_id: str, value: bytes) -> Entry | None:
    """Return an entry of a stream; None if it can't be decoded or does not belong in this stream."""
    envelope = _decoded(value)
    if envelope is None or not (stream.endswith(_READS) or isinstance(envelope.command, RoomWrite)):
        return None
    return Entry(shard_of(stream), stream, entry_id, envelope)


def pending_entry(shard: int, row: int, value: bytes) -> Entry | None:
    """Return a row of PendingCommand as an entry; None if it can't be decoded or writes nothing.

    A SyncMembers is no write itself: `member_sync` makes writes of it. An EraseMessages changes events.
    """
    envelope = _decoded(value)
    if envelope is None or not isinstance(envelope.command, RoomWrite | SyncMembers | EraseMessages):
        return None
    return Entry(shard, "", f"pending-{row}", envelope, row)


def _decoded(value: bytes) -> Envelope | None:
    try:
        envelope = decode_envelope(value)
    except msgspec.DecodeError:
        return None
    # PostgreSQL takes no NUL: by such a name nothing can be looked up, not even to be buried.
    return None if "\0" in envelope.command.uuid else envelope
