"""Rooms, members and messages by HTTP."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from roomlog import rooms
from roomlog.frames import milliseconds
from roomlog.message_lookup import MAX_ROWS, places_of
from roomlog.models import (
    ChatMessage,
    ChatRoom,
    DeadLetter,
    Membership,
    MessageReport,
    PendingCommand,
    RoomEvent,
)
from roomlog.people import person_of
from roomlog_contract.commands import NewMessage
from roomlog_contract.envelope import Envelope, encode
from roomlog_contract.limits import REPORTS_PER_MINUTE
from roomlog_contract.shards import created_room_id, direct_room_id
from tests.harness.accounts import Work
from tests.harness.people import id_of

pytestmark = pytest.mark.django_db


def post(client: Client, path: str, **fields: Any) -> tuple[int, Any]:
    """Post a JSON body and return status and answer."""
    answer = client.post(path, fields, content_type="application/json")
    return answer.status_code, answer.json()


@pytest.fixture
def as_stranger(admin_user: User) -> Client:
    """Somebody signed in who is in no room, whatever else he may do."""
    client = Client()
    client.force_login(admin_user)
    return client


def test_ones_rooms_are_listed_as_on_the_wire(
    as_alice: Client, lobby: UUID, as_stranger: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """Heads and unread counts come with them, in one query beside those of the token and its person."""
    with django_assert_num_queries(3):
        (room,) = as_alice.get("/api/v1/rooms/").json()
    assert (room["id"], room["name"], room["kind"], room["seq"]) == (lobby.hex, "lobby", "group", 3)
    assert set(room) == {
        "id",
        "name",
        "kind",
        "epoch",
        "seq",
        "read_seq",
        "unread",
        "archived",
        "unread_mentions",
        "topic",
        "discoverable",
        "notify",
        "receipts",
    }
    assert as_stranger.get("/api/v1/rooms/").json() == []


def test_a_room_is_made_by_a_worker(as_alice: Client, alice: User, bob: User, work: Work) -> None:
    """A direct room has its pair's id."""
    room = created_room_id(id_of(alice), "new")
    asked = post(as_alice, "/api/v1/rooms/", uuid="new", name="plans", members=[id_of(bob)])
    assert asked == (202, {"uuid": "new", "room": room.hex})
    assert not ChatRoom.objects.exists()
    assert work() == []
    assert ChatRoom.objects.get(pk=room).memberships.count() == 2
    _, answer = post(as_alice, "/api/v1/rooms/", kind="direct", members=[id_of(bob)])
    assert answer["room"] == direct_room_id(id_of(bob), id_of(alice)).hex


def test_leaving_is_removing_oneself(
    as_alice: Client, lobby: UUID, bob: User, admin_user: User, work: Work, alice: User
) -> None:
    """Members come and go by command."""
    path = f"/api/v1/rooms/{lobby.hex}/members/"
    assert post(as_alice, path, user=id_of(admin_user), role="admin")[0] == 202
    assert work() == []
    assert Membership.objects.get(room=lobby, user=person_of(admin_user)).role == "admin"
    assert as_alice.delete(f"{path}{id_of(bob)}/").status_code == 202
    assert work() == []
    assert not Membership.objects.filter(room=lobby, user=person_of(bob)).exists()
    assert as_alice.delete(f"/api/v1/rooms/{lobby}/members/{id_of(alice)}/").status_code == 202
    assert work() == []
    assert as_alice.get("/api/v1/rooms/").json() == []


def test_a_room_has_a_name_and_topic(as_alice: Client, as_stranger: Client, lobby: UUID, work: Work) -> None:
    """By whoever may; strangers and the others are refused at once."""
    path = f"/api/v1/rooms/{lobby.hex}/"

    def patch(client: Client, **fields: Any) -> int:
        return client.patch(path, fields, content_type="application/json").status_code

    assert patch(as_stranger, name="mine") == 404
    assert patch(as_alice) == 400
    assert patch(as_alice, name="Cafe\u0301") == 202
    assert work() == []
    assert ChatRoom.objects.get(pk=lobby).name == "Caf\u00e9"
    path = f"/api/v1/rooms/{lobby.hex}/topic/"

    def put(client: Client, **fields: Any) -> int:
        return client.put(path, fields, content_type="application/json").status_code

    assert put(as_stranger, topic="mine") == 404
    assert [put(as_alice), put(as_alice, topic="x" * 251), put(as_alice, topic="a\0")] == [400] * 3
    for topic in ("Cafe\u0301", ""):
        assert put(as_alice, topic=topic) == 202
        assert work() == []
        assert as_alice.get("/api/v1/rooms/").json()[0]["topic"] == topic


def test_a_room_shows_who_has_read(as_alice: Client, as_stranger: Client, lobby: UUID, work: Work) -> None:
    """Asked for here and done by a worker; a yes in other words is none, and strangers learn nothing."""
    path = f"/api/v1/rooms/{lobby.hex}/receipts/"

    def put(client: Client, **fields: Any) -> int:
        return client.put(path, fields, content_type="application/json").status_code

    assert put(as_stranger, receipts=True) == 404
    assert [put(as_alice), put(as_alice, receipts="true"), put(as_alice, receipts=1)] == [400] * 3
    for receipts in (True, False):
        assert put(as_alice, receipts=receipts) == 202
        assert work() == []
        assert as_alice.get("/api/v1/rooms/").json()[0]["receipts"] is receipts


def test_reactions_come_and_go(as_alice: Client, as_stranger: Client, lobby: UUID, work: Work) -> None:
    """Asked for here and done by a worker; the asker's own are told as such, strangers learn nothing."""
    said = ChatMessage.objects.get(room=lobby, seq=2).pk
    path = f"/api/v1/rooms/{lobby.hex}/messages/{said}/reactions/"

    def ask(client: Client, method: str, **body: str) -> int:
        return client.generic(method, path, json.dumps(body), "application/json").status_code

    assert ask(as_stranger, "POST", emoji="👍") == 404
    assert [ask(as_alice, "POST", **body) for body in ({}, {"emoji": "word"})] == [400, 400]
    assert ask(as_alice, "POST", emoji="👍") == 202
    assert work() == []
    (shown, _) = as_alice.get(f"/api/v1/rooms/{lobby.hex}/messages/").json()
    assert (shown["reactions"]["👍"]["count"], shown["reactions"]["👍"]["mine"]) == (1, True)
    assert shown["reacted_seq"] == 4
    assert ask(as_alice, "DELETE", emoji="👍") == 202
    assert work() == []
    (shown, _) = as_alice.get(f"/api/v1/rooms/{lobby.hex}/messages/").json()
    assert (shown["reactions"], shown["reacted_seq"]) == ({}, 5)


def test_pins_come_and_go(as_alice: Client, as_stranger: Client, lobby: UUID, bob: User, work: Work) -> None:
    """Asked for here and done by a worker; the list is for members, the last pin first."""
    first, second = ChatMessage.objects.filter(room=lobby).order_by("seq").values_list("pk", flat=True)
    as_bob = Client()
    as_bob.force_login(bob)
    room, pins = f"/api/v1/rooms/{lobby.hex}", f"/api/v1/rooms/{lobby.hex}/pins/"
    assert as_stranger.put(f"{room}/messages/{first}/pin/").status_code == 404
    assert as_stranger.get(pins).status_code == 404
    assert as_alice.put(f"{room}/messages/999999/pin/").json()["error_code"] == "not_found"
    for number in (first, second):
        assert as_alice.put(f"{room}/messages/{number}/pin/").status_code == 202
    assert work() == []
    shown = as_bob.get(pins).json()
    assert [one["id"] for one in shown] == [second, first]
    times = {row.kind + str(row.target): milliseconds(row.date_created) for row in RoomEvent.objects.all()}
    assert [one["pinned"] for one in shown] == [times["pin_message3"], times["pin_message2"]]
    assert as_alice.get(f"{room}/messages/").json()[0]["pinned"] == times["pin_message2"]
    assert as_alice.delete(f"{room}/messages/{first}/pin/").status_code == 202
    assert work() == []
    assert [one["id"] for one in as_alice.get(pins).json()] == [second]


def test_a_message_is_reported(as_alice: Client, as_stranger: Client, lobby: UUID) -> None:
    """Stored at once; a repeat changes nothing, strangers find nothing, and so many a minute are too many."""
    first, last = ChatMessage.objects.filter(room=lobby).order_by("seq").values_list("pk", flat=True)
    path, other, none = (
        f"/api/v1/rooms/{lobby.hex}/messages/{one}/report/" for one in (last, first, 999_999)
    )
    fields = {"uuid": "u", "reason": "spam"}
    assert post(as_alice, path, **fields, comment="Look.") == (200, {"uuid": "u", "duplicate": False})
    assert post(as_alice, path, **fields) == (200, {"uuid": "u", "duplicate": True})
    assert [one.comment for one in MessageReport.objects.all()] == ["Look."]
    assert post(as_stranger, path, **fields)[0] == 404
    assert post(as_alice, path, uuid="u", reason="because")[1]["error_code"] == "bad_value"
    assert post(as_alice, none, **fields)[1]["error_code"] == "not_found"
    others = [MessageReport.objects.get() for _ in range(REPORTS_PER_MINUTE - 1)]
    for number, one in enumerate(others):
        one.pk, one.target = None, 100 + number
    MessageReport.objects.bulk_create(others)
    answer = as_alice.post(other, fields, "application/json")
    assert (answer.status_code, answer.json()["error_code"]) == (429, "rate_limited")
    assert 0 < int(answer.headers["Retry-After"]) <= 60


def test_a_room_is_archived_and_opened_again(as_alice: Client, lobby: UUID, work: Work) -> None:
    """Each is asked for here and done by a worker."""
    path = f"/api/v1/rooms/{lobby.hex}/archive/"
    for ask, is_archived in ((as_alice.post, True), (as_alice.delete, False)):
        assert ask(path, content_type="application/json").status_code == 202
        assert work() == []
        (room,) = as_alice.get("/api/v1/rooms/").json()
        assert room["archived"] is is_archived


def test_a_read_mark_moves_and_counts_the_rest(lobby: UUID, bob: User, as_stranger: Client) -> None:
    """At once, without a worker; the answer is the room, as in the list. Strangers learn nothing."""
    as_bob, path = Client(), f"/api/v1/rooms/{lobby.hex}/read/"
    as_bob.force_login(bob)
    for seq, read_seq, unread in ((0, 0, 2), (2, 2, 1), (1, 2, 1), (2**53 - 1, 3, 0)):
        status, room = post(as_bob, path, seq=seq)
        assert (status, room["id"], room["read_seq"], room["unread"]) == (200, lobby.hex, read_seq, unread)
        assert as_bob.get("/api/v1/rooms/").json() == [room]
        assert rooms.unread(bob) == {lobby: unread}
    for wrong in (-1, 2**53, "1", None):
        assert post(as_bob, path, seq=wrong)[0] == 400
    assert post(as_stranger, path, seq=1)[0] == 404
    assert post(as_bob, f"/api/v1/rooms/{uuid4().hex}/read/", seq=1)[0] == 404


def test_a_level_of_notifications_is_set(lobby: UUID, bob: User, as_stranger: Client) -> None:
    """At once, without a worker; the answer is the room, as in the list. Strangers learn nothing."""
    as_bob, path = Client(), f"/api/v1/rooms/{lobby.hex}/notifications/"
    as_bob.force_login(bob)

    def put(client: Client, where: str, notify: object) -> tuple[int, Any]:
        answer = client.put(where, {"notify": notify}, content_type="application/json")
        return answer.status_code, answer.json()

    for notify in ("none", "mentions", "mentions"):
        status, room = put(as_bob, path, notify)
        assert (status, room["notify"], [room]) == (200, notify, as_bob.get("/api/v1/rooms/").json())
    for wrong in ("some", "", None, 1):
        assert put(as_bob, path, wrong)[0] == 400
    assert put(as_stranger, path, "none")[0] == 404
    assert put(as_bob, f"/api/v1/rooms/{uuid4().hex}/notifications/", "none")[0] == 404


def test_messages_are_read_backwards(
    as_alice: Client, lobby: UUID, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """The last ones before a seq, oldest first; five queries however many they are."""
    path = f"/api/v1/rooms/{lobby.hex}/messages/"
    with django_assert_num_queries(5):
        messages = as_alice.get(path).json()
    assert [(message["seq"], message["text"]) for message in messages] == [(2, "hello"), (3, "anybody here?")]
    assert [message["seq"] for message in as_alice.get(path, {"before": 3}).json()] == [2]
    assert [message["seq"] for message in as_alice.get(path, {"limit": 1}).json()] == [3]
    assert messages[0]["room"] == lobby.hex
    assert messages[0]["user"]["username"] == "alice"


@pytest.mark.parametrize("query", [{"before": 0}, {"before": 2**64}, {"limit": 101}, {"limit": "x"}])
def test_pages_out_of_range_are_refused(as_alice: Client, lobby: UUID, query: dict[str, Any]) -> None:
    """A page is 1 to 100 messages before a seq that can be."""
    assert as_alice.get(f"/api/v1/rooms/{lobby.hex}/messages/", query).status_code == 400


def test_what_is_posted_is_said_once(as_alice: Client, lobby: UUID, work: Work) -> None:
    """A program that repeats its request with the same uuid says it once."""
    path = f"/api/v1/rooms/{lobby.hex}/messages/"
    for _ in range(2):
        assert post(as_alice, path, uuid="u1", text=" hi ") == (202, {"uuid": "u1", "room": lobby.hex})
    assert work() == []
    assert ChatMessage.objects.get(uuid="u1").text == " hi "


def test_a_message_is_edited_and_deleted(as_alice: Client, lobby: UUID, bob: User, work: Work) -> None:
    """By its id, asked for here and done by a worker; the page of messages shows what is left."""
    as_bob, path = Client(), f"/api/v1/rooms/{lobby.hex}/messages/"
    as_bob.force_login(bob)
    first, _ = as_alice.get(path).json()

    def patch(client: Client, number: int, **fields: Any) -> tuple[int, Any]:
        answer = client.patch(f"{path}{number}/", fields, content_type="application/json")
        return answer.status_code, answer.json().get("error_code")

    assert patch(as_alice, first["id"], uuid="e", text="good day", message=7) == (202, None)
    assert patch(as_bob, first["id"], text="mine") == (403, "forbidden")
    assert patch(as_alice, 999_999, text="nothing") == (404, "not_found")
    assert patch(as_alice, first["id"], text=" ") == (400, "empty_text")
    assert patch(as_alice, first["id"]) == (400, "required_keys")
    assert work() == []
    shown = as_alice.get(path).json()[0]
    assert (shown["text"], shown["edited_at"] is None) == ("good day", False)
    assert as_alice.delete(f"{path}{first['id']}/").status_code == 202
    assert work() == []
    shown = as_alice.get(path).json()[0]
    assert (shown["text"], shown["deleted"], shown["seq"]) == ("", True, 2)
    assert as_alice.delete(f"{path}{first['id']}/").status_code == 404


def test_data_of_a_message_are_read(as_alice: Client, alice: User, lobby: UUID, work: Work) -> None:
    """Only where there are any."""
    rooms.post(lobby, alice, "paid", data={"order": 7})
    assert work() == []
    found = as_alice.get(f"/api/v1/rooms/{lobby.hex}/messages/").json()
    assert [one.get("data") for one in found] == [None, None, {"order": 7}]
    assert "data" not in found[0]


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize(
    "path", ["messages/", "messages/1/", "members/", "members/1/", "archive/", "presence/"]
)
def test_strangers_see_no_room(as_stranger: Client, lobby: UUID, path: str, method: str) -> None:
    """Who is not in it can't even tell that it is there, whatever his rights in the admin."""
    for room in (lobby, uuid4()):
        is_deletion = path in ("members/1/", "messages/1/") or (path, method) == ("archive/", "get")
        ask = as_stranger.delete if is_deletion else getattr(as_stranger, method)
        status = ask(f"/api/v1/rooms/{room.hex}/{path}").status_code
        assert status == (405 if (path, method) == ("presence/", "post") else 404)


def test_where_a_message_is_can_be_asked(as_alice: Client, alice: User, lobby: UUID) -> None:
    """Stored, waiting or given up: each of one's own commands of a uuid is found."""
    command = NewMessage(uuid="u1", room=lobby, text="hi")
    post(as_alice, f"/api/v1/rooms/{lobby.hex}/messages/", uuid="u1", text="hi")
    for user in (id_of(alice), id_of(alice) + 1):
        letter = encode(Envelope(command=command, user=user))
        DeadLetter.objects.create(
            shard=1, entry=f"{user}-0", uuid="u1", room=lobby, error="OSError", envelope=letter
        )
    DeadLetter.objects.create(shard=1, entry="9-9", uuid="u1", error="undecodable", envelope=b"?")
    assert as_alice.get("/api/v1/messages/u1/").json() == [
        {"state": "pending", "room": lobby.hex, "seq": None},
        {"state": "failed", "room": lobby.hex, "seq": None},
    ]
    assert as_alice.get("/api/v1/messages/hello-1/").json() == [
        {"state": "stored", "room": lobby.hex, "seq": 2}
    ]


def test_an_impossible_uuid_is_not_found(db: None, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """PostgreSQL refuses a question with NUL in it, and SQLite would hide that."""
    with django_assert_num_queries(0):
        assert places_of("a\0b") == []


def test_others_messages_are_nowhere(lobby: UUID, bob: User, as_alice: Client) -> None:
    """Others' commands of the same uuid hide none; a uuid that can't be is not looked for."""
    client = Client()
    client.force_login(bob)
    for uuid in ("hello-1", "never", "%00", "a/b"):
        assert client.get(f"/api/v1/messages/{uuid}/").status_code == 404
    for _ in range(MAX_ROWS):
        room = uuid4()
        envelope = encode(Envelope(command=NewMessage(uuid="u1", room=room, text="hi"), user=id_of(bob)))
        PendingCommand.objects.create(shard=1, room=room, user=person_of(bob), uuid="u1", envelope=envelope)
    post(as_alice, f"/api/v1/rooms/{lobby.hex}/messages/", uuid="u1", text="hi")
    assert [place["room"] for place in as_alice.get("/api/v1/messages/u1/").json()] == [lobby.hex]
