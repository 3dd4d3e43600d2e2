"""Messages that lose their texts: by the room's owner, in the log's order, and for good."""

from uuid import UUID

import msgspec
import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from roomlog import erasure, rooms
from roomlog.models import ChatRoom, DeadLetter, RoomEvent, RoomHead
from roomlog.pending import store
from roomlog_contract.commands import (
    Cursor,
    DeleteMessage,
    EditMessage,
    GetHistory,
    RenameRoom,
    SelectRoom,
)
from roomlog_contract.envelope import Envelope, EraseMessages, encode
from roomlog_worker import decisions
from roomlog_worker.dead_letters import store_letter
from roomlog_worker.entries import pending_entry
from tests.harness.databases import EPOCH, held_elsewhere
from tests.harness.people import People, make_room, message, post_as, written
from tests.worker.bench import ON_POSTGRES, Bench, carried_out, fail
from tests.worker.test_consumer import texts_of


def erase(person: int) -> None:
    """Ask for it, as the command does."""
    erasure.erase(person, lambda done, of: None)


def test_the_texts_are_gone_and_every_seq_stays(bench: Bench, people: People) -> None:
    """Of one person alone; nobody is told, and the log is as long as before."""
    room = make_room(people.alice, [people.bob])
    written(message(room, "hers"), people.alice)
    written(message(room, "his"), people.bob)
    before = RoomHead.objects.values_list("last_seq", "messages").get()
    erase(people.alice)
    bench.hear()
    bench.worker.turn_until(carried_out)
    assert texts_of(room) == ["", "his"]
    assert RoomHead.objects.values_list("last_seq", "messages").get() == before
    assert bench.hear().order == []
    hers = RoomEvent.objects.get(room=room, user=people.alice, kind="new_message")
    assert (hers.body_hash, hers.deleted_at is None) == ("", False)


def test_whoever_reads_afresh_sees_deleted_messages(bench: Bench, people: People) -> None:
    """Nor is anything left of what a project sent with them."""
    room = make_room(people.alice)
    written(message(room, "hers"), people.alice)
    erase(people.alice)
    bench.worker.turn_until(carried_out)
    bench.hear()
    commands = (
        SelectRoom(uuid="r", room=room),
        SelectRoom(uuid="s", room=room, since=Cursor(epoch=EPOCH, seq=1)),
        GetHistory(uuid="h", room=room),
    )
    reads = [bench.ask(command, people.alice) for command in commands]
    heard = bench.drain()
    afresh, since, history = (heard.frame(number) for number in reads)
    seen = [afresh["room_messages"][0], since["events"][0]["message"], history["room_messages"][0]]
    assert [(one["text"], one["deleted"]) for one in seen] == [("", True)] * 3
    room = make_room(people.alice)
    rooms.post(room, User.objects.get(roomlog_person=people.alice), "hers", data={"card": "secret"})
    bench.hear()
    bench.worker.turn_until(carried_out)
    (notice,) = bench.hear().notices
    assert msgspec.json.decode(notice.frame)["message"]["data"] == {"card": "secret"}
    first = RoomEvent.objects.get(room=room, kind="new_message")
    written(message(room, reply_to=first.pk), people.alice, data='{"card":"secret"}')
    erase(people.alice)
    bench.worker.turn_until(carried_out)
    found = RoomEvent.objects.filter(room=room, kind="new_message").order_by("seq")
    assert [row.data for row in found] == [{}, {"reply_to": first.seq, "reply_to_id": first.pk}]


@pytest.mark.parametrize("text", ["hers", "a guess"])
def test_a_repeat_counts_as_a_duplicate_whatever_it_says(bench: Bench, people: People, text: str) -> None:
    """So that nothing confirms what was said; and the text does not come back."""
    room = make_room(people.alice)
    written(message(room, "hers", uuid="u"), people.alice)
    erase(people.alice)
    bench.worker.turn_until(carried_out)
    bench.hear()
    request = bench.send(message(room, text, uuid="u"), people.alice)
    frame = bench.drain().frame(request)
    assert (frame["duplicate"], frame["message"]["text"], frame["message"]["deleted"]) == (True, "", True)
    assert texts_of(room) == [""]
    post_as(room, people.alice, text, uuid="u")
    bench.worker.turn_until(carried_out)
    assert texts_of(room) == [""]


def test_what_waits_is_a_message_when_it_is_erased(bench: Bench, people: People) -> None:
    """Both rows are in one sweep; what is said after it stays."""
    room = make_room(people.alice)
    post_as(room, people.alice, "waits")
    erase(people.alice)
    post_as(room, people.alice, "later")
    bench.worker.turn_until(carried_out)
    assert texts_of(room) == ["", "later"]


def test_an_archived_room_and_one_that_is_gone(bench: Bench, people: People) -> None:
    """A closed log is erased too; of a room that never was, the row goes."""
    room = make_room(people.alice)
    written(message(room, "hers"), people.alice)
    erase(people.alice)
    ChatRoom.objects.update(archived_at=timezone.now())
    asked = EraseMessages(uuid="e", room=UUID(int=7), sender=people.alice, uuids=["u"])
    store(asked.room, Envelope(command=asked, user=people.bob, staff=True))
    bench.worker.turn_until(carried_out)
    assert texts_of(room) == [""]
    assert not DeadLetter.objects.exists()


def test_a_transaction_erases_hundreds(bench: Bench, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others' messages don't wait behind all of somebody's."""
    monkeypatch.setattr(erasure, "AT_ONCE", 1)
    room = make_room(people.alice)
    most = decisions.MEMBER_CHANGES_AT_ONCE // decisions.ROOM_CHANGES
    for _ in range(2 * most + 1):
        written(message(room, "hers"), people.alice)
    erase(people.alice)
    bench.wake(room)
    bench.turn()
    assert texts_of(room).count("") == most
    bench.worker.turn_until(carried_out)
    assert set(texts_of(room)) == {""}


def test_a_successor_goes_on(bench: Bench, people: People) -> None:
    """An owner that died before it came to them leaves nothing half done."""
    room = make_room(people.alice)
    for _ in range(3):
        written(message(room, "hers"), people.alice)
    erase(people.alice)
    bench.successor().turn_until(carried_out)
    assert set(texts_of(room)) == {""}


def test_what_always_fails_is_given_up_and_stops_nobody(
    bench: Bench, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It becomes a dead letter, which names no text."""
    room, other = make_room(people.alice), make_room(people.bob)
    written(message(room, "hers"), people.alice)
    monkeypatch.setattr(decisions, "erase_messages", fail)
    erase(people.alice)
    post_as(other, people.bob, "goes on")
    bench.worker.turn_until(carried_out)
    assert DeadLetter.objects.get().action == "erase_messages"
    assert texts_of(other) == ["goes on"]


@ON_POSTGRES
def test_a_room_that_somebody_holds_waits(bench: Bench, people: People) -> None:
    """Only under the lock of its head does its log change."""
    room = make_room(people.alice)
    written(message(room, "hers"), people.alice)
    erase(people.alice)
    with held_elsewhere("roomlog_roomhead WHERE room_id = %s", room):
        bench.wake(room)
        bench.turn(3)
        assert texts_of(room) == ["hers"]
    bench.worker.turn_until(carried_out)
    assert texts_of(room) == [""]


def test_namesakes_keep_their_texts(bench: Bench, people: People) -> None:
    """The same uuid of somebody else, of another room, or of another kind of command."""
    room, other = make_room(people.alice, [people.bob]), make_room(people.alice)
    for command, user in (
        (message(room, "hers", uuid="u"), people.alice),
        (message(room, "his", uuid="u"), people.bob),
        (message(other, "elsewhere", uuid="u"), people.alice),
        (RenameRoom(uuid="name", room=room, name="a name"), people.alice),
    ):
        written(command, user)
    asked = EraseMessages(uuid="e", room=room, sender=people.alice, uuids=["u", "name"])
    store(room, Envelope(command=asked, user=people.bob, staff=True))
    bench.worker.turn_until(carried_out)
    assert (texts_of(room), texts_of(other)) == (["", "his"], ["elsewhere"])
    assert RoomEvent.objects.get(kind="rename_room").deleted_at is None


def test_edits_are_erased_with_their_messages(bench: Bench, people: People) -> None:
    """Also one that waits, and one that was given up."""
    room = make_room(people.alice)
    number = written(message(room, "hers"), people.alice).event.id
    edits = [EditMessage(uuid=f"e{n}", room=room, message=number, text=f"hers {n}") for n in range(3)]
    written(edits[0], people.alice)
    store(room, Envelope(command=edits[1], user=people.alice))
    failed = pending_entry(1, 7, encode(Envelope(command=edits[2], user=people.alice)))
    assert failed is not None
    store_letter(failed, "OSError")
    erase(people.alice)
    bench.worker.turn_until(carried_out)
    rows = RoomEvent.objects.filter(room=room).order_by("seq")
    assert [row.kind for row in rows] == ["create_room", "new_message", "edit_message", "edit_message"]
    assert {row.text for row in rows} == {""}
    assert b"hers" not in bytes(DeadLetter.objects.get().envelope)


def test_what_is_deleted_is_gone_from_every_way_to_read_it(bench: Bench, people: People) -> None:
    """The event comes to all; read again, neither the message nor its edits say anything."""
    room = make_room(people.alice)
    number = written(message(room, "secret", uuid="m"), people.alice, data='{"card":"secret"}').event.id
    edit = EditMessage(uuid="e", room=room, message=number, text="secret too")
    bench.send(edit, people.alice)
    (notice,) = bench.drain().notices
    assert msgspec.json.decode(notice.frame)["text"] == "secret too"
    bench.send(DeleteMessage(uuid="d", room=room, message=number), people.alice)
    (notice,) = bench.drain().notices
    frame = msgspec.json.decode(notice.frame)
    reference = {"id": number, "seq": 2, "user": people.alice}
    assert (frame["action"], frame["seq"], frame["message"]) == ("delete_message", 4, reference)
    commands = (
        SelectRoom(uuid="r", room=room),
        SelectRoom(uuid="s", room=room, since=Cursor(epoch=EPOCH, seq=1)),
        GetHistory(uuid="h", room=room),
        edit,
    )
    asked = [bench.ask(command, people.alice) for command in commands[:3]]
    asked.append(bench.send(commands[3], people.alice))
    heard = bench.drain()
    afresh, since, history, repeat = (heard.frame(request) for request in asked)
    assert "secret" not in str([afresh, since, history, repeat])
    said, edited, deleted = since["events"]
    assert (said["message"]["deleted"], edited["text"], deleted["message"]) == (True, "", reference)
    assert (history["seq"], history["room_messages"]) == (4, afresh["room_messages"])
    assert repeat["duplicate"] is True
