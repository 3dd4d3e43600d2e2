"""What the server says: answers and durable events, one frozen struct for each.

Frames are built once per event, not per member; a durable event has the same bytes for everybody.
"""

from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from .errors import ErrorCode
from .room_summary import RoomSummary as RoomSummary  # noqa: PLC0414 - a struct like these

Success = Literal["success"]


class User(Struct, frozen=True):
    """Who did something, as people see it."""

    id: int
    username: str


class Member(Struct, frozen=True):
    """A user in a room."""

    id: int
    username: str
    role: str


class Reactions(Struct, frozen=True):
    """The reactions to a message with one emoji."""

    count: int
    users: list[User]
    """The first of them, up to REACTORS_NAMED."""
    mine: bool
    """Whether whoever asked is one of them."""


class Attachment(Struct, frozen=True):
    """A file that a message brings; REST has its bytes."""

    id: UUID
    name: str
    size: int
    """Bytes."""
    type: str
    """Its media type; an image's by its content."""
    width: int | None
    """Pixels of an image as it is shown, and so `height`; null for any other file."""
    height: int | None


class Message(Struct, frozen=True):
    """A message in its present state."""

    id: int
    seq: int
    number: int
    """1, 2, 3 … over the room's messages alone."""
    user: User
    room: UUID
    timestamp: int
    """Seconds since 1970, as stored."""
    timestamp_ms: int
    text: str
    edited_at: int | None
    """Milliseconds since 1970."""
    deleted: bool
    reply_to: int | None
    mentions: list[int]
    """The ids of those whom it mentions, in ascending order; empty if it is deleted."""
    attachments: list[Attachment]
    """In the order of its command; empty if it is deleted."""
    reactions: dict[str, Reactions]
    """By emoji, those first that were used first; empty in events."""
    reacted_seq: int | None
    """The seq of the last event that is in `reactions`: later ones come on top."""
    pinned: int | None
    """When it was pinned, in milliseconds since 1970, if it is; null in events and on deleted messages."""
    data: dict[str, Any] | UnsetType = UNSET
    """What the project's own code has sent with it."""
    mentions_room: bool | UnsetType = UNSET
    """True if it mentions everybody in the room; else left out."""


class MessageReference(Struct, frozen=True):
    """A message that an event changes."""

    id: int
    seq: int
    user: int
    """The author's id."""


class DurableEvent(Struct, frozen=True, kw_only=True, tag_field="action"):
    """One event of a room's log, at its seq; for the sender of its command it is the answer."""

    uuid: str
    status: Success = "success"
    room: UUID
    epoch: str
    seq: int
    duplicate: bool | UnsetType = UNSET
    """True in the answer to a repeat, and only there."""


class NewMessageEvent(DurableEvent, frozen=True, kw_only=True, tag="new_message"):
    """Somebody said something."""

    message: Message


class _ByUser(DurableEvent, frozen=True, kw_only=True):
    """What `user` did."""

    user: User


class _OfMessage(_ByUser, frozen=True, kw_only=True):
    """What `user` did to `message`."""

    message: MessageReference


class EditMessageEvent(_OfMessage, frozen=True, kw_only=True, tag="edit_message"):
    """`user` gave the message another text and other mentions."""

    text: str
    """Empty if the message was deleted since."""
    mentions: list[int]
    """All whom the message mentions now; likewise."""
    mentions_room: bool | UnsetType = UNSET
    """True if the message mentions everybody in the room now; else left out."""
    edited_at: int
    """Milliseconds since 1970."""


class DeleteMessageEvent(_OfMessage, frozen=True, kw_only=True, tag="delete_message"):
    """`user` took the text out of the message, for good."""


class AddReactionEvent(_OfMessage, frozen=True, kw_only=True, tag="add_reaction"):
    """`user` put the emoji below the message."""

    emoji: str


class RemoveReactionEvent(_OfMessage, frozen=True, kw_only=True, tag="remove_reaction"):
    """`user` took the own emoji away from below the message."""

    emoji: str


class PinMessageEvent(_OfMessage, frozen=True, kw_only=True, tag="pin_message"):
    """`user` put the message among the room's pinned ones."""

    pinned_at: int
    """Milliseconds since 1970."""


class UnpinMessageEvent(_OfMessage, frozen=True, kw_only=True, tag="unpin_message"):
    """`user` took the message away from the room's pinned ones."""


class CreateRoomEvent(_ByUser, frozen=True, kw_only=True, tag="create_room"):
    """The room began; always seq 1."""

    name: str
    kind: str
    members: list[Member]


class RenameRoomEvent(_ByUser, frozen=True, kw_only=True, tag="rename_room"):
    """`user` gave the room another name."""

    name: str


class SetTopicEvent(_ByUser, frozen=True, kw_only=True, tag="set_topic"):
    """`user` said what the room is about."""

    topic: str
    """Empty for nothing."""


class SetReceiptsEvent(_ByUser, frozen=True, kw_only=True, tag="set_receipts"):
    """`user` said whether the room shows how far its members have read."""

    receipts: bool


class ArchiveRoomEvent(_ByUser, frozen=True, kw_only=True, tag="archive_room"):
    """`user` ended all writing in the room."""


class RestoreRoomEvent(_ByUser, frozen=True, kw_only=True, tag="restore_room"):
    """`user` opened the archived room again."""


class SetDiscoverableEvent(_ByUser, frozen=True, kw_only=True, tag="set_discoverable"):
    """`user` said whether everybody may find the room and join it."""

    discoverable: bool


class _OfMember(_ByUser, frozen=True, kw_only=True):
    """What `user` did to `member`."""

    member: Member


class InviteUserEvent(_OfMember, frozen=True, kw_only=True, tag="invite_user"):
    """`user` made `member` a member."""


class JoinRoomEvent(_OfMember, frozen=True, kw_only=True, tag="join_room"):
    """`user`, who is `member`, joined."""


class RemoveUserEvent(_OfMember, frozen=True, kw_only=True, tag="remove_user"):
    """`user` ended the membership of `member`."""


class LeaveRoomEvent(_OfMember, frozen=True, kw_only=True, tag="leave_room"):
    """`user`, who is `member`, left."""


class SetRoleEvent(_OfMember, frozen=True, kw_only=True, tag="set_role"):
    """`user` gave `member` the role that stands there."""


class MuteUserEvent(_OfMember, frozen=True, kw_only=True, tag="mute_user"):
    """`user` muted `member`; the end replaces that of an earlier mute."""

    until: int | None
    """Seconds since 1970; None: without an end."""


class UnmuteUserEvent(_OfMember, frozen=True, kw_only=True, tag="unmute_user"):
    """`user` let the muted `member` write again."""


class BanUserEvent(_OfMember, frozen=True, kw_only=True, tag="ban_user"):
    """`user` banned `member`, who has the role that ended with it, or `member` if there was none."""

    until: int | None
    """Seconds since 1970; None: without an end."""


class UnbanUserEvent(_OfMember, frozen=True, kw_only=True, tag="unban_user"):
    """`user` let `member` be invited again; the role is `member`."""


class Answer(Struct, frozen=True, kw_only=True, tag_field="action"):
    """What every successful answer has."""

    uuid: str
    status: Success = "success"


class AuthenticateAnswer(Answer, frozen=True, kw_only=True, tag="authenticate"):
    """The user of the connection, and the rooms whose events it receives from here on.

    It takes as many frames as the rooms need; nothing of a room is sent before the last. On a connection that
    renews its token there are no rooms: all goes on as before.
    """

    user: User
    rooms: list[RoomSummary]
    more: bool = False
    """The next frame of the same uuid has further rooms."""


class SelectRoomAnswer(Answer, frozen=True, kw_only=True, tag="select_room"):
    """The last messages of a room; events above `seq` follow."""

    room: UUID
    epoch: str
    seq: int
    room_messages: list[Message]
    first_seq: int = 1
    """Where the log begins: a cursor below `first_seq` - 1 is reset."""


class SelectRoomPage(Answer, frozen=True, kw_only=True, tag="select_room"):
    """Events after the asked cursor up to `seq`; with `more` the client asks again from there."""

    room: UUID
    epoch: str
    seq: int
    events: list[Raw]
    """Durable events as they were sent, oldest first."""
    more: bool
    reset: bool | UnsetType = UNSET
    """True where the cursor is of another epoch, or events after it are kept no longer: select afresh."""


class _Messages(Answer, frozen=True, kw_only=True):
    """Messages of a room in their present state."""

    room: UUID
    seq: int
    """The head when it was read: all changes up to it are in the messages."""
    room_messages: list[Message]
    more: bool = False
    """There are further ones: older, or newer where the command said `after`, or pinned earlier."""


class GetHistoryAnswer(_Messages, frozen=True, kw_only=True, tag="get_history"):
    """Messages, oldest first."""

    first_seq: int = 1
    """Where the log begins: there are no earlier messages if it is above 1 and `more` is false."""


class ListPinsAnswer(_Messages, frozen=True, kw_only=True, tag="list_pins"):
    """The room's pinned messages, newest pin first, as many as fit into a frame."""


class ListRoomsAnswer(Answer, frozen=True, kw_only=True, tag="list_rooms"):
    """The sender's rooms, in the order of their ids."""

    rooms: list[RoomSummary]
    more: bool = False
    """There are further ones, after the last of these."""


class MarkReadAnswer(Answer, frozen=True, kw_only=True, tag="mark_read"):
    """The room with the sender's mark as it is now: the greatest that any device has sent."""

    room: RoomSummary


class SetNotificationsAnswer(Answer, frozen=True, kw_only=True, tag="set_notifications"):
    """The room with the sender's level as it is now."""

    room: RoomSummary


class BlockUserAnswer(Answer, frozen=True, kw_only=True, tag="block_user"):
    """Who is blocked now."""

    user: User


class UnblockUserAnswer(Answer, frozen=True, kw_only=True, tag="unblock_user"):
    """Who is blocked no more."""

    user: User


class ListBlocksAnswer(Answer, frozen=True, kw_only=True, tag="list_blocks"):
    """Whom the sender has blocked, in the order of their ids."""

    users: list[User]
    more: bool


class TypingAnswer(Answer, frozen=True, kw_only=True, tag="typing"):
    """The gateway has heard it; whether anybody is shown it is not said."""


class WatchAnswer(Answer, frozen=True, kw_only=True, tag="watch"):
    """The connection watches these rooms and no others; of each it is soon told who is there."""


class ReportMessageAnswer(Answer, frozen=True, kw_only=True, tag="report_message"):
    """The report is stored; the room is not told."""

    duplicate: bool | UnsetType = UNSET
    """True where the sender has reported the message before; that report stays as it was."""


class PingAnswer(Answer, frozen=True, kw_only=True, tag="ping"):
    """The gateway is there."""

    time_ms: int
    """The gateway's clock, milliseconds since 1970."""


class ErrorAnswer(Struct, frozen=True, kw_only=True):
    """Why a command was not carried out; only its sender sees it."""

    uuid: str | None
    action: str | None
    status: Literal["error"] = "error"
    error_code: Annotated[str, Meta(extra_json_schema={"enum": [str(code) for code in ErrorCode]})]
    error_message: str
    room: UUID | UnsetType = UNSET
    retry_after_ms: int | UnsetType = UNSET
