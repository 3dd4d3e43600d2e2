"""What one batch makes of its commands, in plain Python: the rules of `log/rules.py`, without rows.

Inside the model worker's transaction. Decides and builds frames; reads and writes nothing by itself.
"""

from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import msgspec
from msgspec import UNSET

from roomlog_contract.commands import (
    InviteUser,
    LeaveRoom,
    NewMessage,
    RemoveUser,
    action_of,
)
from roomlog_contract.envelope import Envelope
from roomlog_contract.errors import ErrorCode
from roomlog_contract.events import (
    CreateRoomEvent,
    DurableEvent,
    InviteUserEvent,
    LeaveRoomEvent,
    Member,
    Message,
    NewMessageEvent,
    RemoveUserEvent,
    User,
)

from .store_model import EventRow, Key, ModelStore, RoomRow, Transaction

InRoom = NewMessage | InviteUser | RemoveUser | LeaveRoom
"""Commands of the simulation: its rooms are there from the beginning."""
RANKS = {"member": 0, "admin": 1, "owner": 2}
_body: msgspec.msgpack.Encoder = msgspec.msgpack.Encoder(order="deterministic")
_MEMBER_FRAMES: dict[str, type[InviteUserEvent | RemoveUserEvent | LeaveRoomEvent]] = {
    "invite_user": InviteUserEvent,
    "remove_user": RemoveUserEvent,
    "leave_room": LeaveRoomEvent,
}


class Refused(Exception):
    """The state does not allow a command."""

    def __init__(self, code: ErrorCode) -> None:
        super().__init__(code.value)
        self.code = code


@dataclass(frozen=True, slots=True)
class Written:
    """A command's event, new or found."""

    event: EventRow
    epoch: str
    duplicate: bool


@dataclass(slots=True)
class Batch:
    """The rooms of one transaction, their heads locked."""

    store: ModelStore
    transaction: Transaction
    held_by_others: set[UUID] = field(default_factory=set)
    known: dict[Key, EventRow] = field(default_factory=dict)

    def open(self, commands: list[tuple[InRoom, int]]) -> None:
        """Lock the heads in id order; a head that another holds is left out."""
        for room in sorted({command.room for command, _ in commands}):
            row = self.store.rooms.get(room)
            if row is None:
                continue
            if self.store.safeguards.head_lock and not self.store.try_lock(("head", room), self.transaction):
                self.held_by_others.add(room)
            else:
                self.transaction.rooms[room] = replace(row, members=dict(row.members))
        if self.store.safeguards.finds_repeats:
            keys = [(command.uuid, command.room, user) for command, user in commands]
            self.known = {key: self.store.keys[key] for key in keys if key in self.store.keys}

    def carry_out(self, envelope: Envelope, now_ms: int) -> Written:
        """Make the command an event, or find the event that it already is.

        Raises:
            Refused: the state does not allow it, or its uuid has another content.
        """
        command: Any = envelope.command
        key, body = (command.uuid, command.room, envelope.user), _body.encode(command)
        known = self.known.get(key)
        if known is not None:
            if self.store.safeguards.compares_bodies and known.body != body:
                raise Refused(ErrorCode.UUID_CONFLICT)
            return Written(known, self.transaction.rooms[known.room].epoch, duplicate=True)
        room = self.transaction.rooms.get(command.room)
        if room is None:
            raise Refused(ErrorCode.NOT_FOUND if envelope.staff else ErrorCode.NOT_MEMBER)
        data = self._change(room, command, envelope)
        event = self._append(room, command, envelope.user, body, data, now_ms)
        self.known[key] = event
        return Written(event, room.epoch, duplicate=False)

    def _change(self, room: RoomRow, command: InRoom, envelope: Envelope) -> dict[str, Any]:
        match command:
            case NewMessage():
                if not envelope.staff:
                    _role(room, envelope.user)
                return {}
            case InviteUser():
                return self._invite(room, command, envelope)
            case RemoveUser():
                return self._remove(room, command, envelope)
            case LeaveRoom():
                _role(room, envelope.user)
                return {"member": envelope.user, "role": room.members.pop(envelope.user)}
            case _:
                raise Refused(ErrorCode.INVALID_ACTION)

    def _invite(self, room: RoomRow, command: InviteUser, envelope: Envelope) -> dict[str, Any]:
        if not envelope.staff and RANKS[command.role] > RANKS[_role(room, envelope.user)]:
            raise Refused(ErrorCode.FORBIDDEN)
        if command.user in room.members:
            raise Refused(ErrorCode.BAD_VALUE)
        if command.user not in self.store.users:
            raise Refused(ErrorCode.NOT_FOUND)
        room.members[command.user] = command.role
        return {"member": command.user, "role": command.role}

    def _remove(self, room: RoomRow, command: RemoveUser, envelope: Envelope) -> dict[str, Any]:
        removed = room.members.get(command.user)
        if not envelope.staff:
            rank = RANKS[_role(room, envelope.user)]
            if rank < RANKS["admin"] or (removed is not None and rank < RANKS[removed]):
                raise Refused(ErrorCode.FORBIDDEN)
        if removed is None:
            raise Refused(ErrorCode.NOT_FOUND)
        return {"member": command.user, "role": room.members.pop(command.user)}

    def _append(
        self, room: RoomRow, command: InRoom, user: int, body: bytes, data: dict[str, Any], now_ms: int
    ) -> EventRow:
        room.last_seq += 1
        is_message = isinstance(command, NewMessage)
        room.messages += is_message
        number = room.messages if is_message else 0
        text = command.text if isinstance(command, NewMessage) else ""
        event = EventRow(
            self.store.next_id(), room.id, room.last_seq, number, action_of(command), user,
            command.uuid, body, text, data, now_ms,
        )  # fmt: skip
        self.transaction.events.append(event)
        return event


def _role(room: RoomRow, user: int) -> str:
    role = room.members.get(user)
    if role is None:
        raise Refused(ErrorCode.NOT_MEMBER)
    return role


def left_by(event: EventRow) -> int:
    """Return whose membership the event ended, 0 for nobody's."""
    left: int = event.data["member"] if event.kind in {"remove_user", "leave_room"} else 0
    return left


def message_of(event: EventRow, users: dict[int, str]) -> Message:
    """Return a stored message as its members see it."""
    return Message(
        id=event.id,
        seq=event.seq,
        number=event.number,
        user=User(event.user, users[event.user]),
        room=event.room,
        timestamp=event.created_ms // 1000,
        timestamp_ms=event.created_ms,
        text=event.text,
        edited_at=None,
        deleted=False,
        reply_to=event.data.get("reply_to"),
        reactions={},
    )


def frame_of(event: EventRow, epoch: str, users: dict[int, str], *, duplicate: bool = False) -> DurableEvent:
    """Return the frame of a durable event."""
    place: Any = {
        "uuid": event.uuid,
        "room": event.room,
        "epoch": epoch,
        "seq": event.seq,
        "duplicate": True if duplicate else UNSET,
    }
    if event.kind == "new_message":
        return NewMessageEvent(**place, message=message_of(event, users))
    user = User(event.user, users[event.user])
    if event.kind == "create_room":
        members = [Member(number, users[number], role) for number, role in event.data["members"]]
        facts = {"name": event.data["name"], "kind": event.data["kind"], "members": members}
        return CreateRoomEvent(**place, user=user, **facts)
    number = event.data["member"]
    member = Member(number, users[number], event.data["role"])
    return _MEMBER_FRAMES[event.kind](**place, user=user, member=member)
