"""Properties of all that decodes what others wrote, over as many drawn inputs as one asks for.

Beside the message's way. A failure is one sentence with the smallest input that shows it; the seed repeats
the run.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st

from roomlog_contract import codec, limits
from roomlog_contract.commands import ClientCommand
from roomlog_contract.envelope import (
    Envelope,
    FetchEvents,
    Identify,
    KnownLogin,
    ReadHeads,
    decode_beacon,
    decode_envelope,
    decode_replies,
    decode_room_notice,
    decode_user_notice,
    encode,
)
from roomlog_contract.errors import MalformedFrame, RefusedCommand
from roomlog_worker.entries import entry_of, pending_entry
from tests.abuse.fuzz.frames_drawn import good_commands, values
from tests.abuse.fuzz.reference import ACCEPTED, MALFORMED, depth, expected

ANOMALY_CHARACTERS = 600
Decode = Callable[[str], ClientCommand]


@dataclass
class Fuzzed:
    """What came of one property."""

    accepted: int = 0
    refused: int = 0
    anomaly: str = ""


def outcome_of(text: str, decode: Decode) -> tuple[str, ClientCommand | None]:
    """Return what a decoder makes of a frame, in the words of the reference."""
    try:
        return ACCEPTED, decode(text)
    except MalformedFrame:
        return MALFORMED, None
    except RefusedCommand as refused:
        return str(refused.code), None


def check_frame(text: str, decode: Decode = codec.decode_command) -> bool:
    """Fail where codec and reference disagree or a command could do harm; return whether it is one."""
    found, command = outcome_of(text, decode)
    allowed = expected(text)
    assert found in allowed, f"{text!r}: {found}, not {sorted(allowed)}"
    if command is None:
        return False
    frame = codec.encode_frame(command).decode()
    assert decode(frame) == command, f"{text!r} means something else when it is read back"
    assert depth(frame) <= limits.JSON_DEPTH
    _check_harmless(json.loads(frame), text)
    return True


def _check_harmless(value: Any, text: str) -> None:
    if isinstance(value, str):
        assert "\0" not in value, f"{text!r} carries NUL"
        value.encode()
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_harmless(key, text)
            _check_harmless(item, text)
    elif isinstance(value, list):
        for item in value:
            _check_harmless(item, text)
    else:
        assert isinstance(value, bool | int | None), f"{text!r} carries {value!r}"
        assert value is None or abs(value) < limits.EXACT_INTEGER, f"{text!r} carries {value}"


def check_inside(value: bytes) -> bool:
    """Fail where a worker or gateway would break at what Redis gives it; return whether a worker takes it."""
    entries = (
        entry_of("roomlog:{s01}:in", "1-0", value),
        entry_of("roomlog:{s01}:read", "1-0", value),
        pending_entry(1, 1, value),
    )
    for entry in filter(None, entries):
        assert entry.key[0] == 1
        assert entry.action
        assert entry.is_read or isinstance(entry.room, UUID)
    for decode in (decode_envelope, decode_replies, decode_beacon, decode_room_notice, decode_user_notice):
        with suppress(msgspec.DecodeError):
            decode(value)
    return any(entries)


def fuzz(check: Callable[[Any], bool], drawn: st.SearchStrategy[Any], examples: int, number: int) -> Fuzzed:
    """Check so many drawn inputs, the same ones for the same number, and return what came of it."""
    fuzzed = Fuzzed()

    def checked(value: Any) -> None:
        if check(value):
            fuzzed.accepted += 1
        else:
            fuzzed.refused += 1

    run = settings(
        max_examples=examples,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        verbosity=Verbosity.quiet,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )(given(drawn)(checked))
    try:
        seed(number)(run)()
    except Exception as failure:  # whatever escapes a decoder is the finding
        fuzzed.anomaly = f"{type(failure).__name__}: {failure}"[:ANOMALY_CHARACTERS]
    return fuzzed


# -- what is drawn for the inside --------------------------------------------------------------------

_logins = st.builds(KnownLogin, fingerprint=st.binary(max_size=17), token=st.none() | st.text(max_size=5))
_readers = st.builds(
    Identify,
    uuid=st.text(max_size=70),
    token=st.none() | st.text(max_size=5),
    logins=st.lists(_logins, max_size=3),
)
_heads = st.builds(
    ReadHeads,
    uuid=st.just(""),
    rooms=st.lists(st.uuids(), max_size=3),
    seqs=st.lists(st.integers(-1, 2**53), max_size=3),
)
_pages = st.builds(
    FetchEvents, uuid=st.just(""), room=st.uuids(), after=st.integers(0, 9), limit=st.just(200)
)


def _decoded(keys: dict[str, Any]) -> ClientCommand | None:
    return outcome_of(json.dumps(keys), codec.decode_command)[1]


_commands = good_commands.map(_decoded).filter(bool) | _readers | _heads | _pages
_envelopes = st.builds(
    Envelope,
    command=_commands,
    gateway=st.text(max_size=5),
    request=st.integers(0, 99),
    user=st.integers(0, 99),
).map(encode)


@st.composite
def _damaged(draw: st.DrawFn) -> bytes:
    """Return an envelope with a few bytes changed, cut or added."""
    value = draw(_envelopes)
    start = draw(st.integers(0, len(value)))
    end = draw(st.integers(start, min(len(value), start + 4)))
    return value[:start] + draw(st.binary(max_size=6)) + value[end:]


@st.composite
def _nested(draw: st.DrawFn) -> bytes:
    """Return an envelope with a field of a later release, nested as deep as nobody nests."""
    fields = msgspec.msgpack.decode(draw(_envelopes))
    levels = draw(st.sampled_from([1, 100, 1_000, 30_000]))
    pieces = [msgspec.msgpack.encode(key) + msgspec.msgpack.encode(value) for key, value in fields.items()]
    later = msgspec.msgpack.encode("later") + draw(st.sampled_from([b"\x91", b"\x81\xa0"])) * levels + b"\x01"
    return bytes([0x80 + len(fields) + 1]) + b"".join([*pieces, later])


_any_values = values.filter(lambda value: not _is_huge(value)).map(msgspec.msgpack.encode)
insides = _envelopes | _damaged() | _damaged() | _nested() | st.binary(max_size=100) | _any_values


def _is_huge(value: Any) -> bool:
    """Tell whether msgpack can't hold it: integers over 64 bits, half a surrogate pair."""
    try:
        msgspec.msgpack.encode(value)
    except (OverflowError, UnicodeEncodeError):
        return True
    return False
