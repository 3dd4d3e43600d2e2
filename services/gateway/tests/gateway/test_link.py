"""One link to Redis: what can't be reached now is tried again, however the attempt failed."""

import asyncio
import time
from typing import Any

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from roomlog_contract.keyspace import Keyspace
from roomlog_gateway.redis.admission import Admission
from roomlog_gateway.redis.command_writer import CommandWriter
from roomlog_gateway.redis.link import RedisLink
from roomlog_gateway.redis.subscriber import Subscriber
from tests.harness.waiting import eventually


class Ear:
    """A speaker that remembers."""

    name = "test"

    def __init__(self) -> None:
        self.downs = 0
        self.up = asyncio.Event()

    def link_up(self) -> None:
        self.up.set()

    def link_reply(self, reply: Any) -> None: ...

    def link_silent(self) -> None: ...

    def link_writable(self) -> None: ...

    def link_down(self) -> None:
        self.downs += 1


async def test_a_socket_that_was_reset_during_the_login_is_made_again(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """uvloop raises RuntimeError for a write to a socket that is gone; the link must survive that."""
    ear = Ear()
    link = RedisLink(redis_url, ear, time.monotonic)
    make = link._pool.make_connection
    made: list[Any] = []

    def make_connection() -> Any:
        connection = make()  # type: ignore[no-untyped-call]
        if not made:
            monkeypatch.setattr(connection, "connect", fail)
        made.append(connection)
        return connection

    async def fail() -> None:
        raise RuntimeError("unable to perform operation on <TCPTransport closed=True>; the handler is closed")

    monkeypatch.setattr(link._pool, "make_connection", make_connection)
    running = asyncio.create_task(link.run())
    async with asyncio.timeout(10):
        await ear.up.wait()
    assert ear.downs == 1
    running.cancel()
    await asyncio.wait([running])


async def test_a_link_has_one_name_in_logs_and_metrics(redis_url: str) -> None:
    """Nothing is written to a connection that is being lost."""
    speakers = (
        CommandWriter(redis_url, time.monotonic, lambda *_: None, Admission(Keyspace(), time.monotonic)),
        Subscriber(redis_url, time.monotonic, lambda *_: None),
    )
    with capture_logs() as logs:
        running = [asyncio.create_task(speaker.link.run()) for speaker in speakers]
        await eventually(lambda: all(speaker.is_up for speaker in speakers), 10.0, "both links are up")
        named = [log["link"] for log in logs if log["event"] == "redis_connected"]
        up = [REGISTRY.get_sample_value("roomlog_gateway_redis_link_up", {"link": name}) for name in named]
        for task in running:
            task.cancel()
        await asyncio.wait(running)
    assert sorted(named) == ["commands", "notices"]
    assert up == [1.0, 1.0]

    class Lost(asyncio.Transport):
        def is_closing(self) -> bool:
            return True

        def write(self, data: object) -> None:
            raise RuntimeError("the handler is closed")

    link = RedisLink(redis_url, Ear(), time.monotonic)
    link._transport = Lost()
    link.write(b"PING\r\n")
