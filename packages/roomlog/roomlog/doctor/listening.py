"""Listens on the prefix's channels for what does not concern this database: another install's notices.

Channels know no database number, and a prefix that two installs share joins their rooms' notices. Reads only.
"""

import time
from collections.abc import Iterable
from typing import Final
from uuid import UUID

from redis import Redis
from redis.exceptions import NoPermissionError

from roomlog.models import ChatRoom, Person
from roomlog_contract.keyspace import Keyspace

from .finding import Finding, found

LISTEN_SECONDS: Final = 3.0
"""A chat in use says something in this; of a silent one nothing is found."""
MOST_NAMES: Final = 1000
"""Of rooms and users that one look asks the database for."""


def listen(redis: Redis, keyspace: Keyspace) -> tuple[set[UUID], set[int]] | None:
    """Return the rooms and users whose channels spoke; None where this user of Redis may not listen."""
    rooms: set[UUID] = set()
    users: set[int] = set()
    with redis.pubsub(ignore_subscribe_messages=True) as heard:  # type: ignore[no-untyped-call]
        try:
            heard.psubscribe(f"{keyspace.prefix}:*")
            deadline = time.monotonic() + LISTEN_SECONDS
            while (left := deadline - time.monotonic()) > 0 and len(rooms) + len(users) < MOST_NAMES:
                message = heard.get_message(timeout=left)
                if message is not None:
                    _sort(message["channel"].decode(errors="replace"), keyspace, rooms, users)
        except NoPermissionError:
            return None
    return rooms, users


def compare(spoke: tuple[Iterable[UUID], Iterable[int]] | None) -> Finding:
    """Return whether this database knows all that was spoken of."""
    what = "notices on the prefix"
    if spoke is None:
        return Finding(what, "this Redis user may not subscribe, so another install goes unnoticed")
    rooms, users = set(spoke[0]), set(spoke[1])
    known_rooms = set(ChatRoom.objects.filter(pk__in=rooms).values_list("pk", flat=True))
    known_users = set(Person.objects.filter(pk__in=users).values_list("pk", flat=True))
    strangers = len(rooms - known_rooms) + len(users - known_users)
    fact = f"from {len(rooms)} rooms and {len(users)} users in {LISTEN_SECONDS:g} s"
    if strangers:
        fact += f", {strangers} of them unknown to this database"
    todo = "another install uses this prefix: give each install its own ROOMLOG_REDIS_PREFIX"
    return found(what, fact, not strangers, todo)


def _sort(channel: str, keyspace: Keyspace, rooms: set[UUID], users: set[int]) -> None:
    """Take the room or user of a channel; gateways' channels and what is none of ours say nothing."""
    name = channel.rpartition(":")[2]
    try:
        if channel == keyspace.user_channel(int(name)) if name.isdecimal() else False:
            users.add(int(name))
        elif channel == keyspace.room_channel(UUID(name)):
            rooms.add(UUID(name))
    except ValueError:
        return
