"""The bodies of requests and answers; names and meanings are the wire's.

Those of commands only describe: `command_body` reads them by the wire's own rules.
"""

from typing import Any, Final

from msgspec import UNSET
from rest_framework import serializers

from roomlog.message_lookup import State
from roomlog_contract import limits

_ROLES = ("reader", "member", "admin", "owner")
_KINDS = ("group", "direct")
MAX_PEOPLE: Final = 100
"""Asked for at once: a page of history has as many authors at most."""


class Body(serializers.Serializer[Any]):
    """A body that is no model: nothing is saved through it."""


class RoomIdField(serializers.UUIDField):
    """32 hex digits, as on the wire; dashes are accepted."""

    def __init__(self, **options: Any) -> None:
        super().__init__(format="hex", **options)


class UserSerializer(Body):
    """Somebody, as people see them."""

    id = serializers.IntegerField()
    username = serializers.CharField()


class PersonSerializer(Body):
    """Somebody with a picture, which frames don't carry."""

    id = serializers.IntegerField()
    username = serializers.CharField(source="name")
    avatar = serializers.CharField()
    """An address or a path; empty: there is none."""


class PeopleSerializer(Body):
    """The people who are asked for, by their ids."""

    id = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=limits.EXACT_INTEGER), max_length=MAX_PEOPLE
    )


class MembersSerializer(Body):
    """Which members of a room are asked for."""

    after = serializers.IntegerField(min_value=0, max_value=limits.EXACT_INTEGER, default=0)
    """The last id of the page before."""
    id = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=limits.EXACT_INTEGER),
        max_length=MAX_PEOPLE,
        required=False,
    )


class MemberSerializer(Body):
    """Somebody in a room."""

    id = serializers.IntegerField()
    username = serializers.CharField()
    role = serializers.CharField()
    muted = serializers.BooleanField()
    muted_until = serializers.IntegerField(allow_null=True)
    """Epoch seconds; null: not muted, or without an end."""


class CredentialsSerializer(Body):
    """Who asks for a token."""

    username = serializers.CharField(max_length=254)
    password = serializers.CharField(max_length=4096, trim_whitespace=False)


class TokenSerializer(Body):
    """The key for `Authorization: Token …` and for `authenticate`."""

    token = serializers.CharField()
    user = UserSerializer()


class TicketSerializer(Body):
    """A pass for one `authenticate`."""

    ticket = serializers.CharField()
    expires_in_seconds = serializers.IntegerField()


class RoomSerializer(Body):
    """A room as its member sees it."""

    id = RoomIdField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(_KINDS)
    epoch = serializers.CharField()
    seq = serializers.IntegerField()
    read_seq = serializers.IntegerField()
    unread = serializers.IntegerField()
    archived = serializers.BooleanField()


class PresenceSerializer(Body):
    """The members of a room who are online."""

    online = serializers.IntegerField()
    users = UserSerializer(many=True, allow_null=True)
    """None in rooms of more than 200 members."""


class CommandSerializer(Body):
    """What every write may carry: its name, so that a repeat is the same command."""

    uuid = serializers.CharField(max_length=limits.UUID_CODE_POINTS, required=False)


class NewNameSerializer(CommandSerializer):
    """What a room shall be called."""

    name = serializers.CharField(max_length=limits.NAME_CODE_POINTS, allow_blank=True)


class NewRoomSerializer(CommandSerializer):
    """A room to be made; the asker owns it."""

    name = serializers.CharField(max_length=limits.NAME_CODE_POINTS, allow_blank=True, default="")
    kind = serializers.ChoiceField(_KINDS, default="group")
    members = serializers.ListField(
        child=serializers.IntegerField(min_value=1),
        max_length=limits.ROOM_MEMBERS_AT_CREATION,
        default=list,
    )


class NewMemberSerializer(CommandSerializer):
    """Somebody to be invited."""

    user = serializers.IntegerField(min_value=1)
    role = serializers.ChoiceField(_ROLES, default="member")


class RoleSerializer(CommandSerializer):
    """What a member shall be."""

    role = serializers.ChoiceField(_ROLES)


class MuteSerializer(CommandSerializer):
    """How long a member shall be mute."""

    until = serializers.IntegerField(
        min_value=1, max_value=limits.UNTIL_SECONDS - 1, required=False, allow_null=True, default=None
    )
    """Seconds since 1970; null: without an end."""


class NewBanSerializer(MuteSerializer):
    """Who shall be kept out, and how long."""

    user = serializers.IntegerField(min_value=1)


class BanSerializer(Body):
    """Who is kept out, and how long."""

    user = UserSerializer()
    until = serializers.IntegerField(allow_null=True)
    """Seconds since 1970; null: without an end."""


class BansPageSerializer(Body):
    """Which bans are asked for."""

    after = serializers.IntegerField(min_value=0, max_value=limits.EXACT_INTEGER, default=0)
    """The id of the last user of the page before."""
    limit = serializers.IntegerField(min_value=1, max_value=MAX_PEOPLE, default=MAX_PEOPLE)


class NewMessageSerializer(CommandSerializer):
    """Something to be said."""

    text = serializers.CharField(trim_whitespace=False, allow_blank=True)
    """Blank is allowed here, so that the wire's own `empty_text` answers."""
    reply_to = serializers.IntegerField(min_value=1, required=False, allow_null=True, default=None)


class NewTextSerializer(CommandSerializer):
    """What a message shall say."""

    text = serializers.CharField(trim_whitespace=False, allow_blank=True)
    """Blank is allowed here, so that the wire's own `empty_text` answers."""


class ReactionSerializer(CommandSerializer):
    """What stands, or shall stand, below a message."""

    emoji = serializers.CharField(trim_whitespace=False, max_length=limits.EMOJI_CODE_POINTS)


class MarkSerializer(CommandSerializer):
    """How far a room was read."""

    seq = serializers.IntegerField(min_value=0, max_value=limits.EXACT_INTEGER - 1)


class RequestedSerializer(Body):
    """The command that waits for its worker; ask `/api/messages/{uuid}/` what became of it."""

    uuid = serializers.CharField()
    room = RoomIdField()


class OptionalField(serializers.DictField):
    """Is left out where the struct has nothing."""

    def get_attribute(self, instance: Any) -> Any:
        """Return the struct's value."""
        value: Any = super().get_attribute(instance)
        if value is UNSET:
            raise serializers.SkipField
        return value


class ReactionsSerializer(Body):
    """The reactions to a message with one emoji."""

    count = serializers.IntegerField()
    users = UserSerializer(many=True)
    mine = serializers.BooleanField()


class MessageSerializer(Body):
    """A message in its present state."""

    id = serializers.IntegerField()
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
    reactions = serializers.DictField(child=ReactionsSerializer())
    reacted_seq = serializers.IntegerField(allow_null=True)
    pinned = serializers.IntegerField(allow_null=True)
    data = OptionalField(required=False)  # type: ignore[assignment] # DRF takes fields out of the class


class PageSerializer(Body):
    """Which messages are asked for."""

    before = serializers.IntegerField(min_value=1, max_value=limits.EXACT_INTEGER, required=False)
    limit = serializers.IntegerField(min_value=1, max_value=limits.HISTORY_MESSAGES, default=50)


class PlaceSerializer(Body):
    """Where a command is: in the log, waiting for its worker, or given up."""

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
