"""What can be looked at in the admin, and where is my message."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from roomlog import pagination
from roomlog.models import ChatMessage, ChatRoom, DeadLetter, PendingCommand, RoomEvent, Worker
from roomlog.pending import request_command
from roomlog_contract.commands import EditMessage, NewMessage
from tests.harness.accounts import Work
from tests.harness.people import id_of, make_room, message, written

pytestmark = pytest.mark.django_db
TABLES = ("roomhead", "roomevent", "chatmessage", "membership", "worker", "shardlease", "pendingcommand")


@pytest.fixture
def full(lobby: UUID, alice: User) -> UUID:
    """A row in every table; returns the room."""
    request_command(NewMessage(uuid="waits", room=lobby, text="secret words"), id_of(alice))
    DeadLetter.objects.create(
        shard=1, entry="1-0", uuid="dead", room=lobby, error="OSError", envelope=b"secret words"
    )
    Worker.objects.create(uuid=UUID(int=1), ordinal=0)
    return lobby


def first_row(table: str) -> Any:
    """Return the key of some row."""
    return apps.get_model("roomlog", table).objects.values_list("pk", flat=True).first()


@pytest.mark.parametrize("table", TABLES)
def test_a_log_table_can_be_looked_at_and_not_touched(admin_client: Client, full: UUID, table: str) -> None:
    """Not even a superuser adds, changes or deletes what workers write."""
    base = f"/admin/roomlog/{table}/"
    row = f"{base}{first_row(table)}/"
    assert admin_client.get(base).status_code == 200
    page = admin_client.get(f"{row}change/")
    assert (page.status_code, 'name="_save"' in page.content.decode()) == (200, False)
    assert admin_client.get(f"{base}add/").status_code == 403
    assert admin_client.post(f"{row}change/", {"seq": 7}).status_code == 403
    assert admin_client.post(f"{row}delete/", {"post": "yes"}).status_code == 403


def test_dead_letters_are_deleted_by_hand(admin_client: Client, full: UUID, db: None) -> None:
    """As the doctor says, one or many at once; they can't be changed."""
    row = f"/admin/roomlog/deadletter/{DeadLetter.objects.get().pk}"
    assert 'name="_save"' not in admin_client.get(f"{row}/change/").content.decode()
    assert admin_client.get("/admin/roomlog/deadletter/add/").status_code == 403
    assert admin_client.get(f"{row}/delete/").status_code == 200
    admin_client.post(f"{row}/delete/", {"post": "yes"})
    assert not DeadLetter.objects.exists()
    DeadLetter.objects.bulk_create(
        DeadLetter(shard=1, entry=f"{number}-0", error="OSError", envelope=b"") for number in range(150)
    )
    rows = list(DeadLetter.objects.values_list("pk", flat=True))
    form = {"action": "delete_selected", "_selected_action": rows, "select_across": "1"}
    assert "… and more" in admin_client.post("/admin/roomlog/deadletter/", form).content.decode()
    admin_client.post("/admin/roomlog/deadletter/", form | {"post": "yes"})
    assert not DeadLetter.objects.exists()


@pytest.mark.parametrize("table", ["chatmessage", "roomevent"])
def test_searches_and_filters_descend_an_index(
    admin_client: Client, full: UUID, table: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    """No list reads a whole log: not for a uuid, not for a room, not to offer choices."""
    for query in ({"q": "hello-2"}, {"of_room": full.hex}, {"of_room": "none"}, {}):
        with django_assert_max_num_queries(15) as asked:
            page = admin_client.get(f"/admin/roomlog/{table}/", query)
        assert page.status_code == 200
        assert 'name="of_room"' in page.content.decode()
        said = " ".join(one["sql"] for one in asked.captured_queries)
        assert "DISTINCT" not in said
        assert "UPPER" not in said
        assert "LIKE" not in said


@pytest.mark.parametrize(
    ("uuid", "sentence", "holder"),
    [
        ("hello-2", "Stored in room {room} at seq 3.", RoomEvent),
        ("waits", "Waiting for the worker of room {room}.", PendingCommand),
        ("dead", "Failed; see the dead letter of room {room}.", DeadLetter),
        ("nowhere", "it was refused, or never arrived", None),
        ("anybody here?", "not words of texts", None),
    ],
)
def test_where_is_my_message_is_answered(
    admin_client: Client, full: UUID, uuid: str, sentence: str, holder: Any
) -> None:
    """The search for a uuid finds it in the log, among what waits and what was given up, and leads there."""
    for table in ("chatmessage", "roomevent"):
        page = admin_client.get(f"/admin/roomlog/{table}/", {"q": uuid}).content.decode()
        assert sentence.format(room=full.hex) in page
        if holder:
            row = holder.objects.get(uuid=uuid).pk
            assert f"/admin/roomlog/{holder._meta.model_name}/{row}/change/" in page


def test_a_long_log_is_not_counted(admin_client: Client, full: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counting stops at a bound: a log of millions opens as fast as a short one."""
    monkeypatch.setattr(pagination, "MAX_COUNTED", 2)
    assert admin_client.get("/admin/roomlog/roomevent/").context["cl"].result_count == 2


def test_the_index_page_shows_all(admin_client: Client, db: None, full: UUID) -> None:
    """What a command said is not on pages about machinery."""
    page = admin_client.get("/admin/").content.decode()
    for table in (*TABLES, "chatroom", "deadletter"):
        assert f"/admin/roomlog/{table}/" in page
    for table in ("pendingcommand", "deadletter"):
        shown = admin_client.get(f"/admin/roomlog/{table}/{first_row(table)}/change/")
        assert "secret" not in shown.content.decode()


def test_strangers_see_a_login(client: Client, alice: User, django_user_model: Callable[..., Any]) -> None:
    """Signed in or not: without staff rights there is no admin."""
    assert client.get("/admin/").status_code == 302
    client.force_login(alice)
    assert client.get("/admin/").status_code == 302


def test_messages_are_deleted_by_command(admin_client: Client, lobby: UUID, alice: User, work: Work) -> None:
    """Django's page asks first; the history says which, not what; an archived room's messages stay."""
    page, first = "/admin/roomlog/chatmessage/", ChatMessage.objects.get(room=lobby, seq=2)
    other = make_room(id_of(alice))
    kept = written(message(other, "kept"), id_of(alice)).event
    ChatRoom.objects.filter(pk=other).update(archived_at=timezone.now())
    form = {"action": "delete_selected", "_selected_action": [str(first.pk), str(kept.id)]}
    asked = admin_client.post(page, form)
    assert (asked.status_code, "hello" in asked.content.decode()) == (200, False)
    assert not PendingCommand.objects.exists()
    done = admin_client.post(page, form | {"post": "yes"}, follow=True).content.decode()
    assert "Restore the room first" in done
    assert work() == []
    texts = ChatMessage.objects.order_by("id").values_list("text", flat=True)
    assert list(texts) == ["", "anybody here?", "kept"]
    said = " ".join(f"{entry.object_repr} {entry.change_message}" for entry in LogEntry.objects.all())
    assert f"new_message 2 in {lobby}" in said
    assert "hello" not in said
    admin_client.post(page, form | {"post": "yes"})
    assert not PendingCommand.objects.exists()


def test_too_many_messages_are_not_deleted_at_once(
    admin_client: Client, lobby: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is asked for then."""
    monkeypatch.setattr("roomlog.admin.rooms.MAX_COMMANDS", 1)
    chosen = [str(row.pk) for row in ChatMessage.objects.all()]
    form = {"action": "delete_selected", "_selected_action": chosen, "post": "yes"}
    assert "at most 1" in admin_client.post("/admin/roomlog/chatmessage/", form, follow=True).content.decode()
    assert not PendingCommand.objects.exists()


def test_the_list_shows_present_texts(admin_client: Client, lobby: UUID, alice: User) -> None:
    """An edited message shows the text of its last edit."""
    said = ChatMessage.objects.get(room=lobby, seq=2)
    written(EditMessage(uuid="e", room=lobby, message=said.pk, text="good day"), id_of(alice))
    page = admin_client.get("/admin/roomlog/chatmessage/").content.decode()
    assert (">good day<" in page, ">hello<" in page) == (True, False)
