"""The client against real processes: drains, long absences, slow programs, rooms that come and go."""

import asyncio
import hashlib
import json
from contextlib import AsyncExitStack

import pytest

from roomlog_client import Event, Item, RoomJoined, RoomlogClient
from roomlog_client.cli.account import Account
from roomlog_client.cli.messages import verify
from roomlog_client.errors import NotMember
from tests.harness.stack import Room, Stack
from tests.harness.waiting import eventually

SECONDS = 40.0
MISSED = 450
"""More than two pages."""
SENDERS = 6
"""People who fill a room together, faster than one of them may."""


class Taken:
    """What a client handed to its program."""

    def __init__(self, client: RoomlogClient) -> None:
        self.items: list[Item] = []
        self.task = asyncio.create_task(self._take(client))

    def texts(self, room: Room) -> list[str]:
        """Return the texts of one room, in the order in which they came."""
        return [item.text for item in self.items if isinstance(item, Event) and item.room == room.id]

    async def until(self, room: Room, count: int) -> list[str]:
        """Wait for so many messages and return their texts."""
        await eventually(lambda: len(self.texts(room)) >= count, SECONDS, f"{count} messages")
        return self.texts(room)

    async def _take(self, client: RoomlogClient) -> None:
        async for item in client.events():
            self.items.append(item)


async def a_room_of(stack: Stack, people: int = 2) -> Room:
    """Return a new room of so many new people; one more is there for whoever needs a stranger."""
    users = await asyncio.to_thread(stack.make_users, people + 1)
    (room,) = await asyncio.to_thread(stack.make_rooms, [users[:people]])
    return room


async def say_many(client: RoomlogClient, room: Room, count: int) -> list[str]:
    """Say many things at once and return them in the order given."""
    texts = [f"text {number}" for number in range(count)]
    sent = await asyncio.gather(*(client.send(room.id, text) for text in texts))
    assert [one.seq for one in sent] == sorted(one.seq for one in sent)
    return texts


async def fill(stack: Stack, room: Room, count: int) -> None:
    """Say so many things, as everybody in the room but the second."""
    async with AsyncExitStack() as group:
        people = [*room.members[:1], *room.members[2:]]
        clients = [RoomlogClient(stack.websocket(), person.token) for person in people]
        senders = [await group.enter_async_context(client) for client in clients]
        await asyncio.gather(*(say_many(sender, room, count // len(people)) for sender in senders))


async def test_drained_gateways_are_left_without_a_loss(shared_stack: Stack) -> None:
    """Both gateways are restarted one after the other, as in a rollout: every message, once, in order."""
    stack, room = shared_stack, await a_room_of(shared_stack)
    urls = [stack.websocket(0), stack.websocket(1)]
    alice, bob = room.members
    async with RoomlogClient(urls, alice.token) as sender, RoomlogClient(urls, bob.token) as reader:
        taken = Taken(reader)
        await asyncio.gather(sender.ready(), reader.ready())
        saying = asyncio.create_task(say_many(sender, room, 120))
        for name in ("gateway-0", "gateway-1"):
            await asyncio.to_thread(stack.restart, name)
        assert await taken.until(room, 120) == await saying


async def test_long_absence_is_read_in_pages_and_verified(shared_stack: Stack) -> None:
    """A cursor of an earlier run resumes after hundreds of messages; `verify` counts them all."""
    stack, room = shared_stack, await a_room_of(shared_stack, 1 + SENDERS)
    bob = room.members[1]
    async with RoomlogClient(stack.websocket(), bob.token) as earlier:
        await earlier.ready()
        cursors = earlier.cursors()
    await fill(stack, room, MISSED)
    async with RoomlogClient(stack.websocket(), bob.token, cursors=cursors) as later:
        texts = await Taken(later).until(room, MISSED)
    verified = await verify(Account(stack.websocket(), bob.token), room.id)
    log = "SELECT seq, uuid, text FROM roomlog_roomevent WHERE room_id = %s ORDER BY seq"
    rows = await asyncio.to_thread(stack.sql, log, room.id)
    assert texts == [text for _, _, text in rows]
    assert (verified.events, len(rows)) == (MISSED, MISSED)
    lines = (json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows)
    assert verified.digest == hashlib.sha256("".join(lines).encode()).hexdigest()


async def test_slow_program_catches_up_and_can_send(shared_stack: Stack) -> None:
    """A program that takes nothing while 1,200 messages come can still send, and then gets all, in order."""
    stack, room = shared_stack, await a_room_of(shared_stack, 1 + SENDERS)
    async with RoomlogClient(stack.websocket(), room.members[1].token) as slow:
        await slow.ready()
        await fill(stack, room, 1_200)
        assert (await slow.send(room.id, "mine")).seq == 1_201
        taken = Taken(slow)
        texts = await taken.until(room, 1_201)
        assert texts[-1] == "mine"
        seqs = [item.seq for item in taken.items if isinstance(item, Event)]
        assert seqs == list(range(1, 1_202))


async def test_rooms_come_and_go(shared_stack: Stack) -> None:
    """A made room is joined by all that it names; who leaves can't send, and hears nothing more."""
    stack, room = shared_stack, await a_room_of(shared_stack)
    alice, bob = room.members
    url = stack.websocket()
    async with RoomlogClient(url, alice.token) as one, RoomlogClient(url, bob.token) as other:
        taken = Taken(other)
        await other.ready()
        made = await one.create_room("club", [bob.id])
        again = await one.create_room("club", [bob.id], uuid=made.uuid)
        assert (again.room, again.seq, again.duplicate) == (made.room, 1, True)
        club = Room(made.room, "club", (alice, bob))
        await eventually(lambda: _joined(taken, club), SECONDS, "bob's room_joined")
        await one.send(club.id, "hello")
        assert await taken.until(club, 1) == ["hello"]
        await other.leave_room(club.id)
        with pytest.raises(NotMember):
            await other.send(club.id, "no more")


def _joined(taken: Taken, room: Room) -> bool:
    return any(isinstance(item, RoomJoined) and item.room.id == room.id for item in taken.items)
