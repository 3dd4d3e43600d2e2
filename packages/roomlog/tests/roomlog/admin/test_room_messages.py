"""A room's messages in the admin: found by text, person and time, page by page, and acted on."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from roomlog.admin import room_messages
from roomlog.models import ChatMessage, Membership, RoomEvent
from roomlog_contract.commands import DeleteMessage, EditMessage
from tests.harness.accounts import Work
from tests.harness.people import id_of, message, written

pytestmark = pytest.mark.django_db


def address(room: UUID) -> str:
    """Return the page's address."""
    return f"/admin/roomlog/chatmessage/room/{room}/"


def seqs(client: Client, room: UUID, **asked: Any) -> list[int]:
    """Return the seqs of the messages on the page."""
    answer = client.get(address(room), asked)
    assert answer.status_code == 200
    return [one.seq for one in answer.context["found"].messages]


@pytest.fixture
def long(lobby: UUID, bob: User) -> UUID:
    """The room with Alice's two messages, at seqs 2 and 3, and seven of Bob's, at seqs 4 to 10."""
    for number in range(7):
        written(message(lobby, f"Bob's line {number}"), id_of(bob))
    return lobby


def test_pages_go_by_seq(admin_client: Client, long: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest first, each message once; the last page leads no further."""
    monkeypatch.setattr(room_messages, "PAGE", 4)
    assert seqs(admin_client, long) == [10, 9, 8, 7]
    assert admin_client.get(address(long)).context["older"] == "?before=7"
    assert seqs(admin_client, long, before=7) == [6, 5, 4, 3]
    assert seqs(admin_client, long, before=3) == [2]
    assert admin_client.get(address(long), {"before": 3}).context["older"] is None


def test_messages_are_found_as_they_are_now(admin_client: Client, long: UUID, alice: User, bob: User) -> None:
    """By a part of the present text in any case, by person, and by time; a deleted one has no text left."""
    ids = dict(ChatMessage.objects.filter(room=long).values_list("seq", "pk"))
    written(EditMessage(uuid="e", room=long, message=ids[5], text="a WALRUS"), id_of(bob))
    written(EditMessage(uuid="f", room=long, message=ids[6], text="a walrus"), id_of(bob))
    written(EditMessage(uuid="g", room=long, message=ids[6], text="no more"), id_of(bob))
    written(DeleteMessage(uuid="d", room=long, message=ids[7]), id_of(bob))
    assert seqs(admin_client, long, text="walrus") == [5]
    assert seqs(admin_client, long, text="'s LINE") == [10, 9, 8, 4]
    assert seqs(admin_client, long, person="alice") == [3, 2]
    assert seqs(admin_client, long, person=str(id_of(alice)), text="anybody") == [3]
    assert seqs(admin_client, long, person="nobody") == []
    early = timezone.now() - timedelta(days=1)
    RoomEvent.objects.filter(room=long, seq__lte=4).update(date_created=early)
    since = timezone.localtime(early + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M")
    assert seqs(admin_client, long, since=since) == [10, 9, 8, 7, 6, 5]
    assert seqs(admin_client, long, until=since) == [4, 3, 2]
    page = admin_client.get(address(long)).content.decode()
    assert "Bob&#x27;s line 3" not in page
    assert "Message deleted" in page
    assert "Bob&#x27;s line 1" not in page


def test_a_search_looks_at_so_many_and_says_so(
    admin_client: Client,
    long: UUID,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    """It goes on from there; nothing is counted, and no message costs a query."""
    monkeypatch.setattr(room_messages, "LOOKED_AT", 4)
    with django_assert_max_num_queries(14) as asked:
        page = admin_client.get(address(long), {"text": "line 5"})
    assert "COUNT(" not in " ".join(one["sql"] for one in asked.captured_queries)
    assert "Older ones may fit, too." in page.content.decode()
    assert [one.seq for one in page.context["found"].messages] == [9]
    assert page.context["older"] == "?text=line+5&before=7"
    assert seqs(admin_client, long, text="line 1", before=7) == [5]
    last = admin_client.get(f"{address(long)}?person=alice&before=5")
    assert (last.context["older"], [one.seq for one in last.context["found"].messages]) == (None, [3, 2])


def post(client: Client, room: UUID, action: str, chosen: Iterable[int], **fields: str) -> str:
    """Choose an action for messages by their seqs; return the page that follows."""
    keys = ChatMessage.objects.filter(room=room, seq__in=chosen).values_list("pk", flat=True)
    form = {"action": action, "_selected_action": list(keys), **fields}
    return client.post(address(room), form, follow=True).content.decode()


def test_messages_are_deleted_and_authors_muted_and_banned(
    admin_client: Client, long: UUID, bob: User, work: Work
) -> None:
    """Each after a question; rows of other rooms are not reached by this room's address."""
    assert "Are you sure" in post(admin_client, long, "delete_selected", [4, 5])
    post(admin_client, long, "delete_selected", [4, 5], post="yes")
    assert work() == []
    assert list(ChatMessage.objects.filter(text="").order_by("seq").values_list("seq", flat=True)) == [4, 5]
    assert "bob (lobby)" in post(admin_client, long, "ask_to_mute", [6, 7])
    done = post(admin_client, long, "ask_to_mute", [6, 7], confirmed="yes", seconds="600")
    assert "1 change requested" in done
    assert work() == []
    member = Membership.objects.filter(room=long, user=id_of(bob))
    assert member.get().muted_until is not None
    post(admin_client, long, "ask_to_ban", [6], confirmed="yes", seconds="")
    assert work() == []
    assert not member.exists()
    assert "Select messages and an action." in post(admin_client, long, "nonsense", [6])
    assert admin_client.get(address(UUID(int=1))).status_code == 404


def test_it_is_for_those_who_may_look(client: Client, long: UUID, bob: User) -> None:
    """Who has no right to delete or change is offered no action, and carries none out."""
    bob.is_staff = True
    bob.save()
    client.force_login(bob)
    assert client.get(address(long)).status_code == 403
    bob.user_permissions.add(Permission.objects.get(codename="view_chatmessage"))
    page = client.get(address(long))
    assert (page.status_code, page.context["actions"]) == (200, [])
    assert "Select messages and an action." in post(client, long, "delete_selected", [4], post="yes")
