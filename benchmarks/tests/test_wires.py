"""The systems' dialects: a message's number is found in every form of a delivery, and in nothing else."""

import json

import pytest

from benchmarks.loads import Fleet
from benchmarks.wires import CENTRIFUGE, PEER, ROOMLOG, Member, Numbering, Wire

MEMBER = Member(room="r1", user=7, token="secret")


def number_in(wire: Wire, numbering: Numbering, frame: bytes) -> int:
    """What the generator reads from a frame."""
    position = frame.find(wire.uuid_marker)
    return numbering.number_at(frame, position + len(wire.uuid_marker)) if position >= 0 else -1


@pytest.mark.parametrize(
    ("wire", "separators"), [(PEER, (", ", ": ")), (ROOMLOG, (",", ":"))], ids=["peer", "roomlog"]
)
def test_a_delivery_is_known_by_its_number(wire: Wire, separators: tuple[str, str]) -> None:
    """The number that was sent is the number that is read from the delivery."""
    numbering = Numbering()
    sent = json.loads(wire.send_of(numbering.uuid_of(123_456), "r1", "hello"))
    frame = json.dumps({"uuid": sent["uuid"], "text": sent["text"]}, separators=separators).encode()
    assert sent["text"] == "hello"
    assert number_in(wire, numbering, frame) == 123_456


def test_a_uuid_fits_every_system() -> None:
    """Each is opened in its own way; other frames have no number."""
    numbering = Numbering()
    for frame in (
        b'{"action":"heads","rooms":{}}',
        b'{"uuid":null,"action":"new_message"}',
        b'{"uuid":"opening","action":"authenticate"}',
        b'{"uuid":"' + Numbering().uuid_of(3).encode() + b'"}',
    ):
        assert number_in(ROOMLOG, numbering, frame) == -1
    assert len(Numbering().uuid_of(0)) == len(Numbering().uuid_of(10**9)) == 32
    assert PEER.address_of("ws://h:1", MEMBER) == "ws://h:1/ws/r1?user=7"
    assert PEER.opening_of(MEMBER) is None
    opening = ROOMLOG.opening_of(MEMBER)
    assert opening is not None
    assert json.loads(opening)["token"] == "secret"
    assert ROOMLOG.is_opened(b'{"uuid":"opening","action":"authenticate","status":"success"}')
    assert not ROOMLOG.is_opened(b'{"uuid":"opening","action":"authenticate","status":"error"}')


def test_each_message_of_a_joined_frame_counts() -> None:
    """centrifuge hands over several lines in a frame; that of a send's answer has no number."""
    numbering = Numbering()
    fleet = Fleet(CENTRIFUGE, "ws://h:1", [[MEMBER, MEMBER]])
    fleet.numbering = numbering
    for sender in (0, 1):
        fleet.tally.send(sender, 0, 0.0)
    sent = [json.loads(CENTRIFUGE.send_of(numbering.uuid_of(number), "r1", "hello")) for number in (0, 1)]
    pushes = [{"push": {"channel": "r1", "pub": {"data": one["publish"]["data"]}}} for one in sent]
    lines = [json.dumps(one, separators=(",", ":")) for one in ({"id": 2, "publish": {}}, *pushes)]
    frame = "\n".join(lines).encode()
    fleet._receive_joined(0, frame, 0, len(frame))
    assert list(fleet.tally.received[0]) == [0, 1]
