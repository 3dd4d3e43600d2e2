"""What a model worker tells of a batch: notices, replies, refusals, and the entries to delete.

Between the commit and Redis, as `roomlog_worker.publications`. Builds, and sends nothing.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from roomlog_contract.codec import encode_frame
from roomlog_contract.commands import InviteUser
from roomlog_contract.envelope import Answered, Envelope, Joined, Reply, encode
from roomlog_contract.errors import ErrorCode

from .ledger import Written, frame_of
from .reading import error_frame, notice_of, summary
from .redis_model import KEYSPACE, EntryId
from .store_model import Key, ModelStore

Replies = dict[str, list[Reply]]
"""By gateway."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A command to carry out: of a stream, or a row that the api left."""

    shard: int
    stream: str
    id: EntryId
    envelope: Envelope
    pending: int | None = None

    @property
    def key(self) -> Key:
        command: Any = self.envelope.command
        return command.uuid, command.room, self.envelope.user


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an entry: one of the two."""

    entry: Entry
    written: Written | None = None
    refused: ErrorCode | None = None


@dataclass
class Telling:
    """All that is said of one batch, in the order in which it must leave."""

    notices: list[tuple[str, bytes]] = field(default_factory=list)
    replies: Replies = field(default_factory=lambda: defaultdict(list))
    refusals: Replies = field(default_factory=lambda: defaultdict(list))


def telling_of(store: ModelStore, outcomes: Sequence[Outcome]) -> Telling:
    """Return what is published and answered for a batch."""
    told = Telling()
    for outcome in outcomes:
        envelope = outcome.entry.envelope
        if outcome.refused is not None:
            frame = error_frame(envelope.command, outcome.refused)
            told.refusals[envelope.gateway].append(Answered(envelope.request, frame))
        elif outcome.written is not None:
            _announce(store, told, outcome.written, envelope)
    return told


def ids_of(entries: Sequence[Entry]) -> dict[str, list[EntryId]]:
    """Return the entries' ids by stream; rows that the api left have none."""
    done: dict[str, list[EntryId]] = defaultdict(list)
    for entry in entries:
        if entry.stream:
            done[entry.stream].append(entry.id)
    return done


def _announce(store: ModelStore, told: Telling, written: Written, envelope: Envelope) -> None:
    event, command = written.event, envelope.command
    is_answered_apart = written.duplicate or envelope.wants_reply
    sender = ("", 0) if is_answered_apart else (envelope.gateway, envelope.request)
    notice = notice_of(store, event, written.epoch, *sender)
    told.notices.append((KEYSPACE.room_channel(event.room), encode(notice)))
    if isinstance(command, InviteUser):
        room = store.rooms[event.room]
        if command.user in room.members:
            told.notices.append((KEYSPACE.user_channel(command.user), encode(Joined(summary(room)))))
    if is_answered_apart:
        mine = frame_of(event, written.epoch, store.users, duplicate=written.duplicate)
        mine = msgspec.structs.replace(mine, uuid=command.uuid)
        told.replies[envelope.gateway].append(Answered(envelope.request, encode_frame(mine)))
