"""Leaves a word in each field that a client or an address can fill, as contract and api describe them.

Beside the message's way, for tests/processes/stack/test_logs.py. It needs no change for a new action or
operation: the example in packages/contract, or the api's description, says which fields that has.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

from tests.harness.stack import Room, Stack, User
from tests.harness.wire import Frame, Wire

EXAMPLES: Final = Path(__file__).parents[3] / "packages/contract/examples"
SECONDS: Final = 20.0
CANARY: Final = "canary"
FREE: Final = ("text", "name", "topic", "comment")
"""Fields that take anybody's words."""
FINAL: Final = ("archive_room", "leave_room")
"""After these the room takes nothing more."""
ABSENT: Final = 999
"""An id that nobody has."""


def commands() -> list[Frame]:
    """Return the contract's examples of what an active connection sends, the last of a room at the end."""
    examples = [json.loads(path.read_text(encoding="utf-8")) for path in EXAMPLES.glob("command.*.json")]
    kept = [example for example in examples if example["action"] != "authenticate"]
    return sorted(kept, key=lambda example: (example["action"] in FINAL, example["action"]))


async def fill_commands(stack: Stack, user: User, room: Room) -> None:
    """Send each command with the word where words may stand, then with the word in each of its fields."""
    for example in commands():
        async with Wire(stack.websocket(), user) as wire:  # a new connection has its whole rate
            await wire.authenticate()
            said = await wire.ask("new_message", room=room.id, text=f"{CANARY}-text")
            message = said.get("message", {}).get("id", ABSENT)
            known = {"room": room.id, "message": message, "reply_to": message, "user": ABSENT}
            known |= {"mentions": [], "attachments": []}
            action: str = example["action"]
            fields = {key: known.get(key, example[key]) for key in example.keys() - {"action", "uuid"}}
            worded = {key: f"{CANARY}-{key}" for key in FREE if key in fields}
            answer = await wire.ask(action, **fields | worded)
            assert answer["status"] == "success" or not worded, answer
            for key in fields:
                answer = await wire.ask(action, **fields | {key: f"{CANARY}-{key}"})
                assert answer.get("error_code") != "rate_limited", "the word did not get in"


def ask(url: str, method: str = "GET", body: object = None, **headers: str) -> bytes:
    """Send a request and return what it answers; any status will do."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    request = Request(url, data, {"Content-Type": "application/json", **headers}, method=method)
    with suppress(HTTPError), urlopen(request, timeout=SECONDS) as answer:
        return bytes(answer.read())
    return b""


def fill_operations(api: str, token: str, room: str) -> None:
    """Call each operation of the api's description with the word in its path, its query and its body."""
    rights = {"Authorization": f"Token {token}"}
    described = json.loads(ask(f"{api}/api/v1/schema/", Accept="application/vnd.oai.openapi+json", **rights))
    known = {"room": room, "message": str(ABSENT), "user": str(ABSENT)}
    paths = sorted(described["paths"].items(), key=lambda one: ("archive" in one[0], "token" in one[0]))
    for path, operations in paths:
        for method, operation in operations.items():
            places = [p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"]
            keys = [p["name"] for p in operation.get("parameters", ()) if p["in"] == "query"]
            whole = path.format_map({name: known.get(name, CANARY) for name in places})
            queries = [{key: CANARY} for key in keys] or [{}]
            for query in queries:
                for body in bodies(described, operation):
                    ask(f"{api}{whole}?{urlencode(query)}", method.upper(), body, **rights)
            for name in places:
                odd = path.format_map(
                    dict.fromkeys(places, CANARY) | known | {name: quote(f"{CANARY}-{name}")}
                )
                ask(f"{api}{odd}", method.upper(), None, **rights)


def bodies(described: Frame, operation: Frame) -> Iterator[Any]:
    """Yield the word where the operation's body takes words, and then in all of its fields.

    Not in `uuid`: that is what the log's lines are found by.
    """
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        yield None
        return
    fields = dict(resolved(described, content["schema"]).get("properties", {}))
    fields.pop("uuid", None)
    yield {name: plausible(resolved(described, field)) for name, field in fields.items()}
    yield dict.fromkeys(fields, f"{CANARY}-field")


def resolved(described: Frame, schema: Frame) -> Frame:
    """Return what a reference of the description means."""
    while "$ref" in schema:
        schema = described["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def plausible(field: Frame) -> Any:
    """Return a value that the field may take: the word, if it takes words."""
    if "enum" in field:
        return field["enum"][0]
    match field.get("type"):
        case "integer":
            return ABSENT
        case "boolean":
            return True
        case "array":
            return []
        case "object":
            return {CANARY: CANARY}
        case _:
            return f"{CANARY}-field"
