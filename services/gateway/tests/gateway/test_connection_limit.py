"""A user whose connections are full: dead ones make place, live ones never do."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

from roomlog_contract import limits
from tests.gateway.client import Client, Frame
from tests.gateway.running import Connect, Running
from tests.harness.waiting import eventually

USER = 1
PLACE_SECONDS = 0.5
"""Instead of three: only the dead let it pass."""

Live = Callable[[], Awaitable[Client]]


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PLACE_SECONDS", PLACE_SECONDS)


@pytest.fixture
async def live(enter: Connect) -> AsyncIterator[Live]:
    """Enter clients that read, and so answer pings; the other clients of these tests do neither."""
    readers: list[asyncio.Task[None]] = []

    async def read(client: Client) -> None:
        with suppress(AssertionError):  # closed
            while True:
                await client.next()

    async def enter_live() -> Client:
        client = await enter(USER)
        readers.append(asyncio.create_task(read(client)))
        return client

    yield enter_live
    for reader in readers:
        reader.cancel()
    await asyncio.gather(*readers, return_exceptions=True)


async def test_the_longest_silent_makes_place(gateway: Running, enter: Connect) -> None:
    """Ten sockets of a phone without a network don't lock its owner out."""
    dead = [await enter(USER) for _ in range(limits.CONNECTIONS_PER_USER)]
    await dead[0].ask("ping")
    newcomer = await enter(USER)
    assert await dead[1].close_code() == 4408
    assert (await newcomer.ask("ping"))["status"] == "success"
    assert [client.socket.closed for client in dead].count(True) == 1
    await eventually(lambda: places(gateway) == limits.CONNECTIONS_PER_USER, 20, "one place each")


async def test_live_ones_are_not_closed(gateway: Running, live: Live) -> None:
    """All answer, so the eleventh is refused as soon as they have."""
    clients = [await live() for _ in range(limits.CONNECTIONS_PER_USER)]
    with pytest.raises(AssertionError, match="too_many_connections"):
        await live()
    assert not any(client.socket.closed for client in clients)
    assert places(gateway) == limits.CONNECTIONS_PER_USER


async def test_a_dead_one_makes_place(gateway: Running, live: Live, enter: Connect, guest: Connect) -> None:
    """Of four newcomers at once two get the places of the two dead, and the live lose none."""
    clients = [await live() for _ in range(limits.CONNECTIONS_PER_USER - 2)]
    dead = [await enter(USER) for _ in range(2)]
    newcomers = [await guest() for _ in range(4)]
    answers = await asyncio.gather(*map(authenticate, newcomers))
    assert sorted(answer.get("error_code", "") for answer in answers) == [
        "",
        "",
        *["too_many_connections"] * 2,
    ]
    assert [await client.close_code() for client in dead] == [4408, 4408]
    assert not any(client.socket.closed for client in clients)
    assert places(gateway) == limits.CONNECTIONS_PER_USER


async def test_who_leaves_while_it_waits_takes_no_place(
    gateway: Running, enter: Connect, guest: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A closed socket needs none."""
    monkeypatch.setattr(limits, "PLACE_SECONDS", 3600.0)
    for _ in range(limits.CONNECTIONS_PER_USER):
        await enter(USER)
    newcomer = await guest()
    *others, waiting = gateway.gateway.connections
    await newcomer.send("authenticate", token=f"token-{USER}")
    await eventually(lambda: all(other.asked_at is not None for other in others), 20, "they are asked")
    await newcomer.socket.close()
    monkeypatch.setattr(limits, "PLACE_SECONDS", 0.0)
    await eventually(lambda: waiting not in gateway.gateway.connections, 20, "it is gone")
    await eventually(lambda: waiting.session.user == 0, 20, "it has no place")
    assert all(other.close_deadline is None for other in others)


def places(gateway: Running) -> int:
    """Return how many connections the user has."""
    return len(gateway.members.connections(USER))


async def authenticate(client: Client, **keys: Any) -> Frame:
    """Return the answer, whatever it is."""
    return await client.ask("authenticate", token=f"token-{USER}", **keys)
