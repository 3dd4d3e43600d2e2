"""A room's members as a project's own transaction wants them, however many calls and restarts it takes."""

from uuid import UUID

import pytest
from django.contrib.auth.models import User
from structlog.testing import capture_logs

from roomlog.models import Ban, ChatRoom, DeadLetter, Membership, Person, RoomEvent
from roomlog.people import person_of_code
from roomlog.rooms import ensure_room, post, post_as, rename, sync_members
from roomlog_contract.commands import InviteUser
from roomlog_contract.envelope import Joined
from roomlog_worker.decisions import MEMBER_CHANGES_AT_ONCE
from roomlog_worker.log.rules import RULES
from tests.harness.people import People, add_user, make_room
from tests.worker.bench import Bench, carried_out, fail


def members_of(room: UUID) -> set[int]:
    """Return who is in the room."""
    return set(Membership.objects.filter(room=room).values_list("user_id", flat=True))


def users(*people: int) -> list[User]:
    """Return the users of these people."""
    return list(User.objects.filter(roomlog_person__in=people))


def kinds_of(room: UUID) -> list[str]:
    """Return the actions of the room's log, in order."""
    return list(RoomEvent.objects.filter(room=room).order_by("seq").values_list("kind", flat=True))


def test_a_room_of_a_key_is_made_once(bench: Bench, people: People) -> None:
    """With more members than a command takes too."""
    room = ensure_room("order-7", "Order 7", users(people.alice, people.bob))
    assert ensure_room("order-7", "Another name") == room
    post_as(room, "paid", name="shop")
    post(room, users(people.bob)[0], "thanks")
    rename(room, "Order 7, paid")
    bench.worker.turn_until(carried_out)
    assert kinds_of(room) == ["create_room", "new_message", "new_message", "rename_room"]
    assert ChatRoom.objects.get().name == "Order 7, paid"
    assert members_of(room) == {people.alice, people.bob}
    assert ensure_room("order-7") == room
    assert carried_out()
    crowd = [add_user(f"user {number}") for number in range(120)]
    room = ensure_room("crowd", "Crowd", users(*crowd))
    post_as(room, "welcome")
    bench.worker.turn_until(carried_out)
    assert members_of(room) == set(crowd)
    assert kinds_of(room) == ["create_room", *["invite_user"] * 120, "new_message"]


def test_the_last_of_two_wins_and_members_are_told(bench: Bench, people: People) -> None:
    """A change that was buried does not come again."""
    room = make_room(people.alice, [people.bob])
    sync_members(room, users(people.carol))
    sync_members(room, users(people.alice, people.carol))
    bench.worker.turn_until(carried_out)
    assert members_of(room) == {people.alice, people.carol}
    before = kinds_of(room)
    sync_members(room, users(people.carol, people.alice))
    bench.worker.turn_until(carried_out)
    assert kinds_of(room) == before
    room = make_room(people.alice, [people.bob])
    bench.hear()
    sync_members(room, users(people.alice, people.carol))
    bench.worker.turn_until(carried_out)
    heard = bench.hear()
    assert [notice.left for notice in heard.notices] == [people.bob, 0]
    joined = [(user, notice.room.id) for user, notice in heard.users if isinstance(notice, Joined)]
    assert joined == [(people.carol, room)]


def test_a_crowd_comes_in_pieces_and_survives_a_restart(bench: Bench, people: People) -> None:
    """What a worker has not done, the next one does: the difference is taken anew."""
    room = make_room(people.alice)
    crowd = [people.alice, *(add_user(f"user {number}") for number in range(3 * MEMBER_CHANGES_AT_ONCE))]
    sync_members(room, users(*crowd))
    bench.worker.turn_until(lambda: len(members_of(room)) > 1)
    assert len(members_of(room)) <= 1 + MEMBER_CHANGES_AT_ONCE
    bench.successor().turn_until(carried_out)
    assert members_of(room) == set(crowd)
    assert kinds_of(room).count("invite_user") == len(crowd) - 1


def test_who_is_removed_between_two_pieces_stays_out(bench: Bench, people: People) -> None:
    """The later word counts; the sync comes to its end, and what follows in the room need not wait."""
    room = make_room(people.alice)
    crowd = [people.alice, *(add_user(f"user {number}") for number in range(2 * MEMBER_CHANGES_AT_ONCE))]
    sync_members(room, users(*crowd))
    post_as(room, "hello")
    bench.worker.turn_until(lambda: len(members_of(room)) > 1)
    (gone, *_) = members_of(room) - {people.alice}
    Membership.objects.filter(room=room, user=gone).delete()
    bench.successor().turn_until(carried_out)
    assert members_of(room) == set(crowd) - {gone}
    assert kinds_of(room)[-1] == "new_message"


def test_a_change_that_was_buried_does_not_come_again(
    bench: Bench, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are carried out, and what follows in the room."""
    room = make_room(people.alice, [people.bob])
    monkeypatch.setitem(RULES, InviteUser, fail)
    sync_members(room, users(people.alice, people.carol))
    post_as(room, "hello")
    bench.worker.turn_until(carried_out)
    assert DeadLetter.objects.get().action == "invite_user"
    assert kinds_of(room)[1:] == ["remove_user", "new_message"]


def test_other_rooms_do_not_wait(bench: Bench, people: People) -> None:
    """While one room's crowd comes in, the rows of others are carried out."""
    busy, quiet = make_room(people.alice), make_room(people.alice)
    crowd = [people.alice, *(add_user(f"user {number}") for number in range(2 * MEMBER_CHANGES_AT_ONCE))]
    sync_members(busy, users(*crowd))
    post_as(quiet, "hello")
    bench.worker.turn_until(lambda: "new_message" in kinds_of(quiet))
    assert len(members_of(busy)) < len(crowd)


@pytest.mark.parametrize("state", ["missing", "archived", "direct"])
def test_a_room_that_takes_no_members_is_left_alone(bench: Bench, people: People, state: str) -> None:
    """The row goes, and nothing of it comes again."""
    room = make_room(people.alice, [people.bob])
    match state:
        case "archived":
            ChatRoom.objects.update(archived_at="2026-01-01T00:00Z")
        case "direct":
            ChatRoom.objects.update(kind="direct")
        case _:
            room = UUID(int=7)
    before = members_of(room)
    sync_members(room, users(people.carol))
    bench.worker.turn_until(carried_out)
    assert members_of(room) == before


def test_who_is_banned_is_left_out_and_that_is_said(bench: Bench, people: People) -> None:
    """While the ban lasts; the others come, and what follows in the room is carried out."""
    room = make_room(people.alice)
    Ban.objects.create(room_id=room, user_id=people.bob, seq=1)
    sync_members(room, users(people.alice, people.bob, people.carol))
    post_as(room, "hello")
    with capture_logs() as lines:
        bench.worker.turn_until(carried_out)
    assert members_of(room) == {people.alice, people.carol}
    assert kinds_of(room)[1:] == ["invite_user", "new_message"]
    left_out = [line for line in lines if line["event"] == "sync_left_out"]
    assert [(line["room"], line["banned"]) for line in left_out] == [(room.hex, 1)]
    Ban.objects.update(until="2026-01-01T00:00Z")
    sync_members(room, users(people.alice, people.bob))
    bench.worker.turn_until(carried_out)
    assert members_of(room) == {people.alice, people.bob}


def test_code_stays_and_the_inactive_do_not_come(bench: Bench, people: People) -> None:
    """No list of users names a bot, so it stays; people who can't sign in don't become members."""
    room = make_room(people.alice)
    bot = person_of_code("bot").pk
    Membership.objects.create(room_id=room, user_id=bot)
    User.objects.filter(roomlog_person=people.carol).update(is_active=False)
    sync_members(room, users(people.bob, people.carol))
    bench.worker.turn_until(carried_out)
    assert members_of(room) == {people.bob, bot}
    Person.objects.filter(pk=people.bob).update(user=None, deleted_at="2026-01-01T00:00Z")
    sync_members(room, [])
    bench.worker.turn_until(carried_out)
    assert members_of(room) == {bot}
