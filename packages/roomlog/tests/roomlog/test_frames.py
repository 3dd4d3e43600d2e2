"""From rows to frames: one event has one frame, whoever builds it and however often."""

from datetime import UTC, datetime, timedelta

import msgspec
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from roomlog.frames import Event, frame_of, message_of, milliseconds
from roomlog.models import ChatMessage, RoomEvent
from roomlog.selectors import in_present_state, users_of
from roomlog_contract.actions import EVENTS
from roomlog_contract.codec import encode_frame
from roomlog_contract.commands import (
    AddReaction,
    ArchiveRoom,
    BanUser,
    CreateRoom,
    DeleteMessage,
    EditMessage,
    InviteUser,
    JoinRoom,
    LeaveRoom,
    MuteUser,
    PinMessage,
    RemoveReaction,
    RemoveUser,
    RenameRoom,
    RestoreRoom,
    RoomWrite,
    SetDiscoverable,
    SetReceipts,
    SetRole,
    SetTopic,
    UnbanUser,
    UnmuteUser,
    UnpinMessage,
)
from roomlog_contract.shards import created_room_id
from tests.harness.databases import EPOCH
from tests.harness.people import People, make_room, message, written

UNTIL = 253_402_214_399


def every_kind(people: People) -> list[Event]:
    """Return one new event of each kind, as the transaction that wrote them holds them."""
    room = created_room_id(people.alice, "make")
    commands: list[tuple[RoomWrite, int]] = [
        (CreateRoom(uuid="make", name="Lobby ✓", members=[people.bob]), people.alice),
        (message(room, 'with "quotes" and \U0001f600'), people.alice),
        (InviteUser(uuid="i", room=room, user=people.carol, role="admin"), people.alice),
        (RemoveUser(uuid="r", room=room, user=people.carol), people.alice),
        (LeaveRoom(uuid="l", room=room), people.bob),
        (RenameRoom(uuid="n", room=room, name="Caf\u00e9"), people.alice),
        (SetTopic(uuid="t", room=room, topic="Tea"), people.alice),
        (SetReceipts(uuid="sr", room=room, receipts=True), people.alice),
        (InviteUser(uuid="i2", room=room, user=people.carol, role="reader"), people.alice),
        (SetRole(uuid="s", room=room, user=people.carol, role="admin"), people.alice),
        (MuteUser(uuid="m", room=room, user=people.carol, until=UNTIL), people.alice),
        (UnmuteUser(uuid="u", room=room, user=people.carol), people.alice),
        (BanUser(uuid="b", room=room, user=people.carol), people.alice),
        (UnbanUser(uuid="ub", room=room, user=people.carol), people.alice),
        (ArchiveRoom(uuid="a", room=room), people.alice),
        (RestoreRoom(uuid="o", room=room), people.alice),
    ]
    events = [written(command, user).event for command, user in commands]
    data = '{"long":1,"b":1e+22,"a":[2.50]}'
    events.append(written(message(room), people.alice, data=data).event)
    events.append(written(message(room, reply_to=events[1].id), people.alice).event)
    gone = written(message(room), people.alice).event
    for change in (
        EditMessage(uuid="e", room=room, message=events[1].id, text="better"),
        DeleteMessage(uuid="d", room=room, message=gone.id),
        AddReaction(uuid="+", room=room, message=events[1].id, emoji="👍"),
        RemoveReaction(uuid="-", room=room, message=events[1].id, emoji="👍"),
        PinMessage(uuid="p", room=room, message=events[1].id),
        UnpinMessage(uuid="up", room=room, message=events[1].id),
    ):
        events.append(written(change, people.alice).event)
    opening = SetDiscoverable(uuid="sd", room=room, discoverable=True)
    events.append(written(opening, people.alice).event)
    events.append(written(JoinRoom(uuid="j", room=room), people.bob).event)
    assert {event.kind for event in events} == EVENTS.keys()
    return events


def bytes_of(event: Event) -> bytes:
    """Return the frame as it is published."""
    return encode_frame(frame_of(event, EPOCH, users_of([event])))


def test_a_frame_is_made_from_its_row_alone(people: People) -> None:
    """A new event and the same read again have equal bytes; a reply names its message by id."""
    for new in every_kind(people):
        assert bytes_of(RoomEvent.objects.get(pk=new.id)) == bytes_of(new), new.kind
    make_room(people.bob)
    room = make_room(people.alice)
    said = written(message(room), people.alice).event
    reply = written(message(room, reply_to=said.id), people.alice).event
    assert said.id != said.seq
    assert message_of(reply, users_of([reply])).reply_to == said.id


def test_a_frame_says_who_did_what_to_whom(people: People) -> None:
    """Names and roles of all whom the event concerns are in it."""
    new = every_kind(people)
    made, first, invited, _, _, renamed, topical, shown, _, promoted, muted, _, banned, unbanned, *frames = [
        msgspec.json.decode(bytes_of(event)) for event in new
    ]
    _, _, said, _, edited, deleted, reacted, _, pinned, unpinned, opened, joined = frames
    alice, bob = {"id": people.alice, "username": "alice"}, {"id": people.bob, "username": "bob"}
    assert made == {
        "action": "create_room",
        "uuid": "make",
        "status": "success",
        "room": created_room_id(people.alice, "make").hex,
        "epoch": EPOCH,
        "seq": 1,
        "user": alice,
        "name": "Lobby ✓",
        "kind": "group",
        "members": [alice | {"role": "owner"}, bob | {"role": "member"}],
    }
    assert invited["member"] == {"id": people.carol, "username": "carol", "role": "admin"}
    assert (renamed["user"], renamed["name"]) == (alice, "Caf\u00e9")
    assert (topical["user"], topical["topic"]) == (alice, "Tea")
    assert (shown["user"], shown["receipts"]) == (alice, True)
    carol = invited["member"]
    assert (promoted["user"], promoted["member"]) == (alice, carol)
    assert (muted["member"], muted["until"]) == (carol, UNTIL)
    assert (banned["member"], banned["until"]) == (carol, None)
    assert unbanned["member"] == carol | {"role": "member"}
    assert edited["message"] == {"id": new[1].id, "seq": 2, "user": people.alice}
    assert (edited["text"], edited["edited_at"]) == ("better", milliseconds(new[18].date_created))
    assert (first["message"]["id"], first["message"]["edited_at"]) == (new[1].id, None)
    assert (deleted["user"], deleted["message"]["seq"]) == (alice, new[17].seq + 1)
    assert (reacted["user"], reacted["message"], reacted["emoji"]) == (alice, edited["message"], "👍")
    assert (pinned["user"], pinned["message"]) == (alice, edited["message"])
    assert pinned["pinned_at"] == milliseconds(new[22].date_created)
    assert (unpinned["user"], unpinned["message"]) == (alice, edited["message"])
    assert (opened["user"], opened["discoverable"]) == (alice, True)
    assert (joined["user"], joined["member"]) == (bob, bob | {"role": "member"})
    assert said["message"]["data"] == {"long": 1, "b": 1e22, "a": [2.5]}


def test_an_event_of_a_later_release_keeps_its_place(people: People) -> None:
    """After a rollback the log can still be read: who did something at this seq, and no more."""
    event = every_kind(people)[2]
    RoomEvent.objects.filter(pk=event.id).update(kind="award_medal", data={"medal": "gold"})
    later = RoomEvent.objects.get(pk=event.id)
    assert msgspec.json.decode(bytes_of(later)) == {
        "action": "award_medal",
        "uuid": "i",
        "status": "success",
        "room": later.room_id.hex,
        "epoch": EPOCH,
        "seq": later.seq,
        "user": {"id": people.alice, "username": "alice"},
    }


def test_a_message_shows_its_state(people: People, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """Milliseconds are exact, and frames need no query."""
    room = make_room(people.alice)
    event = written(message(room, "first"), people.alice).event
    edit = written(EditMessage(uuid="e", room=room, message=event.id, text="second"), people.alice).event
    (shown,) = in_present_state(list(ChatMessage.objects.all()))
    assert (shown.text, shown.edited_at, shown.deleted) == ("second", milliseconds(edit.date_created), False)
    assert shown.timestamp_ms // 1000 == shown.timestamp == int(event.date_created.timestamp())
    read_before = list(ChatMessage.objects.all())
    written(DeleteMessage(uuid="d", room=room, message=event.id), people.alice)
    for rows in (list(ChatMessage.objects.all()), read_before):
        (gone,) = in_present_state(rows)
        assert (gone.text, gone.deleted, gone.number) == ("", True, 1)
    events = every_kind(people)
    users = users_of(events)
    with django_assert_num_queries(0):
        for event in events:
            frame_of(event, EPOCH, users)
    assert connection.connection is not None


@settings(deadline=None)
@given(st.integers(0, 4 * 10**12), st.integers(0, 999))
def test_milliseconds_are_exact(whole: int, rest: int) -> None:
    """A moment has the milliseconds that it has, however many microseconds follow them."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=whole, microseconds=rest)
    assert milliseconds(moment) == whole
