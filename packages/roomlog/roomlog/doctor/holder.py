"""Looks at the claim on the prefix: whether the workers that hold it are this database's. Reads only."""

from typing import cast

from redis import Redis
from redis.exceptions import NoPermissionError

from roomlog.identity import identity
from roomlog_contract.claim import CLAIM_SECONDS, claim_of, difference
from roomlog_contract.keyspace import Keyspace

from .finding import Finding, found


def look(redis: Redis, keyspace: Keyspace) -> Finding:
    """Return who holds the prefix. Raises RedisError and django.db errors."""
    what = "claim on the prefix"
    try:
        standing = (cast(bytes | None, redis.get(keyspace.install_key)) or b"").decode(errors="replace")
    except NoPermissionError:
        return Finding(what, "this Redis user may not read it")
    holder = difference(claim_of(identity(), keyspace.shards), standing)
    fact = f"by {holder}" if holder else "by this database's workers" if standing else "none"
    todo = (
        "this database's workers own no shards: give each install its own ROOMLOG_REDIS_PREFIX, or stop the"
        f" other workers and wait {CLAIM_SECONDS} s"
    )
    return found(what, fact, not holder, todo)
