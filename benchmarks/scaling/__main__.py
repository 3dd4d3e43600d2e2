"""`python -m benchmarks.scaling`: print the tables of docs/scaling.md, about 20 s."""

import argparse
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from . import costs, faults
from .faults import Reconnected
from .install import INSTALLS, ROOM_SIZE, Install
from .steady import Steady, steady

SEED: Final = 1
COURSE_SECONDS: Final = (0, 10, 30, 60, 120, 240, 300, 400)
"""After the network is back."""
DAY: Final = 86_400


def main() -> None:
    """Read the arguments, simulate, print."""
    parser = argparse.ArgumentParser(prog="benchmarks.scaling")
    parser.add_argument("--seed", type=int, default=SEED)
    print("\n".join(report(INSTALLS, parser.parse_args().seed)))


def report(installs: Sequence[Install], seed: int) -> Iterator[str]:
    """Yield the lines of all tables."""
    found = [(install, steady(install, seed)) for install in installs]
    heads = " | ".join(f"{install.people:,} people" for install in installs)
    for rows in (PACE, FAULTS):
        yield f"| | {heads} |"
        yield "|---" * (len(installs) + 1) + "|"
        for name, cell in rows.items():
            yield f"| {name} | {' | '.join(cell(install, now) for install, now in found)} |"
        yield ""
    yield from course(*found[-1])


def course(install: Install, now: Steady) -> Iterator[str]:
    """Yield the table of a storm, with the default of accepts and with what workers can let in."""
    ways = [faults.network_cut(one, now) for one in (faults.safely(install, now), install)]
    heads = " | ".join(
        f"{way.install.accepts} accepts/s: connected | asked about | a question waits" for way in ways
    )
    yield f"| s after the network is back | {heads} |"
    yield "|---" * (1 + 3 * len(ways)) + "|"
    for at in COURSE_SECONDS:
        cells = [cell for way in ways for cell in cells_at(way, at + faults.CUT_SECONDS)]
        yield f"| {at} | {' | '.join(cells)} |"


def cells_at(way: Reconnected, at: float) -> Iterator[str]:
    """Yield how the crowd is at one time."""
    second = next((second for second in way.course if second.at >= at), way.course[-1])
    yield f"{second.connected:,.0f}"
    yield f"{second.entering:,.0f}"
    yield f"{second.longest:.1f} s"


def back(way: Reconnected) -> str:
    """Return when people were back."""
    if way.seconds is None:
        return f"never; {way.course[-1].connected / way.install.people:.0%} are connected"
    return f"{way.seconds:.0f} s"


def outage(one: faults.Outage) -> str:
    """Return who waits how long."""
    return (
        f"{one.share:.1%} of messages wait up to {one.seconds:.1f} s; "
        f"{one.backlog:,.0f} are written in {one.drained_seconds:.1f} s"
    )


def batches(install: Install, now: Steady) -> str:
    """Return the share of time in batches, of all workers and of the busiest."""
    total = sum(install.kinds[shards] * worker.in_batches for shards, worker in now.workers.items())
    return f"{total / install.workers:.0%}, {now.busiest.in_batches:.0%}"


def cores(install: Install, now: Steady) -> str:
    """Return the share of its core that a worker uses, the mean one and the busiest."""
    total = sum(install.kinds[shards] * worker.core for shards, worker in now.workers.items())
    return f"{total / install.workers:.0%}, {now.busiest.core:.0%}"


def owned(install: Install, _: Steady) -> str:
    """Return how many shards a worker owns."""
    return f"{min(install.kinds)} to {max(install.kinds)}"


def beside_logins(install: Install, now: Steady) -> str:
    """Return how long the busiest worker takes while it lets people in."""
    return faults.milliseconds(faults.beside_logins(install, now.seed))


PACE: Final[dict[str, Callable[[Install, Steady], str]]] = {
    "messages/s, one a minute each": lambda install, _: f"{install.messages:,.0f}",
    "deliveries/s in rooms of 10": lambda install, _: f"{install.messages * ROOM_SIZE:,.0f}",
    "gateways": lambda install, _: f"{install.gateways:,}",
    "gateways with a member of a room": lambda install, _: f"{install.gateways_of_a_room:.1f}",
    "a gateway's core": lambda _, now: f"{now.gateway:.0%}",
    "workers": lambda install, _: f"{install.workers:,}",
    "shards of a worker": owned,
    "a worker's core, the mean and the busiest": cores,
    "its time in batches, the same": batches,
    "primaries of Redis": lambda install, _: f"{install.primaries}",
    "the core of each": lambda _, now: f"{now.redis:.0%}",
    "PostgreSQL's cores": lambda install, now: f"{now.database:.1f} of {install.database_cores}",
    "rows a day in PostgreSQL": lambda install, _: (
        f"{install.messages * DAY * costs.MESSAGE_BYTES / 2**30:,.0f} GiB"
    ),
    "a message, p50 and p99": lambda _, now: faults.milliseconds(now.seconds),
}
FAULTS: Final[dict[str, Callable[[Install, Steady], str]]] = {
    "a gateway dies: its people": lambda install, _: f"{install.people / install.gateways:,.0f}",
    "99 % are back after": lambda install, now: back(faults.gateway_dies(install, now)),
    "a worker dies": lambda install, _: outage(faults.worker_dies(install)),
    "a primary of Redis fails over": lambda install, _: outage(faults.primary_fails(install)),
    "then all heads are read in": lambda install, now: f"{faults.heads_seconds(install, now):.1f} s",
    "network away for 30 s, 500 accepts/s: 99 % are back after": lambda install, now: back(
        faults.network_cut(install, now)
    ),
    "accepts/s that workers keep up with": lambda install, now: f"{faults.safely(install, now).accepts}",
    "with them 99 % are back after": lambda install, now: back(
        faults.network_cut(faults.safely(install, now), now)
    ),
    "a message at the busiest worker meanwhile": beside_logins,
}

if __name__ == "__main__":
    main()
