"""Finds who has a connection to some gateway. Redis knows, because gateways listen for their users.

Beside the message's way; reads only. A gateway subscribes to a user's channel before it welcomes the first
connection, and ends that with the last. So nothing is stored, and nothing can be left behind.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final
from uuid import UUID

from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from roomlog.configuration import configuration
from roomlog.models import Person
from roomlog.people import as_user, is_active
from roomlog.policy import with_presence
from roomlog_contract.events import User
from roomlog_runtime.redis_address import client

TIMEOUT_SECONDS: Final = 0.5
PAUSE_SECONDS: Final = 1.0
"""After a failure members ask nothing for so long: a Redis that hangs must not hold the threads of pages."""
ASKED_AT_ONCE: Final = 1_000
MAX_NAMED: Final = 200
"""Members of a room that still says who is connected; a longer list would be of no use."""


@dataclass(frozen=True, slots=True)
class Presence:
    """Which members of a room are connected."""

    online: int
    """How many; in a room of more than `ASKED_AT_ONCE` computed from so many of them."""
    users: list[User] | None
    """Who, by name; None in a room of more than `MAX_NAMED`."""


def presence_in(room: UUID, asker: int) -> Presence:
    """Return which of a room's members are connected, of those whom the project's policy shows to the asker.

    Raises:
        redis.exceptions.RedisError: nobody can say.
    """
    members = with_presence(asker, Person.objects.filter(is_active("user"), memberships__room=room))
    asked = list(members.order_by("?")[: ASKED_AT_ONCE + 1])  # by age, a large room's would be the idle ones
    is_sample = len(asked) > ASKED_AT_ONCE
    asked = asked[:ASKED_AT_ONCE]
    here = _present_or_pause([person.pk for person in asked])
    if is_sample:
        return Presence(round(len(here) / ASKED_AT_ONCE * members.count()), None)
    if len(asked) > MAX_NAMED:
        return Presence(len(here), None)
    found = sorted((person for person in asked if person.pk in here), key=lambda person: person.name)
    return Presence(len(here), [as_user(person) for person in found])


def present(people: Sequence[int]) -> set[int]:
    """Return those of these people who have a connection.

    Raises:
        redis.exceptions.RedisError: nobody can say.
    """
    channel_of = configuration().keyspace.user_channel
    found: set[int] = set()
    for start in range(0, len(people), ASKED_AT_ONCE):
        some = people[start : start + ASKED_AT_ONCE]
        counts = _redis().pubsub_numsub(*map(channel_of, some))
        found |= {person for person, (_, count) in zip(some, counts, strict=True) if count}
    return found


_failed_at = -PAUSE_SECONDS


def _present_or_pause(people: Sequence[int]) -> set[int]:
    """Return those of these people who have a connection; after a failure refuse for a while to ask."""
    global _failed_at  # noqa: PLW0603 - of all threads, as the connections are
    if time.monotonic() - _failed_at < PAUSE_SECONDS:
        raise RedisConnectionError("Redis failed a moment ago")
    try:
        return present(people)
    except RedisError:
        _failed_at = time.monotonic()
        raise


def redis_trouble() -> str | None:
    """Return why nobody can say who is here, as far as a ping tells; None if all is well."""
    try:
        _redis().ping()
    except RedisError as error:
        return f"redis: {type(error).__name__}"
    return None


@cache
def _redis() -> Redis:
    return client(
        configuration().redis_url,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
    )
