"""The goodbye is one frame, after all that waits and before nothing (RFC 6455 section 5.5.1)."""

import gc
import json
from collections.abc import Iterator
from unittest.mock import Mock

import pytest
from aiohttp import ClientConnectionResetError
from aiohttp.test_utils import make_mocked_request

from roomlog_gateway.sockets.connection import Connection
from roomlog_gateway.sockets.read_throttle import ReadThrottle
from roomlog_gateway.sockets.session import Session
from roomlog_gateway.sockets.upgrade import UpgradeHandler
from roomlog_gateway.sockets.websocket import WebSocket
from tests.gateway.running import Connect, Running
from tests.harness.raw import TEXT, RawSocket, frame, frames_of, upgrade_headers
from tests.harness.waiting import eventually

SECONDS = 10.0
PING = b'{"uuid": "1", "action": "ping"}'
BROKEN = b"\xc1\x80\x00\x00\x00\x00"
"""A frame with a reserved bit."""
GOODBYE = b"\x88\x82\x00\x00\x00\x00\x0f\xa0"
"""The code 4000."""


def command(payload: bytes) -> bytes:
    """Return a client's text frame."""
    return frame(TEXT, payload)


async def said_to(gateway: Running, *packets: bytes) -> list[tuple[int, bytes]]:
    """Return opcode and payload of all frames that a client is sent after these bytes, until its end."""
    async with RawSocket(gateway.url) as socket:
        await socket.open()
        for packet in packets:
            await socket.write(packet)
        return list(frames_of(await socket.rest()))


@pytest.mark.parametrize(
    ("end", "code"),
    [(BROKEN, 1002), (GOODBYE, 4000), (command(b"[]"), 1003), (b"\x82\x80\x00\x00\x00\x00", 1003)],
)
async def test_what_waits_is_sent_before_the_goodbye(gateway: Running, end: bytes, code: int) -> None:
    """A command and the end in one packet: the answer, one goodbye, silence."""
    answer, goodbye = await said_to(gateway, command(PING) + end)
    assert json.loads(answer[1])["uuid"] == "1"
    assert goodbye[0] == 0x88
    assert int.from_bytes(goodbye[1][:2], "big") == code


async def test_a_broken_frame_after_our_goodbye_is_not_answered(gateway: Running) -> None:
    """We have said 1003 already: a second goodbye would be a frame too many, and the connection ends."""
    (goodbye,) = await said_to(gateway, command(b"[]") + BROKEN)
    assert int.from_bytes(goodbye[1][:2], "big") == 1003
    await eventually(lambda: not gateway.gateway.connections, SECONDS, "the connection is gone")


async def test_a_client_that_leaves_before_the_101_is_no_error(gateway: Running) -> None:
    """The answer has nowhere to go; the log of errors stays for what somebody must look at."""
    writer = Mock(
        send_headers=Mock(side_effect=ClientConnectionResetError("gone")),
        write_headers=Mock(side_effect=ClientConnectionResetError("gone")),
    )
    request = make_mocked_request("GET", "/ws", headers=upgrade_headers(), writer=writer)
    inside = gateway.gateway
    upgrades = UpgradeHandler(inside.connections, gateway.config, inside.clock, lambda: False)
    assert (await upgrades.answer(request)).status == 400
    assert not gateway.gateway.connections


@pytest.fixture
def no_collector() -> Iterator[None]:
    """Only what nothing refers to is freed."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collector")
@pytest.mark.parametrize("end", [b"", GOODBYE, BROKEN, command(b"[]")])
async def test_a_closed_connection_is_freed_at_once(gateway: Running, end: bytes) -> None:
    """However it ended: a collection of thousands would stop the loop for everybody."""
    async with RawSocket(gateway.url) as socket:
        await socket.open()
        await socket.write(command(PING) + end)
        await socket.receive()
    await eventually(lambda: parts_left() == [], SECONDS, "it is freed")


@pytest.mark.usefixtures("no_collector")
async def test_a_member_s_closed_connection_is_freed_at_once(enter: Connect) -> None:
    """One that was in rooms and asked for things."""
    alice = await enter(1)
    await alice.ask("ping")
    await alice.socket.close()
    await eventually(lambda: parts_left() == [], SECONDS, "it is freed")


def parts_left() -> list[object]:
    """Return what there is of connections."""
    parts = (Connection, ReadThrottle, Session, WebSocket)
    return [one for one in gc.get_objects() if isinstance(one, parts)]
