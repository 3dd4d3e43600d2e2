"""The install at its usual pace: how busy each part is, and how long a message takes."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from roomlog_contract import limits
from roomlog_worker.beacon import BEACON_SECONDS

from . import costs
from .install import ROOM_SIZE, Install
from .queues import Served, serve

ARRIVALS: Final = 20_000
"""Of each station; above its p99 are 200."""
FULLEST: Final = 0.99
"""The most of a core that other work is taken to use: with none left, a queue would grow without end."""


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker with so many shards."""

    shards: int
    in_batches: float
    """Share of the time; what the alert RoomlogWorkersBusy goes by."""
    core: float
    batch: float
    served: Sequence[float]


@dataclass(frozen=True, slots=True)
class Steady:
    """What each part has to do: shares of one core, or cores where there may be several."""

    seed: int
    gateway: float
    workers: Mapping[int, Worker]
    """By their number of shards."""
    redis: float
    """Of each primary."""
    database: float
    """Cores."""
    seconds: Sequence[float]
    """From a client's frame at a gateway to a member's at another, of some thousand messages."""

    @property
    def busiest(self) -> Worker:
        """Return the worker with the most shards."""
        return self.workers[max(self.workers)]


def steady(install: Install, seed: int) -> Steady:
    """Simulate the stations one by one and join them."""
    dice = random.Random(f"{seed} {install}")
    workers = {shards: worker_of(install, shards, dice) for shards in install.kinds if shards}
    gateway = gateway_of(install, dice)
    redis = redis_of(install, dice)
    batches = sum(
        install.kinds[shards] * messages_of(install, shards) / worker.batch
        for shards, worker in workers.items()
    )
    database = (
        batches * costs.DATABASE_BATCH
        + install.messages * costs.DATABASE_MESSAGE
        + install.people * costs.SILENT_DATABASE
    )
    return Steady(
        seed=seed,
        gateway=gateway.busy,
        workers=workers,
        redis=redis.busy,
        database=database,
        seconds=list(messages(install, workers, gateway, redis, dice)),
    )


def messages(
    install: Install,
    workers: Mapping[int, Worker],
    gateway: Served,
    redis: Served,
    dice: random.Random,
) -> Iterator[float]:
    """Yield how long each message takes by all stations."""
    weights = [shards * install.kinds[shards] for shards in workers]
    for shards in dice.choices(list(workers), weights, k=ARRIVALS):
        on_the_way = sum(dice.choice(station.seconds) for station in (gateway, redis, redis, gateway))
        yield on_the_way + dice.choice(workers[shards].served)


def messages_of(install: Install, shards: int) -> float:
    """Return the messages a second of a worker with so many shards."""
    return install.messages * shards / install.shards


def silence_of(install: Install, shards: int) -> float:
    """Return the share of its core that a worker with so many shards has to do while nobody speaks."""
    return costs.SILENT_WORKER * install.people * shards / install.shards


def worker_of(install: Install, shards: int, dice: random.Random, beside: float = 0.0) -> Worker:
    """Simulate a worker that reads so much beside, a share of its core; reads slow down what it writes."""
    rate, silence = messages_of(install, shards), silence_of(install, shards)
    slower = 1 / (1 - min(FULLEST, max(silence, beside)))
    base, each = costs.BATCH_LASTS * slower, costs.MESSAGE * slower
    served = serve(rate, base, each, limits.STREAM_BATCH, ARRIVALS, dice)
    core = rate / served.batch * costs.BATCH + rate * costs.MESSAGE + silence
    return Worker(shards, served.busy, core, served.batch, served.seconds)


def gateway_of(install: Install, dice: random.Random, beside: float = 0.0) -> Served:
    """Simulate a gateway: commands of its people, events of their rooms, and each worker's beacons."""
    events = install.messages * install.gateways_of_a_room / install.gateways
    deliveries = install.messages * ROOM_SIZE / install.gateways * costs.DELIVERY
    frames = install.messages / install.gateways + events + install.workers / BEACON_SECONDS
    silence = costs.SILENT_GATEWAY * install.people / install.gateways
    slower = 1 / (1 - min(FULLEST, silence + beside))
    each = (costs.FRAME + deliveries / frames) * slower
    served = serve(frames, costs.TURN * slower, each, limits.STREAM_BATCH, ARRIVALS, dice)
    core = frames / served.batch * costs.TURN + frames * costs.FRAME + deliveries + silence
    return Served(served.seconds, core, served.batch)


def redis_of(install: Install, dice: random.Random) -> Served:
    """Simulate a primary: its shards' messages and their copies, beside what concerns all nodes."""
    beacons = install.workers / BEACON_SECONDS
    for_all = beacons * (costs.BROADCAST + install.gateways / install.primaries * costs.COPY)
    beside = for_all + costs.SILENT_REDIS * install.people / install.primaries
    message = costs.REDIS_MESSAGE + (install.gateways_of_a_room - 1) * costs.COPY
    rate = install.messages / install.primaries
    served = serve(rate, message / (1 - min(FULLEST, beside)), 0.0, 1, ARRIVALS, dice)
    return Served(served.seconds, rate * message + beside, served.batch)
