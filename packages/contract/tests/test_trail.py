"""The trail's entries: what is packed is found by its names, and nothing else is taken for it."""

import zlib
from uuid import UUID

import msgspec
import pytest
from msgspec import Struct

from roomlog_contract.trail import MOST_BYTES, Decided, Ended, Queued, Refused, Step, Written, find, pack

ROOM = UUID(int=7)
STEPS: list[Step] = [
    Queued("ä", "new_message", 3, 1, 12),
    Refused("u", "new_message", 0, 1, "busy"),
    Ended("u", 1, "event"),
    Written(ROOM, 5, 2),
    Decided("u", 3, 12, "1-0", "event", 1000, True, ROOM, 5),
]
TIMED = [(float(number), step) for number, step in enumerate(STEPS)]


@pytest.mark.parametrize("name", ["ä".encode(), ROOM.bytes])
def test_what_is_packed_is_found(name: bytes) -> None:
    """By a command's uuid or a room's id, with all that was packed beside it."""
    assert find(pack("gateway", TIMED), [b"other", name]) == ("gateway", TIMED)


def test_what_is_packed_otherwise_harms_nothing() -> None:
    """A newer release's fields are passed over, other names find nothing, a bomb stays packed."""
    assert find(pack("gateway", TIMED), [b"other"]) == ("", [])
    value = zlib.compress(msgspec.msgpack.encode(("gateway", [(1.0, Newer("u", 1, "event"))])))
    assert find(value, [b"u"]) == ("gateway", [(1.0, Ended("u", 1, "event"))])
    with pytest.raises(ValueError, match="too long"):
        find(zlib.compress(b"\xd9" + bytes(MOST_BYTES)), [b"u"])


class Newer(Struct, array_like=True, tag="e"):
    """An Ended of tomorrow."""

    uuid: str
    connection: int
    how: str
    more: int = 1


@pytest.mark.parametrize(
    "value",
    [b"", b"x", b"\xff" * 99, zlib.compress(b"u"), zlib.compress(b"\x92\xa1u\x91\x92\x01\x92\xa1?\xa1u")],
)
def test_what_is_none_of_ours_is_refused(value: bytes) -> None:
    """Bytes that are no zlib, no msgpack, or a step that nobody knows."""
    with pytest.raises(ValueError):  # noqa: PT011 - its words are zlib's or msgspec's
        find(value, [b"u"])
