"""The bodies of answers, and of requests that are no commands; names and meanings are the wire's."""

from typing import Final, get_args

from rest_framework import serializers

from roomlog.message_lookup import State
from roomlog_contract import limits
from roomlog_contract.commands import Notify

from .attachment_serializers import AttachmentSerializer
from .body import Body
from .command_serializers import A_UUID, KINDS, ROLES
from .fields import (
    MAX_ID,
    IdField,
    LoginNameField,
    OptionalField,
    OptionalFlag,
    PasswordField,
    RoomIdField,
    UuidField,
)

MAX_PEOPLE: Final = 100
"""Asked for at once: a page of history has as many authors at most."""
_ROOM: Final = "6f1c2f0e8a5d4b6c9e7f3a2b1c0d9e8f"


class UserSerializer(Body):
    """Somebody, as people see them."""

    example = {"id": 7, "username": "alice"}

    id = IdField()
    username = serializers.CharField()


class PersonSerializer(Body):
    """Somebody with a picture, which frames don't carry."""

    example = {"id": 7, "username": "alice", "avatar": "/media/alice.png"}

    id = IdField()
    username = serializers.CharField(source="name")
    avatar = serializers.CharField()
    """An address or a path; empty: there is none."""


class PeopleSerializer(Body):
    """The people who are asked for, by their ids."""

    id = serializers.ListField(child=IdField(), max_length=MAX_PEOPLE)


class DirectRoomsSerializer(Body):
    """The direct rooms that are asked about."""

    room = serializers.ListField(child=RoomIdField(), max_length=MAX_PEOPLE)


class OtherMemberSerializer(PersonSerializer):
    """The other member of a direct room, by whom people call it."""

    example = {"room": _ROOM, **PersonSerializer.example}

    room = RoomIdField()


class MembersSerializer(Body):
    """Which members of a room are asked for."""

    after = serializers.IntegerField(min_value=0, max_value=MAX_ID, default=0)
    """The last id of the page before."""
    id = serializers.ListField(
        child=IdField(),
        max_length=MAX_PEOPLE,
        required=False,
    )


class MemberSerializer(Body):
    """Somebody in a room."""

    example = {"id": 7, "username": "alice", "role": "owner", "muted": False, "muted_until": None}

    id = IdField()
    username = serializers.CharField()
    role = serializers.ChoiceField(ROLES)
    muted = serializers.BooleanField()
    muted_until = serializers.IntegerField(allow_null=True)
    """Epoch seconds; null: not muted, or without an end."""


class CredentialsSerializer(Body):
    """Who asks for a token."""

    example = {"username": "alice", "password": "correct horse"}

    username = LoginNameField(max_length=254)
    password = PasswordField(max_length=4096, trim_whitespace=False)


class TokenSerializer(Body):
    """The key for `Authorization: Token …` and for `authenticate`."""

    example = {"token": "0" * 40, "user": UserSerializer.example}

    token = serializers.CharField()
    user = UserSerializer()


class TicketSerializer(Body):
    """A pass for one `authenticate`."""

    example = {"ticket": "WyI3Iiwi…", "expires_in_seconds": 60}

    ticket = serializers.CharField()
    expires_in_seconds = serializers.IntegerField()


class RoomSerializer(Body):
    """A room as its member sees it."""

    example = {
        "id": _ROOM,
        "name": "lobby",
        "kind": "group",
        "epoch": "c1f0",
        "seq": 42,
        "read_seq": 40,
        "unread": 2,
        "archived": False,
        "unread_mentions": 1,
        "topic": "",
        "notify": "all",
        "discoverable": False,
        "receipts": False,
    }

    id = RoomIdField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(KINDS)
    epoch = serializers.CharField()
    seq = serializers.IntegerField()
    read_seq = serializers.IntegerField()
    unread = serializers.IntegerField()
    archived = serializers.BooleanField()
    unread_mentions = serializers.IntegerField()
    topic = serializers.CharField()
    notify = serializers.ChoiceField(get_args(Notify))
    discoverable = serializers.BooleanField()
    receipts = serializers.BooleanField()


class PresenceSerializer(Body):
    """The members of a room who are online."""

    example = {"online": 1, "users": [UserSerializer.example]}

    online = serializers.IntegerField()
    users = UserSerializer(many=True, allow_null=True)
    """None in rooms of more than 200 members."""


class BanSerializer(Body):
    """Who is kept out, and how long."""

    example = {"user": {"id": 8, "username": "bob"}, "until": 4102444800}

    user = UserSerializer()
    until = serializers.IntegerField(allow_null=True)
    """Seconds since 1970; null: without an end."""


class AfterSerializer(Body):
    """Where a page begins."""

    after = serializers.IntegerField(min_value=0, max_value=MAX_ID, default=0)
    """The id of the last user of the page before."""


class BansPageSerializer(AfterSerializer):
    """Which bans are asked for."""

    limit = serializers.IntegerField(min_value=1, max_value=MAX_PEOPLE, default=MAX_PEOPLE)


class ReportSerializer(Body):
    """A report that is stored."""

    example = {"uuid": A_UUID, "duplicate": False}

    uuid = serializers.CharField()
    duplicate = serializers.BooleanField()
    """Whether the asker has reported the message before; that report stays as it was."""


class RequestedSerializer(Body):
    """The command that waits for its worker; ask `/api/v1/messages/{uuid}/` what became of it."""

    example = {"uuid": A_UUID, "room": _ROOM}

    uuid = UuidField()
    room = RoomIdField()


class ReactionsSerializer(Body):
    """The reactions to a message with one emoji."""

    count = serializers.IntegerField()
    users = UserSerializer(many=True)
    mine = serializers.BooleanField()


class MessageSerializer(Body):
    """A message in its present state."""

    example = {
        "id": 1201,
        "seq": 42,
        "number": 30,
        "user": UserSerializer.example,
        "room": _ROOM,
        "timestamp": 1795780800,
        "timestamp_ms": 1795780800123,
        "text": "Hello!",
        "edited_at": None,
        "deleted": False,
        "reply_to": None,
        "mentions": [],
        "attachments": [],
        "reactions": {"👍": {"count": 1, "users": [{"id": 8, "username": "bob"}], "mine": False}},
        "reacted_seq": 43,
        "pinned": None,
    }

    id = IdField()
    seq = serializers.IntegerField()
    number = serializers.IntegerField()
    user = UserSerializer()
    room = RoomIdField()
    timestamp = serializers.IntegerField()
    timestamp_ms = serializers.IntegerField()
    text = serializers.CharField()
    edited_at = serializers.IntegerField(allow_null=True)
    deleted = serializers.BooleanField()
    reply_to = serializers.IntegerField(allow_null=True)
    mentions = serializers.ListField(child=IdField())
    attachments = AttachmentSerializer(many=True)
    reactions = serializers.DictField(child=ReactionsSerializer())
    reacted_seq = serializers.IntegerField(allow_null=True)
    pinned = serializers.IntegerField(allow_null=True)
    data = OptionalField(required=False)  # type: ignore[assignment] # DRF takes fields out of the class
    mentions_room = OptionalFlag(required=False)


class PageSerializer(Body):
    """Which messages are asked for."""

    before = serializers.IntegerField(min_value=1, max_value=MAX_ID, required=False)
    limit = serializers.IntegerField(min_value=1, max_value=limits.HISTORY_MESSAGES, default=50)


class PlaceSerializer(Body):
    """Where a command is: in the log, waiting for its worker, or given up."""

    example = {"state": "stored", "room": _ROOM, "seq": 42}

    state = serializers.ChoiceField([state.value for state in State])
    room = RoomIdField(allow_null=True)
    seq = serializers.IntegerField(allow_null=True)


class ProblemSerializer(Body):
    """Why a request was not accepted (RFC 9457); `error_code` is the wire's where it has one."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    error_code = serializers.CharField()
    errors = serializers.DictField(  # type: ignore[assignment] # a field in a body that nobody validates
        child=serializers.ListField(child=serializers.CharField()), required=False
    )
