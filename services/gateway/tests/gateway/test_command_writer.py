"""The ordered writer of commands, against a link that only remembers."""

import asyncio
from unittest.mock import Mock

import hiredis
import msgspec
import pytest

from roomlog_contract.keyspace import Keyspace
from roomlog_gateway.errors import NotAccepted
from roomlog_gateway.redis.admission import READ_ENTRIES, Admission
from roomlog_gateway.redis.cluster_writer import NodeWriter
from roomlog_gateway.redis.command_writer import CommandWriter
from roomlog_gateway.redis.stream_gate import SAMPLE_SECONDS
from tests.gateway.insides import AGREED, Clock


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
def writer(refused: list[int]) -> CommandWriter:
    """A writer on a wire of its own."""
    admission = Admission(Keyspace(), lambda: 0.0)
    admission.heard(AGREED)
    writer = CommandWriter(
        "redis://nowhere", lambda: 0.0, lambda request, _: refused.append(request), admission
    )
    writer.link = Wire()  # type: ignore[assignment]
    return writer


async def test_a_link_that_breaks_before_the_write_spoils_nothing_later(
    writer: CommandWriter, refused: list[int]
) -> None:
    """Commands of the broken link are refused; the next link carries the next commands, of other streams."""
    writer.link_up()
    writer.add("roomlog:{s01}:in", b"first", 1)
    writer.link_down()
    assert refused == [1]
    writer.link_up()
    writer.add("roomlog:{s02}:in", b"second", 2)
    await asyncio.sleep(0)
    written = writer.link.written  # type: ignore[attr-defined]
    assert b"second" in written
    assert b"first" not in written


def test_a_replica_is_known_until_its_link_is_down(writer: CommandWriter, refused: list[int]) -> None:
    """What refuses to be written is left; whoever answers next counts as a primary."""
    writer.link_up()
    writer._expected.append(1)
    writer.link_reply(hiredis.ReplyError("READONLY You can't write against a read only replica."))
    assert refused == [1]
    assert writer.is_demoted
    writer.link_down()
    assert not writer.is_demoted


async def test_a_node_that_was_left_may_still_answer() -> None:
    """A reply says that it is no primary any more; those behind it in the same bytes have nobody to go to."""
    cluster = Mock()
    cluster.url_of.return_value = "redis://nowhere"
    admission = Admission(Keyspace(), lambda: 0.0)
    admission.heard(AGREED)
    writer = NodeWriter(("host", 1), lambda: 0.0, lambda *_: None, admission, cluster)
    writer.link = Wire()  # type: ignore[assignment]
    writer.link_up()
    for number in (1, 2):
        writer.add("roomlog:{s01}:in", b"command", number)
    await asyncio.sleep(0)
    cluster.redirected.side_effect = lambda *_: writer.link_down()
    writer.link_reply(hiredis.ReplyError("MOVED 1 host:2"))
    writer.link_reply(b"1-0")
    assert not writer.is_up


async def test_a_stream_that_refuses_is_measured_without_a_command(writer: CommandWriter) -> None:
    """Else its worker would be idle until the next tick; more often than each 20 ms Redis isn't asked."""
    stream, clock = Keyspace().in_stream(1), Clock()
    writer._clock = clock
    writer.link_up()
    writer.add(stream, b"first", 1)
    await asyncio.sleep(0)
    writer._admission.heard(msgspec.structs.replace(AGREED, shards=[1], oldest_ms={1: 1_000}))
    writer._admission.sampled(stream, READ_ENTRIES, 1, 0.0)
    for asked in (1, 2):
        clock.now += SAMPLE_SECONDS * 0.6
        with pytest.raises(NotAccepted):
            writer.admit(stream)
        await asyncio.sleep(0)
        assert writer.link.written.count(b"XLEN") == asked  # type: ignore[attr-defined]
