"""Properties of the codec over any text: it refuses by name or understands, and nothing else happens."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roomlog_contract import limits
from roomlog_contract.actions import COMMANDS
from roomlog_contract.codec import _depth, decode_command, encode_frame
from roomlog_contract.commands import Command
from roomlog_contract.errors import ContractError, MalformedFrame

HEX = "00112233445566778899aabbccddeeff"
KEYS = sorted({name for struct in COMMANDS.values() for name in struct.__struct_fields__} | {"action", "x"})

numbers = st.integers() | st.floats()
leaves = st.none() | st.booleans() | numbers | st.text(st.characters()) | st.sampled_from([HEX, *COMMANDS])
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from([*KEYS, HEX, "epoch", "seq"]) | st.text(), inner, max_size=4)
    ),
    max_leaves=10,
)
commands = st.fixed_dictionaries(
    {"uuid": st.text(min_size=1, max_size=64), "action": st.sampled_from(sorted(COMMANDS))},
    optional={name: values for name in KEYS if name not in ("uuid", "action")},
)
names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=64)
seqs = st.integers(0, limits.EXACT_INTEGER - 1)
users = st.integers(1, limits.EXACT_INTEGER - 1)
rooms = st.uuids().flatmap(lambda room: st.sampled_from([room.hex, str(room), room.hex.upper()]))
cursors = st.fixed_dictionaries({"epoch": st.sampled_from(["", "0123456789abcdef"]), "seq": seqs})
good_fields: dict[str, st.SearchStrategy[Any]] = {
    "uuid": names,
    "token": names,
    "cursors": st.dictionaries(rooms, cursors, max_size=3),
    "room": rooms,
    "since": cursors | st.none(),
    "text": names.filter(str.strip),
    "reply_to": users | st.none(),
    "before": seqs,
    "limit": st.integers(1, limits.HISTORY_MESSAGES),
    "name": names,
    "kind": st.sampled_from(["group", "direct"]),
    "members": st.lists(users, max_size=5),
    "user": users,
    "role": st.sampled_from(["member", "admin", "owner"]),
}


def good_command(action: str) -> st.SearchStrategy[dict[str, Any]]:
    """Return frames of one action with every field that it knows, `ticket` and `after` aside."""
    fields = {name: good_fields[name] for name in COMMANDS[action].__struct_fields__ if name in good_fields}
    return st.fixed_dictionaries(fields | {"action": st.just(action)}).map(_with_one_other)


def _with_one_other(keys: dict[str, Any]) -> dict[str, Any]:
    """Give a direct room its one other member."""
    return keys | {"members": [7]} if keys.get("kind") == "direct" else keys


good_commands = st.sampled_from(sorted(COMMANDS)).flatmap(good_command)
rubbish = st.text(st.sampled_from('{}[]",:\\ud80ntrefals0123456789.eE+-/ \n\0é\ufeff'), max_size=200)
nesting = st.text(st.sampled_from('[]{}",:\\a1'), max_size=120)


def outcome(text: str) -> str:
    """Decode, and let through what the contract allows alone."""
    try:
        command = decode_command(text)
    except ContractError as refused:
        return type(refused).__name__
    assert isinstance(command, Command)
    return "command"


def naive_depth(text: str) -> int:
    """Count brackets one character at a time, as a person would."""
    depth = deepest = 0
    in_string = escaped = False
    for character in text:
        if in_string:
            in_string = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            in_string = True
        elif character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


@given(st.text() | rubbish)
def test_any_text_is_a_command_or_refused(text: str) -> None:
    """No text raises anything but ContractError."""
    outcome(text)


@given(values)
def test_any_json_is_a_command_or_refused(value: object) -> None:
    """No JSON value raises anything but ContractError, NaN and lone surrogates included."""
    outcome(json.dumps(value))


@given(commands)
def test_any_near_command_is_a_command_or_refused(keys: dict[str, Any]) -> None:
    """Right actions with wrong values raise nothing but ContractError."""
    outcome(json.dumps(keys))


@given(commands, st.data())
def test_any_damaged_command_is_a_command_or_refused(keys: dict[str, Any], data: st.DataObject) -> None:
    """A frame cut, doubled or with a character replaced raises nothing but ContractError."""
    text = json.dumps(keys)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    outcome(text[:start] + data.draw(st.text(max_size=3)) + text[end:])


@given(good_commands)
def test_what_was_understood_can_be_stored_and_sent(keys: dict[str, Any]) -> None:
    """Every command can be encoded again, holds no NUL, and means the same when it is read back."""
    command = decode_command(json.dumps(keys))
    frame = encode_frame(command).decode()
    assert "\0" not in frame
    assert "\\u0000" not in frame
    assert decode_command(frame) == command


@given(commands)
def test_what_was_understood_by_chance_can_be_sent(keys: dict[str, Any]) -> None:
    """Whatever near command is let through is encoded without an error."""
    try:
        command = decode_command(json.dumps(keys))
    except ContractError:
        return
    assert decode_command(encode_frame(command).decode()) == command


@given(nesting | st.text())
def test_depth_is_what_a_person_counts(text: str) -> None:
    """The fast count agrees with the naive one on closed and unclosed strings alike."""
    assert _depth(text) == naive_depth(text)


@given(st.recursive(st.just(1), lambda inner: st.lists(inner, max_size=2), max_leaves=60))
def test_depth_is_what_the_value_nests(value: object) -> None:
    """A frame is refused for its depth exactly when it nests deeper than 16."""
    text = json.dumps(value)
    if naive_depth(text) > limits.JSON_DEPTH:
        with pytest.raises(MalformedFrame, match="nested deeper than 16"):
            decode_command(text)
    else:
        with pytest.raises(MalformedFrame, match="not a JSON object"):
            decode_command(text)
