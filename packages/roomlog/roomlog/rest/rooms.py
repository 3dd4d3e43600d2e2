"""Rooms, members and messages by HTTP."""

from uuid import UUID

from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from redis.exceptions import RedisError
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from roomlog import selectors
from roomlog.ban import until_of
from roomlog.frames import parsed
from roomlog.member_list import members_of
from roomlog.message_lookup import places_of
from roomlog.notification_levels import set_notifications
from roomlog.people import as_user, person_of
from roomlog.presence import presence_in
from roomlog.read_marks import mark_read
from roomlog.reporting import store_report
from roomlog_contract import limits
from roomlog_contract.commands import (
    AddReaction,
    ArchiveRoom,
    BanUser,
    CreateRoom,
    DeleteMessage,
    EditMessage,
    InviteUser,
    LeaveRoom,
    MarkRead,
    MuteUser,
    NewMessage,
    PinMessage,
    RemoveReaction,
    RemoveUser,
    RenameRoom,
    ReportMessage,
    RestoreRoom,
    SetNotifications,
    SetReceipts,
    SetRole,
    SetTopic,
    UnbanUser,
    UnmuteUser,
    UnpinMessage,
)
from roomlog_contract.errors import ErrorCode, RefusedCommand

from .command_body import read_command
from .command_serializers import (
    CommandSerializer,
    MarkSerializer,
    MuteSerializer,
    NewBanSerializer,
    NewMemberSerializer,
    NewMessageSerializer,
    NewNameSerializer,
    NewReportSerializer,
    NewRoomSerializer,
    NewTextSerializer,
    NewTopicSerializer,
    NotificationsSerializer,
    ReactionSerializer,
    ReceiptsSerializer,
    RoleSerializer,
)
from .operations import describe
from .requesting import REQUESTED, check_member, requested
from .serializers import (
    BanSerializer,
    BansPageSerializer,
    MemberSerializer,
    MembersSerializer,
    MessageSerializer,
    PageSerializer,
    PlaceSerializer,
    PresenceSerializer,
    ReportSerializer,
    RoomSerializer,
)
from .view import PersonThrottle, RestView


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
        return requested(request, read_command(CreateRoom, request))


class RoomView(RestView):
    """One room."""

    @describe(request=NewNameSerializer, responses=REQUESTED)
    def patch(self, request: Request, room: UUID) -> Response:
        """Ask for another name."""
        check_member(room, request)
        return requested(request, read_command(RenameRoom, request, room=room))


class TopicView(RestView):
    """What a room is about."""

    @describe(request=NewTopicSerializer, responses=REQUESTED)
    def put(self, request: Request, room: UUID) -> Response:
        """Ask for another topic; empty takes it away. For owners and admins."""
        check_member(room, request)
        return requested(request, read_command(SetTopic, request, room=room))


class ReceiptsView(RestView):
    """Whether a room shows how far its members have read."""

    @describe(request=ReceiptsSerializer, responses=REQUESTED)
    def put(self, request: Request, room: UUID) -> Response:
        """Ask for it to show that or not. For owners and admins; in a direct room for both."""
        check_member(room, request)
        return requested(request, read_command(SetReceipts, request, room=room))


class ArchiveView(RestView):
    """The end of all writing in a room."""

    @describe(request=CommandSerializer, responses=REQUESTED)
    def post(self, request: Request, room: UUID) -> Response:
        """Ask for the room to be archived."""
        check_member(room, request)
        return requested(request, read_command(ArchiveRoom, request, room=room))

    @describe(request=CommandSerializer, responses=REQUESTED)
    def delete(self, request: Request, room: UUID) -> Response:
        """Ask for the room to be open again."""
        check_member(room, request)
        return requested(request, read_command(RestoreRoom, request, room=room))


class MembersView(RestView):
    """Who is in a room."""

    @describe(parameters=[MembersSerializer], responses=MemberSerializer(many=True))
    def get(self, request: Request, room: UUID) -> Response:
        """Return at most 100 members in the order of their ids: those behind `after`, or of these ids."""
        check_member(room, request)
        asked = MembersSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        found = members_of(room, asked.validated_data["after"], asked.validated_data.get("id"))
        return Response(MemberSerializer(found, many=True).data)

    @describe(request=NewMemberSerializer, responses=REQUESTED)
    def post(self, request: Request, room: UUID) -> Response:
        """Ask for somebody to become a member."""
        check_member(room, request)
        return requested(request, read_command(InviteUser, request, room=room))


class MemberView(RestView):
    """One member of a room."""

    @describe(request=RoleSerializer, responses=REQUESTED)
    def patch(self, request: Request, room: UUID, user: int) -> Response:
        """Ask for another role. For admins and owners; to and of an owner only for owners."""
        check_member(room, request)
        return requested(request, read_command(SetRole, request, room=room, user=user))

    @describe(request=CommandSerializer, responses=REQUESTED)
    def delete(self, request: Request, room: UUID, user: int) -> Response:
        """Ask for the end of a membership; of one's own, it is leaving."""
        check_member(room, request)
        if user == person_of(request.user).pk:
            return requested(request, read_command(LeaveRoom, request, room=room))
        return requested(request, read_command(RemoveUser, request, room=room, user=user))


class MuteView(RestView):
    """Whether one member of a room may write."""

    @describe(request=MuteSerializer, responses=REQUESTED)
    def post(self, request: Request, room: UUID, user: int) -> Response:
        """Ask for the member to be muted; a second time replaces the end. For who may remove the member."""
        check_member(room, request)
        return requested(request, read_command(MuteUser, request, room=room, user=user))

    @describe(request=CommandSerializer, responses=REQUESTED)
    def delete(self, request: Request, room: UUID, user: int) -> Response:
        """Ask for the member to be heard again."""
        check_member(room, request)
        return requested(request, read_command(UnmuteUser, request, room=room, user=user))


class BansView(RestView):
    """Who is kept out of a room."""

    @describe(parameters=[BansPageSerializer], responses=BanSerializer(many=True), problems=frozenset({403}))
    def get(self, request: Request, room: UUID) -> Response:
        """Return the bans that last, in the order of their users' ids. For admins and owners."""
        check_member(room, request)
        if not selectors.may_moderate(room, person_of(request.user).pk):
            raise RefusedCommand(ErrorCode.FORBIDDEN)
        page = BansPageSerializer(data=request.query_params)
        page.is_valid(raise_exception=True)
        bans = selectors.bans_of(room, timezone.now(), **page.validated_data)
        shown = [{"user": as_user(ban.user), "until": until_of(ban.until)} for ban in bans]
        return Response(BanSerializer(shown, many=True).data)

    @describe(request=NewBanSerializer, responses=REQUESTED)
    def post(self, request: Request, room: UUID) -> Response:
        """Ask for somebody to be kept out; a second time replaces the end. For who may remove them."""
        check_member(room, request)
        return requested(request, read_command(BanUser, request, room=room))


class BanView(RestView):
    """One ban."""

    @describe(request=CommandSerializer, responses=REQUESTED)
    def delete(self, request: Request, room: UUID, user: int) -> Response:
        """Ask for the user to be let in again; somebody must invite them."""
        check_member(room, request)
        return requested(request, read_command(UnbanUser, request, room=room, user=user))


class PresenceView(RestView):
    """The members of a room who are online."""

    throttle_classes = [PresenceThrottle]

    @describe(responses=PresenceSerializer)
    def get(self, request: Request, room: UUID) -> Response:
        """Return how many of the members that the asker may see are online, and who in rooms of up to 200."""
        check_member(room, request)
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
        check_member(room, request)
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
        check_member(room, request)
        return requested(request, read_command(NewMessage, request, room=room))


class MessageView(RestView):
    """One message, by its id."""

    @describe(request=NewTextSerializer, responses=REQUESTED)
    def patch(self, request: Request, room: UUID, message: int) -> Response:
        """Ask for another text. For its author."""
        check_member(room, request)
        return requested(request, read_command(EditMessage, request, room=room, message=message))

    @describe(request=CommandSerializer, responses=REQUESTED)
    def delete(self, request: Request, room: UUID, message: int) -> Response:
        """Ask for the message to lose its text. For its author, and in a group for owners and admins."""
        check_member(room, request)
        return requested(request, read_command(DeleteMessage, request, room=room, message=message))


class ReactionsView(RestView):
    """The asker's reactions to one message."""

    @describe(request=ReactionSerializer, responses=REQUESTED)
    def post(self, request: Request, room: UUID, message: int) -> Response:
        """Ask for an emoji below the message."""
        check_member(room, request)
        return requested(request, read_command(AddReaction, request, room=room, message=message))

    @describe(request=ReactionSerializer, responses=REQUESTED)
    def delete(self, request: Request, room: UUID, message: int) -> Response:
        """Ask for one's own emoji to go."""
        check_member(room, request)
        return requested(request, read_command(RemoveReaction, request, room=room, message=message))


class PinView(RestView):
    """The pin of one message."""

    @describe(request=CommandSerializer, responses=REQUESTED)
    def put(self, request: Request, room: UUID, message: int) -> Response:
        """Ask for the message to be pinned. For owners and admins, and in a direct room for both."""
        check_member(room, request)
        return requested(request, read_command(PinMessage, request, room=room, message=message))

    @describe(request=CommandSerializer, responses=REQUESTED)
    def delete(self, request: Request, room: UUID, message: int) -> Response:
        """Ask for the message to be pinned no more. For those who may pin."""
        check_member(room, request)
        return requested(request, read_command(UnpinMessage, request, room=room, message=message))


class ReportView(RestView):
    """The asker's report of one message."""

    @describe(request=NewReportSerializer, responses=ReportSerializer)
    def post(self, request: Request, room: UUID, message: int) -> Response:
        """Report a message to the moderators; the room is not told. A second report changes nothing."""
        check_member(room, request)
        command = read_command(ReportMessage, request, room=room, message=message)
        is_new = store_report(command, person_of(request.user).pk)
        return Response(ReportSerializer({"uuid": command.uuid, "duplicate": not is_new}).data)


class PinsView(RestView):
    """The pinned messages of a room."""

    @describe(responses=MessageSerializer(many=True))
    def get(self, request: Request, room: UUID) -> Response:
        """Return all of them, at most 50, in their present state; those that were pinned last come first."""
        check_member(room, request)
        shown = [parsed(message) for message in selectors.pins_of(room, person_of(request.user).pk)]
        return Response(MessageSerializer(shown, many=True).data)


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


class NotificationsView(RestView):
    """Of which messages of a room the asker wants to be told."""

    @describe(request=NotificationsSerializer, responses=RoomSerializer)
    def put(self, request: Request, room: UUID) -> Response:
        """Set the level, on all devices: all messages, those that mention the asker, or none."""
        command = read_command(SetNotifications, request, room=room)
        seen = set_notifications(room, person_of(request.user).pk, command.notify)
        if seen is None:
            raise Http404
        return Response(RoomSerializer(seen).data)


class PlacesView(RestView):
    """Where is my message?"""

    @describe(responses=PlaceSerializer(many=True))
    def get(self, request: Request, uuid: str) -> Response:
        """Return where the asker's command of this uuid is; 404: refused, or not received."""
        mine = places_of(uuid, person_of(request.user).pk)
        if not mine:
            raise Http404
        return Response(PlaceSerializer(mine, many=True).data)
