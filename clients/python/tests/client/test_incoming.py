"""The client's border: every frame of the specification is understood, anything else does no harm."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roomlog_client.errors import ProtocolError
from roomlog_client.events import Event
from roomlog_client.incoming import Answer, Page, Refusal, Unknown, parse

EXAMPLES = Path(__file__).parents[4] / "packages/contract/examples"
FRAMES = sorted(path for path in EXAMPLES.glob("*.json") if not path.name.startswith("command."))


@pytest.mark.parametrize("path", FRAMES, ids=lambda path: path.stem)
def test_every_example_of_the_specification_is_understood(path: Path) -> None:
    """No frame that the specification shows is unknown to the client."""
    assert not isinstance(parse(path.read_bytes()), Unknown)


def test_message_and_page_are_read_whole() -> None:
    """All facts are where the application looks for them, in the examples that are there."""
    assert len(FRAMES) > 20
    event = parse((EXAMPLES / "event.new_message.json").read_bytes())
    assert isinstance(event, Event)
    assert (event.seq, event.user.username, event.text) == (42, "alice", "Tea is ready. 🫖")
    assert event.body["message"]["number"] == 40
    assert not event.duplicate
    page = parse((EXAMPLES / "answer.select_room.since.json").read_bytes())
    live = parse((EXAMPLES / "event.new_message.json").read_bytes())
    assert isinstance(page, Page)
    assert page.events[-1] == live


def test_answers_of_a_later_release_are_understood() -> None:
    """An unknown code is an error like any other, an unknown command is resolved by its answer."""
    refusal = parse('{"uuid": "u", "action": "new_message", "status": "error", "error_code": "new_code"}')
    assert isinstance(refusal, Refusal)
    assert parse('{"uuid": "u", "action": "search", "status": "success"}') == Answer(
        "u", "search", {"uuid": "u", "action": "search", "status": "success"}
    )


@pytest.mark.parametrize(
    "data",
    [
        "",
        "no JSON",
        "[]",
        "7",
        '{"action": "heads"}',
        '{"action": "heads", "rooms": {"a": {"epoch": "e", "seq": "7"}}}',
        '{"action": "new_message", "status": "success", "room": "a", "epoch": "e", "seq": "7", "uuid": "u"}',
        '{"action": "select_room", "status": "success", "uuid": "u", "room": "a", "events": [{}]}',
        '{"action": "ping", "status": "success"}',
        '{"status": "error"}',
    ],
)
def test_unreadable_frame_raises(data: str) -> None:
    """A frame that lacks what its action needs is a protocol error, never another exception."""
    with pytest.raises(ProtocolError):
        parse(data)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
_keys = st.sampled_from(
    ["action", "status", "uuid", "room", "rooms", "epoch", "seq", "events", "user", "message"]
)
_values = _json | st.sampled_from(["success", "error", "select_room", "heads", "authenticate", "new_message"])


@settings(deadline=None)
@given(st.dictionaries(_keys, _values))
def test_no_object_breaks_the_border(body: dict[str, Any]) -> None:
    """Whatever the server says, it is understood or a protocol error."""
    try:
        parse(json.dumps(body))
    except ProtocolError:
        return
