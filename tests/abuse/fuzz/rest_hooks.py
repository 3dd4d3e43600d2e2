"""What schemathesis is told before it sends a request: `hooks` of its settings.

Beside the message's way. What is drawn by the description stays so; what breaks it stays as it was drawn.
"""

import json
import os
import re
import time
from itertools import count
from pathlib import Path
from typing import Any, Final

import schemathesis
from schemathesis.core import NotSet

KNOWN: Final = "ROOMLOG_REST_KNOWN"
"""Variable: for names of what stands in paths, ids that exist, as JSON."""
NAMED: Final = frozenset(
    {"uuid", "name", "kind", "members", "user", "role", "until", "text", "reply_to", "mentions"}
) | {"mentions_room", "attachments", "emoji", "seq", "username", "password"}
"""What the description names in bodies. The wire ignores other keys, but refuses NUL in them too."""
TAKEN: Final = "ROOMLOG_REST_TAKEN"
"""Variable: a file to which each status goes with its operation, one a line."""
_ids: Final[dict[str, list[Any]]] = json.loads(os.environ.get(KNOWN, "{}"))
_EMOJI: Final = re.compile(r"[^\0]{1,16}")
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,14}")
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_TOKEN: Final = re.compile(r"[^\0]{1,64}")
_ROOM: Final = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

_turn: Final = count()
_emoji_turn: Final = count()


@schemathesis.hook
def before_call(
    context: schemathesis.HookContext, case: schemathesis.Case[Any], kwargs: dict[str, Any]
) -> None:
    """Name rooms, people and messages that exist, send 1 for 1.0, and no NUL where nothing is described."""
    paths = case.path_parameters or {}
    for name, ids in _ids.items():
        if name in paths and is_good(name, paths[name]):
            paths[name] = ids[next(_turn) % len(ids)]  # one that is deleted stays away from the next request
    if "/invitations/" in case.path and "open" in _ids and paths.get("room") in _ids["room"]:
        paths["room"] = _ids["open"][0]  # which nobody archives
    if isinstance(case.body, NotSet):
        return  # assigned, it would count as one that breaks the description
    body = whole(case.body)
    if isinstance(body, dict):
        body = {
            without_nul(key): value if key in NAMED else without_nul(value) for key, value in body.items()
        }
        emoji = body.get("emoji")
        if "emoji" in _ids and is_good("emoji", emoji) and next(_emoji_turn) % 3:
            body["emoji"] = _ids["emoji"][0]  # hardly any text that is drawn is one
        if isinstance(body.get("until"), int) and case.path.endswith("/invitations/"):
            body["until"] = int(time.time()) + 3_600  # a time that is drawn is in another century
        if "token" in _ids and is_good("token", body.get("invitation", "")):
            body["invitation"] = _ids["token"][0]
    case.body = body


@schemathesis.hook
def after_call(
    context: schemathesis.HookContext, case: schemathesis.Case[Any], response: schemathesis.Response
) -> None:
    """Note what was accepted: the caller says what must have been, of all that writes."""
    with Path(os.environ[TAKEN]).open("a", encoding="utf-8") as taken:
        taken.write(f"{response.status_code} {case.method} {case.path}\n")


def is_good(name: str, value: Any) -> bool:
    """Return whether the description allows the value: in a path, or an emoji in a body."""
    text = str(value)
    ids = dict.fromkeys(("room", "hook", "invitation"), _ROOM)
    forms = {**ids, "secret": _SECRET, "token": _TOKEN, "emoji": _EMOJI}
    return forms.get(name, _NUMBER).fullmatch(text) is not None


def whole(value: Any) -> Any:
    """Return the value with an integer for each whole number.

    To JSON Schema 1.0 is an integer; to the wire it is none (section 2 of the contract).
    """
    match value:
        case float() if value.is_integer():
            return int(value)
        case dict():
            return {key: whole(inner) for key, inner in value.items()}
        case list():
            return [whole(inner) for inner in value]
    return value


def without_nul(value: Any) -> Any:
    """Return the value with another character for each NUL."""
    match value:
        case str():
            return value.replace("\0", "0")
        case dict():
            return {without_nul(key): without_nul(inner) for key, inner in value.items()}
        case list():
            return [without_nul(inner) for inner in value]
    return value
