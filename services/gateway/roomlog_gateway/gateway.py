"""All of one gateway's parts, connected: what a process holds between start and drain.

No stage of its own. It owns the connections and the tasks, and does once a second what can't be done on a
message's way: deadlines, pings, rechecks, the word that nothing is accepted.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from secrets import token_hex
from typing import Any, Final
from uuid import UUID

import structlog

from roomlog_contract import limits
from roomlog_contract.commands import Authenticate, ClientCommand
from roomlog_contract.errors import CloseCode
from roomlog_contract.keyspace import Keyspace

from . import metrics
from .config import Config
from .redis.subscriber import Subscriber
from .rooms.authentication import Authentication
from .rooms.degradation import Outage
from .rooms.fanout import Fanout
from .rooms.gap_fetcher import Gaps
from .rooms.head_poll import HeadPoll
from .rooms.incoming_events import Intake
from .rooms.members import Members
from .rooms.room import Room
from .rooms.router import Router
from .rooms.selection import Selection
from .rooms.worker_beacons import ALL, SILENT_SECONDS, Beacons
from .sockets.connection import Connection, Socket
from .sockets.outbox import unread_bound
from .sockets.session import Session, SessionState

log = structlog.get_logger()

TICK_SECONDS: Final = 0.1
TICKS_PER_SECOND: Final = 10
PING_SLOTS: Final = int(limits.PING_SECONDS)
"""Connections are pinged in turn, one slot a second."""
RECHECK_SLOTS: Final = 60
"""Each connection's token and rooms are compared with the database once in 60 s (GUARANTEES G10)."""
LOST_SLOTS: Final = 20
"""All are, within 20 s, after notices may have been lost: who joined a room meanwhile hears of it (G9)."""


class Gateway:
    """One gateway process."""

    def __init__(self, config: Config, clock: Callable[[], float]) -> None:
        self.id = token_hex(8)
        self.clock = clock
        self.connections: dict[Connection, int] = {}
        """All open connections and their slot."""
        rooms: dict[UUID, Room] = {}
        self._fanout = Fanout(rooms)
        self._subscriber = Subscriber(config.redis_url, clock, self._resubscribed)
        selection = Selection(rooms, self._fanout, self._on_head)
        self._router = Router(self.id, config.redis_url, config.keyspace, selection, clock, time.time)
        self._intake = Intake(rooms, self._fanout, self._router.take_answered, self._on_left, clock)
        self._members = Members(
            rooms,
            config.keyspace,
            self._router,
            self._subscriber,
            self._intake,
            self._sync,
            self._fanout.spread,
        )
        self._authentication = Authentication(self._members, self.spawn)
        gaps = Gaps(self._router, self._intake, rooms, self.spawn)
        self._intake.on_gap, self._intake.on_doubt = gaps.watch, gaps.doubt
        self._router.bus.on_demoted = self._leave_redis
        self._heads = HeadPoll(self._router, self._intake, rooms)
        self._beacons = Beacons(clock)
        self._outage = Outage()
        self._listen(config.keyspace)
        self._tasks: set[asyncio.Task[None]] = set()
        self._stalled: dict[Connection, None] = {}
        self._unread_bound = unread_bound(config.max_connections)
        self._slot = 0
        self._hurried_seconds = 0
        """For so long connections are rechecked in LOST_SLOTS."""
        self.is_broken = False
        """A task without which the gateway is none has ended."""
        self.on_broken: Callable[[], None] = _nothing
        """Is called once when it is broken: the process must end, and another begin."""
        self.was_connected = False
        """True from the first moment on at which both links to Redis were up."""

    def _listen(self, keyspace: Keyspace) -> None:
        """Want the channels that do not depend on who connects."""
        replies, beacons = keyspace.gateway_channel(self.id), keyspace.beacon_channel
        self._subscriber.want({replies: self._router.on_replies, beacons: self._beacons.on_payload})

    @property
    def is_connected(self) -> bool:
        """Is True while both links to Redis are up."""
        return self._router.bus.is_up and self._subscriber.is_up

    # -- life -----------------------------------------------------------------------------------

    def start(self) -> None:
        """Begins to connect to Redis and to keep time."""
        self._keep(self._router.bus.link.run())
        self._keep(self._subscriber.link.run())
        self._keep(self._heads.run())
        self._keep(self._keep_time())

    async def stop(self) -> None:
        """Ends all tasks; connections are the drain's business."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs a task until it ends or the gateway stops."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._task_done)

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs a task without which the gateway is none: its end is the end of the process."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._task_done)
        task.add_done_callback(self._broke)

    def open(self, socket: Socket, transport: asyncio.WriteTransport) -> Connection:
        """Counts an upgraded socket in; its handler serves it."""
        connection = Connection(socket, transport, self, self, self.clock)
        self._slot += 1
        self.connections[connection] = self._slot
        metrics.CONNECTIONS.set(len(self.connections))
        return connection

    # -- for sessions ---------------------------------------------------------------------------

    def authenticate(self, session: Session, command: Authenticate) -> None:
        self._authentication.begin(session, command)

    def forward(self, session: Session, command: ClientCommand) -> None:
        self._router.forward(session, command)

    def schedule(self, session: Session) -> None:
        self._fanout.schedule(session)

    def time_ms(self) -> int:
        return int(time.time() * 1000)

    def ended(self, session: Session) -> None:
        self._members.leave(session)

    # -- for connections ------------------------------------------------------------------------

    def stalled(self, connection: Connection) -> None:
        self._stalled[connection] = None
        metrics.STALLED.set(len(self._stalled))

    def flowing(self, connection: Connection) -> None:
        self._stalled.pop(connection, None)
        metrics.STALLED.set(len(self._stalled))

    def lost(self, connection: Connection) -> None:
        self.connections.pop(connection, None)
        self.flowing(connection)
        metrics.CONNECTIONS.set(len(self.connections))

    # -- between the parts ----------------------------------------------------------------------

    def _on_left(self, room: Room, user: int) -> None:
        self._members.on_left(room, user)

    def _on_head(self, room: Room, epoch: str, seq: int) -> None:
        self._intake.head(room, epoch, seq, is_certain=True)

    def _sync(self, session: Session) -> None:
        self._authentication.sync(session)

    def _leave_redis(self) -> None:
        """Redis is a replica now: its notices can't be relied on either."""
        self._router.bus.cut()
        self._subscriber.link.cut()

    def _resubscribed(self) -> None:
        """Every channel is subscribed again; what was published meanwhile must be found."""
        self._heads.at_once()
        self._hurried_seconds = LOST_SLOTS

    def _task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("task_failed", exc_info=error)

    def _broke(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and not self.is_broken:
            self.is_broken = True
            self.on_broken()

    # -- once in a while ------------------------------------------------------------------------

    async def _keep_time(self) -> None:
        ticks = 0
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = self.clock()
            self.was_connected = self.was_connected or self.is_connected
            self._router.bus.tick(now)
            for connection in list(self._stalled):
                connection.retry(now)
            self._bound_answers()
            ticks += 1
            if ticks % TICKS_PER_SECOND == 0:
                self.tick(now, ticks // TICKS_PER_SECOND)

    def _bound_answers(self) -> None:
        """Cut those for whom most waits, while too much waits for all together; they repeat what they asked.

        Only stalled connections hold anything for longer than a loop turn.
        """
        over = sum(connection.unread_bytes for connection in self._stalled) - self._unread_bound
        if over <= 0:
            return
        for connection in sorted(self._stalled, key=lambda one: one.unread_bytes, reverse=True):
            over -= connection.unread_bytes
            connection.close(CloseCode.TOO_SLOW, "answers are not read")
            connection.abort()  # the goodbye would wait behind what is not read
            if over <= 0:
                return

    def tick(self, now: float, second: int) -> None:
        """Does what is due each second."""
        self._router.bus.link.tick(now)
        self._subscriber.link.tick(now)
        self._router.expire(now)
        self._outage.tell(self._silent_shards(now), [connection.session for connection in self.connections])
        for connection, slot in list(self.connections.items()):
            self._check(connection, slot + second, now)
        self._hurried_seconds = max(0, self._hurried_seconds - 1)

    def _check(self, connection: Connection, turn: int, now: float) -> None:
        session = connection.session
        if connection.close_deadline is not None:
            if now >= connection.close_deadline:
                connection.abort()
        elif session.state is SessionState.OPEN and now >= session.deadline:
            connection.close(CloseCode.TOO_SLOW, "no authenticate within 5 s")
        else:
            if turn % PING_SLOTS == 0:
                connection.ping()
            if turn % (LOST_SLOTS if self._hurried_seconds else RECHECK_SLOTS) == 0 and self.is_connected:
                self._sync(session)

    def _silent_shards(self, now: float) -> frozenset[int]:
        """Return the shards that accept nothing; all where Redis is mute, whatever TCP says."""
        heard_at = min(self._router.bus.link.heard_at, self._subscriber.link.heard_at)
        return ALL if now - heard_at >= SILENT_SECONDS else self._beacons.silent(now)


def _nothing() -> None:
    """Stand in until the composition root says how the process ends."""
