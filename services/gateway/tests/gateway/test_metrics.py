"""What a client sends makes no series: labels are closed sets."""

import json

from aiohttp import ClientSession, ClientTimeout
from prometheus_client import REGISTRY

from tests.gateway.running import Connect, Running

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


async def test_a_client_makes_no_series(gateway: Running, enter: Connect) -> None:
    """Actions, close codes, methods and paths of the client's invention are in no label."""
    await scan(gateway, enter, "brew", 3000)
    first = labels()
    for code in ODD_CODES:
        await scan(gateway, enter, "propfind", code)
    assert labels() - first == set()
    assert not {value for _, _, value in first if "brew" in value or value == "3000"}
