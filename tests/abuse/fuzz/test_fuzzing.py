"""The fuzzers see what they are there for: a decoder that is too lax, too strict or breaks."""

from pathlib import Path

import pytest

from roomlog_contract.codec import decode_command
from roomlog_contract.commands import ClientCommand, Ping
from roomlog_contract.errors import MalformedFrame
from tests.abuse.fuzz.frames_drawn import frames
from tests.abuse.fuzz.fuzz_once import fuzz_apart
from tests.abuse.fuzz.fuzzing import check_frame, check_inside, fuzz, insides
from tests.abuse.fuzz.reference import ACCEPTED, MALFORMED, expected
from tests.abuse.fuzz.sockets import draw, judge

EXAMPLES = sorted(Path(__file__).parents[3].glob("packages/contract/examples/command.*.json"))
CASES = 1_000
SEED = 1


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_the_reference_accepts_every_example(example: Path) -> None:
    """What the specification shows is what its second reading takes."""
    assert expected(example.read_text()) == {ACCEPTED}


@pytest.mark.parametrize("text", ["", "[]", "NaN", '{"uuid":1,"uuid":1}', "[" * 17 + "]" * 17])
def test_the_reference_refuses_what_is_no_frame(text: str) -> None:
    """Not JSON, no object, a key twice, too deep."""
    assert expected(text) == {MALFORMED}


def test_drawn_input_finds_nothing() -> None:
    """In the codec, by its reference; nor in what a worker or gateway reads from Redis."""
    fuzzed = fuzz(check_frame, frames, CASES, SEED)
    assert fuzzed.anomaly == ""
    assert fuzzed.accepted > CASES / 10
    assert fuzzed.refused > CASES / 10
    fuzzed = fuzz(check_inside, insides, CASES, SEED)
    assert fuzzed.anomaly == ""
    assert fuzzed.accepted > CASES / 10


def lax(text: str) -> ClientCommand:
    """Decode, but take NaN for a number."""
    return decode_command(text.replace("NaN", "1"))


def strict(text: str) -> ClientCommand:
    """Decode, but refuse the empty string anywhere."""
    if '""' in text:
        raise MalformedFrame("empty")
    return decode_command(text)


def breaking(text: str) -> ClientCommand:
    """Decode, but fall over long numbers."""
    if "1000000000000000000000" in text:
        raise OverflowError
    return decode_command(text)


def forgetful(text: str) -> ClientCommand:
    """Decode, but take every ping for another one."""
    command = decode_command(text)
    return Ping(uuid=command.uuid + "x") if isinstance(command, Ping) else command


@pytest.mark.parametrize("decode", [lax, strict, breaking, forgetful])
def test_a_wrong_codec_is_caught(decode: object) -> None:
    """One that accepts more, accepts less, raises something else or changes what it read."""
    fuzzed = fuzz(lambda text: check_frame(text, decode), frames, 15 * CASES, SEED)  # type: ignore[arg-type]
    assert fuzzed.anomaly


def test_a_seed_finds_and_draws_the_same_again() -> None:
    """In another process, whatever this one has loaded; a case's number is enough to see it."""
    found = fuzz_apart("frames", 200, SEED)
    assert found == fuzz_apart("frames", 200, SEED)
    assert any(found != fuzz_apart("frames", 200, other) for other in (2, 3, 4))
    assert [draw(number, SEED) for number in range(50)] == [draw(number, SEED) for number in range(50)]
    assert draw(0, SEED) != draw(0, SEED + 1)


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        (b'\x81\x0e{"action":"x"}', ""),
        (b"\x88\x02\x03\xea", ""),
        (b"\x88\x02\x03\xf3", "close 1011"),
        (b"\x88\x02\x03\xeaxx", "frames after the goodbye"),
        (b"\x81\x02{}", "a message without an action"),
        (b"\x81\x05ab", "half a frame"),
        (b"\x82\x00", "a frame with opcode 2"),
        (b"\xc1\x00", "a frame that begins with 0xc1"),
    ],
)
def test_what_a_gateway_may_not_say_is_named(said: bytes, wrong: str) -> None:
    """Internal errors, frames after the goodbye, and what is no frame of ours."""
    assert judge(said).startswith(wrong)
    assert bool(judge(said)) == bool(wrong)
