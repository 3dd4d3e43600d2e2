"""What all services log at debug: lines of one schema that follow a message, and nobody's words."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.harness.raw import RawSocket, frame, text, upgrade
from tests.harness.stack import MakeStack, Stack
from tests.harness.wire import Wire
from tests.processes.stack.canaries import CANARY, ask, fill_commands, fill_operations

SCHEMA = Path(__file__).parents[3] / "docs/log-line.schema.json"


def fill_the_api(stack: Stack, token: str, room: str) -> None:
    """Leave the canary in paths, queries, headers, bodies and logins."""
    api, rights = stack.page, {"Authorization": f"Token {token}"}
    ask(f"{api}/{CANARY}-path?q={CANARY}")
    ask(f"{api}/api/v1/rooms/?search={CANARY}", **rights)
    ask(f"{api}/api/v1/{CANARY}-path", **rights)
    upload(stack, token, room)
    ask(f"{api}/api/v1/rooms/", Authorization=f"Token {CANARY}")
    ask(f"{api}/api/v1/rooms/", "POST", {"name": f"{CANARY}-room"}, **rights)
    ask(f"{api}/api/v1/rooms/{room}/messages/", "POST", {"text": f"{CANARY}-text"}, **rights)
    ask(f"{api}/api/v1/token/", "POST", {"username": f"{CANARY}-name", "password": f"{CANARY}-password"})
    ask(f"{api}/api/v1/token/", "POST", f"{CANARY}-body", **{"User-Agent": CANARY, "Cookie": f"a={CANARY}"})
    ask(f"{api}/api/v1/hooks/{room}/{CANARY:-<43}/", "POST", {"text": f"{CANARY}-text"})
    ask(f"{api}/api/v1/hooks/{room}/{CANARY:-<43}", "POST", {"text": 1})
    ask(f"{api}/admin/login/?next=/{CANARY}", "POST", {"username": CANARY})
    ask(f"{api}/api/v1/rooms/", CANARY.upper(), **rights)
    ask(f"{api}/api/v1/rooms/", Host=f"{CANARY}.example.org", **rights)


def upload(stack: Stack, token: str, room: str) -> None:
    """Leave it in the name and the bytes of a file."""
    form = (
        f'--x\r\nContent-Disposition: form-data; name="room"\r\n\r\n{room}\r\n'
        f'--x\r\nContent-Disposition: form-data; name="file"; filename="{CANARY}-file.txt"\r\n\r\n'
        f"{CANARY}\r\n--x--\r\n"
    )
    rights = {"Authorization": f"Token {token}", "Content-Type": "multipart/form-data; boundary=x"}
    ask(f"{stack.page}/api/v1/attachments/", "POST", form.encode(), **rights)


async def fill_the_gateway(stack: Stack, room: str) -> None:
    """Leave it in frames, good and bad, in the path, in a token and in a close reason."""
    bad = [
        f"{CANARY} is not JSON",
        json.dumps({"uuid": "1", "action": f"{CANARY}-action"}),
        json.dumps({"uuid": "1", "action": "authenticate", "token": f"{CANARY}-token"}),
        json.dumps({"uuid": "1", "action": "authenticate", "ticket": f"{CANARY}-ticket"}),
        json.dumps({"uuid": "1", "action": "new_message", "room": room, "text": f"{CANARY}-text"}),
        json.dumps({"uuid": "1", "action": "new_message", "room": f"{CANARY}-room", "text": 1}),
    ]
    for sent in bad:
        async with RawSocket(stack.websocket()) as socket:
            await socket.open()
            await socket.write(text(sent))
            await socket.receive()
            await socket.write(frame(8, b"\x03\xe8" + f"{CANARY}-reason".encode()))
    for path in (f"/ws?token={CANARY}", f"/{CANARY}/ws", f"/{CANARY}-path"):
        async with RawSocket(stack.websocket()) as socket:
            await socket.write(upgrade(socket.host, path, Origin=f"http://{CANARY}", User_Agent=CANARY))
            await socket.status()
    async with RawSocket(stack.websocket()) as socket:
        await socket.write(f"{CANARY} is no HTTP\r\n\r\n".encode())
        await socket.status()


def lines_of(stack: Stack) -> list[dict[str, Any]]:
    """The JSON lines of the three services."""
    logs = {name: log for name, log in stack.logs().items() if name != "valkey"}
    return [json.loads(line) for log in logs.values() for line in log.splitlines() if line.startswith("{")]


@pytest.mark.parametrize("level", ["debug", "info"])
async def test_logs_have_one_schema_and_nobodys_words(make_stack: MakeStack, level: str) -> None:
    """No canary is in any line; at debug a message's lines have uuid, connection and shard."""
    stack = await asyncio.to_thread(make_stack, api=True, environ={"ROOMLOG_LOG_LEVEL": level})
    (user,) = await asyncio.to_thread(stack.make_users, 1)
    room, other = await asyncio.to_thread(stack.make_rooms, [[user], [user]])
    async with Wire(stack.websocket(), user) as wire:
        await wire.authenticate()
        await wire.ask("new_message", "followed", room=room.id, text=f"{CANARY}-text \U0001f600")
        await wire.ask("create_room", name=f"{CANARY}-room", members=[])
    await fill_the_gateway(stack, room.id)
    await asyncio.to_thread(fill_the_api, stack, user.token, room.id)
    if level == "debug":  # which has all lines of the other level
        await fill_commands(stack, user, other)
        await asyncio.to_thread(fill_operations, stack.page, user.token, room.id)
    said = stack.logs()
    quoted = [
        line
        for name in said
        if name != "valkey"
        for line in said[name].splitlines()
        if CANARY in line.lower()
    ]
    assert quoted == []
    assert user.token not in "".join(said.values())
    lines, validator = lines_of(stack), Draft202012Validator(json.loads(SCHEMA.read_text()))
    assert [(line, error.message) for line in lines for error in validator.iter_errors(line)] == []
    assert {line["service"] for line in lines} == {"gateway", "worker", "api"}
    routes = {line["route"]: line["status"] for line in lines if line["event"] == "request"}
    assert {"api/v1/token/", "api/v1/hooks/<room:hook>/<secret:secret>/", None} <= routes.keys()
    followed = {line["event"]: line for line in lines if line.get("uuid") == "followed"}
    if level == "debug":
        assert followed.keys() >= {"command_sent", "command_decided", "event_received"}
        assert len({line["shard"] for line in followed.values()}) == 1
        assert followed["command_sent"]["connection"] == followed["event_received"]["connection"] > 0
    else:
        assert followed == {}
