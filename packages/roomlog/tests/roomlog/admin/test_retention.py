"""How long rooms keep their logs, set in the admin."""

from uuid import UUID

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from roomlog.models import RoomRetention
from roomlog.retention import Retention, retention_of
from tests.harness.people import add_user, make_room

pytestmark = pytest.mark.django_db
LIST = "/admin/roomlog/roomretention/"


@pytest.fixture
def room() -> UUID:
    """A group."""
    return make_room(add_user("alice"))


def test_a_rule_is_set_and_changed_and_each_change_is_kept(admin_client: Client, room: UUID) -> None:
    """A hold protects the room from here on; without days it is kept as the install says."""
    admin_client.post(f"{LIST}add/", {"room": str(room), "days": "30"})
    assert retention_of(room) == Retention(days=30)
    admin_client.post(f"{LIST}{room}/change/", {"days": "30", "is_held": "on"})
    assert retention_of(room).days_kept is None
    admin_client.post(f"{LIST}{room}/change/", {"days": ""})
    assert retention_of(room) == Retention()
    said = [entry.get_change_message() for entry in LogEntry.objects.order_by("id")]
    assert said == ["Kept: 30 days.", "Kept: 30 days. Legal hold.", "Kept: as the install."]


def test_a_rule_is_changed_and_never_deleted(admin_client: Client, room: UUID) -> None:
    """And no room is kept for less than repeats may come."""
    page = admin_client.post(f"{LIST}add/", {"room": str(room), "days": "6"}).content.decode()
    assert "greater than or equal to 7" in page
    assert not RoomRetention.objects.exists()
    admin_client.post(f"{LIST}add/", {"room": str(room), "is_held": "on"})
    assert admin_client.post(f"{LIST}{room}/delete/", {"post": "yes"}).status_code == 403
    assert retention_of(room).is_held
