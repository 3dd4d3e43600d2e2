"""Good commands at the wrong time, for the wrong room or by the wrong person, and odd ones that are right.

The table of what only the worker and the database can refuse. See `bad_inputs.py` for how it is written.
"""

from collections.abc import Iterator
from typing import Final

from tests.abuse.inputs.bad_inputs import BAD_VALUE, GOOD, BadInput, frame

MODERATION: Final = ("set_role", "mute_user", "unmute_user", "ban_user", "unban_user")
OF_ROOMS: Final = (
    *("select_room", "get_history", "mark_read", "edit_message", "delete_message", "typing"),
    *("add_reaction", "remove_reaction", "pin_message", "unpin_message", "list_pins"),
    *("report_message", "set_notifications", "set_receipts"),
    *("new_message", "join_room", "rename_room", "set_topic", "set_discoverable", "archive_room"),
    *("restore_room",),
    *("invite_user", "remove_user", "leave_room"),
    *MODERATION,
)
NOBODY: Final = ("999999", "4000000000", "9007199254740991")
"""Users and messages that are not there: of every size that a database column might have."""
DIRECT: Final = '"@direct@"'
"""A room in which the user may do what is for owners and admins in others."""
NO_SECRETS: Final = (
    *('"x"', '"@room@"', '"' + "0" * 512 + '"', '"\' OR 1=1 --"', '"1:abc:def"', '"*"', '"\u00e9\U0001f600"'),
    *('"1"', '"@me@"', '"@token@ "', '" @token@"', '"Token @token@"', '"Bearer @token@"'),
)  # fmt: skip


def wrong_states() -> Iterator[BadInput]:
    """Yield good frames for rooms, users and messages that are not there or not for this user."""
    unknown, other = f'"{"0" * 32}"', '"@other@"'
    for action in OF_ROOMS:
        yield BadInput(f"{action} unknown", "error not_member", frame(action, {"room": unknown}))
        yield BadInput(f"{action} other's", "error not_member", frame(action, {"room": other}))
    for name, room in (("unknown", unknown), ("other's", other)):
        for rooms in (f"[{room}]", f'["@room@", {room}]'):
            yield BadInput(f"watch {name} {rooms}", "error not_member", frame("watch", {"rooms": rooms}))
    since = {"since": '{"epoch": "@epoch@", "seq": 0}'}
    yield BadInput("since, unknown", "error not_member", frame("select_room", {"room": unknown, **since}))
    yield BadInput("since, other's", "error not_member", frame("select_room", {"room": other, **since}))
    for action in OF_ROOMS[OF_ROOMS.index("rename_room") :]:
        yield BadInput(f"{action} direct", "error forbidden", frame(action, {"room": DIRECT}))
    for action in (
        *("rename_room", "set_topic", "set_discoverable", "archive_room", "restore_room", "remove_user"),
        *MODERATION,
        *("pin_message", "unpin_message", "set_receipts"),
    ):
        yield BadInput(f"{action} by a member", "error forbidden", frame(action))
    for role in ("owner", "admin"):
        yield BadInput(f"invite as {role}", "error forbidden", frame("invite_user", {"role": f'"{role}"'}))
    yield BadInput("join again", BAD_VALUE, frame("join_room"))
    for room in (unknown, other):
        guess = frame("join_room", {"room": room, "invitation": '"guess"'})
        yield BadInput(f"guess an invitation to {room}", "error not_found", guess)
    yield BadInput("invite a member", BAD_VALUE, frame("invite_user", {"user": "@member@"}))
    for members in ("[]", "[@me@]", "[@member@, @stranger@]"):
        changes = {"members": members, "kind": '"direct"'}
        yield BadInput(f"direct with {members}", BAD_VALUE, frame("create_room", changes))
    yield BadInput("block oneself", BAD_VALUE, frame("block_user", {"user": "@me@"}))
    yield from _renewals()
    yield from _nobody()


def _renewals() -> Iterator[BadInput]:
    for name, expected, changes in (
        ("by the same token", "answer", {}),
        ("by a guess", "error invalid_token", {"token": '"guess"'}),
        ("by a token as a ticket", "error invalid_token", {"token": "null", "ticket": '"@token@"'}),
        ("with cursors", BAD_VALUE, {"cursors": '{"@room@": {"epoch": "@epoch@", "seq": 0}}'}),
    ):
        yield BadInput(f"renew {name}", expected, frame("authenticate", changes))
    first = frame("authenticate", {"uuid": '"@uuid@"'})
    yield BadInput("renew twice", "error rate_limited", frame("authenticate"), before=first)


def _nobody() -> Iterator[BadInput]:
    for number in NOBODY:
        for name, action, changes in (
            ("invite", "invite_user", {"user": number}),
            ("create with", "create_room", {"members": f"[{number}]"}),
            ("create with a member and", "create_room", {"members": f"[@member@, {number}]"}),
            ("direct with", "create_room", {"members": f"[{number}]", "kind": '"direct"'}),
            ("reply to", "new_message", {"reply_to": number}),
            ("mention", "new_message", {"mentions": f"[{number}]"}),
            ("mention a member and", "new_message", {"mentions": f"[@member@, {number}]"}),
            ("edit", "edit_message", {"message": number}),
            ("delete", "delete_message", {"message": number}),
            ("react to", "add_reaction", {"message": number}),
            ("react no more to", "remove_reaction", {"message": number}),
            ("report", "report_message", {"message": number}),
            ("block", "block_user", {"user": number}),
            ("unblock", "unblock_user", {"user": number}),
            ("pin", "pin_message", {"room": DIRECT, "message": number}),
            ("unpin", "unpin_message", {"room": DIRECT, "message": number}),
        ):
            yield BadInput(f"{name} {number}", "error not_found", frame(action, changes))
    for text in ('""', '"hi"'):
        unknown = frame("new_message", {"text": text, "attachments": f'["{"0" * 32}"]'})
        yield BadInput(f"{text} with a file that is not there", "error not_found", unknown)
    for name, action, key in (
        ("reply into", "new_message", "reply_to"),
        ("edit in", "edit_message", "message"),
        ("delete in", "delete_message", "message"),
        ("react in", "add_reaction", "message"),
        ("react no more in", "remove_reaction", "message"),
        ("report in", "report_message", "message"),
    ):
        elsewhere = frame(action, {key: "@message@"})
        yield BadInput(f"{name} another room", "error not_found", elsewhere)
    for action in ("pin_message", "unpin_message"):
        elsewhere = frame(action, {"room": DIRECT, "message": "@message@"})
        yield BadInput(f"{action} in another room", "error not_found", elsewhere)


def conflicts() -> Iterator[BadInput]:
    """Yield uuids that come again with another content."""
    first = frame("new_message", {"uuid": '"@uuid@"', "text": '"first"'})
    for name, action, changes in (
        ("another text", "new_message", {"text": '"second"'}),
        ("one space more", "new_message", {"text": '"first "'}),
        ("a reply", "new_message", {"text": '"first"', "reply_to": "@message@"}),
        ("everybody mentioned", "new_message", {"text": '"first"', "mentions_room": "true"}),
        ("a mention", "new_message", {"text": '"first"', "mentions": "[@member@]"}),
        ("another action", "leave_room", {}),
        ("an invitation", "invite_user", {}),
        ("what is not allowed either", "remove_user", {}),
    ):
        again = frame(action, {"uuid": '"@uuid@"', **changes})
        yield BadInput(name, "error uuid_conflict", again, uuid="@uuid@", before=first)


def strangers() -> Iterator[BadInput]:
    """Yield what is sent before authenticate, or instead of it."""
    for action in GOOD.keys() - {"authenticate", "ping"}:
        yield BadInput(f"{action} first", "error not_authenticated", frame(action), is_stranger=True)
    for secret in NO_SECRETS:
        for key in ("token", "ticket"):
            text = frame("authenticate", {"token": "null", key: secret})
            yield BadInput(f"{key} {secret[:20]}", "error invalid_token", text, is_stranger=True)
    text = frame("authenticate", {"token": "null", "ticket": '"@token@"'})
    yield BadInput("a token as a ticket", "error invalid_token", text, is_stranger=True)


def odd_but_good() -> Iterator[BadInput]:
    """Yield what looks bad and must be answered like anything else."""
    for name, changes in {
        "unknown keys": {"x": "[1e999, {}]", "token": "null", r"\u0041": "null"},
        "a null that means nothing": {"reply_to": "null"},
        "nobody mentioned": {"mentions": "[]"},
        "not everybody mentioned": {"mentions_room": "false"},
        "everybody mentioned, and one by name": {"mentions_room": "true", "mentions": "[@member@]"},
        "no files": {"attachments": "[]"},
        "somebody mentioned twice": {"mentions": "[@member@, @member@]"},
        "4,000 emoji": {"text": '"' + "\N{GRINNING FACE}" * 4_000 + '"'},
        "4,000 escapes": {"text": '"' + r"\u0041" * 4_000 + '"'},
        "right to left": {"text": '"\u202e\u2067abc\u200f"'},
        "markup": {"text": '"<script>alert(1)</script> {{x}} %s ${y} \' OR 1=1 --"'},
        "brackets": {"text": '"' + "[{" * 1_000 + '"'},
        "control characters": {"text": r'"\u0001\u001b[31m\u0085"'},
        "noncharacters": {"text": '"\ufffe\uffff\U0010ffff"'},
        "15 levels": {"x": "[" * 15 + "]" * 15},
        "a key of another case": {"Text": '"x"', "TEXT": "1"},
    }.items():
        keys = {"uuid": '"@uuid@"', "text": '"odd"', **changes}
        yield BadInput(name, "answer", frame("new_message", keys), uuid="@uuid@")
    for uuid in ("\N{GRINNING FACE}" * 64, r"\\", r"\"", r"\ud83d\ude00", " ", r"\u0001", "null", "@room@"):
        yield BadInput(f"uuid {uuid[:20]}", "answer", frame("ping", {"uuid": f'"{uuid}"'}), uuid="*")
    good = frame("ping")
    for text in (f" \n\t{good}\r\n ", good.replace(" ", ""), good[:-1] + " " * (65_536 - len(good)) + "}"):
        yield BadInput(f"ping in {len(text)} bytes", "answer", text)
    for name, action, changes in (
        ("an upper-case room", "select_room", {"room": '"@ROOM@"'}),
        ("a foreign epoch", "select_room", {"since": '{"epoch": "x", "seq": 1}'}),
        ("a cursor of the future", "select_room", {"since": '{"epoch": "@epoch@", "seq": 9007199254740991}'}),
        ("history of the future", "get_history", {"after": "9007199254740991"}),
        ("history before all", "get_history", {"before": "0"}),
        ("a mark of the future", "mark_read", {"seq": "9007199254740991"}),
        ("a mark before all", "mark_read", {"seq": "0"}),
    ):
        yield BadInput(name, "answer", frame(action, changes))
