"""Invitations in the admin: made by whoever may, each link shown once, and revoked."""

import re
from uuid import UUID

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from roomlog.inviting import open_invitation
from roomlog.models import ChatRoom, Invitation

pytestmark = pytest.mark.django_db
PAGE = "/admin/roomlog/invitation/"


def test_a_link_is_shown_once_and_revoked(admin_client: Client, lobby: UUID) -> None:
    """It leads into the room, with the role and for as many as was said; later it leads nowhere."""
    said = {"room": lobby, "role": "reader", "days": 3, "most_uses": 5}
    page = admin_client.post(f"{PAGE}add/", said, follow=True).content.decode()
    link = re.search(r"http://testserver/[a-z/]*#invitation/([0-9A-Za-z_-]{43})", page)
    assert link, page
    made = open_invitation(link.group(1))
    assert made is not None
    assert (made.room_id, made.role, made.most_uses) == (lobby, "reader", 5)
    assert link.group(1) not in admin_client.get(PAGE).content.decode()
    assert made.digest not in admin_client.get(f"{PAGE}{made.pk}/change/").content.decode()
    admin_client.post(PAGE, {"action": "revoke_selected", "_selected_action": made.pk})
    assert open_invitation(link.group(1)) is None
    assert LogEntry.objects.filter(object_id=made.pk, change_message="Revoked.").count() == 1


def test_nobody_is_invited_where_nobody_can_join(admin_client: Client, lobby: UUID) -> None:
    """Into a direct room."""
    ChatRoom.objects.filter(pk=lobby).update(kind="direct")
    page = admin_client.post(f"{PAGE}add/", {"room": lobby, "role": "member", "days": 3}).content.decode()
    assert "Nobody can join this room." in page
    assert Invitation.objects.count() == 0
