"""The client on real sockets: whatever happens to connections, each event comes once, each send ends once."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from roomlog_client import (
    CutOff,
    Disconnected,
    Event,
    Item,
    NotSent,
    Observer,
    OutcomeUnknown,
    RoomJoined,
    RoomlogClient,
    RoomReset,
    Sent,
    SignedOut,
)
from roomlog_client.errors import BadValue, EmptyText
from roomlog_client.outbox import room_id
from roomlog_client.testing import EPOCH, FakeServer
from roomlog_contract.commands import Cursor

ROOM = "0e6c1a5d6f0b5c9e9a7d3b2f4c8e1d07"
DEADLINE_SECONDS = 10.0


@pytest.fixture
async def server() -> AsyncIterator[FakeServer]:
    """A server with one room of two members."""
    async with FakeServer({ROOM: ["alice", "bob"]}) as fake:
        yield fake


@pytest.fixture
async def alice(server: FakeServer) -> AsyncIterator[RoomlogClient]:
    """Alice's client, which has authenticated."""
    async with RoomlogClient(server.url, "alice") as client:
        await client.ready()
        yield client


@pytest.fixture
async def bob(server: FakeServer) -> AsyncIterator[RoomlogClient]:
    """Bob's."""
    async with RoomlogClient(server.url, "bob") as client:
        await client.ready()
        yield client


@pytest.fixture
async def reader(bob: RoomlogClient) -> "Reader":
    """What Bob's client hands on."""
    return Reader(bob)


class Reader:
    """Reads a client's items in the background."""

    def __init__(self, client: RoomlogClient) -> None:
        self.items: list[Item] = []
        self._arrived = asyncio.Event()
        self._task = asyncio.create_task(self._read(client))

    @property
    def texts(self) -> list[str]:
        """The texts that arrived."""
        return [item.text for item in self.items if isinstance(item, Event)]

    async def until(self, condition: Callable[["Reader"], bool]) -> None:
        """Wait until the items are as wanted."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not condition(self):
                self._arrived.clear()
                await self._arrived.wait()

    async def end(self) -> None:
        """Wait for the end of the items."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            await self._task

    async def _read(self, client: RoomlogClient) -> None:
        async for item in client.events():
            self.items.append(item)
            self._arrived.set()


async def joined(client: RoomlogClient) -> Reader:
    """Return a reader of a client that has authenticated."""
    reader = Reader(client)
    await reader.until(lambda reader: any(isinstance(item, RoomJoined) for item in reader.items))
    return reader


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait for a condition of the server, which nothing announces."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not condition():  # noqa: ASYNC110 - the fake server announces nothing
            await asyncio.sleep(0.005)


async def test_message_reaches_its_sender_and_the_others(server: FakeServer) -> None:
    """`send` returns the place in the log; both members get the event, once."""
    async with RoomlogClient(server.url, "alice") as alice, RoomlogClient(server.url, "bob") as bob:
        readers = [await joined(alice), await joined(bob)]
        assert await alice.send(ROOM, "hello", uuid="u-1") == Sent(ROOM, EPOCH, 1, "u-1", False)
        for reader in readers:
            await reader.until(lambda reader: reader.texts == ["hello"])


async def test_room_id_may_have_dashes(server: FakeServer) -> None:
    """A dashed id names the same room as its 32 digits; anything else is refused at once."""
    async with RoomlogClient(server.url, "alice") as client:
        assert (await client.send("0e6c1a5d-6f0b-5c9e-9a7d-3b2f4c8e1d07", "hello")).room == ROOM
    with pytest.raises(BadValue):
        room_id("kitchen")


async def test_events_survive_cut_connections(server: FakeServer, reader: Reader) -> None:
    """However often the connection breaks, with or without a close frame, each event comes once."""
    for number in range(40):
        await server.post(ROOM, "alice", f"text {number}")
        if number % 8 == 3:
            await eventually(lambda: bool(server.connections))
            await server.disconnect(1012)
        elif number % 8 == 7:
            await eventually(lambda: bool(server.connections))
            server.abort()
    await reader.until(lambda reader: len(reader.texts) == 40)
    assert reader.texts == [f"text {number}" for number in range(40)]


async def test_lost_events_are_asked_for(server: FakeServer, reader: Reader) -> None:
    """Found by the next event and read from the log, in pages; `heads` tells of a lost last one."""
    server.page_events = 3
    server.lose = lambda event: event["seq"] < 9
    for number in range(1, 11):
        await server.post(ROOM, "alice", f"text {number}")
    await reader.until(lambda reader: len(reader.texts) == 10)
    assert reader.texts == [f"text {number}" for number in range(1, 11)]
    server.lose = lambda event: True
    await server.post(ROOM, "alice", "last")
    await server.tell({"action": "heads", "rooms": {ROOM: {"epoch": EPOCH, "seq": 11}}})
    await reader.until(lambda reader: reader.texts[10:] == ["last"])


async def test_unanswered_send_is_repeated_with_its_uuid(server: FakeServer, alice: RoomlogClient) -> None:
    """A send whose answer was lost with the connection is repeated and stored once."""
    server.lose = lambda event: True
    sending = asyncio.create_task(alice.send(ROOM, "hello", uuid="u-1"))
    await eventually(lambda: len(server.logs[ROOM]) == 1)
    server.abort()
    sent = await sending
    assert (sent.seq, sent.uuid) == (1, "u-1")
    assert len(server.logs[ROOM]) == 1


async def test_outbox_keeps_the_order_over_reconnects(server: FakeServer) -> None:
    """Messages given while the connection breaks again and again are stored in the order given."""
    seen = 0

    def swallow(command: dict[str, Any]) -> bool:
        nonlocal seen
        seen += command["action"] == "new_message"
        is_cut = command["action"] == "new_message" and seen in {3, 7, 12}
        if is_cut:
            server.abort()
        return is_cut

    server.swallow = swallow
    async with RoomlogClient(server.url, "alice") as alice:
        await asyncio.gather(*(alice.send(ROOM, f"text {number}") for number in range(10)))
    stored = [event["message"]["text"] for event in server.logs[ROOM]]
    assert stored == [f"text {number}" for number in range(10)]


async def test_slow_reader_misses_nothing_and_can_send(server: FakeServer, bob: RoomlogClient) -> None:
    """A program that does not read for a while can still send; afterwards it gets every event, once."""
    for number in range(1_500):
        await server.post(ROOM, "alice", f"text {number}")
    assert (await bob.send(ROOM, "mine")).seq == 1_501
    reader = Reader(bob)
    await reader.until(lambda reader: len(reader.texts) == 1_501)
    assert reader.texts[:1_500] == [f"text {number}" for number in range(1_500)]


async def test_cursors_resume_in_a_new_client(server: FakeServer) -> None:
    """A new client with the cursors of an earlier one goes on exactly where that stopped."""
    async with RoomlogClient(server.url, "bob") as first:
        reader = await joined(first)
        await server.post(ROOM, "alice", "one")
        await reader.until(lambda reader: reader.texts == ["one"])
        cursors = first.cursors()
    await server.post(ROOM, "alice", "two")
    async with RoomlogClient(server.url, "bob", cursors=cursors) as second:
        reader = await joined(second)
        await reader.until(lambda reader: reader.texts == ["two"])
        assert second.cursors() == {ROOM: Cursor(EPOCH, 2)}


async def test_new_epoch_resets_the_room(server: FakeServer, reader: Reader) -> None:
    """After a restored database the application is told, and goes on in the new log."""
    await server.post(ROOM, "alice", "old")
    await reader.until(lambda reader: reader.texts == ["old"])
    server.epoch, server.logs[ROOM] = "fedcba9876543210", []
    await server.tell({"action": "reset", "room": ROOM, "epoch": server.epoch})
    await reader.until(lambda reader: any(isinstance(item, RoomReset) for item in reader.items))
    await server.post(ROOM, "alice", "new")
    await reader.until(lambda reader: reader.texts == ["old", "new"])


@pytest.mark.parametrize("code", [4401, 4403])
async def test_cut_off_client_ends(server: FakeServer, bob: RoomlogClient, reader: Reader, code: int) -> None:
    """After 4401 and 4403 the items end with the reason, a send fails, and no socket is opened again."""
    await server.disconnect(code)
    with pytest.raises(CutOff):
        await reader.end()
    with pytest.raises(CutOff):
        await bob.send(ROOM, "hello")
    assert len([command for command in server.received if command["action"] == "authenticate"]) == 1


class Tokens:
    """An application that is asked for tokens of Bob's; some askings fail."""

    def __init__(self, *failures: Exception | None) -> None:
        self.asked = 0
        self._failures = list(failures)

    async def __call__(self) -> str:
        self.asked += 1
        failure = self._failures.pop(0) if self._failures else None
        if failure is not None:
            raise failure
        return "bob"


def greetings(server: FakeServer) -> list[str]:
    """Return the uuids of all authenticates."""
    return [command["uuid"] for command in server.received if command["action"] == "authenticate"]


async def test_a_token_is_renewed_on_the_open_socket_and_asked_for_by_the_next(server: FakeServer) -> None:
    """The server says that it ends; after 4402 the client comes back, and each event comes once."""
    tokens = Tokens()
    async with RoomlogClient(server.url, tokens) as client:
        reader = await joined(client)
        await server.tell({"action": "expiring", "expires_in_ms": 60_000})
        await eventually(lambda: greetings(server) == ["authenticate", "renew"])
        await server.post(ROOM, "alice", "one")
        await reader.until(lambda reader: reader.texts == ["one"])
        assert (tokens.asked, len(server.connections)) == (2, 1)
        await server.disconnect(4402)
        await eventually(lambda: greetings(server) == ["authenticate", "renew", "authenticate"])
        await server.post(ROOM, "alice", "two")
        await reader.until(lambda reader: reader.texts == ["one", "two"])
        assert tokens.asked == 3


async def test_an_application_that_fails_to_give_a_token_is_asked_again(server: FakeServer) -> None:
    """Before a connection after a pause; on an open one the server's close brings the next chance."""
    tokens = Tokens(KeyError("token"), None, OSError())
    async with RoomlogClient(server.url, tokens) as client:
        await client.ready()
        await server.tell({"action": "expiring", "expires_in_ms": 60_000})
        await eventually(lambda: tokens.asked == 3)
        assert (await client.send(ROOM, "hello")).seq == 1
        assert greetings(server) == ["authenticate"]


async def test_an_application_that_is_signed_out_ends_its_client(server: FakeServer) -> None:
    """There will be no token any more."""
    async with RoomlogClient(server.url, Tokens(None, SignedOut("logged out"))) as client:
        reader = await joined(client)
        await server.disconnect(4402)
        await reader.end()
        with pytest.raises(SignedOut):
            await client.send(ROOM, "hello")


async def test_errors_have_a_type_and_busy_is_asked_again(server: FakeServer, alice: RoomlogClient) -> None:
    """A refusal for good is the exception of its code; `busy` is repeated under one uuid."""
    server.refuse = lambda command: {"error_code": "empty_text"} if command.get("text") == "" else None
    with pytest.raises(EmptyText):
        await alice.send(ROOM, "")
    refusals = iter([{"error_code": "busy", "retry_after_ms": 20}] * 3)
    server.refuse = lambda command: next(refusals, None) if command["action"] == "new_message" else None
    assert (await alice.send(ROOM, "hello")).seq == 1
    assert len({command["uuid"] for command in server.received if command.get("text") == "hello"}) == 1


async def test_deadline_without_answer_is_unknown(server: FakeServer, alice: RoomlogClient) -> None:
    """It raises with its uuid and is not repeated; what never left raises `NotSent`."""
    server.swallow = lambda command: command["action"] == "new_message"
    with pytest.raises(OutcomeUnknown) as unknown:
        await alice.send(ROOM, "hello", uuid="u-1", timeout_seconds=0.1)
    assert unknown.value.uuid == "u-1"
    server.swallow = lambda command: False
    assert (await alice.send(ROOM, "hello", uuid="u-1")).seq == 1
    async with RoomlogClient("http://127.0.0.1:9/ws", "alice") as lonely:
        with pytest.raises(NotSent):
            await lonely.send(ROOM, "hello", timeout_seconds=0.1)


async def test_refused_upgrade_is_tried_again(server: FakeServer) -> None:
    """Until it is accepted; of several addresses one that does not answer is passed over."""
    server.upgrade_status = 503
    async with RoomlogClient(server.url, "alice") as alice:
        with pytest.raises(TimeoutError):
            await alice.ready(0.1)
        server.upgrade_status = 101
        await alice.ready()
    async with RoomlogClient(["http://127.0.0.1:9/ws", server.url], "alice") as alice:
        await alice.ready()
        assert alice.user.username == "alice"


async def test_close_ends_everything(server: FakeServer) -> None:
    """Closing ends the items, fails what waits, and leaves no socket behind."""
    server.swallow = lambda command: command["action"] == "new_message"
    async with RoomlogClient(server.url, "alice") as alice:
        reader = await joined(alice)
        sending = asyncio.create_task(alice.send(ROOM, "hello"))
        await eventually(lambda: server.received[-1]["action"] == "new_message")
    with pytest.raises(OutcomeUnknown):
        await sending
    await reader.end()
    await eventually(lambda: not server.connections)
    with pytest.raises(Disconnected):
        await alice.send(ROOM, "again")
    await alice.close()


async def test_observer_sees_every_sending_and_every_item(server: FakeServer) -> None:
    """An observer is told of connections, of each sending of a command, and of each item."""

    class Notes(Observer):
        def __init__(self) -> None:
            self.sendings: list[tuple[int, str]] = []
            self.opened: list[int] = []
            self.closed: list[int] = []
            self.seqs: list[int] = []

        def authenticated(self, connection: int) -> None:
            self.opened.append(connection)

        def disconnected(self, connection: int, close_code: int | None) -> None:
            self.closed.append(connection)

        def sent(self, connection: int, uuid: str) -> None:
            self.sendings.append((connection, uuid))

        def handed_on(self, item: Item) -> None:
            self.seqs += [item.seq] if isinstance(item, Event) else []

    notes = Notes()
    server.swallow = lambda command: command["action"] == "new_message" and len(notes.opened) == 1
    async with RoomlogClient(server.url, "alice", observer=notes) as alice:
        await alice.ready()
        sending = asyncio.create_task(alice.send(ROOM, "hello", uuid="u-1"))
        await eventually(lambda: server.received[-1]["action"] == "new_message")
        server.abort()
        await sending
    assert notes.sendings == [(1, "u-1"), (2, "u-1")]
    assert (notes.opened, notes.closed, notes.seqs) == ([1, 2], [1, 2], [1])
