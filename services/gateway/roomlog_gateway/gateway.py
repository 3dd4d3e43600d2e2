"""All of one gateway's parts, connected: what a process holds between start and drain.

No stage of its own. It makes the parts, and has done once a second what can't be done on a message's way:
deadlines, pings, rechecks, the word that nothing is accepted.
"""

import asyncio
import time
from collections.abc import Callable
from secrets import token_hex
from typing import Final
from uuid import UUID

from roomlog_contract.keyspace import Keyspace

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
from .sockets.connections import Connections
from .sockets.session import Services, Session
from .tasks import Tasks

TICK_SECONDS: Final = 0.1
TICKS_PER_SECOND: Final = 10
RECHECK_SLOTS: Final = 60
"""Each connection's token and rooms are compared with the database once in 60 s (GUARANTEES G10)."""
LOST_SLOTS: Final = 20
"""All are, within 20 s, after notices may have been lost: who joined a room meanwhile hears of it (G9)."""


class Gateway:
    """One gateway process."""

    def __init__(self, config: Config, clock: Callable[[], float], on_broken: Callable[[], None]) -> None:
        """`on_broken` is called once when it can't go on: the process must end, and another begin."""
        self.id = token_hex(8)
        self.clock = clock
        self.tasks = Tasks(on_broken)
        rooms: dict[UUID, Room] = {}
        fanout = Fanout(rooms)
        self._subscriber = Subscriber(config.redis_url, clock, self._resubscribed)
        selection = Selection(rooms, fanout, self._on_head)
        self._router = Router(self.id, config.redis_url, config.keyspace, selection, clock, time.time)
        self._intake = Intake(rooms, fanout, self._router.take_answered, self._on_left, clock)
        self._members = Members(
            rooms,
            config.keyspace,
            self._router,
            self._subscriber,
            self._intake,
            self._sync,
            fanout.spread,
        )
        self._authentication = Authentication(self._members, self.tasks.spawn)
        gaps = Gaps(self._router, self._intake, rooms, self.tasks.spawn)
        self._intake.on_gap, self._intake.on_doubt = gaps.watch, gaps.doubt
        self._router.bus.on_demoted = self._leave_redis
        self._heads = HeadPoll(self._router, self._intake, rooms)
        self._beacons = Beacons(clock)
        self._outage = Outage()
        services = Services(
            authenticate=self._authentication.begin,
            forward=self._router.forward,
            schedule=fanout.schedule,
            collect=fanout.collect,
            leave=self._members.leave,
            time_ms=lambda: int(time.time() * 1000),
        )
        self.connections = Connections(services, clock, config.max_connections)
        self._listen(config.keyspace)
        self._hurried_seconds = 0
        """For so long connections are rechecked in LOST_SLOTS."""
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

    def start(self) -> None:
        """Begins to connect to Redis and to keep time."""
        self.tasks.spawn_lasting(self._router.bus.link.run())
        self.tasks.spawn_lasting(self._subscriber.link.run())
        self.tasks.spawn_lasting(self._heads.run())
        self.tasks.spawn_lasting(self._keep_time())

    async def stop(self) -> None:
        """Ends all tasks; connections are the drain's business."""
        await self.tasks.stop()

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

    async def _keep_time(self) -> None:
        ticks = 0
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = self.clock()
            self.was_connected = self.was_connected or self.is_connected
            self._router.bus.tick(now)
            self.connections.retry(now)
            ticks += 1
            if ticks % TICKS_PER_SECOND == 0:
                self.tick(now, ticks // TICKS_PER_SECOND)

    def tick(self, now: float, second: int) -> None:
        """Does what is due each second."""
        self._router.bus.link.tick(now)
        self._subscriber.link.tick(now)
        self._router.expire(now)
        self._outage.tell(self._silent_shards(now), [connection.session for connection in self.connections])
        self.connections.tick(now, second)
        if self.is_connected:
            for connection in self.connections.in_turn(
                second, LOST_SLOTS if self._hurried_seconds else RECHECK_SLOTS
            ):
                self._sync(connection.session)
        self._hurried_seconds = max(0, self._hurried_seconds - 1)

    def _silent_shards(self, now: float) -> frozenset[int]:
        """Return the shards that accept nothing; all where Redis is mute, whatever TCP says."""
        heard_at = min(self._router.bus.link.heard_at, self._subscriber.link.heard_at)
        return ALL if now - heard_at >= SILENT_SECONDS else self._beacons.silent(now)
