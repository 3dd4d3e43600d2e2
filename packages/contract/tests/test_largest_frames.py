"""The limits fit each other: the largest legal frame of each command and answer is one that is taken."""

import json
from typing import Any
from uuid import UUID

import msgspec
import pytest

from roomlog_contract import limits
from roomlog_contract.actions import COMMANDS
from roomlog_contract.codec import decode_command, encode_frame
from roomlog_contract.commands import Cursor, action_of
from roomlog_contract.errors import ErrorCode
from roomlog_contract.events import (
    AddReactionEvent,
    ArchiveRoomEvent,
    Attachment,
    AuthenticateAnswer,
    BanUserEvent,
    BlockUserAnswer,
    CreateRoomEvent,
    DeleteMessageEvent,
    EditMessageEvent,
    ErrorAnswer,
    GetHistoryAnswer,
    InviteUserEvent,
    JoinRoomEvent,
    LeaveRoomEvent,
    ListBlocksAnswer,
    ListPinsAnswer,
    ListRoomsAnswer,
    MarkReadAnswer,
    Member,
    Message,
    MessageReference,
    MuteUserEvent,
    NewMessageEvent,
    PingAnswer,
    PinMessageEvent,
    Reactions,
    RemoveReactionEvent,
    RemoveUserEvent,
    RenameRoomEvent,
    ReportMessageAnswer,
    RestoreRoomEvent,
    RoomSummary,
    SelectRoomAnswer,
    SelectRoomPage,
    SetDiscoverableEvent,
    SetNotificationsAnswer,
    SetReceiptsEvent,
    SetRoleEvent,
    SetTopicEvent,
    TypingAnswer,
    UnbanUserEvent,
    UnblockUserAnswer,
    UnmuteUserEvent,
    UnpinMessageEvent,
    User,
    WatchAnswer,
)
from roomlog_contract.schema import frame_structs
from roomlog_contract.server_events import (
    Degraded,
    Expiring,
    Heads,
    ReadUpTo,
    Reconnect,
    Recovered,
    Reset,
    RoomJoined,
    RoomLeft,
    RoomMarked,
    RoomPresence,
    RoomReceipts,
    RoomTyping,
    SyncRequired,
    UserBlocked,
)

INTEGER = limits.EXACT_INTEGER - 1
PAIR = "\U0001f600"
"""Twelve bytes of a client's JSON that escapes it."""
CONTROL = "\x01"
"""Six bytes of our JSON, the most that a code point takes there."""
ROOM = UUID(int=2**128 - 1)
EPOCH = "e" * 32
SINCE = {"epoch": EPOCH, "seq": INTEGER}
ROOMS = [UUID(int=number) for number in range(limits.PAGE_ROOMS)]
MENTIONS = [INTEGER - number for number in range(limits.MENTIONS_PER_MESSAGE)]

COMMAND_KEYS: dict[str, dict[str, Any]] = {
    "authenticate": {
        "token": "t" * limits.TOKEN_CODE_POINTS,
        "cursors": {str(UUID(int=number)): SINCE for number in range(limits.CURSORS)},
    },
    "select_room": {"room": str(ROOM), "since": SINCE},
    "new_message": {
        "room": str(ROOM),
        "text": PAIR * limits.TEXT_CODE_POINTS,
        "reply_to": INTEGER,
        "mentions": MENTIONS,
        "mentions_room": False,
        "attachments": [str(room) for room in ROOMS[: limits.ATTACHMENTS_PER_MESSAGE]],
    },
    "edit_message": {
        "room": str(ROOM),
        "message": INTEGER,
        "text": PAIR * limits.TEXT_CODE_POINTS,
        "mentions": MENTIONS,
        "mentions_room": False,
    },
    "delete_message": {"room": str(ROOM), "message": INTEGER},
    **{
        action: {"room": str(ROOM), "message": INTEGER, "emoji": PAIR * limits.EMOJI_CODE_POINTS}
        for action in ("add_reaction", "remove_reaction")
    },
    **{action: {"room": str(ROOM), "message": INTEGER} for action in ("pin_message", "unpin_message")},
    "list_pins": {"room": str(ROOM)},
    "get_history": {"room": str(ROOM), "before": INTEGER, "limit": limits.HISTORY_MESSAGES},
    "list_rooms": {"after": str(ROOM)},
    "create_room": {
        "name": PAIR * limits.NAME_CODE_POINTS,
        "kind": "group",
        "members": [INTEGER - number for number in range(limits.ROOM_MEMBERS_AT_CREATION)],
    },
    "invite_user": {"room": str(ROOM), "user": INTEGER, "role": "member"},
    "remove_user": {"room": str(ROOM), "user": INTEGER},
    "leave_room": {"room": str(ROOM)},
    "set_role": {"room": str(ROOM), "user": INTEGER, "role": "reader"},
    **{
        action: {"room": str(ROOM), "user": INTEGER, "until": limits.UNTIL_SECONDS - 1}
        for action in ("mute_user", "ban_user")
    },
    **{action: {"room": str(ROOM), "user": INTEGER} for action in ("unmute_user", "unban_user")},
    "rename_room": {"room": str(ROOM), "name": PAIR * limits.NAME_CODE_POINTS},
    "set_topic": {"room": str(ROOM), "topic": PAIR * limits.TOPIC_CODE_POINTS},
    "set_discoverable": {"room": str(ROOM), "discoverable": False},
    "join_room": {"room": str(ROOM), "invitation": PAIR * limits.INVITATION_CODE_POINTS},
    "set_receipts": {"room": str(ROOM), "receipts": False},
    "archive_room": {"room": str(ROOM)},
    "restore_room": {"room": str(ROOM)},
    "mark_read": {"room": str(ROOM), "seq": INTEGER},
    "set_notifications": {"room": str(ROOM), "notify": "mentions"},
    **{action: {"user": INTEGER} for action in ("block_user", "unblock_user")},
    "list_blocks": {"after": INTEGER},
    "report_message": {
        "room": str(ROOM),
        "message": INTEGER,
        "reason": "other",
        "comment": PAIR * limits.REPORT_COMMENT_CODE_POINTS,
    },
    "typing": {"room": str(ROOM)},
    "watch": {"rooms": [str(room) for room in ROOMS[: limits.WATCHED_ROOMS]]},
    "ping": {},
}

UUID_KEY = CONTROL * limits.UUID_CODE_POINTS
ALICE = User(INTEGER, CONTROL * 150)
MEMBER = Member(INTEGER, CONTROL * 150, "member")
SUMMARY = RoomSummary(
    *(ROOM, CONTROL * limits.NAME_CODE_POINTS, "direct", EPOCH, INTEGER, INTEGER, INTEGER, False, INTEGER),
    CONTROL * limits.TOPIC_CODE_POINTS,
    "mentions",
    False,
)
TEXT = CONTROL * limits.TEXT_CODE_POINTS
DATA = {"": "x" * (limits.MESSAGE_DATA_BYTES - len('{"":""}'))}
ATTACHMENT = Attachment(ROOM, PAIR * limits.ATTACHMENT_NAME_CODE_POINTS, INTEGER, "t" * 100, INTEGER, INTEGER)
MESSAGE = Message(
    id=INTEGER,
    seq=INTEGER,
    number=INTEGER,
    user=ALICE,
    room=ROOM,
    timestamp=INTEGER,
    timestamp_ms=INTEGER,
    text=TEXT,
    edited_at=INTEGER,
    deleted=False,
    reply_to=INTEGER,
    mentions=MENTIONS,
    attachments=[ATTACHMENT] * limits.ATTACHMENTS_PER_MESSAGE,
    reactions={},
    reacted_seq=None,
    pinned=None,
    data=DATA,
    mentions_room=True,
)
REFERENCE = MessageReference(INTEGER, INTEGER, INTEGER)
REACTIONS = Reactions(INTEGER, [ALICE] * limits.REACTORS_NAMED, mine=False)
REACTED = msgspec.structs.replace(
    MESSAGE,
    reactions={
        chr(ord(PAIR) + number) * limits.EMOJI_CODE_POINTS: REACTIONS
        for number in range(limits.REACTIONS_PER_MESSAGE)
    },
    reacted_seq=INTEGER,
    pinned=INTEGER,
)
PLACE: dict[str, Any] = {"uuid": UUID_KEY, "room": ROOM, "epoch": EPOCH, "seq": INTEGER}
DURABLE: dict[str, Any] = PLACE | {"duplicate": True}
EVENT = NewMessageEvent(**DURABLE, message=MESSAGE)

FRAMES: list[msgspec.Struct] = [
    EVENT,
    CreateRoomEvent(
        **DURABLE,
        user=ALICE,
        name=SUMMARY.name,
        kind="direct",
        members=[MEMBER] * (1 + limits.ROOM_MEMBERS_AT_CREATION),
    ),
    *(
        struct(**DURABLE, user=ALICE, member=MEMBER)
        for struct in (InviteUserEvent, JoinRoomEvent, RemoveUserEvent)
    ),
    LeaveRoomEvent(**DURABLE, user=ALICE, member=MEMBER),
    *(
        struct(**DURABLE, user=ALICE, member=MEMBER, until=INTEGER)
        for struct in (MuteUserEvent, BanUserEvent)
    ),
    *(
        struct(**DURABLE, user=ALICE, member=MEMBER)
        for struct in (SetRoleEvent, UnmuteUserEvent, UnbanUserEvent)
    ),
    EditMessageEvent(
        **DURABLE,
        user=ALICE,
        message=REFERENCE,
        text=TEXT,
        mentions=MENTIONS,
        mentions_room=True,
        edited_at=INTEGER,
    ),
    DeleteMessageEvent(**DURABLE, user=ALICE, message=REFERENCE),
    *(
        struct(**DURABLE, user=ALICE, message=REFERENCE, emoji=PAIR * limits.EMOJI_CODE_POINTS)
        for struct in (AddReactionEvent, RemoveReactionEvent)
    ),
    PinMessageEvent(**DURABLE, user=ALICE, message=REFERENCE, pinned_at=INTEGER),
    UnpinMessageEvent(**DURABLE, user=ALICE, message=REFERENCE),
    RenameRoomEvent(**DURABLE, user=ALICE, name=SUMMARY.name),
    SetTopicEvent(**DURABLE, user=ALICE, topic=SUMMARY.topic),
    SetDiscoverableEvent(**DURABLE, user=ALICE, discoverable=False),
    SetReceiptsEvent(**DURABLE, user=ALICE, receipts=False),
    *(struct(**DURABLE, user=ALICE) for struct in (ArchiveRoomEvent, RestoreRoomEvent)),
    AuthenticateAnswer(uuid=UUID_KEY, user=ALICE, rooms=[SUMMARY] * limits.AUTHENTICATE_ROOMS),
    # Pages end by their bytes, but have at least one of what they are made of; workers' tests fill them.
    SelectRoomAnswer(**PLACE, room_messages=[REACTED]),
    SelectRoomPage(**PLACE, events=[msgspec.Raw(encode_frame(EVENT))], more=False, reset=False),
    GetHistoryAnswer(uuid=UUID_KEY, room=ROOM, seq=INTEGER, room_messages=[REACTED]),
    ListPinsAnswer(uuid=UUID_KEY, room=ROOM, seq=INTEGER, room_messages=[REACTED]),
    ListRoomsAnswer(uuid=UUID_KEY, rooms=[SUMMARY]),
    MarkReadAnswer(uuid=UUID_KEY, room=SUMMARY),
    SetNotificationsAnswer(uuid=UUID_KEY, room=SUMMARY),
    ReportMessageAnswer(uuid=UUID_KEY, duplicate=True),
    *(struct(uuid=UUID_KEY, user=ALICE) for struct in (BlockUserAnswer, UnblockUserAnswer)),
    ListBlocksAnswer(uuid=UUID_KEY, users=[ALICE] * limits.PAGE_BLOCKS, more=False),
    TypingAnswer(uuid=UUID_KEY),
    WatchAnswer(uuid=UUID_KEY),
    PingAnswer(uuid=UUID_KEY, time_ms=INTEGER),
    Heads(rooms={room.hex: Cursor(EPOCH, INTEGER) for room in ROOMS}),
    SyncRequired(rooms=ROOMS),
    Reset(room=ROOM, epoch=EPOCH),
    RoomJoined(room=SUMMARY),
    RoomLeft(room=ROOM),
    RoomMarked(room=SUMMARY),
    UserBlocked(user=ALICE, blocked=False),
    RoomTyping(room=ROOM, users=[ALICE] * limits.TYPING_NAMES),
    RoomPresence(
        room=ROOM,
        users=[INTEGER - number for number in range(limits.PRESENCE_USERS)],
        count=limits.PRESENCE_USERS,
    ),
    RoomReceipts(
        room=ROOM, epoch=EPOCH, whole=False, marks=[ReadUpTo(INTEGER, INTEGER)] * limits.RECEIPT_MEMBERS
    ),
    Reconnect(after_ms=INTEGER, reason="restart"),
    Degraded(since_ms=INTEGER, rooms=[UUID(int=number) for number in range(limits.DEGRADED_ROOMS)]),
    Recovered(since_ms=INTEGER),
    Expiring(expires_in_ms=INTEGER),
    ErrorAnswer(
        uuid=UUID_KEY,
        action=UUID_KEY,
        error_code=ErrorCode.TOO_MANY_CONNECTIONS,
        error_message="x" * 200,
        room=ROOM,
        retry_after_ms=INTEGER,
    ),
]


@pytest.mark.parametrize("action", COMMANDS)
def test_the_largest_command_is_taken(action: str) -> None:
    """With every key at its limit, all escaped that may be and with spaces, it fits into a client's frame."""
    keys = {"uuid": PAIR * limits.UUID_CODE_POINTS, "action": action, **COMMAND_KEYS[action]}
    frame = json.dumps(keys)
    assert len(frame) <= limits.FRAME_BYTES
    assert action_of(decode_command(frame)) == action
    assert set(COMMANDS[action].__struct_fields__) - set(keys) <= {"ticket", "after"}  # the one or the other


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: str(type(frame).__name__))
def test_the_largest_frame_of_the_server_is_taken(frame: msgspec.Struct) -> None:
    """With every value at its limit, it is no larger than clients must take."""
    assert len(encode_frame(frame)) <= limits.PAGE_BYTES


def test_each_frame_of_the_server_is_among_them() -> None:
    """An answer to authenticate wastes no frames."""
    assert {type(frame) for frame in FRAMES} == set(frame_structs())
    (largest,) = [frame for frame in FRAMES if isinstance(frame, AuthenticateAnswer)]
    assert len(encode_frame(largest)) > 0.7 * limits.PAGE_BYTES
