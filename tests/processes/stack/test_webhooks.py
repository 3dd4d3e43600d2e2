"""Webhooks beside real processes: every committed event reaches the receiver, whoever is killed meanwhile."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.request import Request, urlopen

from roomlog_local.child import Child, stop_all
from roomlog_local.command import chores
from roomlog_local.ports import free_port
from tests.harness.hook_receiver import Receiver, listening
from tests.harness.manage import run_python
from tests.harness.stack import MakeStack, Room, Stack, User
from tests.harness.waiting import eventually
from tests.harness.wire import SECONDS, Wire

MESSAGES: Final = 15
ROOT: Final = Path(__file__).parents[3]
HOOK: Final = """
import django
django.setup()
from roomlog.models import ChatRoom, IncomingHook, Webhook
from roomlog.hooks.incoming import make_hook
hook = IncomingHook(room=ChatRoom.objects.get(pk="{room}"))
secret = make_hook(hook, "builds")
webhook = Webhook.objects.create(name="receiver", url="{url}")
print(hook.pk.hex, secret, webhook.secret)
"""


@contextmanager
def delivering(stack: Stack, folder: Path) -> Iterator[Child]:
    """The chores, with webhooks on."""
    environ = {**stack.environ, "PYTHONPATH": str(ROOT)}
    command = replace(chores(environ, free_port(), "tests.processes.stack.webhook_settings"), name="chores")
    child = Child(command, folder / "chores.log")
    child.start()
    try:
        yield child
    finally:
        assert stop_all([child], SECONDS) == []


def log_of(stack: Stack, room: str, since: int) -> list[int]:
    """Return the seqs of the events that the database holds behind a seq."""
    rows = stack.sql("SELECT seq, room_id FROM roomlog_roomevent WHERE seq > %s ORDER BY seq", since)
    return [seq for seq, of in rows if str(of).replace("-", "") == room]


def make_hooks(stack: Stack, room: str, receiver: Receiver) -> tuple[str, str]:
    """Make a webhook for all rooms, and an incoming one of this room; return the latter's address."""
    with listening(receiver):
        made = run_python(
            "-c",
            HOOK.format(room=room, url=receiver.url),
            environ={**stack.environ, "DJANGO_SETTINGS_MODULE": "roomlog_worker.settings"},
            seconds=SECONDS,
        )
    number, secret, receiver.secret = made.stdout.split()
    return number, secret


def kill_once(receiver: Receiver, child: Child) -> None:
    """Let the process be killed while it waits for an answer, once some were given."""
    due = [child]

    def answer(event: dict[str, Any]) -> int:
        if due and len(receiver.taken) >= MESSAGES:
            due.pop().kill()
        return 200

    receiver.answer = answer


async def talk(stack: Stack, user: User, rooms: list[Room]) -> None:
    """Write messages into the rooms in turn."""
    async with Wire(stack.websocket(), user) as wire:
        await wire.authenticate()
        for number in range(MESSAGES):
            for room in rooms:
                answer = await wire.ask("new_message", room=room.id, text=f"message {number}")
                assert answer["status"] == "success"


async def test_every_event_reaches_the_receiver_in_order(make_stack: MakeStack, tmp_path: Path) -> None:
    """Through a receiver that is away, and a kill of the chores while they wait for an answer."""
    stack = make_stack(api=True)
    users = stack.make_users(2)
    rooms = stack.make_rooms([users, users])
    receiver = Receiver()
    number, secret = make_hooks(stack, rooms[0].id, receiver)
    since = {room.id: max(log_of(stack, room.id, 0), default=0) for room in rooms}

    def has_all(room: str) -> bool:
        return receiver.first(room) == log_of(stack, room, since[room])

    with delivering(stack, tmp_path) as child:
        await talk(stack, users[0], rooms)
        kill_once(receiver, child)
        with listening(receiver):
            await eventually(lambda: not child.is_running, SECONDS, "it was killed")
            child.start()
            for _ in range(2):
                post(stack, number, secret, "build-1")
            for room in rooms:
                whole = partial(has_all, room.id)
                await eventually(whole, SECONDS, "everything is delivered")
            red = "SELECT 1 FROM roomlog_roomevent WHERE text = 'red'"
            await eventually(lambda: stack.sql(red) and has_all(rooms[0].id), SECONDS, "the hook's too")
    assert receiver.forged == 0
    said = {identity: event["data"]["message"]["text"] for identity, event in receiver.taken}
    assert len(said) == 2 * MESSAGES + 1 < len(receiver.taken), "what was killed came again"
    assert list(said.values()).count("red") == 1
    assert "message 1" not in child.log.read_text()
    assert secret not in "".join(stack.logs().values())


def post(stack: Stack, number: str, secret: str, uuid: str) -> None:
    """Post by the incoming hook."""
    body = json.dumps({"text": "red", "uuid": uuid}).encode()
    address = f"{stack.page}/api/v1/hooks/{number}/{secret}/"
    with urlopen(Request(address, body, {"Content-Type": "application/json"}), timeout=SECONDS) as answer:
        assert answer.status == 202
