"""Texts on their way from aiohttp to the connection: at once, and in the order in which they came."""

import pytest

from roomlog_contract.errors import CloseCode
from roomlog_gateway.sockets.session import Session
from tests.gateway.running import Connect, Running
from tests.harness import raw

MASK = b"\0\0\0\0"


async def test_a_text_behind_something_else_waits_for_it(enter: Connect) -> None:
    """One write has all three; the second closes the connection, so nobody answers the third."""
    member = await enter(1)
    texts = [raw.frame(1, b'{"uuid":"%d","action":"ping"}' % number, mask=MASK) for number in range(2)]
    member.socket._writer.transport.write(texts[0] + raw.frame(2, b"", mask=MASK) + texts[1])
    assert await member.close_code() == CloseCode.MALFORMED
    assert [frame["uuid"] for frame in member.received if frame["action"] == "ping"] == ["0"]


async def test_a_text_that_fails_closes_its_own_connection_alone(
    enter: Connect, gateway: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a goodbye; the neighbour is served."""
    failing, neighbour = await enter(1), await enter(2)
    session = next(one.session for one in gateway.gateway.connections if one.session.user == 1)

    receive = Session.receive

    def fail_one(one: Session, text: str) -> None:
        if one is session:
            raise RuntimeError
        receive(one, text)

    monkeypatch.setattr(Session, "receive", fail_one)
    await failing.send("ping")
    assert await failing.close_code() == 1001
    assert (await neighbour.ask("ping"))["status"] == "success"
