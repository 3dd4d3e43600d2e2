"""Read marks: one for all clients of a user."""

from roomlog_client import Event, Item, RoomlogClient, RoomMarked
from roomlog_client.testing import FakeServer
from tests.client.test_client import ROOM, joined, server

__all__ = ["server"]


async def test_all_clients_of_a_user_learn_of_a_read_mark(server: FakeServer) -> None:
    """The answer is the room as it is now; the mark never goes back, and other people hear nothing of it."""
    for number in range(3):
        await server.post(ROOM, "bob", f"text {number}")
    async with (
        RoomlogClient(server.url, "alice") as phone,
        RoomlogClient(server.url, "alice") as laptop,
        RoomlogClient(server.url, "bob") as bob,
    ):
        readers = [await joined(client) for client in (phone, laptop, bob)]
        assert (await phone.mark_read(ROOM, 2)).unread == 1
        assert (await laptop.mark_read(ROOM, 1)).read_seq == 2
        for reader in readers[:2]:
            await reader.until(lambda reader: any(isinstance(item, RoomMarked) for item in reader.items))
        assert [(room.read_seq, room.unread) for room in laptop.rooms()] == [(2, 1)]
        assert not any(isinstance(item, RoomMarked) for item in readers[2].items)


async def test_the_mentioned_are_told_until_they_have_read_it(server: FakeServer) -> None:
    """By the event, and by the room's summary."""
    async with RoomlogClient(server.url, "alice") as alice, RoomlogClient(server.url, "bob") as bob:
        reader, _ = await joined(alice), await joined(bob)
        await bob.send(ROOM, "@alice?", mentions=[server.user("alice")["id"]])
        await bob.send(ROOM, "nobody")
        await bob.send(ROOM, "@room", mentions_room=True)
        await reader.until(lambda reader: len(_mentions(reader.items)) == 3)
        assert [item.mentions_room for item in reader.items if isinstance(item, Event)] == [
            False,
            False,
            True,
        ]
        assert _mentions(reader.items) == [[server.user("alice")["id"]], [], []]
        assert [(await alice.mark_read(ROOM, seq)).unread_mentions for seq in (0, 1, 3)] == [2, 1, 0]
        assert [room.unread_mentions for room in alice.rooms()] == [0]
        await bob.edit_message(ROOM, 1, "@alice!", mentions=[1])
        assert server.received[-1]["mentions"] == [1]


async def test_all_clients_of_a_user_learn_of_a_level(server: FakeServer) -> None:
    """A change of the level alone arrives too and leaves the read mark where it is."""
    async with RoomlogClient(server.url, "alice") as phone, RoomlogClient(server.url, "alice") as laptop:
        _, reader = await joined(phone), await joined(laptop)
        assert (await phone.set_notifications(ROOM, "mentions")).notify == "mentions"
        await reader.until(lambda reader: any(isinstance(item, RoomMarked) for item in reader.items))
        assert [room.notify for client in (phone, laptop) for room in client.rooms()] == ["mentions"] * 2
        assert (await laptop.mark_read(ROOM, 0)).notify == "mentions"


def _mentions(items: list[Item]) -> list[list[int]]:
    return [item.mentions for item in items if isinstance(item, Event)]
