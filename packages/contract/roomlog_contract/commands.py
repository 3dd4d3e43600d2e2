"""What a client may say: one frozen struct for each action, told apart by `action`."""

from functools import cache
from typing import Annotated, Literal, Self, TypeVar
from unicodedata import is_normalized, normalize
from uuid import UUID

from msgspec import Meta, field
from msgspec.structs import replace

from . import limits
from .block_commands import BlockUser as BlockUser  # noqa: PLC0414
from .block_commands import ListBlocks as ListBlocks  # noqa: PLC0414
from .block_commands import UnblockUser as UnblockUser  # noqa: PLC0414
from .command import Command as Command  # noqa: PLC0414 - the base of these
from .emoji import check_emoji
from .errors import ErrorCode, RefusedCommand
from .values import (
    Attachments,
    Emoji,
    Invitation,
    Mentions,
    MessageId,
    RoomName,
    Seq,
    Text,
    Until,
    UserNumber,
)
from .values import Cursor as Cursor  # noqa: PLC0414 - callers name them beside their commands
from .values import Notify as Notify  # noqa: PLC0414
from .values import Reason as Reason  # noqa: PLC0414
from .values import Role as Role  # noqa: PLC0414


class _OfRoom(Command, frozen=True, kw_only=True):
    """What names a room and nothing else."""

    room: UUID


class Authenticate(Command, frozen=True, kw_only=True, tag="authenticate"):
    """Says who the connection is: a DRF token or a short-lived ticket, exactly one of them."""

    token: Annotated[str, Meta(min_length=1, max_length=limits.TOKEN_CODE_POINTS)] | None = None
    ticket: Annotated[str, Meta(min_length=1, max_length=512)] | None = None
    cursors: Annotated[dict[UUID, Cursor], Meta(max_length=limits.CURSORS)] = field(default_factory=dict)

    def check(self) -> None:
        """Refuse both and neither."""
        if (self.token is None) == (self.ticket is None):
            raise RefusedCommand(ErrorCode.REQUIRED_KEYS, "Either `token` or `ticket` is required.")


class SelectRoom(Command, frozen=True, kw_only=True, tag="select_room"):
    """Reads a room's present state, or its events after `since`."""

    room: UUID
    since: Cursor | None = None


class NewMessage(Command, frozen=True, kw_only=True, tag="new_message"):
    """Says something in a room."""

    room: UUID
    text: Annotated[str, Meta(extra_json_schema={"maxLength": limits.TEXT_CODE_POINTS})]
    """May be empty beside attachments."""
    reply_to: MessageId | None = None
    """The `id` of an earlier message of the same room."""
    mentions: Mentions = field(default_factory=list)
    mentions_room: bool = False
    """Whether it mentions everybody in the room."""
    attachments: Attachments = field(default_factory=list)

    def normalized(self) -> Self:
        """Return the command with its mentions in order."""
        return _ordered(self, self.mentions)

    def check(self) -> None:
        """Refuse a message that says and brings nothing, too much, and a file twice."""
        if self.text or not self.attachments:
            _check_text(self.text)
        if len(set(self.attachments)) < len(self.attachments):
            raise RefusedCommand(ErrorCode.BAD_VALUE, "`attachments` names a file twice.")


class EditMessage(Command, frozen=True, kw_only=True, tag="edit_message"):
    """Gives a message another text and other mentions."""

    room: UUID
    message: MessageId
    text: Text
    mentions: Mentions = field(default_factory=list)
    """All of the message from here on; left out: it mentions nobody any more."""
    mentions_room: bool = False
    """Likewise."""

    def normalized(self) -> Self:
        """Return the command with its mentions in order."""
        return _ordered(self, self.mentions)

    def check(self) -> None:
        """Refuse nothing but white space, and too much."""
        _check_text(self.text)


class _OfMessage(Command, frozen=True, kw_only=True):
    """What names a message of a room."""

    room: UUID
    message: MessageId


class DeleteMessage(_OfMessage, frozen=True, kw_only=True, tag="delete_message"):
    """Takes the text out of a message, for good."""


class _Reaction(_OfMessage, frozen=True, kw_only=True):
    """One's own emoji below a message."""

    emoji: Emoji

    def check(self) -> None:
        """Refuse words."""
        check_emoji(self.emoji)


class AddReaction(_Reaction, frozen=True, kw_only=True, tag="add_reaction"):
    """Puts an emoji below a message."""


class RemoveReaction(_Reaction, frozen=True, kw_only=True, tag="remove_reaction"):
    """Takes one's own emoji away from below a message."""


class PinMessage(_OfMessage, frozen=True, kw_only=True, tag="pin_message"):
    """Puts a message among the room's pinned ones."""


class UnpinMessage(_OfMessage, frozen=True, kw_only=True, tag="unpin_message"):
    """Takes a message away from the room's pinned ones."""


class ListPins(_OfRoom, frozen=True, kw_only=True, tag="list_pins"):
    """Reads the room's pinned messages, newest pin first."""


class GetHistory(Command, frozen=True, kw_only=True, tag="get_history"):
    """Reads messages before or after a seq, or the last ones, oldest first."""

    room: UUID
    before: Seq | None = None
    after: Seq | None = None
    limit: Annotated[int, Meta(ge=1, le=limits.HISTORY_MESSAGES)] = 50

    def check(self) -> None:
        """Refuse two directions at once."""
        if self.before is not None and self.after is not None:
            raise RefusedCommand(ErrorCode.BAD_VALUE, "`before` and `after` exclude each other.")


class ListRooms(Command, frozen=True, kw_only=True, tag="list_rooms"):
    """Reads the sender's rooms, in the order of their ids."""

    after: UUID | None = None
    """The last room of the page before."""


class CreateRoom(Command, frozen=True, kw_only=True, tag="create_room"):
    """Makes a room; its id follows from the sender and the uuid, or from the pair of a direct room."""

    name: RoomName = ""
    kind: Literal["group", "direct"] = "group"
    members: Annotated[list[UserNumber], Meta(max_length=limits.ROOM_MEMBERS_AT_CREATION)] = field(
        default_factory=list
    )

    def normalized(self) -> Self:
        """Return the command with its name in NFKC."""
        return _named(self, self.name)

    def check(self) -> None:
        """Refuse a name that NFKC made too long, and a direct room without exactly one other member."""
        _check_name(self.name)
        if self.kind == "direct" and len(self.members) != 1:
            raise RefusedCommand(ErrorCode.BAD_VALUE, "A direct room has exactly one other member.")


class RenameRoom(Command, frozen=True, kw_only=True, tag="rename_room"):
    """Gives a room another name; blank for none."""

    room: UUID
    name: RoomName

    def normalized(self) -> Self:
        """Return the command with its name in NFKC."""
        return _named(self, self.name)

    def check(self) -> None:
        """Refuse a name that NFKC made too long."""
        _check_name(self.name)


class SetTopic(Command, frozen=True, kw_only=True, tag="set_topic"):
    """Says what a room is about; empty for nothing."""

    room: UUID
    topic: Annotated[str, Meta(max_length=limits.TOPIC_CODE_POINTS)]


class SetReceipts(Command, frozen=True, kw_only=True, tag="set_receipts"):
    """Says whether those who watch a room are told how far its members have read."""

    room: UUID
    receipts: bool


class ArchiveRoom(_OfRoom, frozen=True, kw_only=True, tag="archive_room"):
    """Ends all writing in a room until it is restored."""


class RestoreRoom(_OfRoom, frozen=True, kw_only=True, tag="restore_room"):
    """Opens an archived room again."""


class SetDiscoverable(Command, frozen=True, kw_only=True, tag="set_discoverable"):
    """Says whether everybody may find a room and join it."""

    room: UUID
    discoverable: bool


class JoinRoom(Command, frozen=True, kw_only=True, tag="join_room"):
    """Makes the sender a member of a discoverable room, or of one to which there is an invitation."""

    room: UUID
    invitation: Invitation | None = None


class InviteUser(Command, frozen=True, kw_only=True, tag="invite_user"):
    """Makes somebody a member of a room."""

    room: UUID
    user: UserNumber
    role: Role = "member"


class _OfUser(Command, frozen=True, kw_only=True):
    """What names a user in a room."""

    room: UUID
    user: UserNumber


class RemoveUser(_OfUser, frozen=True, kw_only=True, tag="remove_user"):
    """Ends somebody's membership."""


class LeaveRoom(_OfRoom, frozen=True, kw_only=True, tag="leave_room"):
    """Ends one's own membership."""


class SetRole(_OfUser, frozen=True, kw_only=True, tag="set_role"):
    """Gives a member another role."""

    role: Role


class MuteUser(_OfUser, frozen=True, kw_only=True, tag="mute_user"):
    """Lets a member write nothing until a moment, or without an end."""

    until: Until | None = None


class UnmuteUser(_OfUser, frozen=True, kw_only=True, tag="unmute_user"):
    """Lets a muted member write again."""


class BanUser(_OfUser, frozen=True, kw_only=True, tag="ban_user"):
    """Keeps somebody out of a room until a moment, or without an end; a membership ends with it."""

    until: Until | None = None


class UnbanUser(_OfUser, frozen=True, kw_only=True, tag="unban_user"):
    """Lets somebody who is banned be invited again."""


class MarkRead(Command, frozen=True, kw_only=True, tag="mark_read"):
    """Says that the sender has read a room up to a seq: moves the own mark forward, never back."""

    room: UUID
    seq: Seq


class SetNotifications(Command, frozen=True, kw_only=True, tag="set_notifications"):
    """Says of which messages of a room the sender wants to be told, on all devices."""

    room: UUID
    notify: Notify


class ReportMessage(Command, frozen=True, kw_only=True, tag="report_message"):
    """Reports a message to the install's moderators, unseen by the room."""

    room: UUID
    message: MessageId
    reason: Reason
    comment: Annotated[str, Meta(max_length=limits.REPORT_COMMENT_CODE_POINTS)] = ""
    """What the sender adds."""


class Typing(_OfRoom, frozen=True, kw_only=True, tag="typing"):
    """Says that the sender is writing something in a room. Stored nowhere."""


class Watch(Command, frozen=True, kw_only=True, tag="watch"):
    """Says which rooms the sender has before the eyes: of these it is told who is there, types and reads."""

    rooms: Annotated[list[UUID], Meta(max_length=limits.WATCHED_ROOMS)]
    """All of them: it watches no other from here on."""


class Ping(Command, frozen=True, kw_only=True, tag="ping"):
    """Asks the gateway whether it is there."""


MessageChange = EditMessage | DeleteMessage | AddReaction | RemoveReaction | PinMessage | UnpinMessage
"""Commands about a message that is there."""
Moderation = SetRole | MuteUser | UnmuteUser | BanUser | UnbanUser
"""Commands about what somebody may do in a room."""
RoomWrite = (
    NewMessage
    | MessageChange
    | CreateRoom
    | RenameRoom
    | SetTopic
    | SetReceipts
    | ArchiveRoom
    | RestoreRoom
    | SetDiscoverable
    | JoinRoom
    | InviteUser
    | RemoveUser
    | LeaveRoom
    | Moderation
)
"""Commands that become events of a room's log."""
RoomRead = SelectRoom | GetHistory | ListPins
"""Commands that read one room."""
OwnView = MarkRead | SetNotifications
"""Commands about how the sender sees a room, beside its log."""
OwnBlock = BlockUser | UnblockUser
"""Commands about whom the sender does not want to hear, beside all logs."""
AtTheGateway = Authenticate | Typing | Watch | Ping
"""Commands that no stream carries."""
OwnRead = ListRooms | ListBlocks
"""Commands that read what is the sender's own."""
ClientCommand = AtTheGateway | OwnRead | OwnBlock | OwnView | ReportMessage | RoomRead | RoomWrite


def action_of(command: Command) -> str:
    """Return the wire's name of a command, for example `new_message`."""
    return action_of_struct(type(command))


@cache
def action_of_struct(struct: type[Command]) -> str:
    """Return the wire's name of a kind of commands."""
    return str(struct.__struct_config__.tag)


_Said = TypeVar("_Said", bound=Command)


def _ordered(command: _Said, mentions: list[int]) -> _Said:
    ordered = sorted(set(mentions))
    return command if ordered == mentions else replace(command, mentions=ordered)


def _named(command: _Said, name: str) -> _Said:
    return command if is_normalized("NFKC", name) else replace(command, name=normalize("NFKC", name))


def _check_text(text: str) -> None:
    if not text.strip():
        raise RefusedCommand(ErrorCode.EMPTY_TEXT)
    if len(text) > limits.TEXT_CODE_POINTS:
        raise RefusedCommand(ErrorCode.TEXT_TOO_LONG)


def _check_name(name: str) -> None:
    if len(name) > limits.NAME_CODE_POINTS:
        raise RefusedCommand(ErrorCode.BAD_VALUE, "`name` is longer than 200 code points.")
