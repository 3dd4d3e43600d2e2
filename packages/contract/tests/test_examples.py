"""The example files beside the specification are the wire: each decodes, encodes and fits the schema.

`command.*` are requests; `answer.*`, `event.*` and `error.*` are the server's frames. What stands
between the first and the last dot is the action or the error code, and then a variant.
"""

import json
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from roomlog_contract.actions import COMMANDS
from roomlog_contract.codec import decode_command, encode_frame
from roomlog_contract.commands import action_of
from roomlog_contract.errors import ErrorCode, MalformedFrame, RefusedCommand
from roomlog_contract.events import ErrorAnswer
from roomlog_contract.schema import frame_structs, render

EXAMPLES = Path(__file__).parent.parent / "examples"
REQUESTS = sorted(path.name for path in EXAMPLES.glob("command.*.json"))
FRAMES = sorted(path.name for path in EXAMPLES.glob("*.json") if not path.name.startswith("command."))


def read(name: str) -> dict[str, Any]:
    keys = json.loads((EXAMPLES / name).read_text(encoding="utf-8"))
    assert isinstance(keys, dict)
    return keys


def structs_of(keys: dict[str, Any]) -> list[type[msgspec.Struct]]:
    """Return the structs that read the frame and write exactly the same again."""
    found = []
    for struct in frame_structs():
        try:
            frame = msgspec.json.decode(json.dumps(keys), type=struct)
        except msgspec.ValidationError:
            continue
        if json.loads(encode_frame(frame)) == keys:
            found.append(struct)
    return found


def is_of_schema(document: str, keys: dict[str, Any]) -> bool:
    schema = json.loads(render()[document])
    return bool(jsonschema.Draft202012Validator(schema).is_valid(keys))


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_is_a_command_of_its_name(name: str) -> None:
    """Every example of a request passes the strict parse and has the action of its file's name."""
    command = decode_command((EXAMPLES / name).read_text(encoding="utf-8"))
    assert action_of(command) == name.split(".")[1]


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_is_read_by_one_struct_and_written_the_same(name: str) -> None:
    """Every example of a frame is what the server would send, key by key."""
    keys = read(name)
    assert len(structs_of(keys)) == 1
    assert keys["error_code" if name.startswith("error.") else "action"] == name.split(".")[1]


@pytest.mark.parametrize(
    ("document", "name"),
    [*(("commands.json", name) for name in REQUESTS), *(("frames.json", name) for name in FRAMES)],
)
def test_an_example_fits_the_schema(document: str, name: str) -> None:
    """The generated JSON Schema accepts what the codec accepts and what the server sends."""
    assert is_of_schema(document, read(name))


def test_all_that_is_specified_has_an_example() -> None:
    """Each action, frame and error code."""
    assert {name.split(".")[1] for name in REQUESTS} == set(COMMANDS)
    assert {struct for name in FRAMES for struct in structs_of(read(name))} == set(frame_structs())
    codes = {name.split(".")[1] for name in FRAMES if name.startswith("error.")}
    assert codes == {str(code) for code in ErrorCode}


def test_an_event_in_a_page_is_the_event_as_it_was_sent() -> None:
    """The schema's error names the closed set of codes."""
    assert read("answer.select_room.since.json")["events"] == [read("event.new_message.json")]
    keys = read("error.busy.json") | {"error_code": "on_fire"}
    assert not is_of_schema("frames.json", keys)
    assert structs_of(keys) == [ErrorAnswer]


@pytest.mark.parametrize(
    "keys",
    [
        {"uuid": "u", "action": "launch"},
        {"uuid": "", "action": "ping"},
        {"action": "ping"},
        {"uuid": "u", "action": "select_room", "room": "general"},
        {"uuid": "u", "action": "new_message", "room": "0" * 32, "text": ""},
        {"uuid": "u", "action": "new_message", "room": "0" * 32, "text": "x" * 4_001},
        {"uuid": "u", "action": "get_history", "room": "0" * 32, "limit": 101},
        {"uuid": "u", "action": "invite_user", "room": "0" * 32, "user": 1, "role": "king"},
        {"uuid": "u", "action": "set_role", "room": "0" * 32, "user": 1, "role": "king"},
        {"uuid": "u", "action": "mute_user", "room": "0" * 32, "user": 1, "until": 253402214400},
        {"uuid": "u", "action": "ban_user", "room": "0" * 32, "user": 1, "until": 1796000000.5},
    ],
)
def test_the_schema_refuses_what_the_codec_refuses(keys: dict[str, Any]) -> None:
    """Somebody who generates a client from the schema is told the same limits."""
    assert not is_of_schema("commands.json", keys)
    with pytest.raises((RefusedCommand, MalformedFrame)):
        decode_command(json.dumps(keys))
