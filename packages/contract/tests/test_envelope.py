"""What travels inside: every envelope, reply and notice comes back as it went, also between two releases."""

from collections.abc import Callable
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from roomlog_contract import envelope as inside
from roomlog_contract import limits
from roomlog_contract.actions import COMMANDS
from roomlog_contract.commands import ClientCommand, NewMessage, Ping

commands = st.one_of(
    st.builds(Ping),
    st.builds(NewMessage, reply_to=st.none() | st.integers(1, 2**53 - 1)),
    *map(st.builds, (inside.Identify, inside.ReadHeads, inside.FetchEvents)),
).filter(lambda command: 0 < len(command.uuid) <= limits.UUID_CODE_POINTS)
replies = st.one_of(
    *map(st.builds, (inside.Answered, inside.Selected, inside.Identified, inside.HeadsRead)),
    st.builds(inside.LoginsCompared),
    st.builds(inside.EventsFetched, events=st.lists(st.builds(inside.Notice), max_size=3)),
)
TRAVELLERS: dict[str, tuple[st.SearchStrategy[Any], Callable[[bytes], Any]]] = {
    "envelope": (st.builds(inside.Envelope, command=commands), inside.decode_envelope),
    "replies": (st.lists(replies, max_size=3), inside.decode_replies),
    "room notice": (st.builds(inside.Notice) | st.builds(inside.HeadMoved), inside.decode_room_notice),
    "user notice": (
        st.builds(inside.Joined)
        | st.builds(inside.Marked)
        | st.builds(inside.Blocked)
        | st.builds(inside.Recheck),
        inside.decode_user_notice,
    ),
    "beacon": (st.builds(inside.Beacon, drained=st.floats(0, 1e9)), inside.decode_beacon),
}


@pytest.mark.parametrize("name", TRAVELLERS)
@given(st.data())
def test_what_travels_comes_back_as_it_went(name: str, data: st.DataObject) -> None:
    """Encode and decode are inverse for whatever msgpack can hold; frames stay byte for byte."""
    drawn, decode = TRAVELLERS[name]
    sent = data.draw(drawn)
    try:
        encoded = inside.encode(sent)
    except OverflowError:
        assume(False)
    assert decode(encoded) == sent


@pytest.mark.parametrize("action", ["identify", "read_heads", "fetch_events"])
def test_what_gateways_ask_is_no_action_of_clients(action: str) -> None:
    """A client can't read other rooms by speaking a gateway's commands."""
    assert action not in COMMANDS


class EnvelopeOfTomorrow(inside.Envelope, frozen=True, kw_only=True):
    """The envelope of a later release: one more field, with a default."""

    trace: str = ""


def test_two_releases_read_each_others_envelopes() -> None:
    """Unknown fields are skipped and missing ones take their default during a rollout."""
    command = Ping(uuid="u")
    newer = msgspec.msgpack.encode(EnvelopeOfTomorrow(command=command, user=3, trace="t"))
    assert inside.decode_envelope(newer) == inside.Envelope(command=command, user=3)
    older = msgspec.msgpack.encode({"command": {"action": "ping", "uuid": "u"}})
    assert inside.decode_envelope(older) == inside.Envelope(command=Ping(uuid="u"))


def test_an_envelope_holds_only_what_its_command_needs() -> None:
    """Text that is no UTF-8 is a decode error; each client command fits in."""
    plain = inside.Envelope(command=Ping(uuid="u"), user=3)
    assert set(msgspec.msgpack.decode(inside.encode(plain))) == {"command", "user"}
    traced = msgspec.structs.replace(plain, traceparent="t")
    assert set(msgspec.msgpack.decode(inside.encode(traced))) == {"command", "user", "traceparent"}
    sent = inside.Envelope(command=inside.Identify(uuid="u", token="good"))
    with pytest.raises(msgspec.DecodeError):
        inside.decode_envelope(inside.encode(sent).replace(b"good", b"\xff\xff\xff\xff"))
    assert set(get_args(ClientCommand)) == set(COMMANDS.values())


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
    assert FIRST_RELEASE[name] <= set(struct.__struct_fields__)
    assert required <= FIRST_RELEASE[name]
