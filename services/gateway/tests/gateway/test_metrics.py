"""What a client sends makes no series: labels are closed sets."""

import json

import pytest
from aiohttp import ClientSession, ClientTimeout
from prometheus_client import REGISTRY

from roomlog_contract import limits
from tests.gateway.running import Connect, Running
from tests.gateway.stub_worker import StubWorker

ODD_CODES = (1000, 1001, 1008, 3000, 4000, 4999)


def labels() -> set[tuple[str, str, str]]:
    """Return metric, label and value of each of the gateway's series."""
    return {
        (sample.name, name, value)
        for family in REGISTRY.collect()
        if family.name.startswith("roomlog_gateway")
        for sample in family.samples
        for name, value in sample.labels.items()
    }


async def scan(running: Running, enter: Connect, word: str, code: int) -> None:
    """Say things that no client says, with a word that was never said before wherever there may be one."""
    client = await enter(1)
    for frame in ({"uuid": word, "action": word}, {"uuid": word}, {"action": word}, {word: word}):
        await client.socket.send_str(json.dumps(frame))
    await client.socket.close(code=code)
    async with ClientSession(timeout=ClientTimeout(total=5)) as http:
        for method in ("GET", word.upper()):
            for url in (running.url, f"{running.health}/{word}", f"{running.health}/metrics?{word}"):
                async with http.request(method, url, headers={"Origin": f"http://{word}.example"}) as answer:
                    assert answer.status < 500


async def test_authentications_are_counted(gateway: Running, enter: Connect, guest: Connect) -> None:
    """A client makes no series."""
    await scan(gateway, enter, "brew", 3000)
    first = labels()
    for code in ODD_CODES:
        await scan(gateway, enter, "propfind", code)
    assert labels() - first == set()
    assert not {value for _, _, value in first if "brew" in value or value == "3000"}
    before = authentications("accepted"), authentications("rejected")
    await enter(1)
    stranger = await guest()
    await stranger.ask("authenticate", token="nobody's")
    assert (authentications("accepted"), authentications("rejected")) == (before[0] + 1, before[1] + 1)


def authentications(result: str) -> float:
    """Return how many ended so."""
    name = "roomlog_gateway_authentication_seconds_count"
    return REGISTRY.get_sample_value(name, {"result": result}) or 0.0


async def test_an_unanswered_authentication_is_counted(
    worker: StubWorker, guest: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a worker's word; the time is the deadline's."""
    monkeypatch.setattr(limits, "IDENTIFY_SECONDS", 0.3)
    await worker.stop()
    before = authentications("unanswered")
    client = await guest()
    await client.send("authenticate", token="alice")
    await client.close_code()
    assert authentications("unanswered") == before + 1
