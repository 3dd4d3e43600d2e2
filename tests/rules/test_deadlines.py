"""Every wait for the network has a deadline: the rule finds what breaks it; nothing in the project does."""

import textwrap

import pytest

from tests.rules.deadlines import classes_of, missing_deadlines
from tests.rules.sources import Source, production

REDIS = "Redis.from_url(url, socket_timeout=5, socket_connect_timeout=2)"


def found(code: str, own_classes: tuple[str, ...] = ()) -> list[str]:
    findings = missing_deadlines(Source("forged.py", textwrap.dedent(code)), own_classes)
    return [finding.sentence for finding in findings]


def test_no_wait_of_the_project_is_without_a_deadline() -> None:
    """A peer that says nothing holds nobody for ever."""
    own_classes = classes_of(production())
    findings = [finding for source in production() for finding in missing_deadlines(source, own_classes)]
    assert [str(finding) for finding in findings] == []


@pytest.mark.parametrize(
    "code",
    [
        "async def f(ws): await ws.receive()",
        "async def f(ws): await ws.receive(timeout=None)",
        "async def f(ws): return (await ws.receive_json())['uuid']",
        "async def f(ws): await ws.send_str('x')",
        "async def f(ws):\n    async for message in ws: pass",
        "async def f(writer): await writer.drain()",
        "async def f(): reader, writer = await asyncio.open_connection(host, port)",
        "async def f(pool): await pool.make_connection().connect()",
        "async def f(redis): await redis.xadd('s', {})",
        "async def f(redis): await redis.pipeline().execute()",
        "async def f(redis): await redis.publish('c', b'')",
        "async def f(pubsub): await pubsub.get_message()",
        "async def f(pubsub): await pubsub.parse_response()",
        "async def f(pubsub):\n    async for m in pubsub.listen(): pass",
        "async def f(ws): await asyncio.wait_for(ws.receive(), None)",
        "async def f(ws): await asyncio.wait_for(ws.receive(), timeout=None)",
        "async def f(ws):\n    async with asyncio.timeout(None):\n        await ws.receive()",
        "async def f(ws):\n    async with lock:\n        await ws.receive()",
        "async def f(ws):\n    async with asyncio.timeout(5):\n        pass\n    await ws.receive()",
        "async def f(ws):\n    async with asyncio.timeout(5):\n        async def g(): await ws.receive()",
        "async def f(ws):\n    await ws.receive()  # deadline:",
        "async def f(ws):\n    # deadline: of the next line only\n    a = 1\n    await ws.receive()",
        "async def f(ws):\n    async for m in ws:\n        pass  # deadline: not of the loop",
        "async def f(client):\n    async with client.get(url) as answer: pass",
        "async def f():\n    async with ClientSession() as s, s.ws_connect(url) as ws: pass",
        "async def f(s: ClientSession):\n    async with s.ws_connect(url) as ws:\n        await ws.receive()",
        "class A:\n    async def f(self): await self.receive()",
        "r = Redis(host='a')",
        "r = Redis.from_url(url, socket_timeout=5)",
        "r = redis.asyncio.from_url(url, socket_connect_timeout=5, socket_timeout=None)",
        "p = ConnectionPool.from_url(url)",
        "s = aiohttp.ClientSession()",
        "def f():\n    with urllib.request.urlopen(url) as answer: pass",
        "s = socket.create_connection(address)",
        "c = http.client.HTTPConnection(host, 80)",
        "out = subprocess.check_output(command)",
    ],
)
def test_a_wait_without_a_deadline_is_found(code: str) -> None:
    """Sockets, Redis, HTTP and blocking calls; deadlines that end nothing; marks without a reason."""
    assert len(found(code)) == 1


@pytest.mark.parametrize(
    "code",
    [
        "async def f(ws): await ws.receive(timeout=5)",
        "async def f(ws): await asyncio.wait_for(ws.receive(), 5)",
        "async def f(ws): await asyncio.wait_for(ws.receive(), timeout=SECONDS)",
        "async def f(ws):\n    async with asyncio.timeout(5):\n        if ws: await ws.receive()",
        "async def f(ws):\n    async with asyncio.timeout(5), ws.open():\n        async for m in ws: pass",
        "async def f(ws):\n    # deadline: a missed pong closes the socket\n    await ws.receive()",
        "async def f(ws):\n    async for m in ws:  # deadline: a missed pong closes the socket\n        pass",
        "async def f(queue): await self._queue.get()",
        "async def f(): await asyncio.sleep(1)",
        "async def f(future): await future",
        f"async def f():\n    redis = {REDIS}\n    await redis.xadd('s', {{}})",
        f"class A:\n    def __init__(self): self._redis = {REDIS}\n"
        "    async def f(self):\n        pipe = self._redis.pipeline()\n        await pipe.execute()",
        "async def f(redis: 'Redis | None'): await redis.xlen('s')",
        "async def f(redis: Redis):\n    pubsub = redis.pubsub()\n    await pubsub.subscribe('c')",
        "async def f(s: aiohttp.ClientSession):\n    async with s.get(url) as answer: await answer.read()",
        "async def f():\n    async with ClientSession(timeout=ClientTimeout(5)) as s: await s.post(url)",
        "class A:\n    async def receive(self): ...\n    async def f(self): await self.receive()",
        "r = Redis(**options)",
        "def f():\n    with urllib.request.urlopen(url, None, 5) as answer: pass",
        "s = socket.create_connection(address, timeout=5)",
    ],
)
def test_a_wait_with_a_deadline_passes(code: str) -> None:
    """A timeout around it or in it, a client that has one, or a comment that says who ends it."""
    assert found(code) == []


def test_a_wait_inside_our_own_class_is_looked_at_where_it_is_defined() -> None:
    """Calling it needs no second deadline; without knowing the class it does."""
    code = "async def f(subscriber: Subscriber): await subscriber.subscribe({})"
    assert found(code, own_classes=("Subscriber",)) == []
    assert len(found(code)) == 1
