"""Blocks: who writes to whom no more, what is not counted, and what everybody else does not notice."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from roomlog import selectors
from roomlog.blocking import block, blocks_of, unblock
from roomlog.departures import on_user_deleted
from roomlog.models import Block, Mention, Person
from roomlog_contract.commands import (
    AddReaction,
    CreateRoom,
    DeleteMessage,
    EditMessage,
    NewMessage,
    PinMessage,
    RoomWrite,
)
from roomlog_contract.errors import ErrorCode, RefusedCommand
from tests.harness.databases import plan_of
from tests.harness.people import People, make_room, message, write, write_one, written


def direct(one: int, other: int) -> UUID:
    """Make the direct room of two and return its id."""
    return written(CreateRoom(uuid=uuid4().hex, kind="direct", members=[other]), one).event.room_id


def counts(user: int) -> list[tuple[int, int]]:
    """Return what is unread in each room of the user, and the mentions among it."""
    return [(room.unread, room.unread_mentions) for room in selectors.summaries_by_user([user])[user]]


def refusal(blocker: int, blocked: int) -> ErrorCode:
    """Return why somebody can't be blocked."""
    with pytest.raises(RefusedCommand) as refused:
        block(blocker, blocked)
    return refused.value.code


class TestDirectRooms:
    """The room of two of whom one has blocked the other."""

    def test_neither_writes_until_it_ends(self, people: People) -> None:
        """Nor edits, reacts or pins; deletions, code and other rooms go on."""
        room, other = direct(people.alice, people.bob), direct(people.alice, people.carol)
        number = written(message(room), people.bob).event.id
        about: dict[str, Any] = {"room": room, "message": number}
        commands: list[RoomWrite] = [
            message(room),
            EditMessage(uuid="e", text="x", **about),
            AddReaction(uuid="r", emoji="\N{THUMBS UP SIGN}", **about),
            PinMessage(uuid="p", **about),
        ]
        block(people.alice, people.bob)
        for person in (people.alice, people.bob):
            assert [write_one(one, person) for one in commands] == [ErrorCode.FORBIDDEN] * len(commands)
        written(message(other), people.alice)
        written(message(room), people.alice, staff=True)
        unblock(people.alice, people.bob)
        written(commands[0], people.bob)
        block(people.bob, people.alice)
        assert write_one(message(room), people.bob) == ErrorCode.FORBIDDEN
        written(DeleteMessage(uuid="d", **about), people.bob)

    def test_none_is_made(self, people: People) -> None:
        """By neither of the two; one that is there answers whoever makes it again, and groups are made."""
        block(people.alice, people.bob)
        for maker, other in ((people.bob, people.alice), (people.alice, people.bob)):
            command = CreateRoom(uuid=uuid4().hex, kind="direct", members=[other])
            assert write_one(command, maker) == ErrorCode.FORBIDDEN
        unblock(people.alice, people.bob)
        room = direct(people.bob, people.alice)
        block(people.alice, people.bob)
        assert direct(people.bob, people.alice) == room
        make_room(people.bob, [people.alice])

    def test_groups_take_no_further_query(self, people: People) -> None:
        """Direct rooms take one, however many they are."""
        group, rooms = make_room(people.alice, [people.bob]), [direct(people.alice, people.bob)]
        rooms.append(direct(people.alice, people.carol))

        def queries_of(*targets: UUID) -> int:
            with CaptureQueriesContext(connection) as captured:
                write(*((message(room), people.alice) for room in targets))
            return len(captured)

        assert queries_of(*rooms) == queries_of(rooms[0]) == queries_of(group) + 1


class TestGroups:
    """Rooms in which people stay together."""

    def test_what_somebody_blocked_says_is_not_unread(self, people: People) -> None:
        """Nor counted as a mention, by name or with the room; unblocked, all but names count again."""
        room = make_room(people.alice, [people.bob, people.carol])
        block(people.alice, people.bob)
        named = NewMessage(uuid="1", room=room, text="x", mentions=[people.alice, people.carol])
        written(named, people.bob)
        written(NewMessage(uuid="2", room=room, text="x", mentions_room=True), people.bob)
        written(message(room), people.carol)
        assert [*map(counts, (people.alice, people.bob, people.carol))] == [[(1, 0)], [(1, 0)], [(2, 2)]]
        assert set(Mention.objects.values_list("user__pk", flat=True)) == {people.carol}
        (first, *_) = selectors.in_present_state(selectors.last_messages(room, 99, 9))
        assert first.mentions == [people.alice, people.carol]
        unblock(people.alice, people.bob)
        assert counts(people.alice) == [(3, 1)]

    def test_counting_looks_blocks_up_once_a_room(self, people: People) -> None:
        """By a range of an index, never by a scan of all blocks for each message."""
        room = make_room(people.alice, [people.bob])
        block(people.alice, people.bob)
        written(message(room), people.bob)
        with connection.cursor() as cursor:
            cursor.execute("SET enable_seqscan = off" if connection.vendor == "postgresql" else "SELECT 1")
        with CaptureQueriesContext(connection) as captured:
            counts(people.alice)
        (query,) = captured.captured_queries
        plan = plan_of(query["sql"])
        assert "block_once" in plan or "sqlite_autoindex_roomlog_block" in plan, plan
        assert "SCAN roomlog_block" not in plan


class TestBlocking:
    """The rows themselves."""

    def test_again_is_harmless_and_some_can_not_be_blocked(self, people: People) -> None:
        """Oneself, nobody, and staff."""
        assert block(people.alice, people.bob) == block(people.alice, people.bob)
        block(people.alice, people.carol)
        assert [user.id for user in blocks_of(people.alice, 0, 9)] == sorted((people.bob, people.carol))
        assert [unblock(people.alice, people.bob).id for _ in range(2)] == [people.bob] * 2
        User.objects.filter(roomlog_person=people.bob).update(is_staff=True)
        whom = people.alice, 999_999, people.bob
        codes = ErrorCode.BAD_VALUE, ErrorCode.NOT_FOUND, ErrorCode.FORBIDDEN
        assert tuple(refusal(people.alice, one) for one in whom) == codes

    def test_their_number_is_bounded(self, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
        """One who is blocked already takes no further place."""
        monkeypatch.setattr("roomlog.blocking.BLOCKS_PER_USER", 1)
        block(people.alice, people.bob)
        block(people.alice, people.bob)
        assert refusal(people.alice, people.carol) == ErrorCode.TOO_MANY_BLOCKS

    def test_they_end_with_either_account(self, people: People) -> None:
        """Whether it has blocked or was blocked."""
        block(people.alice, people.bob)
        block(people.bob, people.carol)
        on_user_deleted(User.objects.get(roomlog_person=people.bob))
        assert not Block.objects.exists()
        assert Person.objects.filter(pk=people.bob, deleted_at__isnull=False).exists()
