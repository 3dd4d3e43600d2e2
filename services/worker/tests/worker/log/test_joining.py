"""Coming into a room without being brought: rooms that are open to everybody, and invitations."""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from roomlog.ban import Ban
from roomlog.inviting import Terms, invite, revoke
from roomlog.models import ChatRoom, Invitation, Membership
from roomlog_contract.commands import CreateRoom, JoinRoom, LeaveRoom, SetDiscoverable
from roomlog_contract.errors import ErrorCode
from roomlog_worker.log.batch import open_batch
from roomlog_worker.log.errors import HeldElsewhere
from roomlog_worker.log.rules import Recorded, carry_out, wanted_by
from tests.harness.people import People, add_user, make_room, message, write, write_one, written


def discoverable_room(people: People) -> UUID:
    """Return a room of Alice's that everybody may join."""
    room = make_room(people.alice)
    written(SetDiscoverable(uuid="d", room=room, discoverable=True), people.alice)
    return room


def join(room: UUID, token: str | None = None) -> JoinRoom:
    """Return a command of its own to come in."""
    return JoinRoom(uuid=uuid4().hex, room=room, invitation=token)


def token_of(
    room: UUID,
    people: People,
    *,
    role: str = "member",
    until: datetime | None = None,
    most_uses: int | None = None,
) -> str:
    """Return the token of a new invitation of Alice's."""
    _, token = invite(room, people.alice, uuid4().hex, Terms(role, until, most_uses))
    assert token is not None
    return token


def test_everybody_joins_a_discoverable_room(people: People) -> None:
    """As a member, to whom what was said before is not unread; a repeat is the same event."""
    room = discoverable_room(people)
    written(message(room), people.alice)
    command = join(room)
    first = written(command, people.bob)
    assert first.event.data == {"member": people.bob, "role": "member"}
    joined = Membership.objects.get(room=room, user=people.bob)
    assert (joined.role, joined.read_seq, joined.read_number) == ("member", first.event.seq, 1)
    written(LeaveRoom(uuid="l", room=room), people.bob)
    again = written(command, people.bob)
    assert (again.duplicate, again.event.id) == (True, first.event.id)
    assert not Membership.objects.filter(room=room, user=people.bob).exists()


def test_a_room_is_open_from_one_command_of_a_batch_to_another(people: People) -> None:
    """The order of the log decides; who is a member already is told so."""
    room = make_room(people.alice)
    results = write(
        *((join(room), people.bob), (SetDiscoverable(uuid="y", room=room, discoverable=True), people.alice)),
        *((join(room), people.bob), (join(room), people.bob), (message(room), people.bob)),
        *(
            (SetDiscoverable(uuid="n", room=room, discoverable=False), people.alice),
            (join(room), people.carol),
        ),
    )
    said = [str(one.event.kind if isinstance(one, Recorded) else one) for one in results]
    assert said == [
        *("not_member", "set_discoverable", "join_room", "bad_value", "new_message", "set_discoverable"),
        "not_member",
    ]


def test_a_stranger_learns_nothing_of_a_room(people: People) -> None:
    """Of a private, an archived, a direct room and none at all: without a token, and with one of no use."""
    make = CreateRoom(uuid="d", kind="direct", members=[people.bob])
    rooms = [
        written(make, people.alice).event.room_id,
        make_room(people.alice),
        make_room(people.alice),
        uuid4(),
    ]
    ChatRoom.objects.filter(pk=rooms[2]).update(archived_at=timezone.now())
    elsewhere = token_of(discoverable_room(people), people)
    for token, code in ((None, "not_member"), ("guess", "not_found"), (elsewhere, "not_found")):
        assert {str(write_one(join(room, token), people.carol)) for room in rooms} == {code}


def test_the_banned_stay_out_and_a_full_person_too(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of open rooms and by invitations; a refusal uses nothing up, and an archived room takes nobody in."""
    room = discoverable_room(people)
    closed = make_room(people.alice)
    Ban.objects.create(room_id=room, user_id=people.bob, seq=1)
    Ban.objects.create(room_id=closed, user_id=people.bob, seq=1)
    token = token_of(closed, people)
    assert [write_one(join(room), people.bob), write_one(join(closed, token), people.bob)] == ["banned"] * 2
    monkeypatch.setitem(settings.ROOMLOG, "ROOMS_PER_USER", 1)
    make_room(people.carol)
    assert write_one(join(closed, token), people.carol) == ErrorCode.TOO_MANY_ROOMS
    ChatRoom.objects.update(archived_at=timezone.now())
    assert [write_one(join(room), people.carol), write_one(join(closed, token), people.carol)] == [
        "archived"
    ] * 2
    assert Invitation.objects.get().uses == 0


def test_an_invitation_lets_people_in_until_it_is_used_up(people: People) -> None:
    """With its role, each of them once; in one batch too. A repeat uses nothing, and the event knows it."""
    room = make_room(people.alice)
    token = token_of(room, people, role="reader", most_uses=1)
    first = join(room, token)
    results = write((first, people.bob), (first, people.bob), (join(room, token), people.carol))
    kept, repeated, late = results
    assert isinstance(kept, Recorded)
    assert isinstance(repeated, Recorded)
    row = Invitation.objects.get()
    assert kept.event.data == {"member": people.bob, "role": "reader", "invitation": row.pk.hex}
    assert (repeated.duplicate, row.uses, late) == (True, 1, ErrorCode.NOT_FOUND)
    assert Membership.objects.get(room=room, user=people.bob).role == "reader"


def test_one_that_has_ended_or_was_revoked_lets_nobody_in(people: People) -> None:
    """By the worker's clock, at the moment of writing."""
    room = make_room(people.alice)
    ended, revoked = token_of(room, people), token_of(room, people)
    newest = Invitation.objects.order_by("date_created").last()
    assert newest is not None
    assert revoke(Invitation.objects.filter(pk=newest.pk)) == 1
    assert revoke(Invitation.objects.filter(pk=newest.pk)) == 0
    Invitation.objects.exclude(pk=newest.pk).update(until=timezone.now() - timedelta(seconds=1))
    for token in (ended, revoked):
        assert write_one(join(room, token), people.bob) == ErrorCode.NOT_FOUND


def test_an_invitation_ends_with_its_creators_account(people: People) -> None:
    """Nobody answers for it any more; leaving the room ends nothing."""
    room = make_room(people.alice, [people.carol])
    token = token_of(room, people)
    written(LeaveRoom(uuid="l", room=room), people.alice)
    assert isinstance(write_one(join(room, token), people.bob), Recorded)
    User.objects.get(roomlog_person=people.alice).delete()
    assert write_one(join(room, token), add_user("dora")) == ErrorCode.NOT_FOUND


@pytest.mark.usefixtures("postgres")
def test_nobody_waits_for_an_invitation_that_is_being_revoked() -> None:
    """The worker holds its shards' rooms: it comes back for the command instead."""
    people = People.make()
    room = make_room(people.alice)
    command = join(room, token_of(room, people))
    holder = connection.copy()
    try:
        with holder.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("UPDATE roomlog_invitation SET revoked_at = now()")
            with transaction.atomic(), pytest.raises(HeldElsewhere):
                carry_out(open_batch([wanted_by(command, people.bob)], timezone.now()), command, people.bob)
            cursor.execute("ROLLBACK")  # a closed connection is rolled back a moment later
    finally:
        holder.close()
    assert isinstance(write_one(command, people.bob), Recorded)
