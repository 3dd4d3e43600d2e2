"""What goes wrong when: a seeded schedule of faults over the processes, the wires and the models.

Beside the message's way. A fault begins some milliseconds after a message left, so that over many seeds each
stage of its way is hit. Every fault ends; after the last one the promises must come true by themselves.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from django.contrib.auth.models import User
from rest_framework.authtoken.models import Token

from roomlog.epochs import new_epoch
from tests.judge.history import Epoch, Fault

from .gateways import GatewayHost
from .plan import Plan
from .processes import Process
from .redis_link import Fate, LinkTransport
from .redis_model import KEYSPACE
from .sockets import Line
from .store import GUEST
from .wires import LATENCY_SECONDS
from .workers import Worker
from .world import World

BEGIN_SECONDS: Final = (0.3, 14.0)
"""When a fault may begin, from the first connection on."""
SENT_SECONDS: Final = 2.0
"""How long a fault waits for a message to hit."""
WAY_SECONDS: Final = 0.04
"""About a message's way from its client to the other clients."""
STEP_SECONDS: Final = 3.0
"""How long a fault waits for a worker to come to a step."""


class Mishaps:
    """The faults of one run."""

    def __init__(self, world: World, plan: Plan) -> None:
        self._world = world
        self._dice: random.Random = world.dice
        self._kinds = plan.kinds or KINDS
        self._faults = plan.faults
        self._steps = plan.steps
        self._pauses = plan.pauses
        self._may_start = asyncio.Event()
        """Cleared while no worker must run."""
        self._may_start.set()

    async def happen(self) -> None:
        """Let some faults happen, perhaps at the same time; returns when all have ended."""
        count = self._dice.randint(*self._faults)
        await asyncio.gather(*(self._happen(self._dice.choice(self._kinds)) for _ in range(count)))

    def end_all(self) -> None:
        """Take back what still waits for its moment."""
        for worker in self._world.living():
            worker.process.traps.clear()
            for link in worker.redis.open_links():
                link.ends_after = None

    async def _happen(self, kind: str) -> None:
        await asyncio.sleep(self._dice.uniform(*BEGIN_SECONDS))
        await self._after_a_message()
        fault: Callable[[], Awaitable[str]] = getattr(self, kind)
        began = self._world.loop.time()
        target = await fault()
        self._world.faults.append(Fault(kind, target, began, self._world.loop.time()))

    async def _after_a_message(self) -> None:
        self._world.journal.has_sent.clear()
        try:
            async with asyncio.timeout(SENT_SECONDS):
                await self._world.journal.has_sent.wait()
        except TimeoutError:
            pass
        await asyncio.sleep(self._dice.uniform(0.0, WAY_SECONDS))

    async def _wait(self, least: float, most: float) -> None:
        await asyncio.sleep(self._dice.uniform(least, most))

    # -- workers --------------------------------------------------------------------------------

    async def kill_worker(self) -> str:
        """SIGKILL at a step of its turn; a new process of the same ordinal comes later."""
        worker, step = await self._at_a_step(Process.kill)
        await self._wait(0.1, 4.0)
        await self._start_worker(worker.ordinal)
        return f"worker-{worker.ordinal} {step}"

    async def pause_worker(self) -> str:
        """SIGSTOP at a step, for long enough that others may take over; SIGCONT as a message arrives."""
        seconds = self._dice.uniform(*self._dice.choice(self._pauses))
        worker, step = await self._at_a_step(Process.freeze)
        await asyncio.sleep(seconds)
        await self._after_a_message()
        worker.process.thaw()
        return f"worker-{worker.ordinal} {step} {seconds:.1f} s"

    async def replace_worker(self) -> str:
        """SIGTERM: it hands its shards over."""
        worker = self._worker()
        worker.shutdown.request()
        await self._wait(0.1, 2.0)
        await self._start_worker(worker.ordinal)
        return f"worker-{worker.ordinal}"

    async def scale_up_and_down(self) -> str:
        """One worker more, for a while."""
        worker = await self._start_worker(len(self._world.workers))
        await self._wait(1.0, 12.0)
        worker.shutdown.request()
        return f"worker-{worker.ordinal}"

    async def lose_commit(self) -> str:
        """The database's connection breaks around a COMMIT, before it or after it."""
        worker = self._worker()
        point = self._dice.choice(["before_commit", "committed"])
        worker.process.traps[point] = lambda: self._world.database.end_sessions(worker.process)
        await self._wait(0.5, 1.0)
        return f"worker-{worker.ordinal}"

    async def break_pipeline(self) -> str:
        """The connection to Redis breaks within a pipeline, some of whose commands were executed."""
        worker = self._worker()
        for link in worker.redis.open_links():
            link.ends_after = self._dice.randint(0, 3)
        await self._wait(0.5, 1.0)
        return f"worker-{worker.ordinal}"

    async def cut_worker_off(self) -> str:
        """No way between a worker and Redis."""
        worker = self._worker()
        worker.redis.cut_off()
        await self._wait(0.5, 6.0)
        worker.redis.is_cut_off = False
        return f"worker-{worker.ordinal}"

    async def stop_database(self) -> str:
        """The database is away; open transactions are rolled back."""
        self._world.database.stop()
        await self._wait(0.5, 8.0)
        self._world.database.is_down = False
        return "database"

    async def slow_database_down(self) -> str:
        """Statements take their time, and transactions overlap."""
        self._world.database.slowness_seconds = self._dice.uniform(0.05, 0.3)
        await self._wait(2.0, 24.0)
        self._world.database.slowness_seconds = 0.0
        return "database"

    async def begin_epoch(self) -> str:
        """Do what the runbook says after a restore: stop the workers, void every cursor, start them."""
        if not self._may_start.is_set():
            return "again"
        self._may_start.clear()
        ended = self._world.living()
        for worker in ended:
            worker.shutdown.request()
        await self._wait(1.0, 3.0)
        for worker in ended:
            worker.process.kill()
        epoch = f"{len(self._world.epochs) + 2:016x}"
        self._world.epochs.append(Epoch(self._world.loop.time(), epoch))
        while not await self._world.api.request(partial(new_epoch, epoch)):
            await self._wait(0.1, 1.0)
        self._may_start.set()
        for ordinal in dict.fromkeys(worker.ordinal for worker in ended):
            self._world.start_worker(ordinal)
        return epoch

    # -- the api --------------------------------------------------------------------------------

    async def revoke_guest(self) -> str:
        """Take somebody's token, or the account, perhaps by a way that tells nobody."""
        way, was_told = self._dice.choice(REVOCATIONS)
        if self._world.store.is_revoked(GUEST):
            return "again"
        while not self._world.store.is_revoked(GUEST):
            await self._world.api.request(way)
        self._world.revoked.append((self._world.loop.time(), was_told))
        return way.__name__

    async def lose_wake_ups(self) -> str:
        """No way between the api and Redis: commands wait for the sweep, revocations for the recheck."""
        self._world.api.redis.cut_off()
        await self._wait(1.0, 6.0)
        self._world.api.redis.is_cut_off = False
        return "api"

    # -- Redis ----------------------------------------------------------------------------------

    async def stop_redis(self) -> str:
        """Redis is away and comes back with all it had."""
        await self._without_redis(0.2, 6.0)
        return "redis"

    async def wipe_redis(self) -> str:
        """Redis loses everything; its clock, and so its ids, may go back."""
        self._world.redis.lose_everything(self._dice.choice([0.0, -60.0, 5.0]))
        if self._dice.random() < 0.7:
            await self._without_redis(0.1, 2.0)
        return "redis"

    async def fail_over_redis(self) -> str:
        """A replica takes over that had not heard of the last entries."""
        self._world.redis.lose_tail(self._dice.uniform(0.05, 1.0))
        await self._without_redis(0.2, 3.0)
        return "redis"

    async def fill_redis(self) -> str:
        """Redis has no memory left for entries."""
        self._world.redis.is_full = True
        await self._wait(0.3, 3.0)
        self._world.redis.is_full = False
        return "redis"

    async def double_commands(self) -> str:
        """What timed out was executed, and comes again."""
        self._world.redis.doubles = 0.5
        await self._wait(1.0, 5.0)
        self._world.redis.doubles = 0.0
        return "redis"

    async def lose_notices(self) -> str:
        """Publications are lost without a word."""
        await self._with_fate(lambda channel: None if self._dice.random() < 0.6 else 0.0)
        return "notices"

    async def delay_notices(self) -> str:
        """Publications come late, and not in their order."""
        await self._with_fate(lambda channel: self._dice.uniform(0.0, 0.4))
        return "notices"

    async def delay_replies(self) -> str:
        """Replies come late, as from a reader that lost its processor: events overtake what was read."""
        replies = KEYSPACE.gateway_channel("").encode()
        await self._with_fate(
            lambda channel: self._dice.uniform(0.1, 0.5) if channel.startswith(replies) else 0.0
        )
        return "replies"

    # -- gateways and sockets -------------------------------------------------------------------

    async def kill_gateway(self) -> str:
        """SIGKILL; the address is served again later."""
        host = self._host()
        await host.kill()
        await self._wait(0.1, 4.0)
        if host.gateway is None:
            host.start()
        return host.name

    async def drain_gateway(self) -> str:
        """SIGTERM."""
        host = self._host()
        if host.gateway is not None:
            await host.empty()
            await self._wait(0.1, 2.0)
            if host.gateway is None:
                host.start()
        return host.name

    async def cut_gateway_off(self) -> str:
        """No way between a gateway and Redis."""
        host = self._host()
        host.redis.cut_off()
        await self._wait(0.5, 14.0)
        host.redis.is_cut_off = False
        return host.name

    async def cut_link(self) -> str:
        """One connection of a gateway to Redis breaks; what it carried is executed or not."""
        link = self._link()
        if link is not None:
            self._dice.choice([link.abort, link.cut_after_execution])()
        return "link"

    async def slow_links_down(self) -> str:
        """What goes between gateways and Redis takes its time."""
        slow = (0.02, self._dice.uniform(0.1, 0.5))
        for host in self._world.hosts.values():
            host.redis.take(slow)
        await self._wait(1.0, 8.0)
        for host in self._world.hosts.values():
            host.redis.take(LATENCY_SECONDS)
        return "links"

    async def cut_socket(self) -> str:
        """A client's socket breaks."""
        line = self._line()
        if line is not None:
            line.cut()
        return "socket"

    async def stall_socket(self) -> str:
        """A client's socket takes nothing for a while."""
        line, seconds = self._line(), self._dice.uniform(0.5, 14.0)
        if line is not None:
            line.down.stall(seconds)
            await asyncio.sleep(seconds)
        return "socket"

    # -- what they are made of ------------------------------------------------------------------

    async def _at_a_step(self, harm: Callable[[Process], None]) -> tuple[Worker, str]:
        """Harm the first worker that comes to a step, or any after a while in which none does."""
        step, arrived = self._dice.choice(self._steps), self._world.loop.create_future()
        watched = self._world.living()

        def spring(worker: Worker) -> None:
            for other in watched:
                other.process.traps.pop(step, None)
            harm(worker.process)
            arrived.set_result(worker)

        for worker in watched:
            worker.process.traps[step] = partial(spring, worker)
        try:
            async with asyncio.timeout(STEP_SECONDS):
                return await arrived, step
        except TimeoutError:
            for worker in watched:
                worker.process.traps.pop(step, None)
            worker = self._worker()
            harm(worker.process)
            return worker, step

    async def _without_redis(self, least: float, most: float) -> None:
        self._world.redis.is_down = True
        for link in self._world.links():
            link.abort()
        await self._wait(least, most)
        self._world.redis.is_down = False

    async def _with_fate(self, fate: Fate) -> None:
        for host in self._world.hosts.values():
            host.redis.doom(fate)
        await self._wait(0.5, 5.0)
        for host in self._world.hosts.values():
            if host.redis.fate is fate:  # else a later fault decides now
                host.redis.doom(None)

    async def _start_worker(self, ordinal: int) -> Worker:
        await self._may_start.wait()
        return self._world.start_worker(ordinal)

    def _worker(self) -> Worker:
        """Return a worker to hit; where none lives, the last one, whom nothing hurts any more."""
        return self._dice.choice(self._world.living() or self._world.workers[-1:])

    def _host(self) -> GatewayHost:
        return self._dice.choice(list(self._world.hosts.values()))

    def _link(self) -> LinkTransport | None:
        links = [link for host in self._world.hosts.values() for link in host.redis.open_links()]
        return self._dice.choice(links) if links else None

    def _line(self) -> Line | None:
        lines = [line for host in self._world.hosts.values() for line in host.open_lines()]
        return self._dice.choice(lines) if lines else None


def delete_token() -> None:
    """Send the signal of a deletion; a repeat, after a commit that was not heard of, finds no token."""
    for token in Token.objects.filter(user_id=GUEST):
        token.delete()


def deactivate_account() -> None:
    """Send the signal of a change."""
    guest = User.objects.get(pk=GUEST)
    guest.is_active = False
    guest.save(update_fields=["is_active"])


def deactivate_by_query() -> None:
    """Send no signal."""
    User.objects.filter(pk=GUEST).update(is_active=False)


REVOCATIONS: Final = ((delete_token, True), (deactivate_account, True), (deactivate_by_query, False))
"""Ways to take somebody's rights, and whether the sockets are told."""

KINDS: Final = tuple(
    name
    for name, method in vars(Mishaps).items()
    if asyncio.iscoroutinefunction(method) and not name.startswith("_") and name != "happen"
)
"""Every fault, by its method's name."""
