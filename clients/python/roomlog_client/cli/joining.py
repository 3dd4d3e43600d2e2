"""`roomlog rooms --all` and `roomlog join`: rooms that everybody may join, and invitations' links."""

import re
from typing import Final

from roomlog_client.api import FoundRoom

from .account import Account
from .messages import NoRoom, connected

LINK: Final = re.compile(r"#invitation/([\w-]+)$")
"""How a link ends that invites into a room."""


async def open_rooms(account: Account, words: str) -> list[FoundRoom]:
    """Return the rooms that everybody may join and whose name contains the words, by name."""
    async with connected(account) as client:
        # deadline: each page has its own
        return [room async for room in client.find_rooms(words)]


async def join(account: Account, wanted: str) -> str:
    """Join the room of this id or name, or the one to which an invitation's link leads; return its id.

    Raises:
        NoRoom: no room of that name is open to everybody, or several are.
        CommandError: it is not open to the user, or the link is not valid any more.
    """
    link = LINK.search(wanted)
    async with connected(account) as client:
        if link is not None:
            token = link.group(1)
            return (await client.join_room((await client.door(token)).room, token)).room
        key = wanted.replace("-", "").lower()
        if re.fullmatch("[0-9a-f]{32}", key) is None:
            # deadline: each page has its own
            found = [room.id async for room in client.find_rooms(wanted) if room.name == wanted]
            if len(found) != 1:
                raise NoRoom(f"{len(found)} rooms that everybody may join are called {wanted}")
            (key,) = found
        return (await client.join_room(key)).room
