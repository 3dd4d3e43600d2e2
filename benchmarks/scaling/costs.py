"""What things cost, as measured: the table of docs/scaling.md, and all that the simulation knows of speed.

Seconds of one core, if nothing else is said. A test compares the table with the page.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MICRO: Final = 1e-6
MILLI: Final = 1e-3

CONNECTION_BYTES: Final = 16 * 1024

BATCH: Final = 0.85 * MILLI
BATCH_LASTS: Final = 2.2 * MILLI
MESSAGE: Final = 50 * MICRO
DATABASE_BATCH: Final = 0.47 * MILLI
DATABASE_MESSAGE: Final = 35 * MICRO
MESSAGE_BYTES: Final = 1.1 * 1024
"""On PostgreSQL's disk, with the search index (docs/scaling.md, PostgreSQL)."""

TURN: Final = 170 * MICRO
FRAME: Final = 30 * MICRO
DELIVERY: Final = 4 * MICRO

REDIS_MESSAGE: Final = 22 * MICRO
COPY: Final = 6 * MICRO
BROADCAST: Final = 9 * MICRO

ROOMS: Final = 20
"""Of each person, for the two costs below."""
SILENT_WORKER: Final = 1.7 * MICRO
SILENT_DATABASE: Final = 4 * MICRO
SILENT_GATEWAY: Final = 4 * MICRO
SILENT_REDIS: Final = 0.6 * MICRO
HEAD: Final = 1.7 * MICRO

LOGIN_WORKER: Final = 0.6 * MILLI
LOGIN_GATEWAY: Final = 1.0 * MILLI
LOGIN_DATABASE: Final = 0.5 * MILLI
LOGIN_REDIS: Final = 0.13 * MILLI

FAILOVER_LASTS: Final = 3.0


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    thing: str
    about: str
    """With `{}` for each cost."""
    costs: tuple[float, ...]
    measured_by: str

    def __str__(self) -> str:
        return f"| {self.thing} | {self.about.format(*map(text, self.costs))} | {self.measured_by} |"


ROWS: Final = (
    Row(
        "an idle connection",
        f"{CONNECTION_BYTES // 1024} KiB of a gateway's memory",
        (),
        "`make bench`, idle",
    ),
    Row(
        "a worker's batch",
        "{} of its core, and {} more for each message; it lasts {}, and {} more for each",
        (BATCH, MESSAGE, BATCH_LASTS, MESSAGE),
        "`make bench`, 100 messages/s and rooms of 10; `python -m benchmarks.search`, a message alone",
    ),
    Row(
        "the same in PostgreSQL",
        "{} of its cores, and {} more for each message",
        (DATABASE_BATCH, DATABASE_MESSAGE),
        "`make bench`, 100 messages/s and rooms of 10",
    ),
    Row(
        "a turn of a gateway's loop",
        "{} of its core, and {} more for each command or event",
        (TURN, FRAME),
        "the same",
    ),
    Row("one event to one connection", "{} of the gateway's core", (DELIVERY,), "`make bench`, rooms of 500"),
    Row(
        "a message in Redis",
        "{} of its core, and {} for each gateway beside the first that has a member",
        (REDIS_MESSAGE, COPY),
        "`make bench`, 20 unanswered; `python -m benchmarks.copies`",
    ),
    Row(
        "a reply or beacon in a Cluster",
        "{} of each primary's core",
        (BROADCAST,),
        "`python -m benchmarks.copies`",
    ),
    Row(
        f"somebody in {ROOMS} rooms who says nothing, a second",
        "{} of the workers' cores, {} of PostgreSQL's, {} of the gateway's, {} of Redis'",
        (SILENT_WORKER, SILENT_DATABASE, SILENT_GATEWAY, SILENT_REDIS),
        "`python -m benchmarks.idle`",
    ),
    Row(
        "of it: a head, of each room on each gateway",
        "{} of a worker's core; a gateway asks for 2,000 at once, each 20 s",
        (HEAD,),
        "the same",
    ),
    Row(
        f"a login of somebody in {ROOMS} rooms",
        "{} of a worker's core, {} of the gateway's, {} of PostgreSQL's, {} of Redis'",
        (LOGIN_WORKER, LOGIN_GATEWAY, LOGIN_DATABASE, LOGIN_REDIS),
        f"`python -m benchmarks.connects --rooms {ROOMS} --at-once 20`",
    ),
    Row(
        "a primary that fails over",
        "{} without it, with `cluster-node-timeout 2000`",
        (FAILOVER_LASTS,),
        "`tests/processes`, with the Cluster of its harness",
    ),
)


def table() -> Iterator[str]:
    """Yield the lines of the table."""
    yield "| thing | about | measured by |"
    yield "|---|---|---|"
    yield from map(str, ROWS)


def text(seconds: float) -> str:
    """Return a time in the unit that reads best."""
    for unit, name in ((1.0, "s"), (MILLI, "ms")):
        if seconds >= 0.1 * unit:
            return f"{seconds / unit:.3g} {name}"
    return f"{seconds / MICRO:.3g} µs"
