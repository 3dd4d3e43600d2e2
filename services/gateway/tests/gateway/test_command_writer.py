"""The ordered writer of commands, against a link that only remembers."""

import asyncio

import hiredis
import pytest

from roomlog_gateway.redis.command_writer import Bus


class Wire:
    """A link to nowhere."""

    def __init__(self) -> None:
        self.is_writable = True
        self.is_trying = True
        self.written = b""

    def write(self, data: bytes) -> None:
        """Remember what would have been sent."""
        self.written += data


@pytest.fixture
def refused() -> list[int]:
    """Requests that were certainly not sent."""
    return []


@pytest.fixture
def bus(refused: list[int]) -> Bus:
    """A writer on a wire of its own."""
    bus = Bus("redis://nowhere", lambda: 0.0, lambda request, _: refused.append(request))
    bus.link = Wire()  # type: ignore[assignment]
    return bus


async def test_a_link_that_breaks_before_the_write_spoils_nothing_later(bus: Bus, refused: list[int]) -> None:
    """Commands of the broken link are refused; the next link carries the next commands, of other streams."""
    bus.link_up()
    bus.add("roomlog:{s01}:in", b"first", 1)
    bus.link_down()
    assert refused == [1]
    bus.link_up()
    bus.add("roomlog:{s02}:in", b"second", 2)
    await asyncio.sleep(0)
    written = bus.link.written  # type: ignore[attr-defined]
    assert b"second" in written
    assert b"first" not in written


def test_a_replica_is_known_until_its_link_is_down(bus: Bus, refused: list[int]) -> None:
    """What refuses to be written is left; whoever answers next counts as a primary."""
    bus.link_up()
    bus._expected.append(1)
    bus.link_reply(hiredis.ReplyError("READONLY You can't write against a read only replica."))
    assert refused == [1]
    assert bus.is_demoted
    bus.link_down()
    assert not bus.is_demoted
