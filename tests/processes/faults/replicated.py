"""Faults of a replica that answers history: it stands still, hangs or is away, while people look back.

Beside the message's way. One history of tier 2, in which the faults come one after the other. Whatever the
replica does, no answer may be older than what its asker was told before.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final

from tests.harness.changing import look
from tests.harness.load import Load
from tests.harness.load_client import new_uuid
from tests.harness.postgres import PostgresReplica
from tests.harness.waiting import wait_until
from tests.processes.faults.healing import Act, Healing, in_turn
from tests.processes.faults.mishaps import Mishap, Scene

AWAY_SECONDS: Final = 2.0
LOOK_SECONDS: Final = 10.0
AGAIN_SECONDS: Final = 60.0
"""A worker leaves the replica alone for up to 30 s."""
BETWEEN_SECONDS: Final = 0.02
READS: Final = "roomlog_worker_replica_reads_total"


def replica_healings() -> Sequence[Healing[Scene]]:
    """Return the faults of this history, in their order."""
    return (
        _of_replica("standing still", PostgresReplica.pause_replay, PostgresReplica.resume_replay),
        _of_replica("hanging", PostgresReplica.hang, PostgresReplica.wake),
        _of_replica("restarted", PostgresReplica.end, PostgresReplica.begin),
    )


def while_looking_back(several: Sequence[Healing[Scene]]) -> Mishap:
    """Return one mishap that is all of them while every client reads history."""

    async def mishap(scene: Scene) -> None:
        async with _looking_back(scene.load):
            await in_turn(several)(scene)
        counts = await asyncio.to_thread(_counts, scene)
        assert all(counts[outcome] for outcome in ("answered", "behind", "away")), counts

    return mishap


def _of_replica(
    what: str, break_: Callable[[PostgresReplica], None], mend: Callable[[PostgresReplica], None]
) -> Healing[Scene]:
    def act(do: Callable[[PostgresReplica], None]) -> Act:
        async def on_replica(scene: Scene) -> None:
            assert scene.topology.replica is not None
            await asyncio.to_thread(do, scene.topology.replica)

        return on_replica

    return Healing(what, "replica", act(break_), act(mend), AWAY_SECONDS, until=_answers_again)


async def _answers_again(scene: Scene) -> None:
    def count() -> float:
        return _counts(scene)["answered"]

    before = await asyncio.to_thread(count)
    await asyncio.to_thread(wait_until, lambda: count() > before, AGAIN_SECONDS, "the replica answers")


def _counts(scene: Scene) -> dict[str, float]:
    """Return what became of all workers' questions to the replica."""
    samples = [scene.stack.metrics(name) for name in scene.topology.workers]
    outcomes = ("answered", "behind", "away")
    return {one: sum(sample.total(READS, outcome=one) for sample in samples) for one in outcomes}


@contextlib.asynccontextmanager
async def _looking_back(load: Load) -> AsyncIterator[None]:
    """Have each client read history again and again; the checker judges what it is shown."""
    dice = random.Random(0)

    async def look_on() -> None:
        while True:
            for reader in load.readers():
                for room in reader[1].cursors():
                    await look(reader, room, new_uuid(dice), LOOK_SECONDS)
            await asyncio.sleep(BETWEEN_SECONDS)

    looking = asyncio.create_task(look_on())
    try:
        yield
    finally:
        looking.cancel()  # one whose gateway was killed would wait for LOOK_SECONDS
        with contextlib.suppress(asyncio.CancelledError):
            await looking
