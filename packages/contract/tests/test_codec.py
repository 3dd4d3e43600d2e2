"""The strict parse of a client's frame: what becomes a command, and how each kind of rubbish is refused."""

import json
from collections.abc import Callable, Iterator
from time import process_time
from typing import Any
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from roomlog_contract import codec, limits
from roomlog_contract.codec import decode_command, encode_frame, names_of
from roomlog_contract.commands import (
    AddReaction,
    Authenticate,
    Command,
    CreateRoom,
    Cursor,
    GetHistory,
    InviteUser,
    NewMessage,
    Ping,
    RemoveReaction,
    SelectRoom,
)
from roomlog_contract.errors import ErrorCode, MalformedFrame, RefusedCommand
from roomlog_contract.events import ErrorAnswer
from roomlog_contract.server_events import RoomLeft
from tests.abuse.inputs import bad_inputs, bad_values
from tests.abuse.inputs.bad_inputs import BadInput

HEX = "00112233445566778899aabbccddeeff"
ROOM = UUID(HEX)
MESSAGE = {"uuid": "u1", "action": "new_message", "room": HEX, "text": "hello"}
SELECT = {"uuid": "u1", "action": "select_room", "room": HEX}
HISTORY = {"uuid": "u1", "action": "get_history", "room": HEX}
CREATE = {"uuid": "u1", "action": "create_room"}
LOGIN = {"uuid": "u1", "action": "authenticate"}
AT_THE_CODEC = (
    *(bad_inputs.documents, bad_inputs.damaged_frames, bad_inputs.impossible_values, bad_inputs.wrong_names),
    *(bad_inputs.unknown_actions, bad_values.wrong_values, bad_values.missing_keys, bad_values.bad_texts),
)
INVITE = {"uuid": "u1", "action": "invite_user", "room": HEX, "user": 7}


def refusal(keys: object) -> RefusedCommand:
    """Decode what is JSON by the letter (Python writes NaN and lone surrogates too)."""
    with pytest.raises(RefusedCommand) as caught:
        decode_command(json.dumps(keys))
    return caught.value


@pytest.mark.parametrize(
    ("keys", "command"),
    [
        (MESSAGE, NewMessage(uuid="u1", room=ROOM, text="hello")),
        (MESSAGE | {"reply_to": None}, NewMessage(uuid="u1", room=ROOM, text="hello")),
        (MESSAGE | {"later": [1, {"a": None}]}, NewMessage(uuid="u1", room=ROOM, text="hello")),
        (MESSAGE | {"room": str(ROOM).upper()}, NewMessage(uuid="u1", room=ROOM, text="hello")),
        (
            SELECT | {"since": {"epoch": "e", "seq": 0}},
            SelectRoom(uuid="u1", room=ROOM, since=Cursor("e", 0)),
        ),
        (HISTORY | {"before": 9}, GetHistory(uuid="u1", room=ROOM, before=9)),
        (CREATE | {"members": [1, 2]}, CreateRoom(uuid="u1", members=[1, 2])),
        (INVITE, InviteUser(uuid="u1", room=ROOM, user=7)),
        (LOGIN | {"ticket": "t"}, Authenticate(uuid="u1", ticket="t")),
        (
            LOGIN | {"token": "t", "cursors": {HEX: {"epoch": "e", "seq": 3}}},
            Authenticate(uuid="u1", token="t", cursors={ROOM: Cursor("e", 3)}),
        ),
        ({"uuid": "u" * 64, "action": "ping"}, Ping(uuid="u" * 64)),
    ],
)
def test_a_good_frame_becomes_its_struct(keys: dict[str, Any], command: Command) -> None:
    """Defaults are filled in, unknown keys are ignored, room ids are accepted hex or dashed."""
    assert decode_command(json.dumps(keys)) == command


def test_text_is_taken_as_it_was_written() -> None:
    """Escapes, surrogate pairs, spaces and brackets; no refusal sends the frame back."""
    start = '{"uuid":"\\u0075","action":"new_message","text":" \\ud83d\\ude00\\t","room":"'
    command = decode_command(start + HEX + '"}')
    assert command == NewMessage(uuid="u", room=ROOM, text=" \N{GRINNING FACE}\t")
    text = '[[[[{{{{\\"' * 20
    assert decode_command(json.dumps(MESSAGE | {"text": text})) == NewMessage(uuid="u1", room=ROOM, text=text)
    assert len(refusal(CREATE | {"kind": "x" * 50_000}).message) <= 200


@pytest.mark.parametrize("group", AT_THE_CODEC, ids=lambda group: str(group.__name__))
def test_bad_input_is_refused_by_its_name(group: Callable[[], Iterator[BadInput]]) -> None:
    """The tables to which real processes are held: what is said and echoed, and if the socket closes."""
    for case in group():
        echoed = case.uuid if "error" in case.expected else "case"
        assert outcome_of(case) == (case.expected, echoed), case.name


def outcome_of(case: BadInput) -> tuple[str, str | None]:
    """Return what the codec makes of a case in the tables' words, and the uuid that it would echo."""
    text = case.text
    for word, meaning in {"@room@": HEX, "@token@": "t", "@member@": "7", "@stranger@": "8"}.items():
        text = text.replace(word, meaning)
    try:
        decode_command(text)
    except MalformedFrame:
        return "close 1003", "case"
    except RefusedCommand as refused:
        return f"error {refused.code}" + (", close 1003" if refused.close else ""), refused.uuid
    return "answer", "case"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{'uuid': 1}", "not JSON"),
        ("null", "not a JSON object"),
        ('{"uuid":"a","uuid":"b","action":"ping"}', "duplicate key in an object"),
        ("[" * 17 + "]" * 17, "nested deeper than 16"),
        ("[" * 60_000, "more than 4,096 commas, colons and brackets"),
    ],
)
def test_what_is_no_json_object_is_malformed(text: str, reason: str) -> None:
    """There is no uuid to answer with, so the socket is closed with the reason."""
    with pytest.raises(MalformedFrame) as caught:
        decode_command(text)
    assert caught.value.reason == reason


@pytest.mark.parametrize("number", ["1e400", "-1e400", "1" * 5_000, "1e999999999", "9007199254740993", "1.5"])
def test_a_number_that_clients_read_differently_is_a_bad_value(number: str) -> None:
    """Infinity by size and integers beyond 2^53 never reach a field."""
    with pytest.raises(RefusedCommand) as caught:
        decode_command(json.dumps(HISTORY | {"before": "?"}).replace('"?"', number))
    assert caught.value.code is ErrorCode.BAD_VALUE


@pytest.mark.parametrize(
    "emoji",
    [
        "👍",
        "\u2764\ufe0f",
        "👩🏽\u200d🚀",
        "🇩🇪",
        "1\ufe0f\u20e3",
        "©",
        "\u2139\ufe0f",
        "\U0001fae9",
        "👍" * 16,
    ],
)
def test_an_emoji_is_taken_as_it_is(emoji: str) -> None:
    """Of several code points too, and of a later Unicode than this Python knows."""
    for action, struct in (("add_reaction", AddReaction), ("remove_reaction", RemoveReaction)):
        keys = {"uuid": "u1", "action": action, "room": HEX, "message": 7, "emoji": emoji}
        assert decode_command(json.dumps(keys)) == struct(uuid="u1", room=ROOM, message=7, emoji=emoji)


@pytest.mark.parametrize(
    "emoji",
    [
        "",
        "a",
        "1",
        "#",
        "👍a",
        "👍 ",
        " ",
        "é",
        "中",
        "\x00👍",
        "\u0085",
        "👍" * 17,
        7,
        "\u200d",
        "\ufe0f",
        "\u202e👍",
    ],
)
def test_no_words_are_reactions(emoji: object) -> None:
    """Nor white space, controls, or a bare digit."""
    for action in ("add_reaction", "remove_reaction"):
        with pytest.raises(RefusedCommand) as caught:
            decode_command(
                json.dumps({"uuid": "u", "action": action, "room": HEX, "message": 7, "emoji": emoji})
            )
        assert caught.value.code is ErrorCode.BAD_VALUE


def test_limits_count_code_points_and_the_last_allowed_value_passes() -> None:
    """4,000 emoji are a message, 2^53 - 1 is a number; marks in strings are text."""
    text = "\N{GRINNING FACE}" * limits.TEXT_CODE_POINTS
    frame = json.dumps(MESSAGE | {"text": text, "reply_to": 2**53 - 1})
    assert len(frame) < limits.FRAME_BYTES
    assert decode_command(frame) == NewMessage(uuid="u1", room=ROOM, text=text, reply_to=2**53 - 1)
    deepest: object = 1
    for _ in range(limits.JSON_DEPTH - 1):
        deepest = [deepest]
    assert decode_command(json.dumps({"uuid": "u", "action": "ping", "x": deepest})) == Ping(uuid="u")
    message = {"uuid": "u", "action": "new_message", "room": HEX, "text": "," * limits.TEXT_CODE_POINTS}
    assert decode_command(json.dumps(message | {"x": '{[,:"' * 5_000}))


@pytest.mark.parametrize(
    "text",
    [
        '"' + '\\"' * 30_000 + "[" * 17,
        '"' + "\\" * 60_000 + "[" * 17,
        '{"a":' * 10_000,
        "[]" * 30_000,
        '"[' * 30_000,
        "{" * 17 + '"' * 60_000,
    ],
)
def test_no_frame_costs_more_than_its_length(text: str) -> None:
    """The worst frames of 60 KB are refused within a second; one pattern once took eleven on each."""
    began = process_time()
    with pytest.raises(MalformedFrame):
        decode_command(text)
    assert process_time() - began < 1.0


STRINGS = st.one_of(
    st.sampled_from(
        ["uuid", "action", "room", "text", "reply_to", "new_message", "select_room", HEX, "", " "]
    ),
    st.text(max_size=70),
)
VALUES = st.one_of(
    STRINGS.map(json.dumps), STRINGS.map(lambda text: f'"{text}"'), st.sampled_from(["1", "null"])
)
PAIRS = st.tuples(STRINGS.map(json.dumps), VALUES)
WHOLE = [f"{json.dumps(key)}:{json.dumps(value)}" for key, value in MESSAGE.items()]
PLAIN = "{" + ",".join(WHOLE) + "}"


@given(
    st.lists(st.one_of(st.sampled_from(WHOLE), PAIRS.map(":".join)), max_size=7),
    st.sampled_from(["", " ", "\n", "\ufeff", "x", "]"]),
)
@example(WHOLE, "")
@example([*WHOLE, '"text":"again"'], "")
@example([WHOLE[0], *(pair for pair in WHOLE if "action" not in pair)], "")
@example([*WHOLE[:3], '"text":"again"', '"text":1'], "")
@example([*WHOLE, '"reply_to":7'], "")
@example([*WHOLE[:3], '"text":"\ud800"'], "")
@example([*WHOLE[:3], '"text":"\x00"'], "")
@example([*WHOLE[:3], '"text":"%s"' % ("[" * 40)], "")
@example([*WHOLE[:3], '"text":"%s"' % ("x" * 4_001)], "")
@example(['"uuid":"%s"' % ("u" * 65), *WHOLE[1:]], "")
def test_what_is_read_plainly_is_what_the_strict_parse_reads(pairs: list[str], behind: str) -> None:
    """The short way never takes what the strict one refuses, nor reads it differently."""
    frame = "{" + ",".join(pairs) + "}" + behind
    plain = codec._decode_plain(frame)
    assert plain is None or plain == codec.command_of(codec.parse_object(frame))


def test_plain_messages_are_read_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    """In any order; frames carry room ids as hex and leave out what is not set."""
    monkeypatch.delattr(codec, "command_of")
    for frame in (PLAIN, json.dumps(MESSAGE, indent=1), "{" + ",".join(WHOLE[::-1]) + "}"):
        assert decode_command(frame) == NewMessage(uuid="u1", room=ROOM, text="hello")
    monkeypatch.undo()
    assert decode_command(PLAIN.replace("hello", "\\u0041")) == NewMessage(uuid="u1", room=ROOM, text="A")
    assert decode_command(PLAIN[:-1] + ',"more":[1]}') == NewMessage(uuid="u1", room=ROOM, text="hello")
    assert encode_frame(RoomLeft(room=ROOM)) == b'{"action":"room_left","room":"%s"}' % HEX.encode()
    answer = ErrorAnswer(uuid=None, action=None, error_code="busy", error_message="später")
    assert json.loads(encode_frame(answer)) == {
        "uuid": None,
        "action": None,
        "status": "error",
        "error_code": "busy",
        "error_message": "später",
    }


@pytest.mark.parametrize("filling", ["1,", "[],", "{},", '"",', '{"a":1},', '[[1],"\\u0041"],'])
def test_too_many_marks_are_refused_unparsed(filling: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame of nothing but small values took 12 ms to parse, in which nobody else was served."""
    count = limits.FRAME_BYTES // len(filling) - 20
    text = '{"uuid":"u","action":"ping","x":[' + filling * count + "0]}"
    monkeypatch.setattr("roomlog_contract.codec._scanner", None)
    with pytest.raises(MalformedFrame, match=r"more than 4,096"):
        decode_command(text)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('{"uuid":"u","action":"ping","x":[[1],{"uuid":2}]}', ("u", "ping")),
        ('{"action":"ping"}', (None, "ping")),
        ('{"uuid":1,"action":"ping"}', (None, None)),
        ('{"uuid":"' + "u" * 65 + '","action":"ping"}', (None, "ping")),
        ('{"uuid":"\\u0000","action":"ping"}', (None, "ping")),
        ("[" * 60_000, (None, None)),
        ('{"uuid":"\ud800"}', (None, None)),
        ("", (None, None)),
    ],
)
def test_a_refusal_names_what_can_be_read(text: str, names: tuple[str | None, str | None]) -> None:
    """Cheaply: such a frame is not parsed."""
    assert names_of(text) == names
