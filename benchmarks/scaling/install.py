"""The installs that are simulated, and how the workers' hash spreads shards over them."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from uuid import UUID

from roomlog.models import Worker
from roomlog_gateway.config import read_config
from roomlog_worker.leases import desired_owners

from . import costs

ROOM_SIZE: Final = 10
SECONDS_BETWEEN: Final = 60.0
"""From one message of a person to the next."""
DEFAULTS: Final = read_config({"ROOMLOG_REDIS_URL": "redis://nowhere"})
"""The gateway's settings of an install that sets none."""


@dataclass(frozen=True)
class Install:
    """How many of each. All rooms are of ROOM_SIZE, and everybody is online and in `costs.ROOMS` of them."""

    people: int
    gateways: int
    workers: int
    shards: int
    primaries: int
    database_cores: int
    accepts: int = DEFAULTS.max_accepts_per_second
    """`maxAcceptsPerSecond` of each gateway."""

    @property
    def messages(self) -> float:
        """Return the messages of a second."""
        return self.people / SECONDS_BETWEEN

    @property
    def gateways_of_a_room(self) -> float:
        """Return how many gateways have a member of a room, on average: members choose theirs by chance."""
        return self.gateways * (1 - (1 - 1 / self.gateways) ** ROOM_SIZE)

    @property
    def rooms_of_a_gateway(self) -> float:
        """Return how many rooms have a member at one gateway."""
        return self.people * costs.ROOMS / ROOM_SIZE * self.gateways_of_a_room / self.gateways

    @cached_property
    def shards_of(self) -> Mapping[int, int]:
        """Return how many shards each worker owns, by ordinal."""
        return shares(self.workers, self.shards)

    @cached_property
    def kinds(self) -> Mapping[int, int]:
        """Return how many workers own so many shards; those with none have nothing to do."""
        return dict(sorted(Counter(self.shards_of.values()).items()))


def shares(workers: int, shards: int, without: int | None = None) -> Mapping[int, int]:
    """Return how many shards each worker owns, as the workers themselves reckon; one of them may be dead."""
    live = [
        Worker(id=number + 1, uuid=UUID(int=number + 1), ordinal=number)
        for number in range(workers)
        if number != without
    ]
    owned = Counter(desired_owners(live, shards).values())
    return {worker.ordinal: owned[worker.uuid] for worker in live}


INSTALLS: Final = (
    Install(1_000, gateways=2, workers=2, shards=64, primaries=1, database_cores=2),
    Install(100_000, gateways=11, workers=2, shards=64, primaries=1, database_cores=8),
    Install(10_000_000, gateways=1_001, workers=123, shards=1_024, primaries=48, database_cores=128),
)
"""Those of docs/scaling.md."""
