"""Finds who has a connection to some gateway. Redis knows, because gateways listen for their users.

After the message's way; reads only. A gateway subscribes to a user's channel before it welcomes the first
connection, and ends that with the last. So nothing is stored, and nothing can be left behind.
"""

from collections.abc import Sequence
from functools import cache
from typing import Final

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from roomlog.configuration import configuration
from roomlog_runtime.redis_address import client

TIMEOUT_SECONDS: Final = 2.0
ASKED_AT_ONCE: Final = 1_000


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
        retry=Retry(NoBackoff(), 0),
        protocol=2,
        driver_info=None,
    )
