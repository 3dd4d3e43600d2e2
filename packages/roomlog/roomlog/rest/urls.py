"""Where the REST interface is."""

from uuid import UUID

from django.urls import path, re_path, register_converter
from django.urls.converters import StringConverter

from roomlog_contract import limits

from . import access, attachments, blocks, hooks, joining, rooms, search
from .operations import ROOM, SECRET
from .schema import SchemaView
from .view import NothingHere


class RoomConverter:
    """A room's or a file's id in a path: 32 hex digits, or with dashes."""

    regex = ROOM

    def to_python(self, value: str) -> UUID:
        """Return the id."""
        return UUID(value)

    def to_url(self, value: UUID) -> str:
        """Return 32 hex digits."""
        return value.hex


class NumberConverter:
    """The id of a person or a message in a path: a positive integer that every client reads alike."""

    regex = "[1-9][0-9]{0,15}"

    def to_python(self, value: str) -> int:
        """Return the id.

        Raises:
            ValueError: it is 2^53 or more; Django goes on to the next path.
        """
        number = int(value)
        if number >= limits.EXACT_INTEGER:
            raise ValueError("not below 2^53")
        return number

    def to_url(self, value: int) -> str:
        """Return its digits."""
        return str(value)


class SecretConverter(StringConverter):
    """The secret of an incoming hook in a path."""

    regex = SECRET


register_converter(RoomConverter, "room")
register_converter(NumberConverter, "number")
register_converter(SecretConverter, "secret")

urlpatterns = [
    path("schema/", SchemaView.as_view(), name="schema"),
    path("ticket/", access.TicketView.as_view(), name="ticket"),
    path("people/", access.PeopleView.as_view(), name="people"),
    path("users/", access.UsersView.as_view(), name="users"),
    path("blocks/", blocks.BlocksView.as_view(), name="blocks"),
    path("blocks/<number:user>/", blocks.BlockView.as_view(), name="block"),
    path("attachments/", attachments.AttachmentsView.as_view(), name="attachments"),
    path("attachments/<room:attachment>/", attachments.AttachmentView.as_view(), name="attachment"),
    path(
        "attachments/<room:attachment>/thumbnail/",
        attachments.ThumbnailView.as_view(),
        name="attachment-thumbnail",
    ),
    path("search/", search.SearchView.as_view(), name="search"),
    path("rooms/", rooms.RoomsView.as_view(), name="rooms"),
    path("rooms/direct/", access.DirectRoomsView.as_view(), name="direct-rooms"),
    path("rooms/discoverable/", joining.DiscoverableRoomsView.as_view(), name="discoverable-rooms"),
    path("rooms/<room:room>/", rooms.RoomView.as_view(), name="room"),
    path("rooms/<room:room>/topic/", rooms.TopicView.as_view(), name="topic"),
    path("rooms/<room:room>/discoverable/", joining.DiscoverableView.as_view(), name="discoverable"),
    path("rooms/<room:room>/join/", joining.JoinView.as_view(), name="join"),
    path("rooms/<room:room>/invitations/", joining.InvitationsView.as_view(), name="invitations"),
    path(
        "rooms/<room:room>/invitations/<room:invitation>/",
        joining.InvitationView.as_view(),
        name="invitation",
    ),
    path("invitation/", joining.DoorView.as_view(), name="door"),
    path("rooms/<room:room>/receipts/", rooms.ReceiptsView.as_view(), name="receipts"),
    path("rooms/<room:room>/archive/", rooms.ArchiveView.as_view(), name="archive"),
    path("rooms/<room:room>/members/", rooms.MembersView.as_view(), name="members"),
    path("rooms/<room:room>/members/<number:user>/", rooms.MemberView.as_view(), name="member"),
    path("rooms/<room:room>/members/<number:user>/mute/", rooms.MuteView.as_view(), name="mute"),
    path("rooms/<room:room>/bans/", rooms.BansView.as_view(), name="bans"),
    path("rooms/<room:room>/bans/<number:user>/", rooms.BanView.as_view(), name="ban"),
    path("rooms/<room:room>/presence/", rooms.PresenceView.as_view(), name="presence"),
    path("rooms/<room:room>/read/", rooms.MarkView.as_view(), name="mark"),
    path("rooms/<room:room>/notifications/", rooms.NotificationsView.as_view(), name="notifications"),
    path("rooms/<room:room>/messages/", rooms.MessagesView.as_view(), name="messages"),
    path("rooms/<room:room>/messages/<number:message>/", rooms.MessageView.as_view(), name="message"),
    path(
        "rooms/<room:room>/messages/<number:message>/reactions/",
        rooms.ReactionsView.as_view(),
        name="reactions",
    ),
    path("rooms/<room:room>/messages/<number:message>/pin/", rooms.PinView.as_view(), name="pin"),
    path("rooms/<room:room>/messages/<number:message>/report/", rooms.ReportView.as_view(), name="report"),
    path("rooms/<room:room>/pins/", rooms.PinsView.as_view(), name="pins"),
    path("hooks/<room:hook>/<secret:secret>/", hooks.HookView.as_view(), name="hook"),
    path("messages/<path:uuid>/", rooms.PlacesView.as_view(), name="places"),
    re_path("", NothingHere.as_view(), name="nothing-here"),
]
