"""What commands do over one connection each: `send`, `tail` and `verify` a room, list rooms, log in."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from roomlog_client.client import RoomlogClient
from roomlog_client.errors import CommandError, RoomlogError
from roomlog_client.events import Event, Item, RoomLeft, RoomReset, RoomSummary, Sent
from roomlog_client.rooms import Start

from .account import Account
from .progress import Unreached

REACH_SECONDS: Final = 12.0
"""For the first connection and the first answer: a worker's shards may need 10 s to find another owner."""
PAGE_SECONDS: Final = 60.0
"""Longest wait for the next event of a log that is known to go on."""


class NoGateway(RoomlogError):
    """The address did not answer."""


class NoRoom(RoomlogError):
    """The user has no room of that name or id."""


class NoPerson(RoomlogError):
    """The user finds nobody of that name, or several."""


class LogBroken(RoomlogError):
    """A room's log is not 1, 2, 3 … as promised."""


@dataclass(frozen=True)
class Verified:
    """A room's log, recounted."""

    room: str
    epoch: str
    events: int
    digest: str
    """SHA-256 over one line a event: a JSON list of seq, uuid and text, and a line feed."""


class NotAllSent(RoomlogError):
    """A text was refused; those before it are stored."""


async def send(
    account: Account, room: str, texts: AsyncIterator[str], say: Callable[[Sent], None], at_once: int = 1
) -> None:
    """Say each text in a room, in order, and tell of each when it is stored; `at_once` may be under way.

    Raises:
        NotAllSent: one of several was refused; of those behind it at most `at_once` may be stored.
    """
    async with connected(account) as client:
        key = await find_room(client, room)
        places = asyncio.Semaphore(at_once)
        under_way: asyncio.Queue[asyncio.Task[Sent] | None] = asyncio.Queue(at_once + 1)
        reading = asyncio.create_task(_send_each(client, key, texts, places, under_way))
        number = 0
        try:
            while sending := await under_way.get():  # deadline: the caller's own input, as slow as it likes
                number += 1
                say(await sending)  # deadline: send has its own
                places.release()
            await reading  # deadline: it has said that it is over
        except CommandError as error:
            raise NotAllSent(f"message {number}: {error}") from None
        finally:
            for task in (reading, *_left(under_way)):
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)  # deadline: it is cancelled


async def _send_each(
    client: RoomlogClient,
    key: str,
    texts: AsyncIterator[str],
    places: asyncio.Semaphore,
    under_way: "asyncio.Queue[asyncio.Task[Sent] | None]",
) -> None:
    """Begin to send each text as soon as there is a place; the client keeps their order."""
    try:
        await places.acquire()  # deadline: a place is released by each answer, and send has a deadline
        async for text in texts:  # deadline: the caller's own input, as slow as it likes
            under_way.put_nowait(asyncio.create_task(client.send(key, text)))
            await places.acquire()  # deadline: the same
    finally:
        under_way.put_nowait(None)


def _left(queue: "asyncio.Queue[asyncio.Task[Sent] | None]") -> list["asyncio.Task[Sent]"]:
    left = []
    while not queue.empty():
        if task := queue.get_nowait():
            left.append(task)
    return left


@asynccontextmanager
async def connected(
    account: Account, *, start: Start = "head", rooms: Collection[str] = ()
) -> AsyncIterator[RoomlogClient]:
    """Yield a client that knows its rooms; say on standard error where that takes long.

    Raises:
        NoGateway: nobody answered in time.
        Disconnected: the token is not valid.
    """
    watch = Unreached(account.url)
    async with RoomlogClient(
        account.url, account.token, start=start, rooms=rooms, observer=watch, api=account.api
    ) as client:
        try:
            await client.ready(REACH_SECONDS)
        except TimeoutError:
            why = watch.reason or "it says nothing, or no worker answers its question who we are"
            raise NoGateway(f"no answer from {account.url} in {REACH_SECONDS:g} s: {why}") from None
        yield client


async def tail(
    account: Account, room: str | None, start: Start, count: int | None, say: Callable[[Event, str], None]
) -> None:
    """Tell of the events of a room, or of all, as they come, with the room's name; `count` ends it."""
    async with connected(account, start=start) as client:
        key = None if room is None else await find_room(client, room)
        names = _names(client)
        seen = 0
        async for item in client.events():  # deadline: none wanted, it waits for people
            if isinstance(item, Event) and key in (None, item.room):
                say(item, names.get(item.room, item.room))
                seen += 1
                if seen == count:
                    return


@dataclass(frozen=True)
class Search:
    """What is looked for, in a person's words."""

    text: str
    limit: int
    room: str | None = None
    """An id or a name, as `author`."""
    author: str | None = None
    after: int | None = None
    """Seconds since 1970."""
    before: int | None = None


async def search(account: Account, wanted: Search, say: Callable[[dict[str, Any], str], None]) -> None:
    """Tell of the messages that are found, the newest first, with the name of each one's room."""
    async with connected(account) as client:
        beside = {
            "room": wanted.room and await find_room(client, wanted.room),
            "author": wanted.author and await _find_person(client, wanted.author),
            "after": wanted.after,
            "before": wanted.before,
        }
        given: dict[str, Any] = {name: value for name, value in beside.items() if value is not None}
        names = _names(client)
        # deadline: each page has its own
        async for message in client.search(wanted.text, limit=wanted.limit, **given):
            say(message, names.get(message["room"], message["room"]))


async def _find_person(client: RoomlogClient, author: str) -> int:
    if author.isdecimal():
        return int(author)
    found = [user.id for user in await client.find_users(author) if user.username == author]
    if len(found) != 1:
        raise NoPerson(f"you find {len(found)} people who are called {author}; name the person's id")
    return found[0]


async def who(account: Account) -> str:
    """Return the name of the token's user."""
    async with connected(account) as client:
        return client.user.username


async def rooms(account: Account) -> list[RoomSummary]:
    """Return the user's rooms in the order of their names, then ids."""
    async with connected(account) as client:
        return sorted(client.rooms(), key=lambda room: (room.name.casefold(), room.id))


async def verify(account: Account, room: str) -> Verified:
    """Read a room's log from its beginning to its present head, as any member can, and recount it.

    Raises:
        LogBroken: a place is missing or doubled, or the log was reset meanwhile.
    """
    async with connected(account) as client:
        summary = summary_of(client, await find_room(client, room))
    async with connected(account, start="beginning", rooms=[summary.id]) as client:
        head = client.head(summary.id)
        return await _recount(client.events(), summary, head)


async def _recount(items: AsyncIterator[Item], summary: RoomSummary, head: int) -> Verified:
    digest, seq = hashlib.sha256(), 0
    while seq < head:
        async with asyncio.timeout(PAGE_SECONDS):
            item = await anext(items)
        match item:
            case Event():
                if item.seq != seq + 1:
                    raise LogBroken(f"{item.seq} stands where {seq + 1} is due")
                seq = item.seq
                digest.update(digest_line(item))
            case RoomReset() | RoomLeft():
                raise LogBroken("the room was reset or left while it was read")
            case _:
                pass
    return Verified(summary.id, summary.epoch, seq, digest.hexdigest())


def digest_line(event: Event) -> bytes:
    """Return what an event adds to the digest; every client can compute the same."""
    line = json.dumps([event.seq, event.uuid, event.text], ensure_ascii=False, separators=(",", ":"))
    return line.encode() + b"\n"


async def find_room(client: RoomlogClient, room: str) -> str:
    """Return the id of the user's room with this id or name.

    Raises:
        NoRoom: there is none, or several have the name.
    """
    wanted = room.replace("-", "").lower()
    found = [summary.id for summary in client.rooms() if wanted == summary.id or room == summary.name]
    if len(found) != 1:
        names = ", ".join(sorted(summary.name or summary.id for summary in client.rooms())) or "none"
        raise NoRoom(f"{len(found)} rooms are called {room}; yours are: {names}")
    return found[0]


def _names(client: RoomlogClient) -> dict[str, str]:
    return {summary.id: summary.name or summary.id for summary in client.rooms()}


def summary_of(client: RoomlogClient, key: str) -> RoomSummary:
    """Return what the client knows of a room that it follows."""
    return next(summary for summary in client.rooms() if summary.id == key)
