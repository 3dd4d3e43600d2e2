"""A ticket's socket ends with what the ticket came from: each way to lose access, through real processes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Final

import aiohttp
from yarl import URL

from tests.harness.host import started_host
from tests.harness.manage import run_python
from tests.harness.stack import Room, Stack, User
from tests.harness.waiting import eventually
from tests.harness.wire import SECONDS, Wire

PASSWORD: Final = "correct horse battery"
NOTICE_SECONDS: Final = 5.0
"""G10 says one second; the rest is a busy machine's, and far below the minute of a recheck by itself."""
GIVE_PASSWORDS: Final = f"""
from django.contrib.auth.hashers import make_password
User.objects.update(password=make_password({PASSWORD!r}))
"""
WAYS: Final = {
    "session": {
        "logout": "",
        "sessions deleted": "Session.objects.all().delete()",
        "session expired by save": "import datetime\nfor session in Session.objects.all():\n"
        "    session.expire_date = datetime.datetime(2001, 1, 1, tzinfo=datetime.UTC)\n    session.save()",
        "another password": "user.set_password('another'); user.save()",
        "deactivated": "user.is_active = False; user.save()",
        "account deleted": "user.delete()",
    },
    "token": {
        "revoked by REST": "",
        "token deleted": "Token.objects.get(user=user).delete()",
        "token replaced": "Token.objects.filter(user=user).delete(); Token.objects.create(user=user)",
        "another password": "user.set_password('another'); user.save()",
    },
}


class Page:
    """What a browser does around its socket: log in, ask for tickets, log out."""

    def __init__(self, http: aiohttp.ClientSession, address: str) -> None:
        self._http = http
        self._address = address

    async def login(self, user: User) -> None:
        """Sign in by the login page."""
        fields = {"username": user.name, "password": PASSWORD}
        await self.post("/login/", **fields)

    async def post(self, path: str, **fields: str) -> aiohttp.ClientResponse:
        """Send a form with the page's own mark."""
        await self._http.get(self._address + "/login/")
        cookies = self._http.cookie_jar.filter_cookies(URL(self._address))
        headers = {"x-csrftoken": cookies["roomlog_csrf"].value}
        answer = await self._http.post(self._address + path, data=fields, headers=headers)
        answer.raise_for_status()
        return answer

    async def ticket(self) -> str:
        """Return a ticket of the session."""
        answer = await (await self.post("/api/v1/ticket/")).json()
        return str(answer["ticket"])


class Api:
    """What a program does with its token."""

    def __init__(self, http: aiohttp.ClientSession, address: str, user: User) -> None:
        self._http = http
        self._address = address
        self._headers = {"authorization": f"Token {user.token}"}

    async def ticket(self) -> str:
        """Return a ticket of the token."""
        answer = await self._http.post(self._address + "/api/v1/ticket/", headers=self._headers)
        return str((await answer.json())["ticket"])

    async def revoke(self) -> None:
        """Delete the token."""
        await self._http.delete(self._address + "/api/v1/token/", headers=self._headers)


@asynccontextmanager
async def opened(stack: Stack, user: User, ticket: str) -> AsyncIterator[Wire]:
    """Give a socket that came in by this ticket."""
    async with Wire(stack.websocket(), user) as wire:
        answer = await wire.ask("authenticate", ticket=ticket)
        assert answer["status"] == "success", answer
        yield wire


async def cut_off(wire: Wire) -> None:
    """Wait for the end of the socket, with the code that says why."""
    await eventually(lambda: wire.close_code is not None, NOTICE_SECONDS, "the socket is closed")
    assert wire.close_code == 4403


def has_heard(wire: Wire, room: Room, told: Sequence[tuple[str, int | None]]) -> bool:
    """Tell whether these are the room's events, each with the member whom it concerns."""
    events = wire.events(room)
    return [(event["action"], event.get("member", {}).get("id")) for event in events] == told


async def test_a_session_takes_its_sockets_along(shared_stack: Stack) -> None:
    """However a session ends, its sockets end within a second; those of others stay."""
    stack = shared_stack
    other, *users = await asyncio.to_thread(stack.make_users, 1 + len(WAYS["session"]))
    async with started_host(stack) as host:
        await host.run(other, GIVE_PASSWORDS)
        for user, (way, program) in zip(users, WAYS["session"].items(), strict=True):
            jar = aiohttp.CookieJar(unsafe=True)
            async with aiohttp.ClientSession(cookie_jar=jar) as http, AsyncExitStack() as group:
                page = Page(http, stack.page)
                await page.login(user)
                wire = await group.enter_async_context(opened(stack, user, await page.ticket()))
                bystander = await group.enter_async_context(
                    opened(stack, other, await Api(http, stack.page, other).ticket())
                )
                if program:
                    await host.run(user, program)
                else:
                    await page.post("/logout/")
                await cut_off(wire)
                assert (await bystander.ask("ping"))["status"] == "success", way


async def test_a_token_takes_the_sockets_of_its_tickets_along(shared_stack: Stack) -> None:
    """However a token is revoked, sockets that came by its tickets end, even where the user has a new one."""
    stack = shared_stack
    users = await asyncio.to_thread(stack.make_users, len(WAYS["token"]))
    async with started_host(stack) as host, aiohttp.ClientSession() as http:
        for user, program in zip(users, WAYS["token"].values(), strict=True):
            api = Api(http, stack.page, user)
            async with opened(stack, user, await api.ticket()) as wire:
                if program:
                    await host.run(user, program)
                else:
                    await api.revoke()
                await cut_off(wire)


async def test_a_deleted_token_of_a_bot_cuts_its_sockets_off(shared_stack: Stack) -> None:
    """Only until then do they work; a socket by the account's other token stays."""
    stack = shared_stack
    (user,) = await asyncio.to_thread(stack.make_users, 1)
    command = ("-m", "django", "roomlog", "--settings", "roomlog_worker.settings", "bot", user.name, "ci")
    made = await asyncio.to_thread(run_python, *command, environ=stack.environ, seconds=SECONDS)
    bot = replace(user, token=made.stdout.strip())
    async with Wire(stack.websocket(), bot) as wire, Wire(stack.websocket(), user) as other:
        await wire.authenticate()
        await other.authenticate()
        async with started_host(stack) as host:
            await host.run(user, "from roomlog.models import BotToken\nBotToken.objects.get().delete()")
            await cut_off(wire)
        assert (await other.ask("ping"))["status"] == "success"


async def test_a_deleted_account_is_cut_off_and_has_left(shared_stack: Stack) -> None:
    """Its sockets end, by whatever token they came; the others are told once, and keep what it said."""
    stack = shared_stack
    gone, other = await asyncio.to_thread(stack.make_users, 2)
    rooms = await asyncio.to_thread(stack.make_rooms, [[gone, other], [gone, other]])
    async with AsyncExitStack() as group:
        wires = [await group.enter_async_context(Wire(stack.websocket(), gone)) for _ in range(2)]
        bystander = await group.enter_async_context(Wire(stack.websocket(), other))
        for wire in (*wires, bystander):
            await wire.authenticate()
        for room in rooms:
            await wires[0].ask("new_message", room=room.id, text="still here")
        host = await group.enter_async_context(started_host(stack))
        await host.run(gone, "user.delete()")
        for wire in wires:
            await cut_off(wire)
        for room in rooms:
            told = [("new_message", None), ("remove_user", gone.id)]
            await eventually(partial(has_heard, bystander, room, told), SECONDS, "it has left")
    for room in rooms:
        left = stack.sql("SELECT user_id FROM roomlog_membership WHERE room_id = %s", room.id)
        assert left == [(other.id,)]
    kept = stack.sql(
        "SELECT text FROM roomlog_roomevent WHERE user_id = %s AND kind = 'new_message'", gone.id
    )
    assert kept == [("still here",)] * len(rooms)
