"""What travels inside: every envelope, reply and notice comes back as it went, also between two releases."""

import contextlib
from typing import Any, get_args
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roomlog_contract import envelope as inside
from roomlog_contract.actions import COMMANDS
from roomlog_contract.commands import ClientCommand, NewMessage, Ping
from roomlog_contract.events import RoomSummary, User

ROOM = UUID("00112233-4455-6677-8899-aabbccddeeff")

characters = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
integers = st.integers(0, 2**53 - 1)
frames = st.binary(max_size=50)
notices = st.builds(
    inside.Notice,
    epoch=characters,
    seq=integers,
    frame=frames,
    user=integers,
    gateway=characters,
    request=integers,
    left=integers,
)
heads_moved = st.builds(inside.HeadMoved, epoch=characters, seq=integers)
summaries = st.builds(
    RoomSummary,
    id=st.uuids(),
    name=characters,
    kind=st.sampled_from(["group", "direct"]),
    epoch=characters,
    seq=integers,
    read_seq=integers,
    unread=integers,
)
replies = st.one_of(
    st.builds(inside.Answered, request=integers, frame=frames),
    st.builds(
        inside.Selected,
        request=integers,
        frame=frames,
        room=st.uuids(),
        epoch=characters,
        seq=integers,
        more=st.booleans(),
    ),
    st.builds(
        inside.Identified,
        request=integers,
        user=st.none() | st.builds(User, id=integers, username=characters),
        rooms=st.lists(summaries, max_size=3),
    ),
    st.builds(
        inside.HeadsRead,
        request=integers,
        epoch=characters,
        heads=st.dictionaries(st.uuids(), integers, max_size=3),
    ),
    st.builds(
        inside.EventsFetched,
        request=integers,
        room=st.uuids(),
        epoch=characters,
        head=integers,
        events=st.lists(notices, max_size=3),
    ),
)
inner_commands = st.one_of(
    st.builds(Ping, uuid=characters),
    st.builds(
        NewMessage, uuid=characters, room=st.uuids(), text=characters, reply_to=st.none() | integers
    ).filter(lambda message: message.reply_to != 0),
    st.builds(
        inside.Identify,
        uuid=characters,
        token=st.none() | characters,
        ticket=st.none() | characters,
        is_recheck=st.booleans(),
    ),
    st.builds(inside.ReadHeads, uuid=characters, rooms=st.lists(st.uuids(), max_size=3)),
    st.builds(inside.FetchEvents, uuid=characters, room=st.uuids(), after=integers, limit=integers),
).filter(lambda command: command.uuid != "")
envelopes = st.builds(
    inside.Envelope,
    command=inner_commands,
    gateway=characters,
    request=integers,
    user=integers,
    staff=st.booleans(),
    received_ms=integers,
)


@given(envelopes)
def test_an_envelope_comes_back_as_it_went(sent: inside.Envelope) -> None:
    """Encode and decode are inverse for commands of clients and of gateways."""
    assert inside.decode_envelope(inside.encode(sent)) == sent


@given(st.lists(replies, max_size=4))
def test_replies_come_back_as_they_went(sent: list[inside.Reply]) -> None:
    """One publication carries the replies of a batch in their order, frames byte for byte."""
    assert inside.decode_replies(inside.encode(sent)) == sent


@given(notices | heads_moved)
def test_a_room_notice_comes_back_as_it_went(sent: inside.RoomNotice) -> None:
    """The frame inside is not touched."""
    assert inside.decode_room_notice(inside.encode(sent)) == sent


@given(st.builds(inside.Joined, room=summaries) | st.just(inside.Recheck()))
def test_a_user_notice_comes_back_as_it_went(sent: inside.UserNotice) -> None:
    """Joined rooms carry their head."""
    assert inside.decode_user_notice(inside.encode(sent)) == sent


def test_a_beacon_comes_back_as_it_went() -> None:
    """What a worker says of itself."""
    sent = inside.Beacon("w", [0, 63], {63: 1200}, 12.5, 3, database=True)
    assert inside.decode_beacon(inside.encode(sent)) == sent


@given(st.binary(max_size=200))
def test_foreign_bytes_are_a_decode_error_and_nothing_else(data: bytes) -> None:
    """A stray publication or entry can be told from a broken program."""
    for decode in (
        inside.decode_envelope,
        inside.decode_replies,
        inside.decode_beacon,
        inside.decode_room_notice,
        inside.decode_user_notice,
    ):
        with contextlib.suppress(msgspec.DecodeError):
            decode(data)


def test_an_envelope_with_text_that_is_no_utf8_is_a_decode_error() -> None:
    """A forged entry is one refused entry, never another kind of exception."""
    sent = inside.Envelope(command=inside.Identify(uuid="u", token="good"))
    with pytest.raises(msgspec.DecodeError):
        inside.decode_envelope(inside.encode(sent).replace(b"good", b"\xff\xff\xff\xff"))


def test_nesting_without_an_end_is_a_decode_error() -> None:
    """A field that nobody knows is skipped; where it nests deeper than the stack it is refused by name."""
    fields = msgspec.msgpack.decode(inside.encode(inside.Envelope(command=Ping(uuid="u"))))
    known = b"".join(msgspec.msgpack.encode(part) for pair in fields.items() for part in pair)
    later = msgspec.msgpack.encode("later") + b"\x91" * 100_000 + b"\x01"
    with pytest.raises(msgspec.DecodeError):
        inside.decode_envelope(bytes([0x80 + len(fields) + 1]) + known + later)


def test_every_client_command_fits_into_an_envelope() -> None:
    """The union of the type checker and the registry of the codec name the same commands."""
    assert set(get_args(ClientCommand)) == set(COMMANDS.values())


@pytest.mark.parametrize("action", ["identify", "read_heads", "fetch_events"])
def test_what_gateways_ask_is_no_action_of_clients(action: str) -> None:
    """A client can't read other rooms by speaking a gateway's commands."""
    assert action not in COMMANDS


class EnvelopeOfTomorrow(inside.Envelope, frozen=True, kw_only=True):
    """The envelope of a later release: one more field, with a default."""

    trace: str = ""


def test_an_older_release_reads_a_newer_envelope() -> None:
    """Unknown fields are skipped: the old worker serves the new gateway during a rollout."""
    command = Ping(uuid="u")
    newer = msgspec.msgpack.encode(EnvelopeOfTomorrow(command=command, user=3, trace="t"))
    assert inside.decode_envelope(newer) == inside.Envelope(command=command, user=3)


def test_a_newer_release_reads_an_older_envelope() -> None:
    """Missing fields take their default: the new worker serves the old gateway."""
    older = msgspec.msgpack.encode({"command": {"action": "ping", "uuid": "u"}})
    assert inside.decode_envelope(older) == inside.Envelope(command=Ping(uuid="u"))


FIRST_RELEASE: dict[str, Any] = {
    "Envelope": {"command", "gateway", "request", "user", "staff", "received_ms"},
    "Answered": {"request", "frame"},
    "Selected": {"request", "frame", "room", "epoch", "seq", "more"},
    "Identified": {"request", "user", "rooms"},
    "HeadsRead": {"request", "epoch", "heads"},
    "Notice": {"epoch", "seq", "frame", "user", "gateway", "request", "left"},
    "EventsFetched": {"request", "room", "epoch", "head", "events"},
    "HeadMoved": {"epoch", "seq"},
    "Joined": {"room"},
    "Recheck": set(),
}


@pytest.mark.parametrize("name", FIRST_RELEASE)
def test_fields_are_only_added_and_only_with_a_default(name: str) -> None:
    """A field that is gone, or a new one that is required, would break a rollout."""
    struct = getattr(inside, name)
    required = {field.name for field in msgspec.structs.fields(struct) if field.required}
    fields = set(struct.__struct_fields__)
    assert FIRST_RELEASE[name] <= fields
    assert required <= FIRST_RELEASE[name]
