"""Commands with values that their keys can't have: the table of fields, products of kinds and literals.

See `bad_inputs.py` for how it is written.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from roomlog_contract import limits
from tests.abuse.inputs.bad_inputs import (
    BAD_VALUE,
    GOOD,
    NO_STRINGS,
    NOT_STORABLE,
    REQUIRED_KEYS,
    BadInput,
    frame,
)

FIELDS: Final[Mapping[str, Mapping[str, str]]] = {
    "authenticate": {"token": "secret", "cursors": "cursors"},
    "select_room": {"room": "room", "since": "since"},
    "new_message": {
        **{"room": "room", "text": "text", "reply_to": "message", "mentions": "mentions"},
        **{"mentions_room": "flag", "attachments": "attachments"},
    },
    "edit_message": {
        **{"room": "room", "message": "message", "text": "text"},
        **{"mentions": "mentions", "mentions_room": "flag"},
    },
    "delete_message": {"room": "room", "message": "message"},
    "add_reaction": {"room": "room", "message": "message", "emoji": "emoji"},
    "remove_reaction": {"room": "room", "message": "message", "emoji": "emoji"},
    "pin_message": {"room": "room", "message": "message"},
    "unpin_message": {"room": "room", "message": "message"},
    "list_pins": {"room": "room"},
    "get_history": {"room": "room", "before": "seq", "after": "seq", "limit": "limit"},
    "create_room": {"name": "name", "kind": "kind", "members": "members"},
    "rename_room": {"room": "room", "name": "name"},
    "set_topic": {"room": "room", "topic": "topic"},
    "set_receipts": {"room": "room", "receipts": "yes or no"},
    "archive_room": {"room": "room"},
    "restore_room": {"room": "room"},
    "set_discoverable": {"room": "room", "discoverable": "flag"},
    "join_room": {"room": "room", "invitation": "invitation"},
    "invite_user": {"room": "room", "user": "user", "role": "role"},
    "remove_user": {"room": "room", "user": "user"},
    "set_role": {"room": "room", "user": "user", "role": "role"},
    "mute_user": {"room": "room", "user": "user", "until": "until"},
    "unmute_user": {"room": "room", "user": "user"},
    "ban_user": {"room": "room", "user": "user", "until": "until"},
    "unban_user": {"room": "room", "user": "user"},
    "leave_room": {"room": "room"},
    "mark_read": {"room": "room", "seq": "seq"},
    "set_notifications": {"room": "room", "notify": "notify"},
    "report_message": {"room": "room", "message": "message", "reason": "reason", "comment": "comment"},
    "block_user": {"user": "user"},
    "unblock_user": {"user": "user"},
    "list_blocks": {"after": "place"},
    "typing": {"room": "room"},
    "watch": {"rooms": "rooms"},
}
"""The kind of each field."""
NO_OBJECTS: Final = ("true", "0", "1.5", '""', '"x"', "[]", '[{"epoch": "e", "seq": 1}]')
NO_ARRAYS: Final = ("null", "true", "0", '""', '"1"', "{}", '{"0": 1}')
NO_NUMBERS: Final = (
    *("true", "false", '""', '"1"', "1.5", "1.0", "1e2", "1e400", "-1e400", "[]", "[1]", "{}"),
    *("9007199254740992", "-9007199254740993", "18446744073709551616", "1" + "0" * 400, "-" + "9" * 4_000),
)  # fmt: skip
NO_ROOMS: Final = (
    *('""', '"x"', '"general"', '"1"', '"@room@0"', '" @room@"', '"@room@ "', '"{@room@}"', '"*"'),
    *(r'"@room@\n"', '"urn:uuid:@room@"', '"0x@room@"', '"../../etc/passwd"', '"\' OR 1=1 --"'),
    *('"' + "0" * 31 + '"', '"' + "g" * 32 + '"', '"\uff10' + "0" * 31 + '"', '"' + "0" * 10_000 + '"'),
    *('"00000000-0000-0000-0000-00000000000"', '"0000-00000000-0000-0000-000000000000"'),
    '"00000000-0000-0000-0000-000000000000-"',
)  # fmt: skip
NO_CURSORS: Final = (
    *(r'{"epoch": null, "seq": 1}', '{"epoch": 1, "seq": 1}', '{"epoch": [], "seq": 1}'),
    *(r'{"epoch": "\u0000", "seq": 1}', '{"epoch": "' + "e" * 33 + '", "seq": 1}'),
    *(f'{{"epoch": "e", "seq": {number}}}' for number in ("null", "-1", *NO_NUMBERS)),
)  # fmt: skip
NO_EMOJI: Final = (
    *('""', '" "', '"a"', '"1"', '"#"', '"\u00e9"', '"\u4e2d"', '"\u2028"', '"\u0085"'),
    *('"\U0001f44d "', '"ok\U0001f44d"'),
    *('"\u200d"', '"\ufe0f"', '"\u202e\U0001f44d"', '"' + "\U0001f44d" * 17 + '"'),
)  # fmt: skip
WRONG: Final[Mapping[str, tuple[str, ...]]] = {
    "text": ("null", *NO_STRINGS, *NOT_STORABLE),
    "emoji": ("null", *NO_STRINGS, *NOT_STORABLE, *NO_EMOJI),
    "secret": (*NO_STRINGS, *NOT_STORABLE, '""', '"' + "x" * (limits.TOKEN_CODE_POINTS + 1) + '"'),
    "room": ("null", *NO_STRINGS, *NOT_STORABLE, *NO_ROOMS),
    "name": ("null", *NO_STRINGS, *NOT_STORABLE, '"' + "x" * 201 + '"'),
    "flag": ("null", '"true"', "0", "1", '""', "[]", "{}"),
    "invitation": (*NO_STRINGS, *NOT_STORABLE, '""', '"' + "x" * 65 + '"'),
    "topic": ("null", *NO_STRINGS, *NOT_STORABLE, '"' + "x" * 251 + '"'),
    "yes or no": ("null", "0", "1", '""', '"true"', '"yes"', "[]", "[true]", "{}"),
    "kind": (
        "null",
        *NO_STRINGS,
        '""',
        '"channel"',
        '"Group"',
        '" group"',
        '"Object missing required field"',
    ),
    "role": ("null", *NO_STRINGS, '""', '"king"', '"OWNER"', '"superuser"'),
    "notify": ("null", *NO_STRINGS, '""', '"All"', '"all "', '"muted"'),
    "reason": ("null", *NO_STRINGS, '""', '"Spam"', '"spam "', '"because"'),
    "comment": ("null", *NO_STRINGS, *NOT_STORABLE, '"' + "x" * 501 + '"'),
    "user": ("null", *NO_NUMBERS, "0", "-1", '"@member@"'),
    "until": (*NO_NUMBERS, "0", "-1", "253402214400", '"2030-01-01"'),
    "message": (*NO_NUMBERS, "0", "-1"),
    "seq": (*NO_NUMBERS, "-1"),
    "place": ("null", *NO_NUMBERS, "-1"),
    "limit": ("null", *NO_NUMBERS, "0", "-1", "101"),
    "members": (
        *NO_ARRAYS,
        *(f"[{member}]" for member in ("null", "0", "-1", "[[1]]", *NO_NUMBERS)),
        "[" + ", ".join(map(str, range(1, 102))) + "]",
    ),
    "mentions": (
        *NO_ARRAYS,
        *(f"[@member@, {member}]" for member in ("null", "0", "-1", "[@member@]", '"@member@"', "1e400")),
        "[" + ", ".join(["@member@"] * 21) + "]",
    ),
    "attachments": (
        *NO_ARRAYS,
        *(f"[{file}]" for file in ("null", "1", "[]", *NO_ROOMS)),
        f'["{"0" * 32}", "{"0" * 32}"]',
        "[" + ", ".join(f'"{number:032x}"' for number in range(limits.ATTACHMENTS_PER_MESSAGE + 1)) + "]",
    ),
    "rooms": (
        *NO_ARRAYS,
        *(f'["@room@", {room}]' for room in ("null", "1", "[]", *NO_ROOMS)),
        "[" + ", ".join(['"@room@"'] * (limits.WATCHED_ROOMS + 1)) + "]",
    ),
    "since": (*NO_OBJECTS, *NO_CURSORS),
    "cursors": (
        "null",
        *NO_OBJECTS,
        *(f'{{"@room@": {cursor}}}' for cursor in ("null", "1", "[]", *NO_CURSORS)),
        *(f'{{{room}: {{"epoch": "e", "seq": 1}}}}' for room in ('""', '"x"', r'"\u0000"')),
        "{"
        + ", ".join(f'"{number:032x}": {{"epoch": "e", "seq": 1}}' for number in range(limits.CURSORS + 1))
        + "}",
    ),
}
"""What a field of each kind can't be."""


def wrong_values() -> Iterator[BadInput]:
    """Yield each field with each value that it can't have: bad_value, and the connection goes on."""
    for action, fields in FIELDS.items():
        for field, kind in fields.items():
            for number, value in enumerate(WRONG[kind]):
                text = frame(action, {field: value})
                yield BadInput(f"{action} {field} {number} {value[:60]}", BAD_VALUE, text)
    for value in NOT_STORABLE:
        yield BadInput(f"unknown key {value}", BAD_VALUE, frame("ping", {"x": f"[{{{value}: 1}}]"}))
    both = {"before": "1", "after": "1"}
    yield BadInput("before and after", BAD_VALUE, frame("get_history", both))


def missing_keys() -> Iterator[BadInput]:
    """Yield each action without each key that it needs."""
    for action, fields in GOOD.items():
        for field in fields.keys() - {"name"}:
            yield BadInput(f"{action} no {field}", REQUIRED_KEYS, frame(action, without=field))
    for name, changes in {
        "both secrets": {"ticket": '"x"'},
        "no secret": {"token": "null"},
        "a cursor without seq": {"cursors": '{"@room@": {"epoch": "e"}}'},
        "a cursor without epoch": {"cursors": '{"@room@": {"seq": 1}}'},
    }.items():
        yield BadInput(f"authenticate {name}", REQUIRED_KEYS, frame("authenticate", changes))
    for since in ("{}", '{"epoch": "e"}', '{"seq": 1}'):
        yield BadInput(f"select_room {since}", REQUIRED_KEYS, frame("select_room", {"since": since}))


def bad_texts() -> Iterator[BadInput]:
    """Yield texts that are none, or too long."""
    for blank in ("", " ", r"\t\n\r", r"\u00a0\u2003", r"\u3000", " " * 5_000, r"\u2028\u2029", r"\u001f"):
        text = frame("new_message", {"text": f'"{blank}"'})
        yield BadInput(f"blank {len(blank)} {blank[:20]}", "error empty_text", text)
    for name, long in {
        "4,001 letters": "x" * 4_001,
        "4,001 emoji": "\N{GRINNING FACE}" * 4_001,
        "4,001 escapes": r"\u0041" * 4_001,
        "60,000 letters": "x" * 60_000,
        "4,001 combining marks": "\u0301" * 4_001,
    }.items():
        yield BadInput(name, "error text_too_long", frame("new_message", {"text": f'"{long}"'}))
