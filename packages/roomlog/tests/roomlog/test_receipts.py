"""Receipts: the committed marks of few members, of rooms that show them, by bounded queries."""

from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from roomlog import notices, receipts
from roomlog.read_marks import move_marks
from roomlog.receipts import have_read, marks_of
from roomlog_contract.commands import InviteUser, LeaveRoom, SetReceipts
from roomlog_contract.envelope import HaveRead, decode_room_notice
from tests.harness.people import People, make_room, message, write, written


@pytest.fixture
def shown(people: People) -> UUID:
    """A room of three that shows who has read, with one message: its head is 4."""
    room = make_room(people.alice, [people.bob])
    written(SetReceipts(uuid="r", room=room, receipts=True), people.alice)
    write((message(room, "hello"), people.alice))
    written(InviteUser(uuid="i", room=room, user=people.carol), people.alice)
    return room


def test_all_marks_of_a_room_are_read_at_once(
    people: People, shown: UUID, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """With the head before them; rooms that show nothing are missing, and who has left."""
    other = make_room(people.alice, [people.bob])
    move_marks({(shown, people.bob): 3, (other, people.bob): 1})
    written(LeaveRoom(uuid="l", room=shown), people.carol)
    with django_assert_num_queries(2):
        found = marks_of([shown, other, UUID(int=1)])
    assert list(found) == [shown]
    assert (found[shown].seq, found[shown].marks) == (5, {people.alice: 0, people.bob: 3})


def test_a_room_of_too_many_tells_nothing(
    people: People, shown: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither all nor what moves, whatever it is set to."""
    moved = move_marks({(shown, people.bob): 3})
    assert have_read(moved)
    monkeypatch.setattr(receipts._MEMBERS, "params", (3,))
    monkeypatch.setattr(receipts, "RECEIPT_MEMBERS", 2)
    assert (marks_of([shown]), have_read(moved)) == ({}, [])


def test_a_mark_by_http_is_told_after_its_commit(
    people: People,
    shown: UUID,
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    """On the room's channel, as a worker tells it; of a room that shows nothing, to nobody."""
    client.force_login(User.objects.get(roomlog_person=people.bob))
    told: list[tuple[str, bytes]] = []
    monkeypatch.setattr(
        notices, "_publish", lambda channel, notice: told.append((channel.rsplit(":", 1)[1], notice))
    )
    for room in (shown, make_room(people.alice, [people.bob])):
        with django_capture_on_commit_callbacks(execute=True):
            client.post(f"/api/v1/rooms/{room.hex}/read/", {"seq": 2}, content_type="application/json")
    _, of_the_room, _ = told
    channel, notice = of_the_room
    assert channel == shown.hex
    assert isinstance(said := decode_room_notice(notice), HaveRead)
    assert (said.seq, said.marks) == (4, {people.bob: 2})
