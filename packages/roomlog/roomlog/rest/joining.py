"""Coming into rooms by HTTP: those that everybody may join, and invitations."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from django.core.exceptions import PermissionDenied
from django.http import Http404
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from roomlog.discovery import cursor_of, is_open_to, place_of, rooms_found
from roomlog.invitation import Invitation
from roomlog.inviting import Terms, invite, open_in, open_invitation, revoke
from roomlog.models import ChatRoom, Membership
from roomlog.people import as_user, person_of
from roomlog_contract.commands import JoinRoom, SetDiscoverable
from roomlog_contract.errors import NO_SUCH_INVITATION, ErrorCode, RefusedCommand

from .command_body import read_command
from .joining_serializers import (
    DiscoverableSerializer,
    DoorSerializer,
    FoundRoomsSerializer,
    InvitationSerializer,
    InvitationTokenSerializer,
    JoinSerializer,
    NewInvitationSerializer,
    RoomSearchSerializer,
)
from .operations import describe
from .requesting import REQUESTED, check_member, requested
from .view import PersonThrottle, RestView


class RoomSearchThrottle(PersonThrottle):
    """How often one person may look for rooms: each search reads the names of all that are open."""

    scope = "room_search"
    rate = "60/min"


class InvitationThrottle(PersonThrottle):
    """How often one person may make invitations, or look at what is behind a token."""

    scope = "invitation"
    rate = "60/min"


class DiscoverableRoomsView(RestView):
    """The rooms that everybody may join."""

    throttle_classes = [RoomSearchThrottle]

    @describe(parameters=[RoomSearchSerializer], responses=FoundRoomsSerializer)
    def get(self, request: Request) -> Response:
        """Return a page of the rooms that everybody may join, by name; none where the project forbids it."""
        asked = RoomSearchSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        cursor, limit = asked.validated_data.get("cursor"), asked.validated_data["limit"]
        try:
            after = None if cursor is None else place_of(cursor)
        except ValueError:
            raise ValidationError({"cursor": ["It is `next` of no page."]}) from None
        words = asked.validated_data.get("q", "")
        found = rooms_found(person_of(request.user).pk, words, after, limit + 1)
        following = cursor_of(found[limit - 1]) if len(found) > limit else None
        return Response(FoundRoomsSerializer({"rooms": found[:limit], "next": following}).data)


class DiscoverableView(RestView):
    """Whether everybody may find a room and join it."""

    @describe(request=DiscoverableSerializer, responses=REQUESTED)
    def put(self, request: Request, room: UUID) -> Response:
        """Ask for the room to be open to everybody, or no more. For owners and admins."""
        check_member(room, request)
        return requested(request, read_command(SetDiscoverable, request, room=room))


class JoinView(RestView):
    """The asker's own way into a room."""

    @describe(request=JoinSerializer, responses=REQUESTED)
    def post(self, request: Request, room: UUID) -> Response:
        """Ask to become a member: of a room that is open to everybody, or by an invitation. Else 404."""
        command = read_command(JoinRoom, request, room=room)
        if not is_open_to(room, person_of(request.user).pk, command.invitation):
            raise Http404
        return requested(request, command)


class InvitationsView(RestView):
    """The open invitations to a room. For owners and admins."""

    throttle_classes = [InvitationThrottle]

    @describe(responses=InvitationSerializer(many=True))
    def get(self, request: Request, room: UUID) -> Response:
        """Return the room's open invitations, the newest first, without their tokens."""
        _check_admin(room, request)
        found = open_in(room).select_related("creator")
        return Response(InvitationSerializer([_shown(one) for one in found], many=True).data)

    @describe(
        request=NewInvitationSerializer, responses={201: InvitationSerializer, 200: InvitationSerializer}
    )
    def post(self, request: Request, room: UUID) -> Response:
        """Make an invitation. Its token is in this answer alone: a repeated uuid is answered without."""
        _check_admin(room, request)
        asked = NewInvitationSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        if ChatRoom.objects.filter(pk=room).exclude(archived_at=None).exists():
            raise RefusedCommand(ErrorCode.ARCHIVED)
        said = asked.validated_data
        until = None if said.get("until") is None else datetime.fromtimestamp(said["until"], UTC)
        terms = Terms(said["role"], until, said.get("most_uses"))
        person = person_of(request.user)
        made, token = invite(room, person.pk, said.get("uuid") or uuid4().hex, terms)
        status = 200 if token is None else 201
        return Response(InvitationSerializer(_shown(made, token)).data, status=status)


class InvitationView(RestView):
    """One invitation to a room. For owners and admins."""

    @describe(request=None, responses={204: None})
    def delete(self, request: Request, room: UUID, invitation: UUID) -> Response:
        """Revoke it; who has joined by it stays. Again is harmless."""
        _check_admin(room, request)
        mine = Invitation.objects.filter(pk=invitation, room=room)
        if not mine.exists():
            raise Http404
        revoke(mine)
        return Response(status=204)


class DoorView(RestView):
    """What is behind a token. It comes in the body, because addresses are logged."""

    throttle_classes = [InvitationThrottle]

    @describe(request=InvitationTokenSerializer, responses=DoorSerializer, problems=frozenset({404}))
    def post(self, request: Request) -> Response:
        """Return the room to which an invitation leads; 404: there is none, or it is not valid any more."""
        asked = InvitationTokenSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        found = open_invitation(asked.validated_data["invitation"])
        if found is None:
            raise RefusedCommand(ErrorCode.NOT_FOUND, NO_SUCH_INVITATION)
        room, person = found.room, person_of(request.user).pk
        joined = Membership.objects.filter(room=room, user=person).exists()
        facts = {"room": room.pk, "name": room.name, "topic": room.topic, "role": found.role}
        return Response(DoorSerializer({**facts, "joined": joined}).data)


def _check_admin(room: UUID, request: Request) -> None:
    """Answer 404 to strangers, and 403 to members who may not let people in."""
    check_member(room, request)
    roles = Membership.objects.filter(room=room, user=person_of(request.user).pk)
    if not roles.filter(role__in=("admin", "owner"), room__kind=ChatRoom.Kind.GROUP).exists():
        raise PermissionDenied


def _shown(invitation: Invitation, token: str | None = None) -> dict[str, Any]:
    return {
        "id": invitation.pk,
        "creator": as_user(invitation.creator),
        "role": invitation.role,
        "until": int(invitation.until.timestamp()),
        "most_uses": invitation.most_uses,
        "uses": invitation.uses,
        "token": token,
    }
