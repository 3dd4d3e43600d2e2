"""Finished server frames are what RFC 6455 section 5.2 says, at every width of the length."""

import pytest

from roomlog_gateway.sockets.websocket_frames import close_frame, ping_frame, pong_frame, text_frame


@pytest.mark.parametrize(
    ("length", "head"),
    [
        (0, b"\x81\x00"),
        (125, b"\x81\x7d"),
        (126, b"\x81\x7e\x00\x7e"),
        (65_535, b"\x81\x7e\xff\xff"),
        (65_536, b"\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
    ],
)
def test_a_text_frame_has_the_shortest_length_that_fits(length: int, head: bytes) -> None:
    """Final, unmasked, and the length in 7, 16 or 64 bits."""
    assert text_frame(b"x" * length) == head + b"x" * length


def test_control_frames_fit() -> None:
    """A pong has its ping's payload; a goodbye is cut between characters, at 125 bytes."""
    assert pong_frame(b"abc") == b"\x8a\x03abc"
    assert ping_frame() == b"\x89\x00"
    frame = close_frame(1003, "ä" * 100)
    assert frame[:4] == b"\x88\x7c\x03\xeb"
    assert frame[4:].decode() == "ä" * 61
