"""The specification's rules for a client's frame, written a second time: slowly, plainly, sharing nothing.

Beside the message's way. The codec under test is one scan and msgspec; this is `json` and one `if` a rule.
Where the two disagree, one of them is wrong. It must not import the codec.
"""

import json
import re
import unicodedata
from datetime import UTC, datetime
from typing import Any, Final

from roomlog_contract import limits

MALFORMED: Final = "malformed"
ACCEPTED: Final = "accepted"
HUGE: Final = 10**99
"""Stands for integers that nobody needs to convert."""
_ROOM: Final = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_MISSING: Final = object()


class _NotJson(ValueError):
    """The frame is refused before its keys are looked at."""


def expected(text: str) -> set[str]:
    """Return what may come of a frame: `malformed`, `accepted`, or codes of error answers.

    More than one code where several values are wrong, because the specification leaves the order open.
    """
    try:
        keys = _parse(text)
    except (_NotJson, ValueError, RecursionError):
        return {MALFORMED}
    for name in ("uuid", "action"):
        if name not in keys:
            return {"required_keys"}
    if not (_is_name(keys["uuid"]) and _is_name(keys["action"])):
        return {"bad_value"}
    rules = RULES.get(keys["action"])
    if rules is None:
        return {"invalid_action"}
    if not _is_storable(keys):
        return {"bad_value"}
    return _of_fields(keys, rules)


def _parse(text: str) -> dict[str, Any]:
    if depth(text) > limits.JSON_DEPTH:
        raise _NotJson("too deep")
    keys = json.loads(text, object_pairs_hook=_unique, parse_int=_integer, parse_constant=_no_constant)
    if not isinstance(keys, dict):
        raise _NotJson("no object")
    return keys


def depth(text: str) -> int:
    """Count brackets outside strings one character at a time, as a person would."""
    now = deepest = 0
    in_string = escaped = False
    for character in text:
        if in_string:
            in_string = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            in_string = True
        elif character in "[{":
            now += 1
            deepest = max(deepest, now)
        elif character in "]}":
            now -= 1
    return deepest


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    for number, (key, _) in enumerate(pairs):
        if key in [other for other, _ in pairs[:number]]:
            raise _NotJson("a key twice")
    return dict(pairs)


def _integer(digits: str) -> int:
    return int(digits) if len(digits) < 40 else HUGE


def _no_constant(name: str) -> Any:
    raise _NotJson(name)


def _is_storable(value: Any) -> bool:
    if isinstance(value, str):
        return all(character != "\0" and not 0xD800 <= ord(character) <= 0xDFFF for character in value)
    if isinstance(value, list):
        return all(_is_storable(item) for item in value)
    if isinstance(value, dict):
        return all(_is_storable(key) and _is_storable(item) for key, item in value.items())
    return True


# -- values ----------------------------------------------------------------------------------------


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= 64 and _is_storable(value)


def _is_room(value: Any) -> bool:
    return isinstance(value, str) and _ROOM.fullmatch(value) is not None


def _is_integer(value: Any, low: int, high: int) -> bool:
    return type(value) is int and low <= value <= high


def _is_seq(value: Any) -> bool:
    return _is_integer(value, 0, 2**53 - 1)


def _is_positive(value: Any) -> bool:
    return _is_integer(value, 1, 2**53 - 1)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_room_name(value: Any) -> bool:
    return isinstance(value, str) and max(len(value), len(unicodedata.normalize("NFKC", value))) <= 200


def _is_topic(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= 250


def _is_token(value: Any) -> bool:
    return value is None or (isinstance(value, str) and 1 <= len(value) <= 4_096)


def _is_ticket(value: Any) -> bool:
    return value is None or (isinstance(value, str) and 1 <= len(value) <= 512)


def _is_cursor(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("epoch"), str)
        and len(value["epoch"]) <= 32
        and _is_seq(value.get("seq"))
    )


def _is_cursors(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and len(value) <= 500
        and all(_is_room(room) and _is_cursor(cursor) for room, cursor in value.items())
    )


def _is_members(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= 100 and all(_is_positive(item) for item in value)


def _are_mentions(value: Any) -> bool:
    return _is_members(value) and len(value) <= 20


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _are_files(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= 10 and all(map(_is_room, value))


def _are_watched(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= 8 and all(map(_is_room, value))


def _is_invitation(value: Any) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= 64


def _is_role(value: Any) -> bool:
    return value in ("reader", "member", "admin", "owner")


def _is_end(value: Any) -> bool:
    """Tell whether it is a second before the last day of the year 9999."""
    return _is_integer(value, 1, int(datetime(9999, 12, 31, tzinfo=UTC).timestamp()) - 1)


def _is_emoji(value: Any) -> bool:
    return (
        isinstance(value, str)
        and 1 <= len(value) <= 16
        and all(map(_is_no_word, value))
        and any(map(_is_emoji_of_one, value))
    )


def _is_emoji_of_one(character: str) -> bool:
    return (
        ord(character) >= 0xA9
        and not 0xE0020 <= ord(character) <= 0xE007F
        and (unicodedata.category(character) not in ("Mn", "Cf"))
    )


def _is_no_word(character: str) -> bool:
    if character in "\u200d\u2139" or 0xE0020 <= ord(character) <= 0xE007F:
        return True
    kind = unicodedata.category(character)
    return not (kind.startswith(("L", "Z")) or kind in ("Cc", "Cf", "Cs") or character.isspace())


REQUIRED, OPTIONAL, NULLABLE = "required", "optional", "nullable"
RULES: Final[dict[str, dict[str, tuple[str, Any]]]] = {
    "authenticate": {
        "token": (OPTIONAL, _is_token),
        "ticket": (OPTIONAL, _is_ticket),
        "cursors": (OPTIONAL, _is_cursors),
    },
    "select_room": {"room": (REQUIRED, _is_room), "since": (NULLABLE, _is_cursor)},
    "new_message": {
        "room": (REQUIRED, _is_room),
        "text": (REQUIRED, _is_text),
        "reply_to": (NULLABLE, _is_positive),
        "mentions": (OPTIONAL, _are_mentions),
        "mentions_room": (OPTIONAL, _is_flag),
        "attachments": (OPTIONAL, _are_files),
    },
    "edit_message": {
        "room": (REQUIRED, _is_room),
        "message": (REQUIRED, _is_positive),
        "text": (REQUIRED, _is_text),
        "mentions": (OPTIONAL, _are_mentions),
        "mentions_room": (OPTIONAL, _is_flag),
    },
    "delete_message": {"room": (REQUIRED, _is_room), "message": (REQUIRED, _is_positive)},
    **{
        action: {
            "room": (REQUIRED, _is_room),
            "message": (REQUIRED, _is_positive),
            "emoji": (REQUIRED, _is_emoji),
        }
        for action in ("add_reaction", "remove_reaction")
    },
    **{
        action: {"room": (REQUIRED, _is_room), "message": (REQUIRED, _is_positive)}
        for action in ("pin_message", "unpin_message")
    },
    "list_pins": {"room": (REQUIRED, _is_room)},
    "get_history": {
        "room": (REQUIRED, _is_room),
        "before": (NULLABLE, _is_seq),
        "after": (NULLABLE, _is_seq),
        "limit": (OPTIONAL, lambda value: _is_integer(value, 1, 100)),
    },
    "list_rooms": {"after": (NULLABLE, _is_room)},
    "create_room": {
        "name": (OPTIONAL, _is_room_name),
        "kind": (OPTIONAL, lambda value: value in ("group", "direct")),
        "members": (OPTIONAL, _is_members),
    },
    "set_discoverable": {
        "room": (REQUIRED, _is_room),
        "discoverable": (REQUIRED, lambda value: isinstance(value, bool)),
    },
    "join_room": {"room": (REQUIRED, _is_room), "invitation": (NULLABLE, _is_invitation)},
    "invite_user": {
        "room": (REQUIRED, _is_room),
        "user": (REQUIRED, _is_positive),
        "role": (OPTIONAL, _is_role),
    },
    "set_role": {
        "room": (REQUIRED, _is_room),
        "user": (REQUIRED, _is_positive),
        "role": (REQUIRED, _is_role),
    },
    **{
        action: {
            "room": (REQUIRED, _is_room),
            "user": (REQUIRED, _is_positive),
            "until": (NULLABLE, _is_end),
        }
        for action in ("mute_user", "ban_user")
    },
    **{
        action: {"room": (REQUIRED, _is_room), "user": (REQUIRED, _is_positive)}
        for action in ("unmute_user", "unban_user")
    },
    "remove_user": {"room": (REQUIRED, _is_room), "user": (REQUIRED, _is_positive)},
    "leave_room": {"room": (REQUIRED, _is_room)},
    "archive_room": {"room": (REQUIRED, _is_room)},
    "restore_room": {"room": (REQUIRED, _is_room)},
    "set_topic": {"room": (REQUIRED, _is_room), "topic": (REQUIRED, _is_topic)},
    "set_receipts": {
        "room": (REQUIRED, _is_room),
        "receipts": (REQUIRED, lambda value: isinstance(value, bool)),
    },
    "rename_room": {"room": (REQUIRED, _is_room), "name": (REQUIRED, _is_room_name)},
    "mark_read": {"room": (REQUIRED, _is_room), "seq": (REQUIRED, _is_seq)},
    "set_notifications": {
        "room": (REQUIRED, _is_room),
        "notify": (REQUIRED, lambda value: value in ("all", "mentions", "none")),
    },
    "report_message": {
        "room": (REQUIRED, _is_room),
        "message": (REQUIRED, _is_positive),
        "reason": (REQUIRED, lambda value: value in ("spam", "abuse", "other")),
        "comment": (OPTIONAL, lambda value: isinstance(value, str) and len(value) <= 500),
    },
    **{action: {"user": (REQUIRED, _is_positive)} for action in ("block_user", "unblock_user")},
    "list_blocks": {"after": (OPTIONAL, lambda value: _is_integer(value, 0, 2**53 - 1))},
    "typing": {"room": (REQUIRED, _is_room)},
    "watch": {"rooms": (REQUIRED, _are_watched)},
    "ping": {},
}
"""Each action's keys: whether they must be there, may be null, and what they must be."""


def _of_fields(keys: dict[str, Any], rules: dict[str, tuple[str, Any]]) -> set[str]:
    codes = set()
    for name, (presence, is_right) in rules.items():
        value = keys.get(name, _MISSING)
        if value is _MISSING:
            codes |= {"required_keys"} if presence == REQUIRED else set()
        elif not (is_right(value) or (presence == NULLABLE and value is None)):
            codes.add("bad_value")
            if isinstance(value, dict) and not {"epoch", "seq"} <= set(value):
                codes.add("required_keys")  # a cursor's missing key is a missing key too
            if name == "cursors" and isinstance(value, dict):
                codes.add("required_keys")
    return codes or _of_meaning(keys)


def _of_meaning(keys: dict[str, Any]) -> set[str]:
    action = keys["action"]
    is_said = action in ("new_message", "edit_message")
    files = keys.get("attachments", []) if action == "new_message" else []
    if is_said and not keys["text"].strip() and (keys["text"] or not files):
        return {"empty_text"}
    if is_said and len(keys["text"]) > limits.TEXT_CODE_POINTS:
        return {"text_too_long"}
    if action == "authenticate" and (keys.get("token") is None) == (keys.get("ticket") is None):
        return {"required_keys"}
    is_wrong = (
        len({file.replace("-", "").lower() for file in files}) < len(files),
        action == "create_room" and keys.get("kind") == "direct" and len(keys.get("members", [])) != 1,
        action == "get_history" and keys.get("before") is not None and keys.get("after") is not None,
    )
    return {"bad_value"} if any(is_wrong) else {ACCEPTED}
