"""What a fault costs: how long until people are back, and how long messages wait meanwhile."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import floor
from typing import Final

from roomlog_contract import limits
from roomlog_gateway.redis.link import MAX_BACKOFF_SECONDS
from roomlog_gateway.rooms.worker_beacons import SILENT_SECONDS
from roomlog_worker.leases import DEAD_SECONDS, POLL_SECONDS

from . import costs
from .crowd import QUESTIONS, STEP, Reader, Return, Second
from .install import DEFAULTS, Install, shares
from .queues import percentile
from .steady import Steady, messages_of, silence_of, worker_of

BACK: Final = 0.99
"""Of those who were gone."""
PATIENCE_SECONDS: Final = 900.0
"""People who are not back after this count as lost for good."""
CUT_SECONDS: Final = 30.0
"""Without network: by then most clients wait up to the longest backoff."""
LEAST_READING: Final = 0.5
"""The share of a worker's core that its reads have while it also writes: the two threads take turns."""


@dataclass(frozen=True, slots=True)
class Reconnected:
    """How a crowd came back."""

    install: Install
    seconds: float | None
    """Until BACK of them were; None if they never were."""
    tries: float
    """Of each person."""
    given_up: float
    """Sockets for each person that were closed because no worker answered."""
    course: Sequence[Second]


@dataclass(frozen=True, slots=True)
class Outage:
    """A part that is gone for a time, and what waited for it."""

    share: float
    """Of all messages that wait."""
    seconds: float
    backlog: float
    """Commands that wait at its end."""
    drained_seconds: float
    """Until they are written."""


def reading(install: Install, steady: Steady, shards: int) -> float:
    """Return the share of its core that a worker with so many shards has for more reads than usual."""
    silence = silence_of(install, shards)
    writing = steady.workers[shards].core - silence
    return max(LEAST_READING, 1 - writing) - silence


def logins_of(install: Install, steady: Steady, shards: int) -> float:
    """Return how many people a second a worker with so many shards can let in beside its other work."""
    return reading(install, steady, shards) / costs.LOGIN_WORKER


def safe_accepts(install: Install, steady: Steady) -> int:
    """Return `maxAcceptsPerSecond` at which even the worker with the most shards keeps up."""
    most = max(steady.workers)
    everywhere = logins_of(install, steady, most) * install.shards / most
    return max(1, floor(min(everywhere, beside_workers(install, steady)) / install.gateways))


def beside_workers(install: Install, steady: Steady) -> float:
    """Return how many logins a second PostgreSQL and Redis have cores for."""
    database = max(0.0, install.database_cores - steady.database) / costs.LOGIN_DATABASE
    everywhere = QUESTIONS * costs.BROADCAST if install.primaries > 1 else 0.0
    redis = max(0.0, 1 - steady.redis) / (costs.LOGIN_REDIS / install.primaries + everywhere)
    return min(database, redis)


def reconnect(install: Install, steady: Steady, gone: float, gateways: int, away: float = 0.0) -> Reconnected:
    """Let so many come back to so many gateways after nobody could for a time."""
    allowed = beside_workers(install, steady)
    readers = [
        Reader(
            share=shards * number / install.shards,
            a_step=QUESTIONS
            * STEP
            * min(number * logins_of(install, steady, shards), allowed * shards * number / install.shards),
            most=shards * number * limits.STREAM_ENTRIES,
        )
        for shards, number in install.kinds.items()
        if shards
    ]
    way = Return(
        gone=gone,
        connected=install.people - gone,
        places=gateways * DEFAULTS.max_connections,
        accepts=gateways * install.accepts,
        readers=readers,
        away=away,
        door=gateways * max(0.0, 1 - steady.gateway) / costs.LOGIN_GATEWAY,
    )
    course = way.run(BACK, PATIENCE_SECONDS)
    seconds = course[-1].at - away if way.share >= BACK else None
    return Reconnected(install, seconds, way.tries / gone, way.given_up / gone, course)


def gateway_dies(install: Install, steady: Steady) -> Reconnected:
    """Let one gateway's people go to the others."""
    return reconnect(install, steady, install.people / install.gateways, install.gateways - 1)


def network_cut(install: Install, steady: Steady) -> Reconnected:
    """Let everybody come back at once."""
    return reconnect(install, steady, install.people, install.gateways, away=CUT_SECONDS)


def safely(install: Install, steady: Steady) -> Install:
    """Return the install with as many accepts a second as its workers can let in, at most the default."""
    return replace(install, accepts=min(install.accepts, safe_accepts(install, steady)))


def beside_logins(install: Install, seed: int) -> Sequence[float]:
    """Return how long messages take at the busiest worker while it lets people in."""
    dice = random.Random(f"{seed} logins {install}")
    most = max(install.kinds)
    return worker_of(install, most, dice, beside=LEAST_READING).served


def worker_dies(install: Install) -> Outage:
    """Let the worker with the most shards die for good: others take its shards when its beat stood still.

    For SILENT_SECONDS the gateways still take commands for it, up to what its streams hold; then they refuse.
    """
    dead = max(install.shards_of, key=lambda ordinal: install.shards_of[ordinal])
    shards = install.shards_of[dead]
    rate = messages_of(install, shards)
    backlog = min(rate * SILENT_SECONDS, shards * limits.STREAM_ENTRIES)
    after = shares(install.workers, install.shards, without=dead)
    drained = max(
        (
            drain_seconds(install, backlog * (now - install.shards_of[heir]) / shards, now)
            for heir, now in after.items()
            if now > install.shards_of[heir]
        ),
    )
    return Outage(shards / install.shards, DEAD_SECONDS + POLL_SECONDS, backlog, drained)


def drain_seconds(install: Install, backlog: float, shards: int) -> float:
    """Return how long a worker with so many shards writes at what waits, while more comes."""
    free = 1 - silence_of(install, shards)
    full = limits.STREAM_BATCH / (costs.BATCH_LASTS + costs.MESSAGE * limits.STREAM_BATCH) * free
    return backlog / (full - messages_of(install, shards))


def primary_fails(install: Install) -> Outage:
    """Let a primary's replica take over: until then its shards' commands wait."""
    share = 1 / install.primaries
    seconds = costs.FAILOVER_LASTS + MAX_BACKOFF_SECONDS
    backlog = install.messages * share * seconds
    drained = max(
        drain_seconds(install, backlog * shards / install.shards, shards)
        for shards in install.kinds
        if shards
    )
    return Outage(share, seconds, backlog, drained)


def heads_seconds(install: Install, steady: Steady) -> float:
    """Return how long the workers read after a failover: each gateway asks for all its heads at once."""
    heads = install.rooms_of_a_gateway * install.gateways
    most = max(steady.workers)
    return heads * costs.HEAD * most / install.shards / reading(install, steady, most)


def milliseconds(seconds: Sequence[float]) -> str:
    """Return p50 and p99."""
    return f"{percentile(seconds, 0.5) * 1e3:.1f}, {percentile(seconds, 0.99) * 1e3:.1f} ms"
