"""Listens on the prefix's channels for what does not concern this database: another install's notices.

Channels know no database number, and a prefix that two installs share joins their rooms' notices. Reads only.
"""

import time
from collections.abc import Iterator
from typing import Any, Final, NamedTuple
from uuid import UUID

from redis import Redis
from redis.exceptions import NoPermissionError

from roomlog.models import ChatRoom, Person
from roomlog_contract.keyspace import Keyspace
from roomlog_runtime.shards_setting import VARIABLE

from .finding import Finding, found

LISTEN_SECONDS: Final = 3.0
"""A chat in use says something in this; of a silent one nothing is found."""
MOST_NAMES: Final = 1000
"""Of rooms and users that one look asks the database for."""


class Heard(NamedTuple):
    """What spoke."""

    rooms: set[UUID]
    users: set[int]
    shards: set[str]
    """Numbers of shards of gateways that count others than the install has."""


def listen(redis: Redis, keyspace: Keyspace) -> Heard | None:
    """Return whose channels spoke; None where this user of Redis may not listen."""
    said = Heard(set(), set(), set())
    with redis.pubsub(ignore_subscribe_messages=True) as heard:  # type: ignore[no-untyped-call]
        try:
            heard.psubscribe(f"{keyspace.prefix}:*")
            deadline = time.monotonic() + LISTEN_SECONDS
            while len(said.rooms) + len(said.users) < MOST_NAMES:
                if (left := deadline - time.monotonic()) <= 0:
                    break
                message = heard.get_message(timeout=left)
                if message is not None:
                    _sort(message, keyspace, said)
        except NoPermissionError:
            return None
    return said


def compare(spoke: Heard | None) -> Iterator[Finding]:
    """Yield whether this database knows all that was spoken of, and which gateways can't serve it."""
    what = "notices on the prefix"
    if spoke is None:
        yield Finding(what, "this Redis user may not subscribe, so another install goes unnoticed")
        return
    rooms, users, shards = spoke
    known_rooms = set(ChatRoom.objects.filter(pk__in=rooms).values_list("pk", flat=True))
    known_users = set(Person.objects.filter(pk__in=users).values_list("pk", flat=True))
    strangers = len(rooms - known_rooms) + len(users - known_users)
    fact = f"from {len(rooms)} rooms and {len(users)} users in {LISTEN_SECONDS:g} s"
    if strangers:
        fact += f", {strangers} of them unknown to this database"
    todo = "another install uses this prefix: give each install its own ROOMLOG_REDIS_PREFIX"
    yield found(what, fact, not strangers, todo)
    if shards:
        todo = f"set {VARIABLE} of all processes to the install's number; these gateways send nothing"
        yield Finding("gateways' shards", f"some gateways count {', '.join(sorted(shards))}", todo)


def _sort(message: dict[str, Any], keyspace: Keyspace, said: Heard) -> None:
    """Take the room or user of a channel; gateways' channels and what is none of ours say nothing."""
    channel = message["channel"].decode(errors="replace")
    name = channel.rpartition(":")[2]
    if channel == keyspace.shards_channel:
        said.shards.add(message["data"].decode(errors="replace"))
        return
    try:
        if channel == keyspace.user_channel(int(name)) if name.isdecimal() else False:
            said.users.add(int(name))
        elif channel == keyspace.room_channel(UUID(name)):
            said.rooms.add(UUID(name))
    except ValueError:
        return
