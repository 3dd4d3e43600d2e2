"""Roles, mutes and bans by a worker: who hears of them, and that no cached room forgets them."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from roomlog.models import Membership
from roomlog_contract.commands import (
    ArchiveRoom,
    BanUser,
    InviteUser,
    MuteUser,
    RenameRoom,
    RestoreRoom,
    RoomWrite,
    SetRole,
    UnbanUser,
    UnmuteUser,
)
from roomlog_contract.envelope import Rights
from tests.harness.people import People, make_room, message
from tests.worker.bench import ON_POSTGRES, Bench


@pytest.fixture
def room(bench: Bench, people: People) -> UUID:
    """Return alice's room; bob has spoken in it, so that a worker on PostgreSQL has him cached."""
    room = make_room(people.alice, [people.bob])
    for _ in range(2):
        bench.send(message(room), people.bob)
        bench.turn()
    return room


def test_a_ban_says_whose_membership_ended(bench: Bench, people: People, room: UUID) -> None:
    """As a removal does, for the gateways: a repeat too. An unban and an invitation say nothing like it."""
    ban = BanUser(uuid="b", room=room, user=people.bob)
    commands = (
        *(ban, ban, InviteUser(uuid="i", room=room, user=people.bob)),
        *(UnbanUser(uuid="u", room=room, user=people.bob), InviteUser(uuid="j", room=room, user=people.bob)),
    )
    told, errors = [], []
    for command in commands:
        request = bench.send(command, people.alice)
        heard = bench.turn()
        told.append([(notice.seq, notice.left) for notice in heard.notices])
        errors += [heard.error(request)] if request in heard.replies else []
    assert told == [[(4, people.bob)], [(4, people.bob)], [], [(5, 0)], [(6, 0)]]
    assert errors == [None, "banned"]


def test_gateways_hear_who_may_write(bench: Bench, people: People, room: UUID) -> None:
    """Each event that changes it says so, a repeat too; others say nothing."""
    mute = MuteUser(uuid="m", room=room, user=people.bob)
    commands = (
        *(SetRole(uuid="r", room=room, user=people.bob, role="reader"), mute, mute),
        *(UnmuteUser(uuid="u", room=room, user=people.bob), RenameRoom(uuid="n", room=room, name="x")),
        *(ArchiveRoom(uuid="a", room=room), RestoreRoom(uuid="o", room=room)),
    )
    told = []
    for command in commands:
        bench.send(command, people.alice)
        told += [notice.rights for notice in bench.turn().notices]
    assert told == [
        Rights(people.bob, role="reader"),
        *[Rights(people.bob, muted=True)] * 2,
        Rights(people.bob, muted=False),
        None,
        Rights(archived=True),
        Rights(archived=False),
    ]


@ON_POSTGRES
@pytest.mark.parametrize(
    ("command", "code"),
    [
        (lambda room, bob: SetRole(uuid="c", room=room, user=bob, role="reader"), "forbidden"),
        (lambda room, bob: MuteUser(uuid="c", room=room, user=bob), "muted"),
        (lambda room, bob: BanUser(uuid="c", room=room, user=bob), "not_member"),
    ],
)
def test_who_is_cached_is_refused_at_once(
    bench: Bench, people: People, room: UUID, command: Callable[[UUID, int], RoomWrite], code: str
) -> None:
    """The next message alone, and the one behind it in the same batch."""
    bench.send(command(room, people.bob), people.alice)
    bench.turn()
    for number in (1, 2):
        requests = [bench.send(message(room), people.bob) for _ in range(number)]
        heard = bench.turn()
        assert [heard.error(request) for request in requests] == [code] * number


def test_a_mute_that_is_over_ends_without_an_event(bench: Bench, people: People, room: UUID) -> None:
    """Whatever the cache says: the member is heard, and the room's next seq is the message's."""
    until = int(timezone.now().timestamp()) + 3_600
    bench.send(MuteUser(uuid="m", room=room, user=people.bob, until=until), people.alice)
    bench.turn()
    request = bench.send(message(room), people.bob)
    assert bench.turn().error(request) == "muted"
    Membership.objects.filter(user=people.bob).update(muted_until=timezone.now() - timedelta(seconds=1))
    for seq in (5, 6):
        bench.send(message(room), people.bob)
        assert bench.turn().seqs() == [seq]
