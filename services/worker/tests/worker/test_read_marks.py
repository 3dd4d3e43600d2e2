"""mark_read: beside the log, many in one statement, told to the user's other sockets, safe to repeat."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext

from roomlog.models import Membership, RoomEvent, RoomHead
from roomlog.read_marks import move_marks
from roomlog_contract.commands import InviteUser, LeaveRoom, MarkRead, SelectRoom, SetNotifications
from roomlog_contract.envelope import Marked
from roomlog_worker import marks
from tests.harness.people import People, written
from tests.worker.bench import ON_POSTGRES, Bench
from tests.worker.test_reader import ask, room, say

__all__ = ["room"]


def mark(room: UUID, seq: int, uuid: str = "m") -> MarkRead:
    """Return a command."""
    return MarkRead(uuid=uuid, room=room, seq=seq)


def places(rooms: dict[str, Any]) -> tuple[int, int, int]:
    """Return head, mark and unread of a summary."""
    return rooms["seq"], rooms["read_seq"], rooms["unread"]


def test_a_mark_is_answered_with_the_room_as_it_is_now(bench: Bench, people: People, room: UUID) -> None:
    """Exact from the first answer on, and no event: neither seq nor row of the log."""
    say(room, people.alice, 3)
    before = RoomHead.objects.get(), RoomEvent.objects.count()
    assert places(ask(bench, mark(room, 3), people.bob)["room"]) == (4, 3, 1)
    assert places(ask(bench, mark(room, 1), people.bob)["room"]) == (4, 3, 1)
    assert (RoomHead.objects.get(), RoomEvent.objects.count()) == before


def test_the_users_sockets_are_told_and_nobody_elses(bench: Bench, people: People, room: UUID) -> None:
    """With the room as it is now; a mark behind another is no news, a repeat is."""
    move_marks({(room, people.bob): 1})
    bench.ask(mark(room, 1), people.bob)
    heard = bench.turn()
    assert [user for user, _ in heard.users] == [people.bob]
    assert len(heard.replies) == 1
    say(room, people.alice, 3)
    bench.ask(mark(room, 4), people.bob)
    ((user, notice),) = bench.turn().users
    assert (user, isinstance(notice, Marked)) == (people.bob, True)
    assert notice.room.read_seq == 4  # type: ignore[union-attr]
    bench.ask(mark(room, 2), people.bob)
    assert bench.turn().users == []


def test_marks_that_come_together_are_one_statement(bench: Bench, people: People, room: UUID) -> None:
    """The greatest of each counts; each command has its own answer, each user one notice a room."""
    say(room, people.alice, 5)
    asked = [bench.ask(mark(room, seq), people.bob) for seq in (2, 6, 4)]
    other = bench.ask(mark(room, 3), people.alice)
    with CaptureQueriesContext(connection) as captured:
        heard = bench.turn()
    assert sum("UPDATE roomlog_membership" in query["sql"] for query in captured.captured_queries) == 1
    assert {places(heard.frame(request)["room"]) for request in asked} == {(6, 6, 0)}
    assert places(heard.frame(other)["room"]) == (6, 3, 0)
    assert sorted(user for user, _ in heard.users) == sorted((people.alice, people.bob))


def test_nothing_is_written_where_nothing_moves(bench: Bench, people: People, room: UUID) -> None:
    """A flood of the same mark costs reads alone; reads without marks cost nothing more."""
    bench.ask(mark(room, 1), people.bob)
    bench.turn()
    for command in (mark(room, 1), SelectRoom(uuid="s", room=room)):
        bench.ask(command, people.bob)
        with CaptureQueriesContext(connection) as captured:
            bench.turn()
        assert not any("UPDATE roomlog_membership" in query["sql"] for query in captured.captured_queries)


@ON_POSTGRES
def test_a_mark_waits_for_no_writer_of_the_room(bench: Bench, people: People, room: UUID) -> None:
    """A mark is not part of the log, so it needs no lock on the room's head."""
    holder = connection.copy()
    try:
        holder.set_autocommit(False)
        with holder.cursor() as cursor:
            cursor.execute("SELECT 1 FROM roomlog_roomhead FOR NO KEY UPDATE")
        asked = bench.ask(mark(room, 1), people.bob)
        assert places(bench.turn().frame(asked)["room"])[1] == 1
    finally:
        holder.close()


def test_what_cannot_be_written_holds_up_no_read(
    bench: Bench, people: People, room: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a read-only database people log in and read as ever; a mark has no answer, and is repeated."""

    def fail(_: object) -> Any:
        raise DatabaseError

    monkeypatch.setattr(marks, "move_marks", fail)
    asked = bench.ask(mark(room, 1), people.bob)
    read = bench.ask(SelectRoom(uuid="s", room=room), people.bob)
    assert list(bench.drain().replies) == [read]
    monkeypatch.setattr(marks, "move_marks", move_marks)
    assert bench.drain().replies == {}
    repeated = bench.ask(mark(room, 1), people.bob)
    assert repeated != asked
    assert places(bench.drain().frame(repeated)["room"])[1] == 1
    assert Membership.objects.get(user=people.bob).read_seq == 1


def level(room: UUID, notify: Any, uuid: str = "n") -> SetNotifications:
    """Return a command."""
    return SetNotifications(uuid=uuid, room=room, notify=notify)


def test_a_level_is_answered_with_the_room_and_told_to_the_users_sockets(
    bench: Bench, people: People, room: UUID
) -> None:
    """The last of several counts, a repeat is told again, and the mark stays where it is: no event."""
    say(room, people.alice, 2)
    move_marks({(room, people.bob): 2})
    before = RoomHead.objects.get(), RoomEvent.objects.count()
    asked = [bench.ask(level(room, notify), people.bob) for notify in ("none", "mentions")]
    bench.ask(mark(room, 2), people.alice)
    heard = bench.turn()
    assert [heard.frame(request)["room"]["notify"] for request in asked] == ["mentions"] * 2
    told = {user: notice.room.notify for user, notice in heard.users if isinstance(notice, Marked)}
    assert told == {people.bob: "mentions", people.alice: "all"}
    bench.ask(level(room, "mentions"), people.bob)
    assert [user for user, _ in bench.turn().users] == [people.bob]
    assert (RoomHead.objects.get(), RoomEvent.objects.count()) == before
    assert ask(bench, mark(room, 1), people.bob)["room"]["notify"] == "mentions"


def test_strangers_learn_nothing(bench: Bench, people: People, room: UUID) -> None:
    """One answer to marks and levels, whether there is such a room or not, after leaving too."""
    for where in (room, uuid4()):
        assert ask(bench, level(where, "none"), people.carol)["error_code"] == "not_member"
    assert set(Membership.objects.values_list("notify", flat=True)) == {"all"}
    written(LeaveRoom(uuid="l", room=room), people.bob)
    for where, who in ((room, people.carol), (uuid4(), people.carol), (room, people.bob)):
        assert ask(bench, mark(where, 1), who)["error_code"] == "not_member"
    assert bench.hear().users == []


def test_what_was_said_before_somebody_came_is_not_unread(bench: Bench, people: People, room: UUID) -> None:
    """The mark of a newcomer is the invitation; what follows is unread."""
    say(room, people.alice, 3)
    written(InviteUser(uuid="i", room=room, user=people.carol), people.alice)
    assert places(ask(bench, mark(room, 0), people.carol)["room"]) == (5, 5, 0)
    say(room, people.alice, 2)
    assert places(ask(bench, mark(room, 0), people.carol)["room"]) == (7, 5, 2)
