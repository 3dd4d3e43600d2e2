"""Fixtures of the gateway's tests: a real Valkey, a stub worker, gateways on free loopback ports.

`pytest --hypothesis-profile=long services/gateway` tries 20,000 examples of each property.
"""

import os
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from aiohttp import ClientSession, ClientTimeout, web
from hypothesis import settings
from redis import Redis

from roomlog_gateway.app import build_runner
from roomlog_gateway.config import read_config
from roomlog_gateway.sockets.session import Session
from roomlog_local.ports import LOOPBACK, free_port
from tests.gateway.client import Client, connect
from tests.gateway.insides import Stage
from tests.gateway.running import Connect, MakeGateway, Running, Server
from tests.gateway.stub_worker import KEYSPACE, StubRoom, StubWorker
from tests.harness.waiting import eventually

settings.register_profile("change", max_examples=150, deadline=None)
settings.register_profile("long", max_examples=20_000, deadline=None)
if "ROOMLOG_EXAMPLES" not in os.environ:  # else tests/proof/examples.py says how many
    settings.load_profile("change")

USERS = {f"token-{user}": user for user in range(1, 21)}


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One Valkey for all tests; who kills it starts it again."""
    server = Server(tmp_path_factory.mktemp("valkey"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def redis_url(server: Server) -> str:
    """The address of an empty Valkey, which runs again after a test that killed it."""
    if server.process is None:
        server.start()
    with Redis.from_url(server.url, socket_timeout=5.0, socket_connect_timeout=5.0) as redis:
        redis.flushall()
    return server.url


@pytest.fixture
async def worker(redis_url: str) -> AsyncIterator[StubWorker]:
    """A stub worker that knows 20 users by their tokens `token-<id>`."""
    worker = StubWorker(redis_url, dict(USERS))
    worker.start()
    yield worker
    await worker.close()


@pytest.fixture
async def make_gateway(redis_url: str) -> AsyncIterator[MakeGateway]:
    """Start gateways; settings of the environment may be given."""
    gateways: list[Running] = []

    async def make(**environ: str) -> Running:
        config = read_config(
            {
                "ROOMLOG_REDIS_URL": redis_url,
                "ROOMLOG_REDIS_PREFIX": KEYSPACE.prefix,
                "ROOMLOG_BIND": f"{LOOPBACK}:{free_port()}",
                "ROOMLOG_HEALTH_BIND": f"{LOOPBACK}:{free_port()}",
                **environ,
            }
        )
        running: Running

        def on_drained() -> None:
            running.has_drained = True

        running = Running(build_runner(config, on_drained), config)
        gateways.append(running)
        await running.runner.setup()
        await web.TCPSite(running.runner, LOOPBACK, config.bind.port).start()
        await eventually(lambda: running.gateway.was_connected, 20.0, "the gateway reaches Redis")
        return running

    yield make
    for running in gateways:
        await running.runner.cleanup()


@pytest.fixture
async def gateway(make_gateway: MakeGateway) -> Running:
    """One gateway with default settings."""
    return await make_gateway()


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    """A session for clients."""
    async with ClientSession(timeout=ClientTimeout(10)) as session:
        yield session


@pytest.fixture
async def guest(http: ClientSession, gateway: Running) -> AsyncIterator[Connect]:
    """Open clients that have not authenticated: `await guest()`."""
    clients: list[Client] = []

    async def open_guest(to: Running = gateway) -> Client:
        clients.append(await connect(http, to.url))
        return clients[-1]

    yield open_guest
    for client in clients:
        await client.socket.close()


@pytest.fixture
async def enter(worker: StubWorker, gateway: Running, guest: Connect) -> Connect:
    """Open authenticated clients on the gateway: `await enter(user)`."""

    async def enter(user: int, to: Running = gateway, **keys: Any) -> Client:
        client = await guest(to)
        answer = await client.ask("authenticate", token=f"token-{user}", **keys)
        assert answer["status"] == "success", answer
        return client

    return enter


@pytest.fixture
def room(worker: StubWorker) -> StubRoom:
    """A room of the users 1, 2 and 3."""
    return worker.add_room(1, 2, 3)


@pytest.fixture
def stage() -> Stage:
    """The event stage without sockets, Redis or a worker."""
    return Stage()


@pytest.fixture
def session(stage: Stage) -> Session:
    """A member of the stage's room that is up to date."""
    return stage.session()
