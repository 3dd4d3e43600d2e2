"""The bodies of commands; names and meanings are the wire's.

They only describe: `command_body` reads them by the wire's own rules.
"""

from typing import Final, get_args

from rest_framework import serializers

from roomlog.models import MessageReport
from roomlog_contract import limits
from roomlog_contract.commands import Notify

from .body import Body
from .fields import (
    MAX_ID,
    AttachmentsField,
    CommentField,
    EmojiField,
    IdField,
    MentionsField,
    NameField,
    TextField,
    TopicField,
    UuidField,
)

ROLES = ("reader", "member", "admin", "owner")
KINDS = ("group", "direct")
A_UUID: Final = "2b9c6f7e-hello"


class CommandSerializer(Body):
    """What every write may carry: its name, so that a repeat is the same command."""

    example = {"uuid": A_UUID}

    uuid = UuidField(required=False)


class NewNameSerializer(CommandSerializer):
    """What a room shall be called."""

    example = {"uuid": A_UUID, "name": "lobby"}

    name = NameField()


class NewTopicSerializer(CommandSerializer):
    """What a room shall be about."""

    example = {"uuid": A_UUID, "topic": "Ships that are due this week"}

    topic = TopicField()


class ReceiptsSerializer(CommandSerializer):
    """Whether a room shall show how far its members have read."""

    example = {"uuid": A_UUID, "receipts": True}

    receipts = serializers.BooleanField()


class NewRoomSerializer(CommandSerializer):
    """A room to be made; the asker owns it."""

    example = {"uuid": A_UUID, "name": "lobby", "kind": "group", "members": [8]}

    name = NameField(default="")
    kind = serializers.ChoiceField(KINDS, default="group")
    members = serializers.ListField(
        child=IdField(),
        max_length=limits.ROOM_MEMBERS_AT_CREATION,
        default=list,
    )


class NewMemberSerializer(CommandSerializer):
    """Somebody to be invited."""

    example = {"uuid": A_UUID, "user": 8, "role": "member"}

    user = IdField()
    role = serializers.ChoiceField(ROLES, default="member")


class RoleSerializer(CommandSerializer):
    """What a member shall be."""

    example = {"uuid": A_UUID, "role": "admin"}

    role = serializers.ChoiceField(ROLES)


class MuteSerializer(CommandSerializer):
    """How long a member shall be mute."""

    example = {"uuid": A_UUID, "until": 4102444800}

    until = serializers.IntegerField(
        min_value=1, max_value=limits.UNTIL_SECONDS - 1, required=False, allow_null=True, default=None
    )
    """Seconds since 1970; null: without an end."""


class NewBanSerializer(MuteSerializer):
    """Who shall be kept out, and how long."""

    example = {"uuid": A_UUID, "user": 8, "until": None}

    user = IdField()


class NewMessageSerializer(CommandSerializer):
    """Something to be said."""

    example = {
        "uuid": A_UUID,
        "text": "Hello, @bob!",
        "reply_to": None,
        "mentions": [8],
        "attachments": [],
    }

    text = TextField()
    reply_to = IdField(required=False, allow_null=True, default=None)
    mentions = MentionsField()
    mentions_room = serializers.BooleanField(default=False)
    attachments = AttachmentsField()


class HookMessageSerializer(CommandSerializer):
    """Something to be said by a hook."""

    example = {"uuid": "build-1201", "text": "Build 1201 has failed."}

    text = TextField()


class NewTextSerializer(CommandSerializer):
    """What a message shall say, and whom mention."""

    example = {"uuid": A_UUID, "text": "Hello, @bob!", "mentions": [8]}

    text = TextField()
    mentions = MentionsField()
    mentions_room = serializers.BooleanField(default=False)


class ReactionSerializer(CommandSerializer):
    """What stands, or shall stand, below a message."""

    example = {"uuid": A_UUID, "emoji": "👍"}

    emoji = EmojiField()


class MarkSerializer(CommandSerializer):
    """How far a room was read."""

    example = {"seq": 42}

    seq = serializers.IntegerField(min_value=0, max_value=MAX_ID)


class NotificationsSerializer(CommandSerializer):
    """Of which messages of a room somebody wants to be told."""

    example = {"notify": "mentions"}

    notify = serializers.ChoiceField(get_args(Notify))


class NewReportSerializer(CommandSerializer):
    """Why the moderators should look at a message."""

    example = {"uuid": A_UUID, "reason": "spam", "comment": "The same link again."}

    reason = serializers.ChoiceField(MessageReport.Reason.values)
    comment = CommentField(default="")
