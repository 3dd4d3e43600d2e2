"""People's side through the api's address: login, admin, chat page, REST."""

import json
import re
from uuid import uuid4

import aiohttp

from tests.e2e import settings
from tests.e2e.cluster import Cluster
from tests.e2e.pages import Browser
from tests.e2e.people import make_administrator
from tests.harness.stack import Room, User
from tests.harness.waiting import eventually
from tests.harness.wire import SECONDS, Wire

PASSWORD = "a-long-enough-password-for-tests"


async def test_a_room_made_in_the_admin_is_usable_at_once(cluster: Cluster, users: list[User]) -> None:
    """Log in, fill in the form: the members' open sockets have the room within seconds, and chat in it."""
    name = f"room {uuid4().hex[:8]}"
    await make_administrator(cluster, administrator := f"admin-{uuid4().hex[:8]}", PASSWORD)
    async with Browser() as browser, Wire(settings.WEBSOCKET, users[0]) as member:
        await member.authenticate()
        await browser.sign_in(administrator, PASSWORD, "/admin/login/", to="/admin/")
        status, path, page = await browser.open("/admin/")
        assert (status, path) == (200, "/admin/"), page[:500]
        form = "/admin/roomlog/chatroom/add/"
        owner = str(users[0].id)
        status, path, page = await browser.submit(form, name=name, kind="group", owner=owner)
        assert (status, path) == (200, "/admin/roomlog/chatroom/"), page[:2000]

        def joined() -> list[str]:
            frames = [frame for frame in member.frames if frame.get("action") == "room_joined"]
            return [frame["room"]["id"] for frame in frames if frame["room"]["name"] == name]

        await eventually(joined, SECONDS, "the member hears of the room")
        room = Room(joined()[0], name, (users[0],))
        assert (await member.ask("new_message", room=room.id, text="first"))["status"] == "success"


async def test_the_chat_page_is_served_with_its_files(cluster: Cluster) -> None:
    """After the login the page names the socket's address, and every file that it asks for is there."""
    await make_administrator(cluster, name := f"chat-{uuid4().hex[:8]}", PASSWORD)
    async with Browser() as browser:
        status, path, _ = await browser.open("/")
        assert (status, path) == (200, "/login/")
        await browser.sign_in(name, PASSWORD)
        status, path, page = await browser.open("/")
        assert (status, path) == (200, "/")
        assert settings.WEBSOCKET in page
        files = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)
        assert files
        for file in files:
            assert (await browser.open(file))[0] == 200, file
        assert await browser.encoding("/static/roomlog/chat.js") == "br"


async def test_a_login_of_kind_up_opens_the_chat_page(cluster: Cluster) -> None:
    """The sample that `make kind-up` made and printed is found again, with the same passwords."""
    said = await cluster.kubectl("exec", cluster.web, "--", "python", "-m", "django", "make_demo")
    alice = json.loads(said)["users"][0]
    async with Browser() as browser:
        await browser.sign_in(alice["name"], alice["password"])
        assert await browser.get("/") == (200, "/")


async def test_a_token_got_and_revoked_by_rest_opens_and_closes_a_socket(cluster: Cluster) -> None:
    """Name and password give a token; with its end the socket that it opened ends within a second or so."""
    await make_administrator(cluster, name := f"rest-{uuid4().hex[:8]}", PASSWORD)
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    async with aiohttp.ClientSession(settings.PAGE, timeout=timeout) as http:
        async with http.post("/api/v1/token/", json={"username": name, "password": PASSWORD}) as answer:
            assert answer.status == 200
            token = (await answer.json())["token"]
        async with Wire(settings.WEBSOCKET, User(0, name, token)) as wire:
            await wire.authenticate()
            async with http.delete("/api/v1/token/", headers={"Authorization": f"Token {token}"}) as answer:
                assert answer.status == 204
            await eventually(lambda: wire.close_code == 4403, SECONDS, "the socket is closed with 4403")
