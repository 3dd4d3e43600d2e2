"""What a client may say: one frozen struct for each action, told apart by `action`."""

from typing import Annotated, Final, Literal
from uuid import UUID

from msgspec import Meta, Struct, field

from . import limits

Uuid = Annotated[str, Meta(min_length=1, max_length=limits.UUID_CODE_POINTS)]
"""The client's name of a command: unique for ever per sender and room, echoed verbatim."""
Seq = Annotated[int, Meta(ge=0, lt=limits.EXACT_INTEGER)]
"""A place in a room's log: 1, 2, 3 …; 0 is before the first."""
UserNumber = Annotated[int, Meta(ge=1, lt=limits.EXACT_INTEGER)]


class Cursor(Struct, frozen=True):
    """How far a client has read a room."""

    epoch: Annotated[str, Meta(max_length=32)]
    seq: Seq


class Command(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="action"):
    """What every command has; `action` is the struct's tag.

    Defaults are left out, so that a field added later does not change the hash of an earlier body.
    """

    uuid: Uuid


class Authenticate(Command, frozen=True, kw_only=True, tag="authenticate"):
    """Says who the connection is: a DRF token or a short-lived ticket, exactly one of them."""

    token: Annotated[str, Meta(min_length=1, max_length=512)] | None = None
    ticket: Annotated[str, Meta(min_length=1, max_length=512)] | None = None
    cursors: Annotated[dict[UUID, Cursor], Meta(max_length=limits.CURSORS)] = field(default_factory=dict)


class SelectRoom(Command, frozen=True, kw_only=True, tag="select_room"):
    """Reads a room's present state, or its events after `since`."""

    room: UUID
    since: Cursor | None = None


class NewMessage(Command, frozen=True, kw_only=True, tag="new_message"):
    """Says something in a room."""

    room: UUID
    text: Annotated[str, Meta(extra_json_schema={"minLength": 1, "maxLength": limits.TEXT_CODE_POINTS})]
    reply_to: Annotated[int, Meta(ge=1, lt=limits.EXACT_INTEGER)] | None = None
    """The `id` of an earlier message of the same room."""


class GetHistory(Command, frozen=True, kw_only=True, tag="get_history"):
    """Reads messages before or after a seq, or the last ones, oldest first."""

    room: UUID
    before: Seq | None = None
    after: Seq | None = None
    limit: Annotated[int, Meta(ge=1, le=limits.HISTORY_MESSAGES)] = 50


class ListRooms(Command, frozen=True, kw_only=True, tag="list_rooms"):
    """Reads the sender's rooms, in the order of their ids."""

    after: UUID | None = None
    """The last room of the page before."""


class CreateRoom(Command, frozen=True, kw_only=True, tag="create_room"):
    """Makes a room; its id follows from the sender and the uuid, or from the pair of a direct room."""

    name: Annotated[str, Meta(max_length=limits.NAME_CODE_POINTS)] = ""
    kind: Literal["group", "direct"] = "group"
    members: Annotated[list[UserNumber], Meta(max_length=limits.ROOM_MEMBERS_AT_CREATION)] = field(
        default_factory=list
    )


class InviteUser(Command, frozen=True, kw_only=True, tag="invite_user"):
    """Makes somebody a member of a room."""

    room: UUID
    user: UserNumber
    role: Literal["member", "admin", "owner"] = "member"


class RemoveUser(Command, frozen=True, kw_only=True, tag="remove_user"):
    """Ends somebody's membership."""

    room: UUID
    user: UserNumber


class LeaveRoom(Command, frozen=True, kw_only=True, tag="leave_room"):
    """Ends one's own membership."""

    room: UUID


class Ping(Command, frozen=True, kw_only=True, tag="ping"):
    """Asks the gateway whether it is there."""


RoomWrite = NewMessage | CreateRoom | InviteUser | RemoveUser | LeaveRoom
"""Commands that become events of a room's log."""
RoomRead = SelectRoom | GetHistory
"""Commands that read one room."""
ClientCommand = Authenticate | ListRooms | Ping | RoomRead | RoomWrite


COMMANDS: Final[dict[str, type[Command]]] = {
    str(struct.__struct_config__.tag): struct
    for struct in (
        Authenticate,
        SelectRoom,
        NewMessage,
        GetHistory,
        ListRooms,
        CreateRoom,
        InviteUser,
        RemoveUser,
        LeaveRoom,
        Ping,
    )
}
"""The closed set of actions, and the struct of each."""


def action_of(command: Command) -> str:
    """Return the wire's name of a command, for example `new_message`."""
    return str(type(command).__struct_config__.tag)
