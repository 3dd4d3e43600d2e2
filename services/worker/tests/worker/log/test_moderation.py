"""Roles, mutes and bans: what they forbid, when they end, and what is stored of them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from roomlog import selectors
from roomlog.ban import FOREVER
from roomlog.frames import frame_of
from roomlog.models import Ban, Membership, Person
from roomlog_contract.commands import (
    AddReaction,
    BanUser,
    EditMessage,
    InviteUser,
    LeaveRoom,
    MuteUser,
    RemoveReaction,
    RemoveUser,
    Role,
    RoomWrite,
    SetRole,
    UnbanUser,
    UnmuteUser,
)
from roomlog_contract.errors import ErrorCode
from roomlog_worker.log.batch import open_batch
from roomlog_worker.log.errors import HeldElsewhere
from roomlog_worker.log.rules import Recorded, carry_out, wanted_by
from tests.harness.databases import held_elsewhere
from tests.harness.people import People, Result, add_user, make_room, message, write, write_one, written

NOBODY = 999_999


def soon(seconds: float = 3_600) -> int:
    """Return a time from now, in seconds since 1970."""
    return int(timezone.now().timestamp() + seconds)


def role(room: UUID, user: int, name: Role) -> SetRole:
    """Return a command."""
    return SetRole(uuid=uuid4().hex, room=room, user=user, role=name)


def mute(room: UUID, user: int, until: int | None = None) -> MuteUser:
    """Return a command."""
    return MuteUser(uuid=uuid4().hex, room=room, user=user, until=until)


def unmute(room: UUID, user: int) -> UnmuteUser:
    """Return a command."""
    return UnmuteUser(uuid=uuid4().hex, room=room, user=user)


def ban(room: UUID, user: int, until: int | None = None) -> BanUser:
    """Return a command."""
    return BanUser(uuid=uuid4().hex, room=room, user=user, until=until)


def unban(room: UUID, user: int) -> UnbanUser:
    """Return a command."""
    return UnbanUser(uuid=uuid4().hex, room=room, user=user)


def invite(room: UUID, user: int, name: Role = "member") -> InviteUser:
    """Return a command."""
    return InviteUser(uuid=uuid4().hex, room=room, user=user, role=name)


def said(results: list[Result]) -> list[str]:
    """Return `yes` or the code of each."""
    return ["yes" if isinstance(one, Recorded) else str(one) for one in results]


def body(recorded: Recorded) -> dict[str, Any]:
    """Return what the event's frame has besides its place."""
    frame = frame_of(recorded.event, recorded.epoch, selectors.users_of([recorded.event]))
    names = set(frame.__struct_fields__) - {"uuid", "status", "room", "epoch", "seq", "duplicate"}
    return {name: getattr(frame, name) for name in names}


@pytest.fixture
def room(people: People) -> UUID:
    """Return alice's room, in which bob is."""
    return make_room(people.alice, [people.bob])


@pytest.mark.parametrize("is_one_batch", [True, False])
def test_a_reader_reads_and_leaves_and_writes_nothing(people: People, room: UUID, is_one_batch: bool) -> None:
    """In the batch that made them one too; what they said and reacted before is theirs to take back."""
    mine = written(message(room), people.bob).event.id
    written(AddReaction(uuid="r", room=room, message=mine, emoji="👍"), people.bob)
    bob: list[RoomWrite] = [
        message(room),
        EditMessage(uuid="e", room=room, message=mine, text="x"),
        EditMessage(uuid="e2", room=room, message=NOBODY, text="x"),
        AddReaction(uuid="a", room=room, message=mine, emoji="🎉"),
        invite(room, people.carol, "reader"),
        RemoveReaction(uuid="rr", room=room, message=mine, emoji="👍"),
        LeaveRoom(uuid="l", room=room),
    ]
    commands: list[tuple[RoomWrite, int]] = [
        (role(room, people.bob, "reader"), people.alice),
        *((one, people.bob) for one in bob),
    ]
    results = write(*commands) if is_one_batch else [write_one(*command) for command in commands]
    assert said(results) == ["yes", *["forbidden"] * 5, "yes", "yes"]


def test_somebody_can_be_invited_as_a_reader(people: People, room: UUID) -> None:
    """By any member but readers."""
    assert body(written(invite(room, people.carol, "reader"), people.bob))["member"].role == "reader"
    assert write_one(message(room), people.carol) is ErrorCode.FORBIDDEN


def test_a_role_is_stored_and_told(people: People, room: UUID) -> None:
    """The event has the new role; the mute stays."""
    written(mute(room, people.bob), people.alice)
    told = body(written(role(room, people.bob, "admin"), people.alice))
    assert (told["user"].id, told["member"].id, told["member"].role) == (people.alice, people.bob, "admin")
    stored = Membership.objects.get(room=room, user=people.bob)
    assert (stored.role, stored.muted_until) == ("admin", FOREVER)
    assert write_one(message(room), people.bob) is ErrorCode.MUTED


def test_roles_can_be_given_up(people: People, room: UUID) -> None:
    """The last owner's too; what is given up is gone at once, and no role is given twice."""
    written(role(room, people.bob, "admin"), people.alice)
    results = write(
        (role(room, people.bob, "owner"), people.bob),
        (role(room, people.alice, "member"), people.bob),
        (role(room, people.bob, "admin"), people.bob),
        (role(room, NOBODY, "member"), people.bob),
        (role(room, people.bob, "reader"), people.bob),
        (role(room, people.bob, "member"), people.bob),
        (role(room, people.alice, "member"), people.alice),
        (role(room, people.alice, "owner"), people.alice),
    )
    assert said(results) == [
        *("forbidden", "forbidden", "bad_value", "not_found", "yes", "forbidden", "yes", "forbidden"),
    ]


@pytest.mark.parametrize("is_one_batch", [True, False])
def test_a_muted_member_is_muted_until_unmuted(people: People, room: UUID, is_one_batch: bool) -> None:
    """A second mute replaces the end; who is not muted can't be unmuted."""
    commands: list[tuple[RoomWrite, int]] = [
        (unmute(room, people.bob), people.alice),
        (mute(room, people.bob, soon()), people.alice),
        (message(room), people.bob),
        (mute(room, people.bob), people.alice),
        (message(room), people.bob),
        (unmute(room, people.bob), people.alice),
        (message(room), people.bob),
        (unmute(room, people.bob), people.alice),
    ]
    results = write(*commands) if is_one_batch else [write_one(*command) for command in commands]
    assert said(results) == ["bad_value", "yes", "muted", "yes", "muted", "yes", "yes", "bad_value"]
    assert Membership.objects.get(room=room, user=people.bob).muted_until is None


def test_a_mute_says_when_it_ends(people: People, room: UUID) -> None:
    """As it was asked for: null is without an end, and stored as the last day."""
    until = soon()
    told = body(written(mute(room, people.bob, until), people.alice))
    assert (told["until"], told["member"].role) == (until, "member")
    stored = Membership.objects.get(room=room, user=people.bob)
    assert stored.muted_until == datetime.fromtimestamp(until, UTC)
    assert body(written(mute(room, people.bob), people.alice))["until"] is None
    stored.refresh_from_db()
    assert stored.muted_until == FOREVER
    assert FOREVER.astimezone(timezone.get_fixed_timezone(14 * 60)).year == 9999


def test_a_mute_ends_without_an_event(people: People, room: UUID) -> None:
    """By the clock alone, then counting as none; who leaves comes back with a voice."""
    written(mute(room, people.bob, soon()), people.alice)
    Membership.objects.filter(user=people.bob).update(muted_until=timezone.now() - timedelta(seconds=1))
    assert isinstance(write_one(message(room), people.bob), Recorded)
    assert write_one(unmute(room, people.bob), people.alice) is ErrorCode.BAD_VALUE
    written(mute(room, people.bob), people.alice)
    written(LeaveRoom(uuid="l", room=room), people.bob)
    written(invite(room, people.bob), people.alice)
    assert isinstance(write_one(message(room), people.bob), Recorded)


@pytest.mark.parametrize("make", [mute, ban])
def test_an_end_is_in_the_future(
    people: People, room: UUID, make: Callable[[UUID, int, int | None], MuteUser | BanUser]
) -> None:
    """And nobody mutes or bans themselves; who is not there comes before both."""
    for until, expected in ((1, "bad_value"), (soon(-1), "bad_value"), (soon(5), "yes")):
        assert said([write_one(make(room, people.bob, until), people.alice)]) == [expected]
    assert write_one(make(room, people.alice, None), people.alice) is ErrorCode.BAD_VALUE
    assert write_one(make(room, NOBODY, 1), people.alice) is ErrorCode.NOT_FOUND


@pytest.mark.parametrize("is_one_batch", [True, False])
def test_who_is_banned_is_out_until_the_ban_is_lifted(people: People, room: UUID, is_one_batch: bool) -> None:
    """Nobody can invite them meanwhile, staff neither; and then somebody must."""
    commands: list[tuple[RoomWrite, int]] = [
        (unban(room, people.bob), people.alice),
        (ban(room, people.bob), people.alice),
        (message(room), people.bob),
        (invite(room, people.bob), people.alice),
        (RemoveUser(uuid="r", room=room, user=people.bob), people.alice),
        (unban(room, people.bob), people.alice),
        (message(room), people.bob),
        (unban(room, people.bob), people.alice),
        (invite(room, people.bob), people.alice),
        (message(room), people.bob),
    ]
    results = write(*commands) if is_one_batch else [write_one(*command) for command in commands]
    assert said(results) == [
        *("not_found", "yes", "not_member", "banned", "not_found"),
        *("yes", "not_member", "not_found", "yes", "yes"),
    ]
    written(ban(room, people.bob), people.alice)
    assert write_one(invite(room, people.bob), people.carol, staff=True) is ErrorCode.BANNED


def test_a_ban_is_stored_and_told(people: People, room: UUID) -> None:
    """With the role that they had, or as a member's; a second one replaces the end."""
    written(role(room, people.bob, "admin"), people.alice)
    until = soon()
    first = written(ban(room, people.bob, until), people.alice)
    assert (body(first)["member"].role, body(first)["until"]) == ("admin", until)
    stored = Ban.objects.get(room=room, user=people.bob)
    assert (stored.until, stored.seq) == (datetime.fromtimestamp(until, UTC), first.event.seq)
    second = written(ban(room, people.bob), people.alice)
    assert (body(second)["member"].role, body(second)["until"]) == ("member", None)
    stored.refresh_from_db()
    assert (stored.until, stored.seq) == (None, second.event.seq)
    lifted = body(written(unban(room, people.bob), people.alice))
    assert (lifted["member"].id, lifted["member"].role) == (people.bob, "member")


def test_a_ban_ends_by_the_clock_or_with_the_account(people: People, room: UUID) -> None:
    """It can't be lifted then; an account need not be active to be banned, but be there."""
    written(ban(room, people.bob, soon()), people.alice)
    Ban.objects.update(until=timezone.now() - timedelta(seconds=1))
    assert write_one(unban(room, people.bob), people.alice) is ErrorCode.NOT_FOUND
    assert isinstance(write_one(invite(room, people.bob), people.alice), Recorded)
    inactive = add_user("inactive", is_active=False)
    assert isinstance(write_one(ban(room, inactive), people.alice), Recorded)
    User.objects.filter(roomlog_person=people.carol).delete()
    code = Person.objects.create(name="bot").pk
    assert [write_one(ban(room, one), people.alice) for one in (people.carol, code)] == ["not_found"] * 2


@pytest.mark.usefixtures("postgres")
@pytest.mark.parametrize("make", [ban, unban])
def test_a_ban_waits_for_no_deletion(make: Callable[[UUID, int], BanUser | UnbanUser]) -> None:
    """Another transaction deletes the account just now: the command comes again, and nothing was changed."""
    people = People.make()
    room = make_room(people.alice)
    Ban.objects.create(room_id=room, user_id=people.carol, seq=1)
    command = make(room, people.carol)
    being_deleted = held_elsewhere("roomlog_person WHERE id = %s", people.carol, strength="UPDATE")
    with being_deleted, transaction.atomic():
        batch = open_batch([wanted_by(command, people.alice)], timezone.now())
        with pytest.raises(HeldElsewhere):
            carry_out(batch, command, people.alice)
        assert not batch.events
    assert isinstance(write_one(command, people.alice), Recorded)


def test_bans_go_with_the_account(people: People, room: UUID) -> None:
    """Who is deleted can't be told from anybody else who was."""
    written(ban(room, people.bob), people.alice)
    User.objects.get(roomlog_person=people.bob).delete()
    assert not Ban.objects.exists()
