"""Faults that heal by themselves once their cause is gone: what is broken, and how it is mended, one by one.

Beside the message's way. Each is broken under load, mended, and then messages must be stored again; all of
them in one history, one after the other. None may cost an entry: whatever the cause was, it was no entry's
fault.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, Protocol, TypeVar

from tests.harness.load import Load
from tests.harness.looking import owned_shards
from tests.harness.stack import Stack
from tests.harness.stack_databases import APPLICATION
from tests.harness.waiting import wait_until
from tests.processes.faults.mishaps import Mishap, Scene, strand

BROKEN_SECONDS: Final = 3.0
"""Long enough for five tries of anything, however slow they are."""
HANGING_SECONDS: Final = 6.0
"""Over the time-out after which a worker gives its connection to Redis up."""
HANDOVER_SECONDS: Final = 30.0
"""For shards to leave a worker that has no Redis, or to come back."""
HEALED_SUCCESSES: Final = 30
"""Answers after the mending that show service."""
_NAME: Final = "ALTER TABLE roomlog_person ALTER name TYPE"
_EVENTS: Final = "roomlog_roomevent"


class Broken(Protocol):
    """What is broken: processes under load."""

    @property
    def stack(self) -> Stack: ...
    @property
    def load(self) -> Load: ...


S = TypeVar("S", bound=Broken)
Act = Callable[[Scene], Awaitable[None]]


@dataclass
class Healing(Generic[S]):
    """One fault, and how long service took to come back in each of its runs."""

    what: str
    target: str
    break_: Callable[[S], Awaitable[None]]
    mend: Callable[[S], Awaitable[None]]
    broken_seconds: float = BROKEN_SECONDS
    leaves_no_owner: bool = False
    until: Callable[[S], Awaitable[None]] | None = None
    """What else must come once there is service again."""
    times: list[str] = field(default_factory=list)

    async def __call__(self, scene: S) -> None:
        """Break, wait, mend, and wait for service. Raises AssertionError where an entry was given up."""
        stack = scene.stack
        async with scene.load.fault(self.what, self.target, leaves_no_owner=self.leaves_no_owner):
            try:
                await self.break_(scene)
                await asyncio.sleep(self.broken_seconds)
            finally:
                await self.mend(scene)
        mended_at = time.monotonic()
        await scene.load.succeed(HEALED_SUCCESSES)
        self.times.append(f"service {time.monotonic() - mended_at:.1f} s")
        if self.until is not None:
            await self.until(scene)
            self.times.append(f"all done {time.monotonic() - mended_at:.1f} s")
        ((letters,),) = await asyncio.to_thread(stack.sql, "SELECT count(*) FROM roomlog_deadletter")
        assert letters == 0, f"{letters} dead letters"


def healings() -> Sequence[Healing[Scene]]:
    """Return the faults that must heal. A further one is one line here."""
    return (
        _database("column widened", f"{_NAME} varchar(151)", f"{_NAME} varchar(150)"),
        _database(
            "table away",
            "ALTER TABLE roomlog_membership RENAME TO elsewhere",
            "ALTER TABLE elsewhere RENAME TO roomlog_membership",
        ),
        _database(
            "constraint that all break",
            f"ALTER TABLE {_EVENTS} ADD CONSTRAINT half CHECK (seq < 0) NOT VALID",
            f"ALTER TABLE {_EVENTS} DROP CONSTRAINT half",
        ),
        _database(
            "grant revoked",
            f"REVOKE INSERT ON {_EVENTS} FROM {APPLICATION}",
            f"GRANT INSERT ON {_EVENTS} TO {APPLICATION}",
        ),
        Healing("read-only", "database", _read_only("on"), _read_only("off")),
        Healing("without Redis alone", "worker-0", _take_redis_away, _give_redis_back, 0.0),
        Healing("hanging", "redis", _stop_redis, _wake_redis, HANGING_SECONDS),
    )


def in_turn(several: Sequence[Healing[Scene]]) -> Mishap:
    """Return one mishap that is all of them, one after the other, and one whose senders are told nothing."""

    async def break_all(scene: Scene) -> None:
        for healing in several:
            await healing(scene)
        await strand(scene.stack, scene.load, scene.topology.gateways)

    return break_all


def _database(what: str, breaking: str, mending: str) -> Healing[Scene]:
    def execute(statement: str) -> Act:
        async def act(scene: Scene) -> None:
            await asyncio.to_thread(scene.stack.sql, statement)

        return act

    return Healing(what, "database", execute(breaking), execute(mending))


def _read_only(setting: str) -> Act:
    """Sessions keep what they began with, so all others are ended."""

    async def act(scene: Scene) -> None:
        await asyncio.to_thread(change, scene.stack)

    def change(stack: Stack) -> None:
        ((name,),) = stack.sql("SELECT current_database()")
        # In a transaction that may write, whatever the setting is now.
        alter = f'ALTER DATABASE "{name}" SET default_transaction_read_only = {setting}'
        stack.sql(f"SET TRANSACTION READ WRITE; {alter}")
        stack.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    return act


async def _take_redis_away(scene: Scene) -> None:
    """Nothing but this worker is without Redis: the others get its shards, and serve all rooms."""
    dead, *others = scene.topology.workers
    for route in scene.topology.routes(dead, "redis"):
        route.is_refusing = True
        route.reset()

    def have_taken_over() -> bool:
        return not _owned(scene, dead) and all(_owned(scene, other) for other in others)

    await asyncio.to_thread(wait_until, have_taken_over, HANDOVER_SECONDS, "the others own what it had")
    await scene.load.succeed(HEALED_SUCCESSES)


async def _give_redis_back(scene: Scene) -> None:
    dead = scene.topology.workers[0]
    for route in scene.topology.routes(dead, "redis"):
        route.is_refusing = False
    back = "it has its share again"
    await asyncio.to_thread(wait_until, lambda: _owned(scene, dead), HANDOVER_SECONDS, back)


def _owned(scene: Scene, worker: str) -> frozenset[int]:
    return owned_shards(scene.stack.metrics(worker))


async def _stop_redis(scene: Scene) -> None:
    """SIGSTOP all servers: they accept connections and say nothing, and none can replace the other."""
    for port in scene.topology.redis.ports:
        scene.topology.redis.pause(port)


async def _wake_redis(scene: Scene) -> None:
    for port in scene.topology.redis.ports:
        scene.topology.redis.resume(port)
