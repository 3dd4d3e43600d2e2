"""Rooms from a project's own code: each call is a row of the caller's transaction, and can come again."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import Group, User
from django.db import connection, transaction
from django.db.models.signals import m2m_changed
from django.dispatch import receiver
from msgspec import UNSET

from roomlog import rooms
from roomlog.ban import FOREVER
from roomlog.frames import message_of, parsed
from roomlog.models import Ban, ChatMessage, Membership, PendingCommand, Person, RoomEvent
from roomlog.people import person_of_code
from roomlog.selectors import in_present_state, pinned_messages, summaries_by_user, users_of
from roomlog_contract.commands import CreateRoom, NewMessage
from roomlog_contract.envelope import SyncMembers, decode_envelope
from roomlog_contract.errors import ErrorCode, RefusedCommand
from tests.harness.accounts import Work
from tests.harness.people import id_of, make_room
from tests.harness.waiting import wait_until

pytestmark = pytest.mark.django_db
ROOM = UUID(int=7)


def waiting() -> list[object]:
    """Return the commands that wait, the oldest first."""
    rows = PendingCommand.objects.order_by("id")
    return [decode_envelope(bytes(row.envelope)).command for row in rows]


def test_a_room_waits_once_for_its_key(alice: User) -> None:
    """Its id is known at once; another key is another room; what is rolled back never was."""
    room = rooms.ensure_room("order-7", "Order 7", [alice])
    assert rooms.ensure_room("order-7", "Order 7", [alice]) == room
    assert rooms.ensure_room("order-8") != room
    with transaction.atomic():
        rooms.ensure_room("order-9")
        transaction.set_rollback(True)
    first, second = waiting()
    assert isinstance(first, CreateRoom)
    assert isinstance(second, CreateRoom)
    assert (first.name, first.members) == ("Order 7", [id_of(alice)])
    with pytest.raises(RefusedCommand):
        rooms.ensure_room("order-10", "x" * 201)


def test_code_speaks_under_a_name_of_its_own(alice: User) -> None:
    """One person for each name, who has no account; a user of the same name is somebody else."""
    room = make_room(id_of(alice))
    rooms.post_as(room, "paid", name="alice", uuid="u")
    rooms.post_as(room, "sent", name="alice")
    rooms.post_as(room, "by nobody in particular")
    paid, *_ = waiting()
    assert paid == NewMessage(uuid="u", room=room, text="paid")
    assert person_of_code("alice").pk != id_of(alice)
    assert [row.user.name for row in PendingCommand.objects.order_by("id")] == ["alice", "alice", "system"]
    assert Person.objects.filter(name="alice").count() == 2


def test_a_room_is_archived_and_restored_in_the_order_of_the_calls(alice: User, work: Work) -> None:
    """By the project, whoever owns it; what is said meanwhile is refused, and a summary tells."""
    room = make_room(id_of(alice))
    with pytest.raises(RefusedCommand):
        rooms.archive(ROOM)
    rooms.archive(room)
    rooms.archive(room)
    rooms.post(room, alice, "too late")
    assert work() == ["archived", "archived"]
    (told,) = summaries_by_user([id_of(alice)])[id_of(alice)]
    assert told.archived
    rooms.restore(room)
    rooms.post(room, alice, "again")
    rooms.restore(room)
    assert work() == ["bad_value"]
    kinds = RoomEvent.objects.filter(room=room).values_list("kind", flat=True)
    assert list(kinds) == ["create_room", "archive_room", "restore_room", "new_message"]


def test_data_travel_with_a_message(alice: User, work: Work) -> None:
    """Stored with it, however the keys are ordered; other data with the same uuid are a conflict."""
    room = make_room(id_of(alice))
    data: dict[str, Any] = {"order": 7, "lines": [{"name": "tea", "price": 2.5}], "note": None}
    for _ in range(2):
        rooms.post(room, alice, "paid", uuid="u", data=data)
        data = dict(reversed(data.items()))
    with pytest.raises(RefusedCommand):
        rooms.post(room, alice, "paid", uuid="u")
    assert work() == []
    with pytest.raises(RefusedCommand) as refused:
        rooms.post(room, alice, "paid", uuid="u", data={"order": 8})
    assert refused.value.code is ErrorCode.UUID_CONFLICT
    rooms.post_as(room, "without", data={})
    rooms.post_as(room, "as code", data={"order": 9})
    assert work() == []
    found = ChatMessage.objects.filter(room=room).order_by("seq")
    shown = [parsed(message_of(row, users_of([row]))).data for row in found]
    assert shown == [data, UNSET, {"order": 9}]


def test_code_reacts_for_a_member(alice: User, bob: User, work: Work) -> None:
    """What is no message of the room is refused at once."""
    room = make_room(id_of(alice), [id_of(bob)])
    rooms.post(room, alice, "hers", uuid="hers")
    assert work() == []
    hers = ChatMessage.objects.get(room=room, uuid="hers")
    rooms.add_reaction(room, hers.pk, "👍", bob)
    assert work() == []
    (shown,) = in_present_state([ChatMessage.objects.get(pk=hers.pk)], id_of(bob))
    assert shown.reactions["👍"].mine
    rooms.remove_reaction(room, hers.pk, "👍", bob)
    assert work() == []
    (shown,) = in_present_state([ChatMessage.objects.get(pk=hers.pk)], id_of(bob))
    assert shown.reactions == {}
    for call in (rooms.add_reaction, rooms.remove_reaction):
        with pytest.raises(RefusedCommand) as refused:
            call(room, 999_999, "👍", bob)
        assert refused.value.code is ErrorCode.NOT_FOUND


def test_code_pins(alice: User, bob: User, work: Work) -> None:
    """As itself, or as a member by the rules; what is no message of the room is refused at once."""
    room = make_room(id_of(alice), [id_of(bob)])
    rooms.post(room, bob, "his", uuid="his")
    assert work() == []
    his = ChatMessage.objects.get(room=room, uuid="his").pk
    for who in (None, alice):
        rooms.pin_message(room, his, user=who)
        assert work() == []
        assert [row.pk for row in pinned_messages(room, 9)] == [his]
        rooms.unpin_message(room, his, user=who)
        assert work() == []
        assert pinned_messages(room, 9) == []
    rooms.pin_message(room, his, user=bob)
    assert work() == ["forbidden"]
    for call in (rooms.pin_message, rooms.unpin_message):
        with pytest.raises(RefusedCommand) as refused:
            call(room, 999_999)
        assert refused.value.code is ErrorCode.NOT_FOUND


def test_code_edits_its_own_messages_and_deletes_anybodys(alice: User, bob: User, work: Work) -> None:
    """Under its name, or as the user who wrote it; others' words stay theirs."""
    room = make_room(id_of(alice))
    rooms.post(room, alice, "hers", uuid="hers")
    rooms.post_as(room, "code's", uuid="code")
    assert work() == []
    hers, codes = (ChatMessage.objects.get(room=room, uuid=uuid).pk for uuid in ("hers", "code"))
    rooms.edit_message(room, codes, "code's, edited")
    rooms.edit_message(room, hers, "hers, edited", user=alice)
    for wrong in ({"user": bob}, {"name": "bot"}, {}):
        with pytest.raises(RefusedCommand) as refused:
            rooms.edit_message(room, hers, "not hers", **wrong)
        assert refused.value.code is ErrorCode.FORBIDDEN
    assert work() == []
    found = list(ChatMessage.objects.filter(room=room).order_by("seq"))
    assert [one.text for one in in_present_state(found)] == ["hers, edited", "code's, edited"]
    for number in (hers, codes):
        rooms.delete_message(room, number)
    assert work() == []
    assert set(RoomEvent.objects.filter(room=room).values_list("text", flat=True)) == {""}
    with pytest.raises(RefusedCommand) as refused:
        rooms.delete_message(room, hers)
    assert refused.value.code is ErrorCode.NOT_FOUND


@pytest.mark.parametrize(
    "data",
    [{"a": float("nan")}, {"a": 2**53 + 1}, {"a": "\0"}, {"a": "\ud800"}, {"a": object()}, {"a": "x" * 4089}],
    ids=["no number", "too large a number", "NUL", "half a pair", "no JSON", "too long"],
)
def test_data_that_cannot_travel_are_refused(alice: User, data: dict[str, Any]) -> None:
    """At once; what just fits is taken."""
    room = make_room(id_of(alice))
    with pytest.raises(RefusedCommand) as refused:
        rooms.post(room, alice, "hello", data=data)
    assert refused.value.code is ErrorCode.BAD_VALUE
    rooms.post(room, alice, "hello", data={"a": "x" * 4088})


def test_code_moderates(alice: User, bob: User, work: Work) -> None:
    """As staff: no role stands above it. A moment counts to the end of its second."""
    room = make_room(id_of(alice), [id_of(bob)])
    end = datetime(2999, 1, 1, 12, 0, 0, 1, tzinfo=UTC)
    rooms.set_role(room, alice, "reader")
    rooms.mute_user(room, bob, until=end)
    assert work() == []
    assert set(Membership.objects.filter(room=room).values_list("role", "muted_until")) == {
        ("reader", None),
        ("member", end.replace(second=1, microsecond=0)),
    }
    rooms.unmute_user(room, bob)
    rooms.mute_user(room, alice)
    rooms.ban_user(room, bob)
    assert work() == []
    assert list(Membership.objects.filter(room=room).values_list("user", "muted_until")) == [
        (id_of(alice), FOREVER)
    ]
    assert Ban.objects.get(room=room).until is None
    rooms.unban_user(room, bob)
    assert work() == []
    assert not Ban.objects.exists()
    with pytest.raises(RefusedCommand):
        rooms.mute_user(room, alice, until=FOREVER + timedelta(hours=1))


@pytest.mark.parametrize("call", [rooms.post_as, rooms.rename])
def test_what_is_sure_to_be_refused_is_refused_at_once(call: Callable[[UUID, str], object]) -> None:
    """A room that is not there and does not wait to be made; a text that nobody could send."""
    with pytest.raises(RefusedCommand) as refused:
        call(ROOM, "hello")
    assert refused.value.code is ErrorCode.NOT_MEMBER
    with pytest.raises(RefusedCommand):
        call(rooms.ensure_room("order-7"), "\0")


def test_unread_messages_are_counted_by_room(alice: User, bob: User) -> None:
    """Only rooms that the user belongs to count."""
    room = make_room(id_of(alice), [id_of(bob)])
    make_room(id_of(alice))
    assert rooms.unread(bob) == {room: 0}


@pytest.mark.django_db(transaction=True)
def test_each_function_has_a_twin_for_asynchronous_code(alice: User) -> None:
    """Named as Django names its own; it does the same in a transaction of its own."""
    names = ["ensure_room", "sync_members", "post", "post_as", "edit_message", "delete_message"]
    names += ["add_reaction", "remove_reaction", "pin_message", "unpin_message"]
    names += ["set_role", "mute_user", "unmute_user", "ban_user", "unban_user"]
    names += ["rename", "set_topic", "set_discoverable", "set_receipts", "archive", "restore", "unread"]
    assert all(asyncio.iscoroutinefunction(getattr(rooms, f"a{name}")) for name in names)
    room = asyncio.run(rooms.aensure_room("order-7", "Order 7", [alice]))
    assert room == rooms.ensure_room("order-7")
    assert len(waiting()) == 1


@pytest.fixture
def mirrored() -> Iterator[None]:
    """Groups have rooms, by the receiver of docs/your-project.md."""
    page = Path(__file__).parents[4].joinpath("docs/your-project.md").read_text(encoding="utf-8")
    (code,) = (block for block in page.split("```python\n") if block.startswith("@receiver(m2m_changed"))
    names: dict[str, Any] = {
        "receiver": receiver,
        "m2m_changed": m2m_changed,
        "rooms": rooms,
        "User": User,
        "Group": Group,
    }
    exec(code.partition("```")[0], names)
    yield
    m2m_changed.disconnect(names["mirror"], sender=User.groups.through)


@pytest.mark.usefixtures("mirrored")
def test_a_room_follows_a_many_to_many_field(alice: User, bob: User) -> None:
    """From both ends, whatever the call: add, remove, clear, set; a rolled-back one changes nothing."""
    first, second = (Group.objects.create(name=name) for name in ("first", "second"))
    changes: list[tuple[Callable[[], object], dict[Group, set[User]]]] = [
        (lambda: alice.groups.add(first, second), {first: {alice}, second: {alice}}),
        (lambda: first.user_set.add(bob), {first: {alice, bob}}),
        (lambda: alice.groups.remove(second), {second: set()}),
        (lambda: bob.groups.set([second]), {first: {alice}, second: {bob}}),
        (lambda: first.user_set.set([bob]), {first: {bob}}),
        (bob.groups.clear, {first: set(), second: set()}),
        (lambda: second.user_set.add(alice, bob), {second: {alice, bob}}),
        (second.user_set.clear, {second: set()}),
    ]
    for change, expected in changes:
        before = PendingCommand.objects.count()
        change()
        synced = [command for command in waiting()[before:] if isinstance(command, SyncMembers)]
        last = {command.room: set(command.users) for command in synced}
        assert last == {
            rooms.ensure_room(f"group-{group.pk}"): {id_of(user) for user in users}
            for group, users in expected.items()
        }
    before = PendingCommand.objects.count()
    with transaction.atomic():
        first.user_set.add(alice)
        transaction.set_rollback(True)
    assert PendingCommand.objects.count() == before


@pytest.mark.usefixtures("postgres")
def test_two_calls_at_once_end_with_what_both_have_done(alice: User, bob: User) -> None:
    """The second reads its users when the first has committed, so its row names them all and comes last."""
    room = make_room(id_of(alice))
    staff = User.objects.filter(is_staff=True)
    other = Thread(target=_make_staff_and_sync, args=(bob.pk, room))
    with transaction.atomic():
        rooms.sync_members(room, staff)
        other.start()
        wait_until(_somebody_waits_for_a_lock, 10, "the other call waits")
        User.objects.filter(pk=alice.pk).update(is_staff=True)
        rooms.sync_members(room, staff)
    other.join(10)
    *_, last = waiting()
    assert isinstance(last, SyncMembers)
    assert set(last.users) == {id_of(alice), id_of(bob)}


def _make_staff_and_sync(user: int, room: UUID) -> None:
    try:
        with transaction.atomic():
            User.objects.filter(pk=user).update(is_staff=True)
            rooms.sync_members(room, User.objects.filter(is_staff=True))
    finally:
        connection.close()


def _somebody_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        (number,) = cursor.fetchone()
    return bool(number)
