"""The message's way through a gateway: authenticate, select a room, send, receive."""

from uuid import UUID

from tests.gateway.running import Connect, MakeGateway
from tests.gateway.stub_worker import StubWorker


async def test_authenticate_names_the_user_and_the_rooms(room: UUID, enter: Connect) -> None:
    """The answer to a valid token is who it is and the rooms with their heads."""
    client = await enter(1)
    answer = client.received[0]
    assert answer["user"] == {"id": 1, "username": "user1"}
    assert [(entry["id"], entry["seq"]) for entry in answer["rooms"]] == [(room.hex, 0)]


async def test_a_message_reaches_every_member_once_with_the_senders_uuid(room: UUID, enter: Connect) -> None:
    """All connections of all members get the same event; for the sender it is the answer."""
    clients = [await enter(user) for user in (1, 1, 2, 3)]
    await clients[0].send("new_message", room=room.hex, text="hello", uuid="mine")
    events = [await client.event("new_message") for client in clients]
    assert all(event == events[0] for event in events)
    assert events[0]["uuid"] == "mine"
    assert events[0]["seq"] == 1


async def test_messages_cross_gateways_in_one_order(
    room: UUID, enter: Connect, make_gateway: MakeGateway
) -> None:
    """Clients of two gateways see the same seqs, without a gap."""
    other = await make_gateway()
    here, there = await enter(1), await enter(2, to=other)
    for number in range(20):
        await (here if number % 2 else there).send("new_message", room=room.hex, text=str(number))
    for client in (here, there):
        assert [(await client.event("new_message"))["seq"] for _ in range(20)] == list(range(1, 21))


async def test_a_stranger_gets_nothing_and_not_member(room: UUID, worker: StubWorker, enter: Connect) -> None:
    """Who is no member is told so and receives no event of the room."""
    stranger, member = await enter(9), await enter(1)
    answer = await stranger.ask("new_message", room=room.hex, text="let me in")
    assert answer["error_code"] == "not_member"
    await member.ask("new_message", room=room.hex, text="among us")
    await stranger.ask("ping")
    assert stranger.seqs() == []
