"""The end of a gateway: told, spread, answered, closed."""

import asyncio
import time

from aiohttp import ClientSession

from roomlog_contract.commands import NewMessage
from tests.gateway.running import Connect, MakeGateway, Running
from tests.gateway.stub_worker import StubRoom, StubWorker
from tests.harness.raw import upgrade_headers
from tests.harness.waiting import eventually


async def test_each_connection_is_told_when_to_come_back_and_closed_with_1012(
    make_gateway: MakeGateway, guest: Connect
) -> None:
    """Never more in a second than the rate: the n-th is told n / rate seconds."""
    leaving = await make_gateway(ROOMLOG_MAX_RECONNECTS_PER_SECOND="20")
    clients = [await guest(leaving) for _ in range(10)]
    began = time.monotonic()
    leaving.drain.start()
    delays = [(await client.event("reconnect"))["after_ms"] for client in clients]
    assert delays == [50 * place for place in range(10)]
    for client in clients:
        assert await client.close_code() == 1012
    await eventually(lambda: leaving.has_drained, 20, "the drain ends")
    assert 0.45 <= time.monotonic() - began < 4


async def test_readiness_is_off_at_once_and_upgrades_are_refused(
    make_gateway: MakeGateway, worker: StubWorker, guest: Connect, http: ClientSession, room: StubRoom
) -> None:
    """During the pre-stop time the gateway serves as before; afterwards nobody is let in."""
    leaving = await make_gateway(ROOMLOG_PRESTOP_SECONDS="0.3", ROOMLOG_MAX_RECONNECTS_PER_SECOND="1")
    first, second = await guest(leaving), await guest(leaving)
    leaving.drain.start()
    async with http.get(f"{leaving.health}/readyz") as response:
        assert response.status == 503
    async with http.get(f"{leaving.health}/livez") as response:
        assert response.status == 200
    assert (await first.ask("authenticate", token="token-1"))["status"] == "success"
    await second.event("reconnect")
    async with http.get(leaving.url, headers=upgrade_headers()) as response:
        assert response.status == 503
    assert await first.close_code() == 1012


async def test_what_is_under_way_is_answered_before_the_goodbye(
    make_gateway: MakeGateway, worker: StubWorker, enter: Connect, room: StubRoom
) -> None:
    """A sender is not closed while its answer may still come."""
    leaving = await make_gateway()
    sender = await enter(1, to=leaving)
    worker.is_deaf_to.add(NewMessage)
    await sender.send("new_message", room=room.hex, text="x", uuid="last")
    await eventually(
        lambda: bool(worker.seen and isinstance(worker.seen[-1].command, NewMessage)), 20, "sent"
    )
    leaving.drain.start()
    await sender.event("reconnect")
    worker.is_deaf_to.clear()
    envelope = worker.seen[-1]
    await worker._carry_out(envelope)
    assert (await sender.event("new_message"))["uuid"] == "last"
    assert await sender.close_code() == 1012


async def test_without_connections_the_drain_is_over_at_once(gateway: Running) -> None:
    """Nobody waits for nobody."""
    gateway.drain.start()
    gateway.drain.start()
    await eventually(lambda: gateway.has_drained, 0.5, "the drain ends")


async def test_a_stop_without_a_drain_says_goodbye(make_gateway: MakeGateway, guest: Connect) -> None:
    """1001, and the process does not wait for clients that don't answer."""
    leaving = await make_gateway()
    client = await guest(leaving)
    async with asyncio.timeout(3):
        await leaving.runner.cleanup()
    assert await client.close_code() == 1001
