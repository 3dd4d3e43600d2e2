"""Rooms, members and messages by HTTP."""

from uuid import UUID, uuid4

from django.http import Http404
from django.utils.translation import gettext_lazy as _
from redis.exceptions import RedisError
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import HTTP_202_ACCEPTED

from roomlog import selectors
from roomlog.frames import parsed
from roomlog.message_lookup import places_of
from roomlog.pending import request_command
from roomlog.people import person_of
from roomlog.policy import objection_to
from roomlog.presence import presence_in
from roomlog.read_marks import mark_read
from roomlog_contract import limits
from roomlog_contract.commands import (
    AddReaction,
    ArchiveRoom,
    CreateRoom,
    DeleteMessage,
    EditMessage,
    InviteUser,
    LeaveRoom,
    MarkRead,
    NewMessage,
    RemoveReaction,
    RemoveUser,
    RenameRoom,
    RestoreRoom,
    RoomWrite,
)
from roomlog_contract.errors import ErrorCode, RefusedCommand
from roomlog_contract.shards import room_of

from .command_body import read_command
from .serializers import (
    MarkSerializer,
    MessageSerializer,
    NewMemberSerializer,
    NewMessageSerializer,
    NewNameSerializer,
    NewRoomSerializer,
    NewTextSerializer,
    PageSerializer,
    PlaceSerializer,
    PresenceSerializer,
    ProblemSerializer,
    ReactionSerializer,
    RequestedSerializer,
    RoomSerializer,
)
from .view import PersonThrottle, RestView, describe

REQUESTED = {202: RequestedSerializer, (400, "application/problem+json"): ProblemSerializer}


class PresenceThrottle(PersonThrottle):
    """How often one person may ask who is connected: each answer asks Redis of up to 1,000 people."""

    scope = "presence"
    rate = "60/min"


class NobodyCanSay(APIException):
    """Redis is away, which alone knows who is connected."""

    status_code = 503
    default_detail = _("Roomlog can't tell right now who is online. Try again in a moment.")


class RoomsView(RestView):
    """The asker's rooms."""

    @describe(responses=RoomSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Return the rooms that the asker is in, oldest membership first."""
        user_id = person_of(request.user).pk
        return Response(RoomSerializer(selectors.summaries_by_user([user_id])[user_id], many=True).data)

    @describe(request=NewRoomSerializer, responses=REQUESTED)
    def post(self, request: Request) -> Response:
        """Ask for a room. Its id is known before it is there; a repeated uuid is the same room."""
        return _requested(request, read_command(CreateRoom, request))


class RoomView(RestView):
    """One room."""

    @describe(request=NewNameSerializer, responses=REQUESTED)
    def patch(self, request: Request, room: UUID) -> Response:
        """Ask for another name."""
        _check_member(room, request)
        return _requested(request, read_command(RenameRoom, request, room=room))


class ArchiveView(RestView):
    """The end of all writing in a room."""

    @describe(request=None, responses=REQUESTED)
    def post(self, request: Request, room: UUID) -> Response:
        """Ask for the room to be archived."""
        _check_member(room, request)
        return _requested(request, ArchiveRoom(uuid=uuid4().hex, room=room))

    @describe(request=None, responses=REQUESTED)
    def delete(self, request: Request, room: UUID) -> Response:
        """Ask for the room to be open again."""
        _check_member(room, request)
        return _requested(request, RestoreRoom(uuid=uuid4().hex, room=room))


class MembersView(RestView):
    """Who is in a room."""

    @describe(request=NewMemberSerializer, responses=REQUESTED)
    def post(self, request: Request, room: UUID) -> Response:
        """Ask for somebody to become a member."""
        _check_member(room, request)
        return _requested(request, read_command(InviteUser, request, room=room))


class MemberView(RestView):
    """One member of a room."""

    @describe(request=None, responses=REQUESTED)
    def delete(self, request: Request, room: UUID, user: int) -> Response:
        """Ask for the end of a membership; of one's own, it is leaving."""
        _check_member(room, request)
        uuid = uuid4().hex
        if user == person_of(request.user).pk:
            return _requested(request, LeaveRoom(uuid=uuid, room=room))
        return _requested(request, RemoveUser(uuid=uuid, room=room, user=user))


class PresenceView(RestView):
    """The members of a room who are online."""

    throttle_classes = [PresenceThrottle]

    @describe(responses=PresenceSerializer)
    def get(self, request: Request, room: UUID) -> Response:
        """Return how many of the members that the asker may see are online, and who in rooms of up to 200."""
        _check_member(room, request)
        try:
            found = presence_in(room, person_of(request.user).pk)
        except RedisError as error:
            raise NobodyCanSay from error
        return Response(PresenceSerializer(found).data)


class MessagesView(RestView):
    """What was said in a room."""

    @describe(parameters=[PageSerializer], responses=MessageSerializer(many=True))
    def get(self, request: Request, room: UUID) -> Response:
        """Return the last messages before a seq, oldest first, in their present state."""
        _check_member(room, request)
        page = PageSerializer(data=request.query_params)
        page.is_valid(raise_exception=True)
        up_to = page.validated_data.get("before", limits.EXACT_INTEGER) - 1
        rows = selectors.last_messages(room, up_to, page.validated_data["limit"])
        messages = selectors.in_present_state(rows, person_of(request.user).pk)
        shown = [parsed(message) for message in messages]
        return Response(MessageSerializer(shown, many=True).data)

    @describe(request=NewMessageSerializer, responses=REQUESTED)
    def post(self, request: Request, room: UUID) -> Response:
        """Say something. A repeated uuid is the same message."""
        _check_member(room, request)
        return _requested(request, read_command(NewMessage, request, room=room))


class MessageView(RestView):
    """One message, by its id."""

    @describe(request=NewTextSerializer, responses=REQUESTED)
    def patch(self, request: Request, room: UUID, message: int) -> Response:
        """Ask for another text. For its author."""
        _check_member(room, request)
        return _requested(request, read_command(EditMessage, request, room=room, message=message))

    @describe(request=None, responses=REQUESTED)
    def delete(self, request: Request, room: UUID, message: int) -> Response:
        """Ask for the message to lose its text. For its author, and in a group for owners and admins."""
        _check_member(room, request)
        return _requested(request, DeleteMessage(uuid=uuid4().hex, room=room, message=message))


class ReactionsView(RestView):
    """The asker's reactions to one message."""

    @describe(request=ReactionSerializer, responses=REQUESTED)
    def post(self, request: Request, room: UUID, message: int) -> Response:
        """Ask for an emoji below the message."""
        _check_member(room, request)
        return _requested(request, read_command(AddReaction, request, room=room, message=message))

    @describe(request=ReactionSerializer, responses=REQUESTED)
    def delete(self, request: Request, room: UUID, message: int) -> Response:
        """Ask for one's own emoji to go."""
        _check_member(room, request)
        return _requested(request, read_command(RemoveReaction, request, room=room, message=message))


class MarkView(RestView):
    """How far a room was read."""

    @describe(request=MarkSerializer, responses=RoomSerializer)
    def post(self, request: Request, room: UUID) -> Response:
        """Say that everything up to a seq was read; the mark moves forward, never back, on all devices."""
        command = read_command(MarkRead, request, room=room)
        marked = mark_read(room, person_of(request.user).pk, command.seq)
        if marked is None:
            raise Http404
        return Response(RoomSerializer(marked).data)


class PlacesView(RestView):
    """Where is my message?"""

    @describe(responses=PlaceSerializer(many=True))
    def get(self, request: Request, uuid: str) -> Response:
        """Return where the asker's command of this uuid is; 404: refused, or not received."""
        mine = places_of(uuid, person_of(request.user).pk)
        if not mine:
            raise Http404
        return Response(PlaceSerializer(mine, many=True).data)


def _requested(request: Request, command: RoomWrite) -> Response:
    user_id = person_of(request.user).pk
    if sentence := objection_to(command, user_id):
        raise RefusedCommand(ErrorCode.FORBIDDEN, sentence, uuid=command.uuid)
    uuid = request_command(command, user_id)
    body = RequestedSerializer({"uuid": uuid, "room": room_of(command, user_id)})
    return Response(body.data, status=HTTP_202_ACCEPTED)


def _check_member(room: UUID, request: Request) -> None:
    """Answer 404 to strangers: they are not even told that there is such a room."""
    if not selectors.is_member(room, person_of(request.user).pk):
        raise Http404
