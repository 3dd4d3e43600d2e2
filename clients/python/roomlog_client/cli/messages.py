"""`send`, `tail` and `verify`: a room's messages for scripts. Each opens one client and ends it."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from roomlog_client.client import RoomlogClient
from roomlog_client.errors import RoomlogError
from roomlog_client.events import Event, Item, RoomLeft, RoomReset, RoomSummary, Sent
from roomlog_client.rooms import Start

from .account import Account

PAGE_SECONDS = 60.0
"""Longest wait for the next event of a log that is known to go on."""


class NoRoom(RoomlogError):
    """The user has no room of that name or id."""


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


async def send(account: Account, room: str, texts: AsyncIterator[str], say: Callable[[Sent], None]) -> None:
    """Say each text in a room, one after the other, and tell of each when it is stored."""
    async with RoomlogClient(account.url, account.token) as client:
        key = await find_room(client, room)
        async for text in texts:  # deadline: the caller's own input, as slow as it likes
            say(await client.send(key, text))


async def tail(
    account: Account, room: str | None, start: Start, count: int | None, say: Callable[[Event, str], None]
) -> None:
    """Tell of the events of a room, or of all, as they come, with the room's name; `count` ends it."""
    async with RoomlogClient(account.url, account.token, start=start) as client:
        key = None if room is None else await find_room(client, room)
        names = {summary.id: summary.name or summary.id for summary in client.rooms()}
        seen = 0
        async for item in client.events():  # deadline: none wanted, it waits for people
            if isinstance(item, Event) and key in (None, item.room):
                say(item, names.get(item.room, item.room))
                seen += 1
                if seen == count:
                    return


async def verify(account: Account, room: str) -> Verified:
    """Read a room's log from its beginning to its present head, as any member can, and recount it.

    Raises:
        LogBroken: a place is missing or doubled, or the log was reset meanwhile.
    """
    async with RoomlogClient(account.url, account.token) as client:
        summary = _summary(client, await find_room(client, room))
    async with RoomlogClient(account.url, account.token, start="beginning", rooms=[summary.id]) as client:
        await client.ready()
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
    await client.ready()
    wanted = room.replace("-", "").lower()
    found = [summary.id for summary in client.rooms() if wanted == summary.id or room == summary.name]
    if len(found) != 1:
        names = ", ".join(sorted(summary.name or summary.id for summary in client.rooms())) or "none"
        raise NoRoom(f"{len(found)} rooms are called {room}; yours are: {names}")
    return found[0]


def _summary(client: RoomlogClient, key: str) -> RoomSummary:
    return next(summary for summary in client.rooms() if summary.id == key)
