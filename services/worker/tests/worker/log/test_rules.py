"""Each action: what it writes, whom it refuses, and what a repeat of it answers."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from roomlog.body_hash import hash_of
from roomlog.epochs import new_epoch
from roomlog.models import ChatRoom, Install, Membership, RoomEvent, RoomHead
from roomlog_contract.commands import CreateRoom, InviteUser, LeaveRoom, NewMessage, RemoveUser, RoomWrite
from roomlog_contract.errors import ErrorCode
from roomlog_contract.shards import created_room_id, direct_room_id
from roomlog_worker.log.rules import Recorded
from tests.harness.people import People, add_user, make_room, message, write, write_one, written

NOBODY = 999_999


def members_of(room: UUID) -> dict[int, str]:
    """Return the roles of a room's members."""
    return dict(Membership.objects.filter(room_id=room).values_list("user_id", "role"))


def log_of(room: UUID) -> list[tuple[int, str]]:
    """Return seq and kind of a room's events."""
    return list(RoomEvent.objects.filter(room_id=room).order_by("seq").values_list("seq", "kind"))


class TestNewMessage:
    """Saying something."""

    def test_an_unknown_room_is_refused(self, people: People) -> None:
        """Strangers get one answer; who may everything is told the truth."""
        assert write_one(message(uuid4()), people.alice) == ErrorCode.NOT_MEMBER
        assert write_one(message(uuid4()), people.alice, staff=True) == ErrorCode.NOT_FOUND

    def test_a_muted_member_waits_for_the_end(self, people: People) -> None:
        """Muted until a moment: refused before it, heard after it."""
        room = make_room(people.alice)
        Membership.objects.update(muted_until=timezone.now() + timedelta(hours=1))
        assert write_one(message(room), people.alice) == ErrorCode.MUTED
        Membership.objects.update(muted_until=timezone.now() - timedelta(seconds=1))
        assert isinstance(write_one(message(room), people.alice), Recorded)

    def test_a_reply_names_a_message_of_the_same_room(self, people: People) -> None:
        """Not another's, nor another kind of event, nor of another room of its batch."""
        room, other = make_room(people.alice), make_room(people.alice)
        first = written(message(room), people.alice).event
        reply = written(message(room, reply_to=first.id), people.alice).event
        assert reply.data == {"reply_to": first.seq, "reply_to_id": first.id}
        made = RoomEvent.objects.get(room_id=room, seq=1).pk
        for target, place in ((first.id, other), (made, room), (NOBODY, room)):
            assert write_one(message(place, reply_to=target), people.alice) == ErrorCode.NOT_FOUND
        room, other = make_room(people.alice), make_room(people.alice)
        said = written(message(room), people.alice).event.id
        across, within = write(
            (message(other, reply_to=said), people.alice), (message(room, reply_to=said), people.alice)
        )
        assert across == ErrorCode.NOT_FOUND
        assert isinstance(within, Recorded)


class TestCreateRoom:
    """Making rooms."""

    def test_a_group_has_its_maker_as_owner(self, people: People) -> None:
        """The room's id follows from maker and uuid; the first event names all members."""
        command = CreateRoom(uuid="make", name="lobby", members=[people.bob, people.alice, people.bob])
        event = written(command, people.alice).event
        room = created_room_id(people.alice, "make")
        assert (event.room_id, event.seq, event.number) == (room, 1, None)
        assert members_of(room) == {people.alice: "owner", people.bob: "member"}
        expected = [[people.alice, "owner"], [people.bob, "member"]]
        assert RoomEvent.objects.get().data == {"name": "lobby", "kind": "group", "members": expected}
        assert RoomHead.objects.get().epoch == Install.objects.get().epoch

    def test_a_pair_has_one_direct_room(self, people: People) -> None:
        """Whoever of the two asks, and under whatever uuid, gets the room that is there."""
        first = written(CreateRoom(uuid="a", kind="direct", members=[people.bob]), people.alice)
        again = written(CreateRoom(uuid="b", kind="direct", members=[people.alice]), people.bob)
        assert first.event.room_id == direct_room_id(people.bob, people.alice)
        assert (again.event.id, again.duplicate) == (first.event.id, True)
        assert members_of(first.event.room_id) == {people.alice: "member", people.bob: "member"}

    def test_both_of_a_pair_may_ask_in_one_batch(self, people: People) -> None:
        """The second finds the event that the same transaction is about to write."""
        results = write(
            (CreateRoom(uuid="a", kind="direct", members=[people.bob]), people.alice),
            (CreateRoom(uuid="b", kind="direct", members=[people.alice]), people.bob),
        )
        assert [isinstance(result, Recorded) and result.duplicate for result in results] == [False, True]
        assert RoomEvent.objects.count() == 1

    @pytest.mark.parametrize("names", ["", "alice", "bob bob", "bob alice", "bob carol"])
    def test_a_direct_room_has_exactly_one_other(self, people: People, names: str) -> None:
        """None, oneself, two, or one named twice is refused: it would be another room of the pair."""
        members = [getattr(people, name) for name in names.split()]
        refused = write_one(CreateRoom(uuid="a", kind="direct", members=members), people.alice)
        assert refused == ErrorCode.BAD_VALUE
        assert not ChatRoom.objects.exists()

    def test_members_must_be_active_users(self, people: People) -> None:
        """Nobody invites the unknown or the deactivated, nor makes a room when deactivated."""
        gone = add_user("gone", is_active=False)
        for maker, members in ((people.alice, [NOBODY]), (people.alice, [gone]), (gone, [])):
            assert write_one(CreateRoom(uuid="make", members=members), maker) == ErrorCode.NOT_FOUND
        assert not ChatRoom.objects.exists()

    def test_a_room_can_be_used_in_the_batch_that_makes_it(self, people: People) -> None:
        """Create, invite, say, leave: all in one transaction, in order."""
        room = created_room_id(people.alice, "make")
        results = write(
            (CreateRoom(uuid="make", members=[people.bob]), people.alice),
            (InviteUser(uuid="invite", room=room, user=people.carol), people.bob),
            (message(room), people.carol),
            (LeaveRoom(uuid="leave", room=room), people.carol),
            (message(room), people.carol),
        )
        assert results[-1] == ErrorCode.NOT_MEMBER
        assert log_of(room) == [(1, "create_room"), (2, "invite_user"), (3, "new_message"), (4, "leave_room")]
        assert members_of(room) == {people.alice: "owner", people.bob: "member"}


class TestInviteUser:
    """Bringing somebody in."""

    def test_who_can_be_invited(self, people: People) -> None:
        """Any member may, with a role; not a member, the unknown or the deactivated; once in a batch."""
        room = make_room(people.alice, [people.bob])
        event = written(InviteUser(uuid="i", room=room, user=people.carol), people.bob).event
        assert event.data == {"member": people.carol, "role": "member"}
        assert isinstance(write_one(message(room), people.carol), Recorded)
        dora = add_user("dora")
        written(InviteUser(uuid="a", room=room, user=dora, role="admin"), people.alice)
        members = dict.fromkeys((people.bob, people.carol), "member")
        assert members_of(room) == {people.alice: "owner", dora: "admin", **members}
        room = make_room(people.alice)
        results = write(*((InviteUser(uuid=name, room=room, user=people.bob), people.alice) for name in "ab"))
        assert results[1] == ErrorCode.BAD_VALUE
        room = make_room(people.alice, [people.bob])
        gone = add_user("gone", is_active=False)
        for inviter, user, code in (
            (people.alice, people.bob, ErrorCode.BAD_VALUE),
            (people.alice, NOBODY, ErrorCode.NOT_FOUND),
            (people.alice, gone, ErrorCode.NOT_FOUND),
            (people.carol, people.carol, ErrorCode.NOT_MEMBER),
        ):
            assert write_one(InviteUser(uuid="i", room=room, user=user), inviter) == code


class TestRemoveUser:
    """Putting somebody out."""

    def test_an_admin_removes_an_admin_and_the_order_in_the_log_counts(self, people: People) -> None:
        """Nobody removes a stranger; the removed says nothing more."""
        room = make_room(people.alice, [people.bob, people.carol])
        Membership.objects.exclude(user_id=people.alice).update(role="admin")
        written(RemoveUser(uuid="r", room=room, user=people.carol), people.bob)
        assert members_of(room) == {people.alice: "owner", people.bob: "admin"}
        again = write_one(RemoveUser(uuid="r2", room=room, user=people.carol), people.alice)
        assert again == ErrorCode.NOT_FOUND
        room = make_room(people.alice, [people.bob])
        before, removal, after = write(
            (message(room), people.bob),
            (RemoveUser(uuid="r", room=room, user=people.bob), people.alice),
            (message(room), people.bob),
        )
        assert isinstance(before, Recorded)
        assert isinstance(removal, Recorded)
        assert removal.event.data == {"member": people.bob, "role": "member"}
        assert after == ErrorCode.NOT_MEMBER


class TestLeaveRoom:
    """Going."""

    def test_who_leaves_is_no_member(self, people: People) -> None:
        """The event keeps the role; a second time there is nothing to leave."""
        room = make_room(people.alice, [people.bob])
        event = written(LeaveRoom(uuid="l", room=room), people.bob).event
        assert event.data == {"member": people.bob, "role": "member"}
        assert members_of(room) == {people.alice: "owner"}
        assert write_one(LeaveRoom(uuid="l2", room=room), people.bob) == ErrorCode.NOT_MEMBER


@pytest.mark.parametrize("action", [InviteUser, RemoveUser, LeaveRoom])
def test_a_stranger_learns_nothing_of_a_room(people: People, action: Any) -> None:
    """not_member before all else, of a direct room too, whose id anybody can compute."""
    make = CreateRoom(uuid="d", kind="direct", members=[people.bob])
    rooms = [written(make, people.alice).event.room_id, make_room(people.alice), uuid4()]
    ChatRoom.objects.filter(pk=rooms[1]).update(archived_at=timezone.now())
    whom = {} if action is LeaveRoom else {"user": people.bob}
    answers = [write_one(action(uuid="m", room=room, **whom), people.carol) for room in rooms]
    assert answers == [ErrorCode.NOT_MEMBER] * 3


class TestRepeats:
    """Exactly once for each (room, sender, uuid)."""

    def test_every_action_has_one_event(self, people: People) -> None:
        """The same command again finds its event and writes nothing."""
        room = created_room_id(people.alice, "make")
        commands: list[tuple[RoomWrite, int]] = [
            (CreateRoom(uuid="make", members=[people.bob]), people.alice),
            (message(room), people.alice),
            (InviteUser(uuid="i", room=room, user=people.carol), people.alice),
            (RemoveUser(uuid="r", room=room, user=people.carol), people.alice),
            (LeaveRoom(uuid="l", room=room), people.bob),
        ]
        first = [written(command, user) for command, user in commands]
        again = [written(command, user) for command, user in commands]
        assert [result.event.id for result in again] == [result.event.id for result in first]
        assert [result.duplicate for result in first + again] == [False] * 5 + [True] * 5
        assert log_of(room)[-1] == (5, "leave_room")

    def test_every_repeat_is_found_by_room_sender_and_uuid(self, people: People) -> None:
        """Another content is a conflict, another room or sender another command."""
        room = make_room(people.alice)
        first = written(message(room, uuid="u"), people.alice).event
        for other in (
            message(room, "other", uuid="u"),
            message(room, uuid="u", reply_to=first.id),
            LeaveRoom(uuid="u", room=room),
        ):
            assert write_one(other, people.alice) == ErrorCode.UUID_CONFLICT
        assert len(log_of(room)) == 2
        one, two = make_room(people.alice, [people.bob]), make_room(people.alice)
        results = [
            written(message(one, uuid="u"), people.alice),
            written(message(one, "not the same", uuid="u"), people.bob),
            written(message(two, uuid="u"), people.alice),
        ]
        assert not any(result.duplicate for result in results)
        assert len({result.event.id for result in results}) == 3

    def test_a_repeat_asks_what_became_of_it(self, people: People) -> None:
        """Whoever left still gets the first result; a refused command may succeed later."""
        room = make_room(people.alice)
        said = message(room, uuid="u")
        assert write_one(said, people.bob) == ErrorCode.NOT_MEMBER
        written(InviteUser(uuid="i", room=room, user=people.bob), people.alice)
        assert not written(said, people.bob).duplicate
        room = make_room(people.alice, [people.bob])
        said = message(room, uuid="u")
        first = written(said, people.bob).event
        written(LeaveRoom(uuid="l", room=room), people.bob)
        ChatRoom.objects.update(archived_at=timezone.now())
        again = written(said, people.bob)
        assert (again.event.id, again.duplicate) == (first.id, True)


def test_a_new_epoch_is_that_of_every_room(people: People) -> None:
    """Rooms of before and of after a restore have the same epoch."""
    old = make_room(people.alice)
    new_epoch("after the restore")
    new = make_room(people.alice)
    epochs = RoomHead.objects.filter(room_id__in=[old, new]).values_list("epoch", flat=True)
    assert set(epochs) == {"after the restore"}


def test_the_hash_of_a_body_never_changes() -> None:
    """A repeat after an upgrade of this code must still be found equal: the digest is a stored format."""
    command = NewMessage(uuid="u", room=UUID(int=1), text="hi")
    assert hash_of(command) == "61e53e542d8b59a64c29b978acc8c2c4"
