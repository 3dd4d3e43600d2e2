"""What a client may not do, and how it is told: codes, close codes, and nobody else hurt."""

import asyncio

import pytest
from aiohttp import ClientSession
from multidict import CIMultiDict
from prometheus_client import REGISTRY

from roomlog_contract import limits
from roomlog_contract.commands import NewMessage
from roomlog_gateway.sockets.connection import Connection
from tests.gateway.running import Connect, MakeGateway, Running
from tests.gateway.stub_worker import StubRoom, StubWorker
from tests.harness.raw import upgrade_headers
from tests.harness.waiting import eventually


async def test_the_command_after_the_burst_is_rate_limited(guest: Connect) -> None:
    """Forty at once are allowed; the next is told when to come again."""
    client = await guest()
    for number in range(limits.COMMANDS_BURST + 5):
        await client.send("ping", uuid=str(number))
    refused = await client.until(lambda frame: frame["status"] == "error")
    assert refused["error_code"] == "rate_limited"
    assert 0 < refused["retry_after_ms"] <= 1.5 * (1000 / limits.COMMANDS_PER_SECOND + 1)


async def test_all_connections_of_a_user_share_one_rate(gateway: Running, enter: Connect) -> None:
    """Four of them may send no more together than two; another user's commands are taken meanwhile."""
    clients = [await enter(1) for _ in range(4)]
    neighbour = await enter(2)
    sessions = [connection.session for connection in gateway.gateway.connections]
    [bucket] = {session._users_bucket for session in sessions if session.user == 1}
    assert bucket is not None
    bucket._rate = 1e-3  # nothing comes in during the test
    each = limits.COMMANDS_BURST - 1
    for client in clients:
        for number in range(each):
            await client.send("ping", uuid=str(number))
    for client in clients:
        await client.until(lambda frame: frame["uuid"] == str(each - 1))
    answers = [frame for client in clients for frame in client.received if frame["action"] == "ping"]
    assert sum(frame["status"] == "success" for frame in answers) == limits.USER_COMMANDS_BURST
    assert {frame.get("error_code") for frame in answers} == {None, "rate_limited"}
    assert all(frame["retry_after_ms"] > 1 for frame in answers if frame["status"] == "error")
    assert (await neighbour.ask("ping"))["status"] == "success"


async def test_a_frame_over_the_rate_is_not_parsed(
    gateway: Running, guest: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its refusal names it; what else is in it costs nobody anything."""
    client = await guest()
    for number in range(limits.COMMANDS_BURST):
        await client.send("ping", uuid=str(number))
    await client.until(lambda frame: frame["uuid"] == str(limits.COMMANDS_BURST - 1))
    parsed: list[str] = []
    monkeypatch.setattr("roomlog_gateway.sockets.session.decode_command", parsed.append)
    [connection] = gateway.gateway.connections
    monkeypatch.setattr(connection.session._bucket, "_rate", 1e-9)
    connection.session._bucket._tokens = 0.0
    refused = await client.ask("ping", uuid="over")
    assert (refused["error_code"], refused["action"]) == ("rate_limited", "ping")
    assert not parsed


async def test_the_33rd_unanswered_one_is_busy(room: StubRoom, worker: StubWorker, enter: Connect) -> None:
    """The reader reads on; the command certainly was not taken."""
    worker.is_deaf_to.add(NewMessage)
    client = await enter(1)
    for number in range(limits.UNANSWERED_COMMANDS):
        await client.send("new_message", room=room.hex, text="x", uuid=str(number))
    answer = await client.ask("new_message", room=room.hex, text="x")
    assert answer["error_code"] == "busy"
    assert answer["room"] == room.hex
    assert answer["retry_after_ms"] > 0


async def test_a_command_without_an_answer_frees_its_place_after_15_seconds(
    room: StubRoom, worker: StubWorker, enter: Connect, gateway: Running
) -> None:
    """Nothing is said of it, because nothing is known; the next command is taken."""
    worker.is_deaf_to.add(NewMessage)
    client = await enter(1)
    await client.send("new_message", room=room.hex, text="x")
    [connection] = gateway.gateway.connections
    await eventually(lambda: connection.session.unanswered == 1, 20, "the command is under way")
    gateway.gateway._requests.expire(gateway.gateway.clock() + limits.UNANSWERED_SECONDS)
    assert connection.session.unanswered == 0
    await client.ask("ping")
    assert [frame["action"] for frame in client.received] == ["authenticate", "ping"]


async def test_too_many_are_503(make_gateway: MakeGateway, guest: Connect, http: ClientSession) -> None:
    """Full, or more upgrades than a second may have: refused before, with a time to come back."""
    full = await make_gateway(ROOMLOG_MAX_CONNECTIONS="1")
    await guest(full)
    async with http.get(full.url, headers=upgrade_headers()) as response:
        assert response.status == 503
        assert int(response.headers["Retry-After"]) >= 1
    slow = await make_gateway(ROOMLOG_MAX_ACCEPTS_PER_SECOND="2")
    for _ in range(2):
        await guest(slow)
    async with http.get(slow.url, headers=upgrade_headers()) as response:
        assert response.status == 503


@pytest.mark.parametrize(
    ("allowed", "origin", "status"),
    [
        ("", "http://elsewhere.example", 403),
        ("", "http://{host}", 101),
        ("https://chat.example", "https://chat.example", 101),
        ("https://chat.example", "https://evil.example", 403),
        ("*", "https://evil.example", 101),
        ("https://chat.example", "http://{host}", 101),
        ("https://chat.example", "null", 403),
    ],
)
async def test_only_allowed_origins_may_connect(
    make_gateway: MakeGateway, http: ClientSession, allowed: str, origin: str, status: int
) -> None:
    """A page of another site can't open a socket in the name of its visitor."""
    gateway = await make_gateway(ROOMLOG_ALLOWED_ORIGINS=allowed)
    headers = upgrade_headers() | {"Origin": origin.format(host=f"127.0.0.1:{gateway.config.bind.port}")}
    async with http.get(gateway.url, headers=headers) as response:
        assert response.status == status


async def test_the_cookies_of_a_host_pass(gateway: Running, http: ClientSession) -> None:
    """A browser sends all of them, and they are one header."""
    async with http.get(gateway.url, headers=upgrade_headers() | {"Cookie": "a=" + "x" * 15_000}) as response:
        assert response.status == 101


@pytest.mark.parametrize(
    ("head", "status", "reason"),
    [
        (b"GET /ws HTTP/1.1\r\nHost: x\r\nCookie: secret=" + b"x" * 2_000 + b"\r\n\r\n", 431, "header"),
        (b"GET /ws?secret=" + b"x" * 2_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 431, "header"),
        (b"\x16\x03\x01 secret\r\n\r\n", 400, "not_http"),
    ],
)
async def test_a_head_that_can_not_be_read_is_counted_and_noted(
    make_gateway: MakeGateway, capsys: pytest.CaptureFixture[str], head: bytes, status: int, reason: str
) -> None:
    """Its client is told why; the log is told once a second, and nothing of what is in it."""
    gateway = await make_gateway(ROOMLOG_MAX_HEADER_BYTES="1024")
    before = refused(reason)
    for _ in range(3):
        reader, writer = await asyncio.open_connection(*gateway.address)
        writer.write(head)
        answer = await asyncio.wait_for(reader.read(), 20.0)
        writer.close()
        assert answer.split()[1] == str(status).encode()
        assert (b"1024 bytes" in answer) is (status == 431)
    assert refused(reason) == before + 3
    log = capsys.readouterr().out
    assert 1 <= log.count("request_refused") < 3
    assert reason in log
    assert "secret" not in log


async def test_a_plain_get_is_told_to_speak_websocket(gateway: Running, http: ClientSession) -> None:
    """426 and one sentence."""
    async with http.get(gateway.url) as response:
        assert response.status == 426
        assert response.headers["Upgrade"] == "websocket"
        assert "WebSocket" in await response.text()


async def test_all_connection_lines_are_one_list(gateway: Running, http: ClientSession) -> None:
    """RFC 9110 section 5.3: proxies may split it."""
    headers = CIMultiDict(upgrade_headers())
    headers.popall("Connection")
    headers.extend([("Connection", "keep-alive"), ("Connection", "x, Upgrade")])
    async with http.get(gateway.url, headers=headers) as response:
        assert response.status == 101


async def test_a_silent_connection_is_cut(gateway: Running, guest: Connect) -> None:
    """No pong between two pings: the other side is gone."""
    client = await guest()
    client.socket._autoping = False
    connection: Connection = next(iter(gateway.gateway.connections))
    connection.ping()
    connection.ping()
    await eventually(lambda: not gateway.gateway.connections, 20, "the connection is cut")


async def test_a_pong_keeps_a_connection(gateway: Running, guest: Connect) -> None:
    """Who answers pings stays."""
    client = await guest()
    connection: Connection = next(iter(gateway.gateway.connections))
    for _ in range(3):
        connection.ping()
        await client.ask("ping")
    assert gateway.gateway.connections


def refused(reason: str) -> float:
    """Return how many upgrades were refused for this reason."""
    value = REGISTRY.get_sample_value("roomlog_gateway_refused_upgrades_total", {"reason": reason})
    return value or 0.0
