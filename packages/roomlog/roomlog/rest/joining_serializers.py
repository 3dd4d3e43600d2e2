"""The bodies of coming into rooms: what is asked, and what is answered."""

from typing import Any, Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from roomlog.discovery import PAGE_ROOMS
from roomlog.invitation import Invitation
from roomlog.inviting import MOST_USES
from roomlog_contract import limits

from .body import Body
from .command_serializers import A_UUID, CommandSerializer
from .fields import InvitationField, RoomIdField, SearchField, UuidField
from .serializers import UserSerializer

_ROOM: Final = "6f1c2f0e8a5d4b6c9e7f3a2b1c0d9e8f"
_TOKEN: Final = "kq3vZ0c2mXW6hT9uYb1sLrPa8dNfEjQi"  # noqa: S105 - an example
MOST_CURSOR_CHARACTERS: Final = 1_200
"""A room's id and the longest name, in base64."""


@extend_schema_field({"type": "string", "pattern": f"^(?:{'|'.join(Invitation.Role.values)})$"})
class InvitationRoleField(serializers.ChoiceField):
    """What whoever joins by an invitation may do."""

    def __init__(self, **options: Any) -> None:
        super().__init__(Invitation.Role.values, **options)


class RoomSearchSerializer(Body):
    """Which rooms are looked for."""

    q = SearchField(required=False, help_text="What the name contains, in any case; all rooms without it.")
    cursor = serializers.RegexField(
        rf"^[A-Za-z0-9_-]{{22,{MOST_CURSOR_CHARACTERS}}}$",
        required=False,
        help_text="`next` of the page before.",
    )
    limit = serializers.IntegerField(min_value=1, max_value=PAGE_ROOMS, default=PAGE_ROOMS)


class FoundRoomSerializer(Body):
    """A room that everybody may join."""

    example = {"id": _ROOM, "name": "lobby", "topic": "", "joined": False}

    id = RoomIdField()
    name = serializers.CharField()
    topic = serializers.CharField()
    joined = serializers.BooleanField(help_text="Whether the asker is a member.")


class FoundRoomsSerializer(Body):
    """Rooms that everybody may join, by name."""

    example = {"rooms": [FoundRoomSerializer.example], "next": None}

    rooms = FoundRoomSerializer(many=True)
    next = serializers.CharField(allow_null=True, help_text="The next page's cursor; null: there is none.")


class DiscoverableSerializer(CommandSerializer):
    """Whether everybody may find a room and join it."""

    example = {"uuid": A_UUID, "discoverable": True}

    discoverable = serializers.BooleanField()


class JoinSerializer(CommandSerializer):
    """How somebody comes in."""

    example = {"uuid": A_UUID, "invitation": _TOKEN}

    invitation = InvitationField(required=False, allow_null=True, default=None)


class NewInvitationSerializer(CommandSerializer):
    """What an invitation shall be good for."""

    example = {"uuid": A_UUID, "role": "member", "until": 4102444800, "most_uses": 5}

    uuid = UuidField(required=False, trim_whitespace=False, max_length=limits.UUID_CODE_POINTS)
    role = InvitationRoleField(default=Invitation.Role.MEMBER.value)
    until = serializers.IntegerField(
        min_value=1,
        max_value=limits.UNTIL_SECONDS - 1,
        required=False,
        help_text="Seconds since 1970, within a year; else in 7 days.",
    )
    most_uses = serializers.IntegerField(
        min_value=1,
        max_value=MOST_USES,
        required=False,
        allow_null=True,
        help_text="How many people may join by it; null: without a bound.",
    )


class InvitationSerializer(Body):
    """An invitation."""

    example = {
        "id": "5d0f6a0c9b1e4c0f8a57a3e6f2b4c1d8",
        "creator": UserSerializer.example,
        "role": "member",
        "until": 4102444800,
        "most_uses": 5,
        "uses": 0,
        "token": _TOKEN,
    }

    id = RoomIdField()
    creator = UserSerializer()
    role = InvitationRoleField()
    until = serializers.IntegerField()
    most_uses = serializers.IntegerField(allow_null=True)
    uses = serializers.IntegerField()
    token = serializers.CharField(
        allow_null=True, help_text="By which people join; only in the answer to whoever made it, once."
    )


class InvitationTokenSerializer(Body):
    """The token of an invitation."""

    example = {"invitation": _TOKEN}

    invitation = InvitationField()


class DoorSerializer(Body):
    """The room to which an invitation leads, and the role that it gives."""

    example = {"room": _ROOM, "name": "lobby", "topic": "", "role": "member", "joined": False}

    room = RoomIdField()
    name = serializers.CharField()
    topic = serializers.CharField()
    role = InvitationRoleField()
    joined = serializers.BooleanField(help_text="Whether the asker is a member.")
