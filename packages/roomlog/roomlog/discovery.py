"""Rooms that everybody may find and join: the list of them, and which ones are open to somebody.

Beside the message's way. A worker decides who comes in (`join_room`).
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final, NamedTuple
from unicodedata import normalize
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from .inviting import open_invitation
from .models import ChatRoom, Membership
from .policy import may_find_rooms

PAGE_ROOMS: Final = 50
_ID_BYTES: Final = 16


class Place(NamedTuple):
    """The last room of a page: the next one begins behind its name and id."""

    name: str
    id: UUID


def rooms_found(asker: int, words: str, after: Place | None, limit: int) -> list[ChatRoom]:
    """Return open rooms whose name has these words side by side, by name, each with `joined`.

    None where the project's policy does not let the asker look for rooms. Archived rooms take nobody in.
    """
    if not may_find_rooms(asker):
        return []
    is_there = Exists(Membership.objects.filter(room=OuterRef("pk"), user=asker))
    found = _open_rooms().filter(archived_at=None).annotate(joined=is_there)
    if words:
        found = found.filter(name__icontains=normalize("NFKC", words))
    if after is not None:
        found = found.filter(Q(name__gt=after.name) | Q(name=after.name, id__gt=after.id))
    return list(found.order_by("name", "id")[:limit])


def is_open_to(room: UUID, person: int, token: str | None) -> bool:
    """Return whether the person may know of the room: a member, or somebody whom a worker may let in."""
    if _open_rooms().filter(pk=room).exists():
        return True
    if Membership.objects.filter(room=room, user=person).exists():
        return True
    invitation = None if token is None else open_invitation(token)
    return invitation is not None and invitation.room_id == room


def cursor_of(room: ChatRoom) -> str:
    """Return where the page behind this room begins, as text that any address may hold."""
    return urlsafe_b64encode(room.pk.bytes + room.name.encode()).decode().rstrip("=")


def place_of(cursor: str) -> Place:
    """Return the place of a cursor.

    Raises:
        ValueError: it is none.
    """
    said = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    name = said[_ID_BYTES:].decode()
    if "\0" in name:
        raise ValueError("a name has no NUL")
    return Place(name, UUID(bytes=said[:_ID_BYTES]))


def _open_rooms() -> QuerySet[ChatRoom]:
    """Index: discoverable_rooms."""
    return ChatRoom.objects.filter(is_discoverable=True)
