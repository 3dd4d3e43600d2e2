"""The fast path in SQLite's words refuses what PostgreSQL's refuses: it is held to the same changes.

`services/worker/tests/worker/log/test_single_message.py` holds the product's own.
"""

import asyncio
import random
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import transaction
from django.utils import timezone

from roomlog.epochs import new_epoch
from roomlog.models import Block, ChatRoom, Membership, RoomEvent, RoomHead
from roomlog_contract.commands import CreateRoom, NewMessage, RoomWrite
from roomlog_contract.keyspace import Keyspace
from roomlog_contract.shards import room_of
from roomlog_worker.log import rules
from roomlog_worker.log.batch import Batch, open_batch
from roomlog_worker.log.leases import release_leases, take_leases
from roomlog_worker.log.room_cache import RoomCache
from roomlog_worker.log.statements import LeaseRow
from tests.simulation.database import Server, sessions_of
from tests.simulation.loop import SimulatedLoop, run
from tests.simulation.processes import Process
from tests.simulation.single_path import on_sqlite
from tests.simulation.store import new_store

OWNER, OTHER = UUID(int=1), UUID(int=2)
ALICE, BOB = 1, 2
MADE = CreateRoom(uuid="made", members=[BOB])
ROOM = room_of(MADE, ALICE)
SHARD = Keyspace().shard_of_room(ROOM)


def usual(command: RoomWrite, user: int) -> Batch:
    """Write a command the usual way."""
    with transaction.atomic():
        batch = open_batch([rules.wanted_by(command, user)], timezone.now())
        rules.carry_out(batch, command, user, staff=True)
        batch.store()
    return batch


def message(uuid: str) -> NewMessage:
    """Return a message of Bob's."""
    return NewMessage(uuid=uuid, room=ROOM, text="hi")


def fast(change: Callable[[], object], uuid: str) -> tuple[bool, list[str]]:
    """Write a message of a cached room after a change; return whether it was stored, and all uuids."""
    found: list[tuple[bool, list[str]]] = []

    def write() -> None:
        assert take_leases({SHARD: 0}, OWNER) == {SHARD}
        usual(MADE, ALICE)
        cache = RoomCache()
        cache.update(usual(message("first"), BOB))
        change()
        batch = cache.batch(ROOM, BOB, timezone.now())
        assert batch is not None
        rules.carry_out(batch, message(uuid), BOB)
        stored = batch.store_single(LeaseRow(SHARD, OWNER, 1), cache.next_id(), lambda: None)
        found.append((stored, list(RoomEvent.objects.order_by("seq").values_list("uuid", flat=True))))

    async def simulate(loop: SimulatedLoop) -> None:
        with sessions_of(Server(loop, random.Random(1), store.path)), on_sqlite(lambda: None):
            Process(loop, "one").begin(write)
            await asyncio.sleep(5)
        assert loop.complaints == []

    with new_store() as store:
        run(simulate, 1)
    return found[0]


def _block(kind: str) -> None:
    """Have Alice block Bob, in a room of this kind."""
    ChatRoom.objects.update(kind=kind)
    Block.objects.create(blocker_id=ALICE, blocked_id=BOB)


def test_a_block_keeps_nobody_from_writing_to_a_group() -> None:
    """It is of interest in direct rooms alone."""
    assert fast(lambda: _block(ChatRoom.Kind.GROUP), "second")[0]


def test_it_is_stored_if_nothing_has_changed() -> None:
    """Behind the others, with the head moved."""
    assert fast(lambda: None, "second") == (True, ["made", "first", "second"])


@pytest.mark.parametrize(
    "change",
    [
        lambda: Membership.objects.filter(user_id=BOB).delete(),
        lambda: Membership.objects.update(muted_until=timezone.now() + timedelta(hours=1)),
        lambda: ChatRoom.objects.update(archived_at=timezone.now()),
        lambda: _block(ChatRoom.Kind.DIRECT),
        lambda: RoomHead.objects.update(last_seq=5),
        lambda: new_epoch("another"),
        lambda: take_leases({SHARD: 1}, OTHER),
        lambda: release_leases([SHARD], OWNER),
    ],
)
def test_nothing_is_stored_on_an_old_guess(change: Callable[[], object]) -> None:
    """Whatever changed since: member, mute, room, block, head, epoch or lease."""
    assert fast(change, "second") == (False, ["made", "first"])


def test_a_repeat_is_left_to_the_usual_way() -> None:
    """The unique key finds it."""
    assert fast(lambda: None, "first") == (False, ["made", "first"])


def test_a_mute_that_is_over_silences_nobody() -> None:
    """It ends by the clock of the message."""
    over = timezone.now() - timedelta(hours=1)
    assert fast(lambda: Membership.objects.update(muted_until=over), "second")[0]
