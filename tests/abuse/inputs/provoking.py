"""Doing to a stack what the tables of bad input say, and naming what came of it.

Around the message's way. An outcome is `error <code>` or `answer`, after which the connection must still
answer a ping; `close <code>`; `silence`, where nothing but the ping is answered; `status <code>` for HTTP.
"""

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid4

from tests.abuse.inputs.bad_inputs import BadInput, frame
from tests.abuse.inputs.neighbours import Neighbours
from tests.harness.raw import Closed, RawSocket, text
from tests.harness.stack import Stack, User

AT_ONCE = 8
"""Inputs under way at the same time, each of another user: below the connections that a user may have."""
CASE_SECONDS = 20.0
"""For one input and all that comes of it."""
AFTER = frame("ping", {"uuid": '"after"'})


@dataclass(frozen=True)
class Place:
    """Where it happens."""

    stack: Stack
    neighbours: Neighbours
    abusers: list[User]
    words: dict[str, str]
    """What `@…@` in the tables stands for."""
    direct: dict[User, str]
    """Each abuser's direct room."""

    @property
    def url(self) -> str:
        """The gateway's address."""
        return self.stack.websocket()

    def fill(self, written: str, user: User) -> str:
        """Return the text with the words of this stack and user."""
        own = {"@token@": user.token, "@me@": str(user.id), "@direct@": self.direct[user]}
        for word, meaning in {**self.words, **own}.items():
            written = written.replace(word, meaning)
        return written


async def provoke(place: Place, cases: list[BadInput]) -> list[str]:
    """Return what came of each case; eight at a time, each abuser one."""
    users: asyncio.Queue[User] = asyncio.Queue(AT_ONCE)
    for user in place.abusers:
        users.put_nowait(user)

    async def provoke_one(case: BadInput) -> str:
        user = await users.get()
        try:
            async with asyncio.timeout(CASE_SECONDS):
                return await _provoke(place, case, user)
        except TimeoutError:
            return "no end"
        finally:
            users.put_nowait(user)

    return await asyncio.gather(*map(provoke_one, cases))


async def _provoke(place: Place, case: BadInput, user: User) -> str:
    """Return what came of one case in the words of the tables."""
    fill = partial(place.fill, user=user)
    async with RawSocket(place.url) as socket:
        raw = case.raw.replace(b"@host@", place.words["@host@"].encode())
        if case.expected.startswith("status"):
            await socket.write(raw)
            return f"status {await socket.status()}"
        await (socket.open() if case.is_stranger else sign_in(socket, user))
        uuid = uuid4().hex
        if case.before:
            await socket.write(text(fill(case.before).replace("@uuid@", uuid)))
            assert not isinstance(await next_of(socket, user), Closed)
        await socket.write(raw or text(fill(case.text).replace("@uuid@", uuid)))
        if case.expected == "silence":
            await socket.write(text(AFTER))
        return await _outcome(socket, case, uuid, user)


async def _outcome(socket: RawSocket, case: BadInput, uuid: str, user: User) -> str:
    outcomes: list[str] = []
    echoed = case.uuid and case.uuid.replace("@uuid@", uuid)
    while True:
        reply = await next_of(socket, user)
        if isinstance(reply, Closed):
            return ", ".join([*outcomes, f"close {reply.code}"])
        if reply["uuid"] == "after":
            return ", ".join(outcomes or ["silence"])
        outcome = f"error {reply['error_code']}" if reply["status"] == "error" else "answer"
        outcomes.append(outcome if echoed in ("*", reply["uuid"]) else f"{outcome} of {reply['uuid']}")
        await socket.write(text(AFTER))


async def next_of(socket: RawSocket, user: User) -> dict[str, Any] | Closed:
    """Return the next message that concerns this user: no server event, no event of somebody else."""
    while True:
        reply = await socket.receive()
        if isinstance(reply, Closed) or ("uuid" in reply and _author(reply) in (None, user.id)):
            return reply


def _author(reply: dict[str, Any]) -> int | None:
    return reply["message"]["user"]["id"] if "message" in reply else None


async def sign_in(socket: RawSocket, user: User) -> None:
    """Upgrade and authenticate in the orderly way."""
    await socket.open()
    await socket.write(text(frame("authenticate", {"token": f'"{user.token}"'})))
    answer = await next_of(socket, user)
    assert not isinstance(answer, Closed), answer
    assert answer["status"] == "success", answer


async def close_of(socket: RawSocket, user: User) -> tuple[list[str], int | None]:
    """Return the codes of all errors until the connection is closed, and the close code."""
    errors = []
    while not isinstance(reply := await next_of(socket, user), Closed):
        if reply["status"] == "error":
            errors.append(reply["error_code"])
    return errors, reply.code
