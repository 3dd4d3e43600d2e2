"""Members and bans in the admin: asked for there, done by a worker."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from roomlog.ban import FOREVER
from roomlog.models import Ban, Membership, PendingCommand
from roomlog_contract.commands import CreateRoom
from tests.harness.accounts import Work
from tests.harness.people import id_of
from tests.roomlog.admin.test_rooms import history

pytestmark = pytest.mark.django_db
MEMBERS, BANS = "/admin/roomlog/membership/", "/admin/roomlog/ban/"


def choose(client: Client, action: str, rows: Iterable[int], address: str = MEMBERS, **fields: Any) -> str:
    """Choose an action for these rows; return the page that asks."""
    form = {"action": action, "_selected_action": list(rows), **fields}
    return client.post(address, form, follow=True).content.decode()


def do(client: Client, action: str, rows: Iterable[int], address: str = MEMBERS, seconds: str = "") -> str:
    """Choose an action and confirm it; return the page."""
    return choose(client, action, rows, address, confirmed="yes", seconds=seconds)


@pytest.fixture
def member(lobby: UUID, bob: User) -> Membership:
    """Return Bob's membership."""
    return Membership.objects.get(room=lobby, user=id_of(bob))


def test_a_mute_and_its_end(admin_client: Client, lobby: UUID, member: Membership, work: Work) -> None:
    """The list says who is muted and until when; only those can be unmuted."""
    assert "1 change requested. A worker" in do(admin_client, "ask_to_mute", [member.pk])
    assert work() == []
    member.refresh_from_db()
    assert member.muted_until == FOREVER
    assert "Without an end" in admin_client.get(MEMBERS).content.decode()
    everybody = list(Membership.objects.values_list("pk", flat=True))
    assert "1 change requested" in do(admin_client, "ask_to_unmute", everybody)
    assert work() == []
    member.refresh_from_db()
    assert member.muted_until is None
    person = member.user_id
    assert history(lobby) == [f"Requested: {what} person {person}." for what in ("mute", "unmute")]


@pytest.mark.parametrize(("seconds", "is_shown"), [(86_400, True), (-1, False)])
def test_the_end_of_a_mute_is_shown_until_then(
    admin_client: Client, member: Membership, seconds: int, is_shown: bool
) -> None:
    """After it nobody is muted."""
    end = timezone.now() + timedelta(seconds=seconds)
    Membership.objects.filter(pk=member.pk).update(muted_until=end)
    page = admin_client.get(MEMBERS).content.decode()
    assert (str(timezone.localtime(end).year) in page.partition('id="result_list"')[2]) is is_shown


def test_somebody_is_banned_and_let_in_again(
    admin_client: Client, lobby: UUID, bob: User, member: Membership, work: Work
) -> None:
    """A ban ends the membership, and is a row of a list of its own while it lasts."""
    assert "1 change requested" in do(admin_client, "ask_to_ban", [member.pk])
    assert work() == []
    assert not Membership.objects.filter(pk=member.pk).exists()
    ban = Ban.objects.get(room=lobby, user=id_of(bob))
    assert "Without an end" in admin_client.get(BANS).content.decode()
    assert "1 change requested" in do(admin_client, "ask_to_unban", [ban.pk], BANS)
    assert work() == []
    assert not Ban.objects.exists()
    assert history(lobby) == [f"Requested: {what} person {id_of(bob)}." for what in ("ban", "unban")]
    Ban.objects.create(room_id=lobby, user_id=id_of(bob), seq=1, until=timezone.now() + timedelta(days=1))
    assert "bob" in admin_client.get(BANS).content.decode()
    Ban.objects.update(until=timezone.now() - timedelta(seconds=1))
    assert "bob" not in admin_client.get(BANS).content.decode()


@pytest.mark.parametrize("action", ["ask_to_mute", "ask_to_remove", "ask_to_ban"])
def test_who_is_meant_is_shown_before_asking(admin_client: Client, member: Membership, action: str) -> None:
    """The page names people and rooms; a length that nobody offered is asked for again."""
    asked = choose(admin_client, action, [member.pk])
    assert "bob (lobby)" in asked
    assert f'name="_selected_action" value="{member.pk}"' in asked
    assert ("For 1 week" in asked) is (action != "ask_to_remove")
    if action != "ask_to_remove":
        assert "Select a valid choice" in do(admin_client, action, [member.pk], seconds="-5")
    assert not PendingCommand.objects.exists()
    assert not LogEntry.objects.exists()


def test_mutes_and_bans_may_end(admin_client: Client, lobby: UUID, member: Membership, work: Work) -> None:
    """It is counted from the confirmation, and stands in the room's history."""
    began = timezone.now().replace(microsecond=0)
    do(admin_client, "ask_to_mute", [member.pk], seconds="600")
    assert work() == []
    member.refresh_from_db()
    assert member.muted_until is not None
    assert timedelta(0) <= member.muted_until - began - timedelta(minutes=10) < timedelta(minutes=1)
    do(admin_client, "ask_to_ban", [member.pk], seconds="604800")
    assert work() == []
    end = Ban.objects.get(room=lobby).until
    assert end is not None
    assert timedelta(0) <= end - began - timedelta(weeks=1) < timedelta(minutes=1)
    muted, banned = history(lobby)
    assert muted == f"Requested: mute person {member.user_id} until {member.muted_until.isoformat()}."
    assert banned == f"Requested: ban person {member.user_id} until {end.isoformat()}."


@pytest.mark.parametrize("action", ["ask_to_mute", "ask_to_remove", "ask_to_ban"])
def test_direct_rooms_stay_as_they_are(
    admin_client: Client, alice: User, bob: User, write: Callable[..., UUID], action: str
) -> None:
    """And that is said."""
    write(CreateRoom(uuid="pair", kind="direct", members=[id_of(bob)]), alice)
    told = do(admin_client, action, Membership.objects.values_list("pk", flat=True))
    assert "Direct rooms stay as they are" in told
    assert not PendingCommand.objects.exists()


@pytest.mark.parametrize("action", ["ask_to_mute", "ask_to_unmute", "ask_to_ban"])
def test_who_may_only_look_can_not_ask(client: Client, member: Membership, bob: User, action: str) -> None:
    """The actions need the permission to change rooms."""
    bob.is_staff = True
    bob.save()
    bob.user_permissions.add(Permission.objects.get(codename="view_membership"))
    client.force_login(bob)
    do(client, action, [member.pk])
    assert not PendingCommand.objects.exists()


def test_an_action_is_bounded(admin_client: Client, lobby: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    """Selecting all of a large room asks for nothing, and says so."""
    monkeypatch.setattr("roomlog.admin.rooms.MAX_COMMANDS", 1)
    told = do(admin_client, "ask_to_mute", Membership.objects.values_list("pk", flat=True))
    assert "select at most 1 at once" in told
    assert not PendingCommand.objects.exists()
