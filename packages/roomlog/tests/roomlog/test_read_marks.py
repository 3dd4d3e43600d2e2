"""Read marks: they move forward alone, and what is unread is counted from them by an index."""

from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from roomlog import read_marks, selectors
from roomlog.models import ChatMessage, Membership, Mention, RoomEvent, RoomMention
from roomlog.read_marks import move_marks
from roomlog_contract.commands import InviteUser
from roomlog_contract.limits import UNREAD_COUNTED, UNREAD_LOOKED_AT
from tests.harness.databases import plan_of
from tests.harness.people import People, make_room, message, write, written

ROOMS = 30
"""Of one user, in the list whose plan is looked at."""
NOTES = 1_000
"""Events of a room that are no messages: who came and went."""
RANGES = (
    "(room_id=? AND seq>? AND seq<?)",
    "(seq > roomlog_membership.read_seq) AND (seq <= (200 + CASE",
)
"""What SQLite and PostgreSQL say of an index that is read from a seq to a seq."""


def say(room: UUID, user: int, number: int) -> None:
    """Write so many messages."""
    write(*((message(room, f"text {uuid4()}"), user) for _ in range(number)))


def note(room: UUID, seq: int, user: int) -> RoomEvent:
    """Return an event that is no message."""
    return RoomEvent(
        room_id=room, seq=seq, kind="leave_room", user_id=user, uuid=f"{seq}", date_created=timezone.now()
    )


def unread(user: int) -> list[int]:
    """Return what is unread in each room of the user."""
    return [room.unread for room in selectors.summaries_by_user([user])[user]]


def move(room: UUID, user: int, seq: int) -> int:
    """Move one mark, and return where it is now."""
    return move_marks({(room, user): seq})[room, user].read_seq


def test_a_mark_moves_forward_and_never_back(people: People) -> None:
    """Late commands change nothing; strangers have none, whether there is the room or not."""
    room = make_room(people.alice, [people.bob])
    say(room, people.bob, 5)
    assert [move(room, people.alice, seq) for seq in (3, 2, 3, 0, 5)] == [3, 3, 3, 3, 5]
    assert unread(people.alice) == [1]
    room = make_room(people.alice)
    assert move_marks({(room, people.carol): 1, (uuid4(), people.alice): 1}) == {}


def test_a_mark_may_be_at_what_is_no_message(people: People) -> None:
    """All messages before it are read, and none after it."""
    room = make_room(people.alice, [people.bob])
    say(room, people.bob, 3)
    written(InviteUser(uuid="i", room=room, user=people.carol), people.alice)
    assert move(room, people.alice, 5) == 5
    say(room, people.bob, 1)
    assert unread(people.alice) == [1]


def test_a_mark_ends_at_the_head(people: People) -> None:
    """What nobody has said yet is not read: the next message is unread."""
    room = make_room(people.alice, [people.bob])
    say(room, people.bob, 2)
    assert move(room, people.alice, 2**52) == 3
    say(room, people.bob, 1)
    assert unread(people.alice) == [1]


def test_ones_own_messages_and_what_is_no_message_are_never_unread(people: People) -> None:
    """Nor is a message that was deleted."""
    room = make_room(people.alice, [people.bob])
    say(room, people.alice, 3)
    say(room, people.bob, 2)
    assert (unread(people.alice), unread(people.bob)) == ([2], [3])
    ChatMessage.objects.filter(seq=2).update(deleted_at=timezone.now())
    assert unread(people.bob) == [2]


def test_the_count_ends_at_what_people_are_shown(people: People) -> None:
    """99+ stands for any more."""
    room = make_room(people.alice, [people.bob])
    say(room, people.bob, UNREAD_COUNTED + 5)
    assert unread(people.alice) == [UNREAD_COUNTED]
    move(room, people.alice, 10)
    assert unread(people.alice) == [UNREAD_COUNTED + 6 - 10]


def test_far_above_the_mark_nobody_looks_who_said_it(people: People) -> None:
    """So that no list of rooms reads a long log: one's own endless messages count there."""
    room = make_room(people.alice, [people.bob])
    say(room, people.alice, UNREAD_LOOKED_AT - 1)
    say(room, people.bob, 1)
    assert unread(people.alice) == [1]
    say(room, people.alice, 2)
    assert unread(people.alice) == [3]
    say(room, people.alice, UNREAD_COUNTED)
    with CaptureQueriesContext(connection):
        assert unread(people.alice) == [UNREAD_COUNTED]


def test_who_leaves_while_a_mark_moves_has_none(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mark that was not written is not answered with what it was before."""
    room = make_room(people.alice, [people.bob])

    def remove_and_move(marks: object) -> None:
        Membership.objects.filter(room=room, user=people.bob).delete()
        really_move(marks)  # type: ignore[arg-type]

    really_move = read_marks._move
    monkeypatch.setattr(read_marks, "_move", remove_and_move)
    assert move_marks({(room, people.bob): 1}) == {}


def test_marks_take_three_statements(
    people: People, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """One looks, one writes, one reads what is told; where nothing moves the first is the only one."""
    one, two = make_room(people.alice, [people.bob]), make_room(people.alice, [people.bob])
    for room in (one, two):
        say(room, people.bob, 3)
    wanted = {(one, people.alice): 3, (two, people.alice): 4, (two, people.bob): 1}
    with django_assert_num_queries(3):
        rooms = move_marks(wanted)
    assert {pair: room.read_seq for pair, room in rooms.items()} == wanted
    assert set(Membership.objects.values_list("room", "user", "read_seq", "read_number")) == {
        (one, people.alice, 3, 2),
        (two, people.alice, 4, 3),
        (one, people.bob, 0, 0),
        (two, people.bob, 1, 0),
    }
    with django_assert_num_queries(1):
        assert move_marks(wanted) == rooms


def test_a_list_of_rooms_looks_at_a_range_of_each_log(people: People) -> None:
    """One statement for all rooms, and in each a bounded range of an index, whichever the planner takes."""
    rooms = [make_room(people.alice, [people.bob]) for _ in range(ROOMS)]
    say(rooms[0], people.bob, 20)
    RoomEvent.objects.bulk_create(note(rooms[1], seq, people.bob) for seq in range(2, NOTES))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    with CaptureQueriesContext(connection) as captured:
        assert unread(people.alice) == [20, *[0] * (ROOMS - 1)]
    (query,) = captured.captured_queries
    plan = plan_of(query["sql"])
    assert any(f"{range_of_seqs}" in plan for range_of_seqs in RANGES), plan
    assert not any(f"{scan} on roomlog_roomevent" in plan for scan in ("Seq Scan", "SCAN"))


def test_mentions_are_counted_above_the_mark(people: People) -> None:
    """By a range of an index, in the same statement and no further than people are shown."""
    room = make_room(people.alice, [people.bob])
    say(room, people.bob, 3)
    seqs = range(2, UNREAD_COUNTED + 7)
    Mention.objects.bulk_create(Mention(room_id=room, user_id=people.alice, target=seq) for seq in seqs)

    def mentions() -> int:
        (summary,) = selectors.summaries_by_user([people.alice])[people.alice]
        return summary.unread_mentions

    assert mentions() == UNREAD_COUNTED
    move(room, people.alice, 3)
    assert mentions() == UNREAD_COUNTED
    Mention.objects.filter(target__gt=4).delete()
    assert mentions() == 1
    RoomMention.objects.bulk_create(
        RoomMention(room_id=room, target=seq, user_id=people.alice if seq % 2 else people.bob)
        for seq in range(2, 2 * UNREAD_LOOKED_AT)
    )
    assert mentions() == UNREAD_COUNTED
    RoomMention.objects.filter(target__gt=7).delete()
    assert mentions() == 3
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        cursor.execute("SET enable_seqscan = off" if connection.vendor == "postgresql" else "SELECT 1")
    with CaptureQueriesContext(connection) as captured:
        mentions()
    (query,) = captured.captured_queries
    plan = plan_of(query["sql"])
    assert "mentions_by_member" in plan
    assert "room_mention_once" in plan or "sqlite_autoindex_roomlog_roommention" in plan, plan
    move(room, people.alice, 4)
    assert mentions() == 0


@pytest.mark.parametrize("seq", [1, 4])
def test_all_is_read_where_no_message_is_above_the_mark(people: People, seq: int) -> None:
    """Notes above it, of who came and went, are not unread."""
    room = make_room(people.alice, [people.bob])
    if seq > 1:
        say(room, people.bob, 3)
    move(room, people.alice, seq)
    note(room, seq + 1, people.bob).save()
    assert unread(people.alice) == [0]
