"""What clients send that they should not, and what they must be told: how the tables are written, and frames
that are no command at all.

The tables are products of small lists: every action with every kind of damage, every field with every wrong
value (`bad_values.py`), good commands for what is not there (`bad_states.py`), and bytes below JSON
(`bad_frames.py`). Frames are written as JSON literals, because no encoder would write most of them. `@room@`
and its like stand for what only the running stack knows.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

MALFORMED: Final = "close 1003"
BAD_VALUE: Final = "error bad_value"
REQUIRED_KEYS: Final = "error required_keys"
NO_COMMAND: Final = "error required_keys, close 1003"


@dataclass(frozen=True)
class BadInput:
    """One thing that a client sends, and all that may come of it."""

    name: str
    expected: str
    """`error <code>`, `close <code>`, `answer`, `silence` or `status <code>`: see test_bad_inputs."""
    text: str = ""
    """One text frame, or …"""
    raw: bytes = b""
    """… bytes as they are."""
    uuid: str | None = "case"
    """What the answer must echo; `*` for anything, `@uuid@` for the fresh one of this case."""
    is_stranger: bool = False
    """Sent before authenticate."""
    before: str = ""
    """A good frame that is sent and answered first."""


GOOD: Final[Mapping[str, Mapping[str, str]]] = {
    "authenticate": {"token": '"@token@"'},
    "select_room": {"room": '"@room@"'},
    "new_message": {"room": '"@room@"', "text": '"never stored"'},
    "edit_message": {"room": '"@room@"', "message": "1", "text": '"never stored"'},
    "delete_message": {"room": '"@room@"', "message": "1"},
    "add_reaction": {"room": '"@room@"', "message": "1", "emoji": '"👍"'},
    "remove_reaction": {"room": '"@room@"', "message": "1", "emoji": '"👍"'},
    "pin_message": {"room": '"@room@"', "message": "1"},
    "unpin_message": {"room": '"@room@"', "message": "1"},
    "list_pins": {"room": '"@room@"'},
    "get_history": {"room": '"@room@"'},
    "list_rooms": {},
    "create_room": {"name": '"never made"'},
    "rename_room": {"room": '"@room@"', "name": '"never named"'},
    "set_topic": {"room": '"@room@"', "topic": '"never set"'},
    "set_receipts": {"room": '"@room@"', "receipts": "true"},
    "archive_room": {"room": '"@room@"'},
    "restore_room": {"room": '"@room@"'},
    "set_discoverable": {"room": '"@room@"', "discoverable": "true"},
    "join_room": {"room": '"@room@"'},
    "invite_user": {"room": '"@room@"', "user": "@stranger@"},
    "remove_user": {"room": '"@room@"', "user": "@member@"},
    "leave_room": {"room": '"@room@"'},
    "set_role": {"room": '"@room@"', "user": "@member@", "role": '"reader"'},
    "mute_user": {"room": '"@room@"', "user": "@member@"},
    "unmute_user": {"room": '"@room@"', "user": "@member@"},
    "ban_user": {"room": '"@room@"', "user": "@member@"},
    "unban_user": {"room": '"@room@"', "user": "@member@"},
    "mark_read": {"room": '"@room@"', "seq": "1"},
    "set_notifications": {"room": '"@room@"', "notify": '"mentions"'},
    "block_user": {"user": "@stranger@"},
    "unblock_user": {"user": "@stranger@"},
    "list_blocks": {},
    "report_message": {"room": '"@room@"', "message": "1", "reason": '"spam"'},
    "typing": {"room": '"@room@"'},
    "watch": {"rooms": '["@room@"]'},
    "ping": {},
}
"""Each action with what it needs, as JSON literals."""


def frame(action: str, changes: Mapping[str, str] | None = None, without: str = "") -> str:
    """Return a good frame of the action with some literals replaced, added or left out."""
    keys = {"uuid": '"case"', "action": f'"{action}"', **GOOD[action], **(changes or {})}
    return "{" + ", ".join(f'"{key}": {value}' for key, value in keys.items() if key != without) + "}"


NO_STRINGS: Final = ("true", "false", "0", "-1", "1.5", "1e400", "[]", "{}", '["x"]', '{"x": "y"}')
NOT_STORABLE: Final = (
    *(r'"a\u0000b"', r'"\u0000"', r'"\ud800"', r'"\udfff"'),
    *(r'"\ude00\ud83d"', r'"x\ud83d"', r'"\ud83d\ud83d"'),
)  # fmt: skip
"""NUL, which PostgreSQL refuses, and half surrogate pairs, which UTF-8 does."""
NO_NAMES: Final = ("null", *NO_STRINGS, *NOT_STORABLE, '""', '"' + "x" * 65 + '"')
DOCUMENTS: Final = (
    *("", " ", "\n", "\0", "null", "true", "false", "0", "-1", "1.5", "1e400", '""', '"ping"', "[]", "[{}]"),
    *("{", "}", "{}}", "[", "ping", "PING", "NaN", "undefined", "{'uuid': 1}", "{uuid: 1}", "<xml/>"),
    *("{,}", '{"a"}', '{"a":}', "{:1}", '{"a":1,}', "{1: 2}", '{"a" "b"}', '42["message"]', "\x1e", "{}{}"),
)  # fmt: skip
NO_JSON: Final[Mapping[str, str]] = {
    "NaN": "NaN",
    "Infinity": "Infinity",
    "minus Infinity": "-Infinity",
    "a leading zero": "01",
    "a bare dot": ".5",
    "a trailing dot": "5.",
    "a plus": "+1",
    "hexadecimal": "0x10",
    "an underscore": "1_000",
    "a single quote": "'x'",
    "a word": "nil",
    "Python's None": "None",
    "undefined": "undefined",
    "a comment": "1 /* one */",
    "a trailing comma": "[1,]",
    "a hole": "[1,,2]",
    "an open array": "[1",
    "an open string": '"x',
    "a raw newline": '"a\nb"',
    "a raw tab": '"a\tb"',
    "a raw NUL": '"a\0b"',
    "an unknown escape": r'"\x41"',
    "half an escape": r'"\u12"',
    "a key twice": '{"a": 1, "a": 1}',
    "a key twice by escape": r'{"a": 1, "\u0061": 2}',
    "16 arrays": "[" * 16 + "]" * 16,
    "16 objects": '{"a":' * 16 + "1" + "}" * 16,
    "5,000 arrays": "[" * 5_000 + "]" * 5_000,
    "30,000 arrays": "[" * 30_000 + "]" * 30_000,
    "30,000 open arrays": "[" * 30_000,
    "10,000 open objects": '{"a":' * 10_000,
    "escaped quotes without end": '"' + '\\"' * 20_000 + "[" * 17,
}
"""Values that make a frame no JSON by the strict parse."""


def documents() -> Iterator[BadInput]:
    """Yield whole frames that are no JSON object."""
    for number, document in enumerate(DOCUMENTS):
        yield BadInput(f"{number} {document!r}", MALFORMED, document, is_stranger=number % 2 == 0)


def damaged_frames() -> Iterator[BadInput]:
    """Yield each action's good frame, cut, doubled or wrapped."""
    for action in GOOD:
        good = frame(action)
        for name, damaged in {
            "cut at the end": good[:-1],
            "cut in the middle": good[: len(good) // 2],
            "a second brace": good + "}",
            "a second object": good + " {}",
            "a word behind": good + "x",
            "a NUL behind": good + "\0",
            "a byte order mark": "\ufeff" + good,
            "a no-break space": "\u00a0" + good,
            "in an array": f"[{good}]",
            "a string": good.replace('"', "'").join('""'),
        }.items():
            yield BadInput(f"{action} {name}", MALFORMED, damaged)
        for key in ("uuid", "action", *GOOD[action]):
            yield BadInput(f"{action} {key} twice", MALFORMED, good[:-1] + f', "{key}": "x"}}')


def impossible_values() -> Iterator[BadInput]:
    """Yield frames with a value that is no JSON, in keys that are known and not."""
    for action, key in (("ping", "x"), ("new_message", "text"), ("authenticate", "cursors")):
        for name, value in NO_JSON.items():
            yield BadInput(f"{action} {key} {name}", MALFORMED, frame(action, {key: value}))


def wrong_names() -> Iterator[BadInput]:
    """Yield commands without a good uuid or action; what could not be read is not echoed."""
    for action in GOOD:
        for key in ("uuid", "action"):
            yield BadInput(f"{action} no {key}", NO_COMMAND, frame(action, without=key), uuid=None)
        for value in NO_NAMES:
            text = frame(action, {"uuid": value})
            yield BadInput(f"{action} uuid {value[:20]}", BAD_VALUE, text, uuid=None)
    for value in NO_NAMES:
        yield BadInput(f"action {value[:20]}", BAD_VALUE, frame("ping", {"action": value}))
    for document in ("{}", '{"a": 1}', '{"UUID": "case", "ACTION": "ping"}', '{"": ""}'):
        yield BadInput(document, NO_COMMAND, document, uuid=None)


def unknown_actions() -> Iterator[BadInput]:
    """Yield actions that are not there: of the inside, of later releases, and near misses."""
    for action in (
        *("pin_room", "move_message", "react", "kick_user", "presence", "search"),
        *("identify", "read_heads", "fetch_events", "Identified", "Answered", "heads", "reset", "room_left"),
        *("New_Message", "NEW_MESSAGE", " ping", "ping ", r"pin\u0067s", "\uff50ing", "__class__", "../ping"),
        *("*", "1", "null", "new-message"),
    ):  # fmt: skip
        changes = {"action": f'"{action}"', "token": '"x"', "rooms": "[]", "after": "0", "limit": "1"}
        yield BadInput(f"action {action}", "error invalid_action", frame("new_message", changes))
