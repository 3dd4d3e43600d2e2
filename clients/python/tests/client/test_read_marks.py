"""Read marks: one for all clients of a user."""

from roomlog_client import RoomlogClient, RoomMarked
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
