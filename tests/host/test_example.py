"""The shop of examples/host as `make run HOST=1` starts it: real workers and a real gateway in a project."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import urljoin

import aiohttp
import pytest

from tests.harness.stack import Room, User
from tests.harness.waiting import eventually
from tests.harness.wire import SECONDS, Wire
from tests.test_demo import Run

HOST: Final = Path(__file__).parents[2] / "examples/host"
COMMAND_SECONDS: Final = 60.0
BICYCLE: Final = "A blue bicycle"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Run]:
    """The running shop."""
    run = Run(tmp_path / "data", 0, "--host", str(HOST))
    try:
        run.wait_ready()
        yield run
    finally:
        if run.process.poll() is None:
            run.interrupt()


def person(shop: Run, name: str) -> dict[str, Any]:
    """Return what the sample says of a person."""
    (found,) = [user for user in shop.facts["users"] if user["name"] == f"{name}@shop.example"]
    return dict(found)


def bicycle(shop: Run) -> Room:
    """Return the room of the sample's order."""
    (room,) = shop.facts["rooms"]
    return Room(room["id"], room["name"], ())


def in_its_shell(shop: Run, program: str) -> None:
    """Run a program among the shop's models."""
    subprocess.run(
        [sys.executable, "-m", "django", "shell", "--command", program],
        env={**os.environ, **shop.facts["settings"], "DJANGO_SETTINGS_MODULE": "shop.settings"},
        timeout=COMMAND_SECONDS,
        check=True,
    )


def rooms_of(wire: Wire) -> list[str]:
    """Return the names of the rooms that somebody was told of, whenever the worker let them in."""
    told = [room for frame in wire.frames for room in frame.get("rooms", [])]
    told += [frame["room"] for frame in wire.frames if frame["action"] == "room_joined"]
    return [room["name"] for room in told]


async def pay(shop: Run, customer: dict[str, Any]) -> None:
    """Log in by the shop's page and press the button of the only order."""
    page = shop.facts["page"]
    jar = aiohttp.CookieJar(unsafe=True)  # an address of numbers
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    async with aiohttp.ClientSession(cookie_jar=jar, timeout=timeout, raise_for_status=True) as http:

        async def post(path: str, **fields: str) -> None:
            token = next(cookie.value for cookie in jar if cookie.key == "csrftoken")
            fields["csrfmiddlewaretoken"] = token
            async with http.post(urljoin(page, path), data=fields):
                pass

        async def get(path: str) -> str:
            async with http.get(urljoin(page, path)) as answer:
                return await answer.text()

        await get("/login/")
        await post("/login/", username=customer["name"], password=customer["password"])
        orders = await get("/")
        address = orders.partition('href="/orders/')[2].partition('"')[0]
        await post(f"/orders/{address}pay/")


async def test_what_the_shop_does_reaches_its_people(shop: Run) -> None:
    """Customer and staff talk by SimpleJWT; a paid order says so once; who stops to serve it is out."""
    room = bicycle(shop)
    async with AsyncExitStack() as stack:
        wires = {}
        for name in ("carla", "sam"):
            user = User(0, name, person(shop, name)["token"])
            wires[name] = wire = await stack.enter_async_context(Wire(shop.facts["websocket"], user))
            answer = await wire.authenticate()
            assert await eventually(partial(rooms_of, wire), SECONDS, "the order's room") == [BICYCLE]
            assert answer["user"]["username"] == name.title(), "a name and never an e-mail"
        await wires["sam"].ask("new_message", room=room.id, text="Which colour?")
        await pay(shop, person(shop, "carla"))
        said = ["Which colour?", f"{BICYCLE} is paid."]
        await eventually(lambda: wires["carla"].texts(room) == said, SECONDS, "both messages")
        stop_serving = "from shop.accounts.models import Account; "
        stop_serving += "Account.objects.get(name='Sam').served_orders.clear()"
        await asyncio.to_thread(in_its_shell, shop, stop_serving)
        left = {"room_left", "remove_user"}
        await eventually(
            lambda: left & {frame["action"] for frame in wires["sam"].frames}, SECONDS, "Sam is out"
        )
        refused = await wires["sam"].ask("new_message", room=room.id, text="Still there?")
        assert refused["error_code"] == "not_member"
        assert wires["carla"].texts(room) == said
