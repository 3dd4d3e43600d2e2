"""Rooms and members in the admin: asked for there, done by a worker."""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from roomlog.models import ChatRoom, Membership, PendingCommand, Person, RoomEvent
from roomlog.people import person_of
from roomlog_contract.commands import CreateRoom
from tests.harness.accounts import Work
from tests.harness.people import id_of

pytestmark = pytest.mark.django_db
ADD = "/admin/roomlog/chatroom/add/"
LIST = "/admin/roomlog/chatroom/"
UUID_FIELD = "0" * 32


Form = dict[str, Any]


@pytest.fixture
def form(alice: User) -> Form:
    """What is filled in to ask for a group of Alice's."""
    return {"name": "plans", "kind": "group", "owner": id_of(alice), "uuid": UUID_FIELD}


def remove(client: Client, members: Iterable[int]) -> str:
    """Ask for the removal of these memberships by the list's action; returns the page."""
    form = {"action": "ask_to_remove", "_selected_action": list(members), "confirmed": "yes"}
    return client.post("/admin/roomlog/membership/", form, follow=True).content.decode()


def memberships() -> list[int]:
    """Return the keys of all memberships."""
    return list(Membership.objects.values_list("pk", flat=True))


def history(room: UUID) -> list[str]:
    """Return what the room's history says."""
    entries = LogEntry.objects.filter(object_id=str(room)).order_by("id")
    return [entry.get_change_message() for entry in entries]


def page_of(room: UUID) -> str:
    """Return the address of a room's page."""
    return reverse("admin:roomlog_chatroom_change", args=(room,))


def test_a_room_is_asked_for(admin_client: Client, form: Form, bob: User, work: Work) -> None:
    """Adding writes no row: a command waits, the list says so, and the worker makes the room."""
    answer = admin_client.post(ADD, form | {"members": [id_of(bob)]}, follow=True)
    assert (answer.redirect_chain, answer.status_code) == ([(LIST, 302)], 200)
    assert "requested. A worker" in answer.content.decode()
    assert (ChatRoom.objects.count(), PendingCommand.objects.count()) == (0, 1)
    assert work() == []
    roles = Membership.objects.values_list("user__name", "role").order_by("user")
    assert list(roles) == [("alice", "owner"), ("bob", "member")]


@pytest.mark.parametrize("button", ["_continue", "_addanother", "_save"])
def test_no_button_leads_to_a_page_that_is_not_there(admin_client: Client, form: Form, button: str) -> None:
    """Whichever way somebody saves, the answer is the list."""
    answer = admin_client.post(ADD, form | {button: "1"}, follow=True)
    assert (answer.redirect_chain, answer.status_code) == ([(LIST, 302)], 200)


def test_a_room_begins_with_a_hundred_at_most(admin_client: Client, form: Form, work: Work) -> None:
    """A form that is posted twice is one room."""
    for _ in range(2):
        admin_client.post(ADD, form)
    assert work() == []
    assert ChatRoom.objects.count() == 1
    users = User.objects.bulk_create(User(username=f"p{n}", password="!") for n in range(101))
    people = [Person.objects.create(user=user, name=user.username) for user in users]
    answer = admin_client.post(ADD, form | {"name": "", "members": [person.pk for person in people]})
    assert "at most 100 members" in answer.content.decode()


@pytest.mark.parametrize("others", [0, 2])
def test_a_direct_room_is_for_two(admin_client: Client, form: Form, bob: User, others: int) -> None:
    """More or fewer are refused in the form, before anything waits."""
    members = [id_of(bob), id_of(User.objects.create(username="third"))][:others]
    answer = admin_client.post(ADD, form | {"name": "", "kind": "direct", "members": members})
    assert "exactly one member besides its owner" in answer.content.decode()
    assert not PendingCommand.objects.exists()


def test_somebody_is_invited(admin_client: Client, lobby: UUID, admin_user: User, work: Work) -> None:
    """An administrator need not be in the room; the log says who did it."""
    carol = User.objects.create(username="carol")
    form = {"invite": [id_of(carol)], "role": "admin", "uuid": UUID_FIELD}
    answer = admin_client.post(page_of(lobby), form, follow=True)
    assert (answer.redirect_chain, answer.status_code) == ([(page_of(lobby), 302)], 200)
    assert work() == []
    assert Membership.objects.get(room=lobby, user=person_of(carol)).role == "admin"
    assert RoomEvent.objects.get(room=lobby, kind="invite_user").user == person_of(admin_user)
    assert history(lobby) == [f"Requested: invite person {id_of(carol)} as admin."]


def test_somebody_is_removed(admin_client: Client, lobby: UUID, bob: User, work: Work) -> None:
    """The action on selected memberships asks the workers; the rows go when they have done it."""
    member = Membership.objects.get(room=lobby, user=person_of(bob))
    assert "1 change requested. A worker" in remove(admin_client, [member.pk])
    assert history(lobby) == [f"Requested: remove person {id_of(bob)}."]
    assert Membership.objects.filter(pk=member.pk).exists()
    assert work() == []
    assert not Membership.objects.filter(pk=member.pk).exists()


def test_a_rooms_own_facts_are_not_to_be_changed(admin_client: Client, lobby: UUID) -> None:
    """The name stands in the log; saving without inviting asks for nothing and says so."""
    admin_client.post(
        page_of(lobby), {"name": "other", "kind": "direct", "role": "member", "uuid": UUID_FIELD}
    )
    room = ChatRoom.objects.get(pk=lobby)
    assert (room.name, room.kind) == ("lobby", "group")
    answer = admin_client.post(page_of(lobby), {"role": "member", "uuid": UUID_FIELD}, follow=True)
    assert "Choose people to invite" in answer.content.decode()
    assert "requested." not in answer.content.decode()
    assert (PendingCommand.objects.count(), history(lobby)) == (0, [])


def test_a_direct_room_offers_no_invitation(
    admin_client: Client, alice: User, bob: User, write: Callable[..., UUID]
) -> None:
    """A pair stays a pair: the page has nothing to save, and removals leave it alone and say so."""
    room = write(CreateRoom(uuid="pair", kind="direct", members=[id_of(bob)]), alice)
    page = admin_client.get(page_of(room))
    found = [f'name="{name}"' in page.content.decode() for name in ("invite", "_save", "_continue")]
    assert (page.status_code, found) == (200, [False] * 3)
    assert admin_client.post(page_of(room), {"uuid": UUID_FIELD}).status_code == 403
    assert "Direct rooms stay as they are" in remove(admin_client, memberships())
    assert (PendingCommand.objects.count(), history(room)) == (0, [])


def test_a_removal_is_bounded(admin_client: Client, lobby: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    """Selecting all of a large room asks for nothing, and says so."""
    monkeypatch.setattr("roomlog.admin.rooms.MAX_COMMANDS", 1)
    assert "select at most 1 at once" in remove(admin_client, memberships())
    assert not PendingCommand.objects.exists()


def test_rooms_are_archived_and_restored(
    admin_client: Client, lobby: UUID, alice: User, bob: User, write: Any, work: Work
) -> None:
    """Those for which it changes anything; direct rooms never."""
    direct = write(CreateRoom(uuid="d", kind="direct", members=[id_of(bob)]), alice)
    for action, is_archived in (
        ("ask_to_restore", False),
        ("ask_to_archive", True),
        ("ask_to_restore", False),
    ):
        selected = {"action": action, "_selected_action": [lobby, direct]}
        before = PendingCommand.objects.count()
        admin_client.post(LIST, selected)
        assert PendingCommand.objects.count() == before, "nothing is asked for before it is confirmed"
        selected["confirmed"] = "yes"
        assert admin_client.post(LIST, selected, follow=True).status_code == 200
        assert work() == []
        assert (ChatRoom.objects.get(pk=lobby).archived_at is not None) == is_archived
    assert history(lobby) == ["Requested: archive_room.", "Requested: restore_room."]
    for action, is_open in (("ask_to_close", False), ("ask_to_open", True), ("ask_to_close", False)):
        selected = {"action": action, "_selected_action": [lobby, direct], "confirmed": "yes"}
        assert admin_client.post(LIST, selected, follow=True).status_code == 200
        assert work() == []
        assert ChatRoom.objects.get(pk=lobby).is_discoverable is is_open
    assert history(lobby)[2:] == ["Requested: set_discoverable."] * 2
    assert history(direct) == []


def test_rooms_are_searched_and_filtered(admin_client: Client, lobby: UUID, alice: User, write: Any) -> None:
    """The filters and the search of the list; a room leads to its members and its log."""
    write(CreateRoom(uuid="other", name="other"), alice)
    found = [
        [room.name for room in admin_client.get(LIST, query).context["cl"].result_list]
        for query in ({"q": lobby.hex}, {"q": str(lobby)}, {"q": "obb"}, {"archived_at__isempty": "0"})
    ]
    assert found == [["lobby"], ["lobby"], ["lobby"], []]
    page = admin_client.get(page_of(lobby)).content.decode()
    for table, rows in (("membership", 2), ("roomevent", 3)):
        address = f"/admin/roomlog/{table}/?of_room={lobby.hex}"
        assert address in page
        assert admin_client.get(address).context["cl"].result_count == rows


def test_who_may_only_look_can_only_look(lobby: UUID, bob: User, client: Client) -> None:
    """Staff with the right to view sees rooms and members, and can neither ask nor remove."""
    User.objects.filter(pk=bob.pk).update(is_staff=True)
    rights = Permission.objects.filter(codename__in=["view_chatroom", "view_membership"])
    bob.user_permissions.set(rights)
    client.force_login(bob)
    assert client.get(page_of(lobby)).status_code == 200
    assert client.get(ADD).status_code == 403
    assert client.post(page_of(lobby), {"invite": [id_of(bob)], "role": "member"}).status_code == 403
    remove(client, memberships())
    assert not PendingCommand.objects.exists()


@pytest.mark.parametrize("rooms", [1, 30])
def test_the_lists_cost_the_same_for_one_room_and_thirty(
    admin_client: Client,
    alice: User,
    bob: User,
    write: Callable[..., UUID],
    rooms: int,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    """No query per row."""
    for number in range(rooms):
        name = f"room {number}"
        write(CreateRoom(uuid=f"room-{number}", name=name, members=[id_of(bob)]), alice, staff=True)
    for table in ("chatroom", "membership", "roomevent", "roomhead"):
        with django_assert_max_num_queries(9):
            assert admin_client.get(f"/admin/roomlog/{table}/").status_code == 200
