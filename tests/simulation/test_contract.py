"""The model worker does what the real one does: every test here runs against both.

Without it the simulation would prove the guarantees of a system that nobody runs.
"""

from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from roomlog_contract.commands import (
    Cursor,
    InviteUser,
    LeaveRoom,
    ListRooms,
    NewMessage,
    RemoveUser,
    RoomWrite,
    SelectRoom,
)
from roomlog_contract.envelope import (
    EventsFetched,
    FetchEvents,
    HeadsRead,
    Identified,
    Identify,
    Joined,
    Notice,
    ReadHeads,
    Selected,
)
from tests.simulation.sides import Heard, Side
from tests.worker.bench import GATEWAY

VOLATILE = {"id", "timestamp", "timestamp_ms", "epoch"}


@pytest.fixture
def room(side: Side) -> UUID:
    """Alice's room with Bob in it."""
    return side.make_room(side.people.alice, [side.people.bob])


def frame_of(notice: Notice) -> dict[str, Any]:
    """Return a notice's frame without what no two installs share."""
    frame: dict[str, Any] = _stable(msgspec.json.decode(notice.frame))
    return frame


def _stable(frame: Any) -> Any:
    if isinstance(frame, dict):
        keep = {"user", "member"}
        return {
            key: _stable(value)
            for key, value in frame.items()
            if key in keep or key not in VOLATILE or not isinstance(value, int | str)
        }
    return frame


def errors(side: Side, *commands: tuple[RoomWrite, int]) -> list[str]:
    """Send commands and return the codes of their error answers; none of them writes or tells anything."""
    requests = [side.send(command, user) for command, user in commands]
    heard = side.turn()
    assert heard.notices == []
    assert side.waiting() == 0
    return [heard.frame(request)["error_code"] for request in requests]


class TestWrites:
    """What becomes of a command that writes."""

    def test_a_message_is_stored_and_published(self, side: Side, room: UUID) -> None:
        """One row, one notice that names its gateway and request, no answer besides, nothing left."""
        request = side.send(NewMessage(uuid="u", room=room, text="hello"), side.people.bob)
        heard = side.turn()
        (notice,) = heard.notices
        assert (notice.seq, notice.user, notice.gateway, notice.request, notice.left) == (
            2,
            side.people.bob,
            GATEWAY,
            request,
            0,
        )
        assert heard.replies == {}
        assert side.log(room)[1:] == [(2, "new_message", "hello")]
        assert side.waiting() == 0

    def test_the_frame_of_a_message(self, side: Side, room: UUID) -> None:
        """Field by field what the specification says."""
        side.send(NewMessage(uuid="u", room=room, text="hello"), side.people.bob)
        (notice,) = side.turn().notices
        frame = frame_of(notice)
        user = frame["message"].pop("user")
        assert user["username"] == "bob"
        assert frame == {
            "action": "new_message",
            "uuid": "u",
            "status": "success",
            "room": room.hex,
            "seq": 2,
            "message": {
                "seq": 2,
                "number": 1,
                "room": room.hex,
                "text": "hello",
                "edited_at": None,
                "deleted": False,
                "reply_to": None,
                "reactions": {},
            },
        }

    def test_a_repeat_is_told_again_and_answered(self, side: Side, room: UUID) -> None:
        """The same seq, marked as a duplicate in the answer alone; its notice names nobody who waits."""
        said = NewMessage(uuid="u", room=room, text="hello")
        side.send(said, side.people.alice)
        side.turn()
        again = side.send(said, side.people.alice)
        heard = side.turn()
        (notice,) = heard.notices
        assert (notice.seq, notice.gateway, notice.request) == (2, "", 0)
        assert b"duplicate" not in notice.frame
        answer = heard.frame(again)
        assert (answer["seq"], answer["duplicate"], answer["uuid"]) == (2, True, "u")
        assert len(side.log(room)) == 2

    def test_who_has_not_entered_is_answered_apart(self, side: Side, room: UUID) -> None:
        """Its gateway may not hear the channel yet: the event names nobody, the answer is no repeat."""
        said = NewMessage(uuid="u", room=room, text="hello")
        request = side.send(said, side.people.alice, wants_reply=True)
        heard = side.turn()
        assert [(notice.seq, notice.gateway) for notice in heard.notices] == [(2, "")]
        assert "duplicate" not in heard.frame(request)
        assert heard.frame(request)["seq"] == 2

    def test_repeats_of_one_batch_become_one_event(self, side: Side, room: UUID) -> None:
        """An XADD that was executed twice is one message."""
        said = NewMessage(uuid="u", room=room, text="hello")
        side.send(said, side.people.alice)
        again = side.send(said, side.people.alice)
        heard = side.turn()
        assert [notice.seq for notice in heard.notices] == [2, 2]
        assert heard.frame(again)["duplicate"] is True
        assert len(side.log(room)) == 2

    def test_the_same_uuid_of_two_senders_are_two_messages(self, side: Side, room: UUID) -> None:
        """A uuid is unique for one sender in one room."""
        said = NewMessage(uuid="u", room=room, text="hello")
        side.send(said, side.people.alice)
        side.send(said, side.people.bob)
        assert [notice.seq for notice in side.turn().notices] == [2, 3]

    def test_a_uuid_with_another_body_is_refused(self, side: Side, room: UUID) -> None:
        """The first content stands."""
        side.send(NewMessage(uuid="u", room=room, text="hello"), side.people.alice)
        side.turn()
        other = NewMessage(uuid="u", room=room, text="bye")
        assert errors(side, (other, side.people.alice)) == ["uuid_conflict"]
        assert side.log(room)[1:] == [(2, "new_message", "hello")]

    def test_what_the_state_forbids_is_refused(self, side: Side, room: UUID) -> None:
        """Each with its code; the answers leave after the entries' deletion."""
        alice, bob, carol = side.people.alice, side.people.bob, side.people.carol
        refused: list[tuple[RoomWrite, int]] = [
            (NewMessage(uuid="1", room=room, text="hi"), carol),
            (NewMessage(uuid="2", room=uuid4(), text="hi"), alice),
            (InviteUser(uuid="3", room=room, user=carol, role="owner"), bob),
            (InviteUser(uuid="4", room=room, user=bob), alice),
            (InviteUser(uuid="5", room=room, user=999_999), alice),
            (RemoveUser(uuid="6", room=room, user=alice), bob),
            (RemoveUser(uuid="7", room=room, user=carol), alice),
            (LeaveRoom(uuid="8", room=room), carol),
        ]
        codes = {command.uuid: errors(side, (command, user))[0] for command, user in refused}
        assert codes == {
            "1": "not_member",
            "2": "not_member",
            "3": "forbidden",
            "4": "bad_value",
            "5": "not_found",
            "6": "forbidden",
            "7": "not_found",
            "8": "not_member",
        }

    def test_who_is_invited_is_told_and_may_speak(self, side: Side, room: UUID) -> None:
        """On the own channel, with the head; also in the batch of the invitation itself."""
        carol = side.people.carol
        side.send(InviteUser(uuid="i", room=room, user=carol), side.people.bob)
        side.send(NewMessage(uuid="u", room=room, text="hi"), carol)
        heard = side.turn()
        assert [notice.seq for notice in heard.notices] == [2, 3]
        ((user, joined),) = heard.users
        assert isinstance(joined, Joined)
        assert (user, joined.room.id, joined.room.seq) == (carol, room, 3)
        frame = frame_of(heard.notices[0])
        assert (frame["member"]["username"], frame["member"]["role"]) == ("carol", "member")

    def test_a_repeated_invitation_is_told_again(self, side: Side, room: UUID) -> None:
        """Its first owner may have died before anybody was told."""
        invitation = InviteUser(uuid="i", room=room, user=side.people.carol)
        side.send(invitation, side.people.alice)
        side.turn()
        side.send(invitation, side.people.alice)
        assert [user for user, _ in side.turn().users] == [side.people.carol]

    @pytest.mark.parametrize("leaves", [True, False])
    def test_who_is_out_is_named_and_may_not_speak(self, side: Side, room: UUID, leaves: bool) -> None:
        """By leaving or by being removed; the notice says whose membership ended."""
        alice, bob = side.people.alice, side.people.bob
        if leaves:
            side.send(LeaveRoom(uuid="l", room=room), bob)
        else:
            side.send(RemoveUser(uuid="r", room=room, user=bob), alice)
        (notice,) = side.turn().notices
        assert notice.left == bob
        assert frame_of(notice)["member"]["role"] == "member"
        assert errors(side, (NewMessage(uuid="u", room=room, text="hi"), bob)) == ["not_member"]

    def test_a_pending_command_is_swept(self, side: Side, room: UUID) -> None:
        """Without a wake-up; nobody waits for an answer."""
        side.post(NewMessage(uuid="p", room=room, text="posted"), side.people.alice)
        heard = side.turn()
        assert [notice.gateway for notice in heard.notices] == [""]
        assert side.log(room)[1:] == [(2, "new_message", "posted")]
        assert side.waiting() == 0

    def test_what_the_api_left_comes_first(self, side: Side, room: UUID) -> None:
        """Whoever sent an entry may have seen the api's answer to what the wake-up stands for."""
        side.post(NewMessage(uuid="p", room=room, text="posted"), side.people.alice)
        side.wake(room)
        side.send(NewMessage(uuid="u", room=room, text="sent"), side.people.alice)
        side.turn()
        side.turn()
        assert [text for _, _, text in side.log(room)[1:]] == ["posted", "sent"]

    def test_a_wake_up_is_deleted(self, side: Side, room: UUID) -> None:
        """It is an entry without a value."""
        side.wake(room)
        side.turn()
        assert side.waiting() == 0

    def test_heads_of_rooms_that_moved_are_told(self, side: Side, room: UUID) -> None:
        """The last one of each."""
        for number in range(3):
            side.send(NewMessage(uuid=str(number), room=room, text="hi"), side.people.alice)
        heads = [*side.turn().heads, *side.turn().heads]
        assert heads[-1].seq == 4


class TestReads:
    """What is answered to a command that reads."""

    def say(self, side: Side, room: UUID, count: int) -> None:
        """Fill a log."""
        for number in range(count):
            side.send(NewMessage(uuid=f"said-{number}", room=room, text=f"text {number}"), side.people.alice)
        side.turn()

    def reply(self, side: Side, command: Any, user: int = 0) -> tuple[Heard, int]:
        """Ask, and return what was heard and the number of the request."""
        request = side.ask(command, user)
        return side.turn(), request

    def test_a_token_names_its_user_and_rooms(self, side: Side, room: UUID) -> None:
        """With their heads; an unknown token names nobody."""
        self.say(side, room, 2)
        heard, request = self.reply(side, Identify(uuid="i", token=side.token(side.people.bob)))
        reply = heard.replies[request]
        assert isinstance(reply, Identified)
        assert reply.user is not None
        assert reply.user.username == "bob"
        assert [(summary.id, summary.seq) for summary in reply.rooms] == [(room, 3)]
        heard, request = self.reply(side, Identify(uuid="i", token="nobody's"))
        assert heard.replies[request] == Identified(request, None, [])

    def test_heads_are_read(self, side: Side, room: UUID) -> None:
        """Rooms that there are not are missing."""
        self.say(side, room, 2)
        heard, request = self.reply(side, ReadHeads(uuid="h", rooms=[room, uuid4()]))
        reply = heard.replies[request]
        assert isinstance(reply, HeadsRead)
        assert reply.heads == {room: 3}
        assert reply.epoch

    def test_a_gap_is_fetched(self, side: Side, room: UUID) -> None:
        """At most `limit` events after the named one, and the head; notices that name nobody who waits."""
        self.say(side, room, 4)
        heard, request = self.reply(side, FetchEvents(uuid="f", room=room, after=1, limit=2))
        reply = heard.replies[request]
        assert isinstance(reply, EventsFetched)
        assert ([notice.seq for notice in reply.events], reply.head) == ([2, 3], 5)
        assert {(notice.gateway, notice.request) for notice in reply.events} == {("", 0)}
        heard, request = self.reply(side, FetchEvents(uuid="f", room=uuid4(), after=0, limit=2))
        nothing = heard.replies[request]
        assert isinstance(nothing, EventsFetched)
        assert (nothing.epoch, nothing.head, nothing.events) == ("", 0, [])

    def test_a_room_is_selected(self, side: Side, room: UUID) -> None:
        """Its last messages, oldest first, and its head."""
        self.say(side, room, 3)
        heard, request = self.reply(side, SelectRoom(uuid="s", room=room), side.people.bob)
        reply = heard.replies[request]
        assert isinstance(reply, Selected)
        assert (reply.room, reply.seq, reply.more) == (room, 4, False)
        frame = heard.frame(request)
        assert [message["text"] for message in frame["room_messages"]] == ["text 0", "text 1", "text 2"]
        assert (frame["seq"], "events" in frame) == (4, False)

    def test_what_was_missed_is_selected(
        self, side: Side, room: UUID, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """In pages; the last one says that there is no more."""
        monkeypatch.setattr("roomlog_contract.limits.PAGE_EVENTS", 2)
        self.say(side, room, 3)
        heard, request = self.reply(side, ReadHeads(uuid="h", rooms=[room]))
        epoch = heard.replies[request].epoch  # type: ignore[union-attr]
        pages = []
        for since in (1, 3):
            ask = SelectRoom(uuid="s", room=room, since=Cursor(epoch=epoch, seq=since))
            heard, request = self.reply(side, ask, side.people.bob)
            frame, reply = heard.frame(request), heard.replies[request]
            assert isinstance(reply, Selected)
            assert reply.more == frame["more"]
            pages.append(([event["seq"] for event in frame["events"]], frame["seq"], frame["more"]))
        assert pages == [([2, 3], 3, True), ([4], 4, False)]

    @pytest.mark.parametrize(("epoch", "seq"), [("another", 1), ("", 9)])
    def test_what_cant_be_continued_is_reset(self, side: Side, room: UUID, epoch: str, seq: int) -> None:
        """Another epoch, or a place that the log has not reached."""
        heard, request = self.reply(side, ReadHeads(uuid="h", rooms=[room]))
        since = Cursor(epoch=epoch or heard.replies[request].epoch, seq=seq)  # type: ignore[union-attr]
        heard, request = self.reply(side, SelectRoom(uuid="s", room=room, since=since), side.people.bob)
        reply = heard.replies[request]
        assert isinstance(reply, Selected)
        assert (heard.frame(request)["reset"], reply.more, reply.seq) == (True, True, 0)

    def test_only_members_read(self, side: Side, room: UUID) -> None:
        """Others hear one thing, whether there is such a room or not."""
        heard, request = self.reply(side, SelectRoom(uuid="s", room=room), side.people.carol)
        assert heard.frame(request)["error_code"] == "not_member"
        heard, request = self.reply(side, SelectRoom(uuid="s", room=uuid4()), side.people.carol)
        assert heard.frame(request)["error_code"] == "not_member"

    def test_rooms_are_listed(self, side: Side, room: UUID) -> None:
        """With their heads, seen after the writes of the same turn."""
        side.send(NewMessage(uuid="u", room=room, text="hi"), side.people.alice)
        heard, request = self.reply(side, ListRooms(uuid="l"), side.people.bob)
        (listed,) = heard.frame(request)["rooms"]
        assert (listed["id"], listed["seq"]) == (room.hex, 2)


class TestOwners:
    """Two processes that both believe in a shard."""

    def test_a_successor_does_what_is_left(self, side: Side, room: UUID) -> None:
        """It reads from the beginning of the stream."""
        side.freeze_and_replace()
        side.send(NewMessage(uuid="u", room=room, text="hi"), side.people.alice)
        side.turn()
        assert side.log(room)[1:] == [(2, "new_message", "hi")]
        assert side.waiting() == 0

    def test_a_thawed_owner_writes_nothing(self, side: Side, room: UUID) -> None:
        """Its leases have another epoch, whatever it believes; its successor does the work."""
        side.freeze_and_replace()
        side.send(NewMessage(uuid="u", room=room, text="hi"), side.people.alice)
        side.thaw()
        side.turn()
        assert side.log(room)[1:] == [(2, "new_message", "hi")]
