"""A gateway sends nothing until a worker counts as many shards as it does: each might be wrong."""

import pytest
from aiohttp import ClientSession
from redis import Redis
from structlog.testing import capture_logs

from roomlog_contract.envelope import Beacon
from roomlog_contract.keyspace import Keyspace
from roomlog_gateway.errors import NotAccepted
from roomlog_gateway.redis.admission import Admission
from roomlog_gateway.redis.command_writer import CommandWriter
from tests.gateway.running import MakeGateway, Server
from tests.gateway.stub_worker import KEYSPACE, StubWorker
from tests.harness.waiting import eventually

SECONDS = 20.0
OTHER = Keyspace(KEYSPACE.prefix, 128)


def says(shards: int, owned: tuple[int, ...] = (0,)) -> Beacon:
    """Return what a worker of so many shards says."""
    return Beacon("w", list(owned), {}, 0.0, 5, database=True, install_shards=shards)


def test_nothing_is_sent_before_the_numbers_agree() -> None:
    """Not even before the first word; a worker that owns nothing has not asked its database yet."""
    admission = Admission(OTHER, lambda: 0.0)
    writer = CommandWriter("redis://nowhere", lambda: 0.0, lambda *_: None, admission)
    for heard in (None, says(128, owned=()), says(64), says(256)):
        if heard is not None:
            admission.heard(heard)
        with pytest.raises(NotAccepted):
            writer.add(OTHER.in_stream(1), b"", 1)
    admission.heard(says(128))
    writer.add(OTHER.in_stream(1), b"", 1)


async def test_a_gateway_that_differs_is_not_ready_and_says_why(
    make_gateway: MakeGateway, worker: StubWorker, server: Server, http: ClientSession
) -> None:
    """In the log, to the probe and where the doctor listens; whoever signs in leaves no trace in Redis."""
    with capture_logs() as logs, Redis.from_url(server.url) as redis, redis.pubsub() as heard:
        heard.subscribe(KEYSPACE.shards_channel)
        running = await make_gateway(ROOMLOG_SHARDS="128")
        async with http.ws_connect(running.url) as client:
            await client.send_json({"uuid": "a", "action": "authenticate", "token": "token-1"})
            await eventually(
                lambda: any(line["event"] == "shards_differ" for line in logs), SECONDS, "the log says so"
            )
        async with http.get(f"{running.health}/readyz") as response:
            answer = response.status, await response.text()
        said = [message["data"] for _ in range(3) if (message := heard.get_message(timeout=1.0))]
        assert redis.keys("*:{s???}:*") == []
    told = "ROOMLOG_SHARDS is 128, but this install has 64 shards: set it to 64"
    assert (answer[0], told in answer[1]) == (503, True)
    assert [line["todo"] for line in logs if line["event"] == "shards_differ"] == [told]
    assert b"128" in said
