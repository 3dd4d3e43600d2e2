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

import structlog

from roomlog_contract.commands import Typing, Watch
from roomlog_contract.trail import Note, ignore
from roomlog_runtime.redis_cluster import is_cluster
from roomlog_runtime.shards_setting import VARIABLE

from .config import Config
from .redis.admission import Admission
from .redis.cluster import Cluster
from .redis.cluster_subscriber import ClusterSubscriber
from .redis.cluster_writer import ClusterWriter, Writer
from .redis.command_writer import CommandWriter
from .redis.subscriber import Subscriber
from .rooms.authentication import Authentication
from .rooms.degradation import Degradation
from .rooms.envelope_sender import EnvelopeSender
from .rooms.fanout import Fanout
from .rooms.gap_fetcher import GapFetcher
from .rooms.head_poll import HeadPoll
from .rooms.incoming_events import IncomingEvents
from .rooms.login_sweep import LoginSweep
from .rooms.members import Members
from .rooms.pending_requests import PendingRequests
from .rooms.presence import Presence
from .rooms.receipts_teller import ReceiptsTeller
from .rooms.recheck_queue import RecheckQueue
from .rooms.room import Room
from .rooms.room_registry import RoomRegistry
from .rooms.router import Begin, Router, TakenHere, untraced
from .rooms.second_look import SecondLook
from .rooms.selection import Selection
from .rooms.typing import TypingAnnouncer, TypingTeller
from .rooms.watching import Watching
from .rooms.worker_beacons import SILENT_SECONDS, WorkerBeacons
from .rooms.worker_questions import WorkerQuestions
from .sockets.connections import Connections
from .sockets.session import Services
from .tasks import Tasks

log = structlog.get_logger()

TICK_SECONDS: Final = 0.1
TICKS_PER_SECOND: Final = 10
RECHECK_SLOTS: Final = 60
"""Each connection's token and rooms are compared with the database once in 60 s (GUARANTEES G10)."""
LOST_SLOTS: Final = 20
"""All are, within 20 s, after notices may have been lost: who joined a room meanwhile hears of it (G9)."""
RECHECKS_PER_TICK: Final = 50
"""Connections taken from the queue each tick. It clears 10,000 in 20 s, the pace of LOST_SLOTS."""


class Gateway:
    """One gateway process."""

    def __init__(
        self,
        config: Config,
        clock: Callable[[], float],
        on_broken: Callable[[], None],
        note: Note = ignore,
        begin: Begin = untraced,
    ) -> None:
        """`on_broken` is called once when it can't go on: the process must end, and another begin.

        `note` takes steps of commands for the trail and for spans, `begin` begins the span of a write.
        """
        self.id = token_hex(8)
        self.clock = clock
        self.tasks = Tasks(on_broken)
        self._requests = PendingRequests(self.id, clock, note)
        self._keyspace = config.keyspace
        self._admission = Admission(config.keyspace, clock)
        self._connect(config)
        self._beacons = WorkerBeacons(config.keyspace.shards, clock, self._admission.heard)
        self._degradation = Degradation(config.keyspace)
        self._rechecks = RecheckQueue()
        self._make_rooms(config, note, begin)
        self._hurried_seconds = 0
        """For so long connections are rechecked in LOST_SLOTS."""
        self._install_shards: int | None = None
        """The number that the log was told of."""
        self.was_connected = False
        """True from the first moment on at which both links to Redis were up."""

    def _connect(self, config: Config) -> None:
        """Make what speaks to Redis: one server, or a Cluster."""
        url, keyspace, clock = config.redis_url, config.keyspace, self.clock
        refuse, admission = self._requests.refuse, self._admission
        self._writer: Writer
        self._subscriber: Subscriber
        if is_cluster(url):
            cluster = Cluster(url, clock)
            self._writer = ClusterWriter(cluster, keyspace, clock, refuse, admission)
            self._subscriber = ClusterSubscriber(cluster, clock, self._resubscribed)
        else:
            self._writer = CommandWriter(url, clock, refuse, admission)
            self._subscriber = Subscriber(url, clock, self._resubscribed)

    def _make_rooms(self, config: Config, note: Note, begin: Begin) -> None:
        """Make the parts between clients and workers, each from those that it needs."""
        keyspace, clock, rooms = config.keyspace, self.clock, dict[UUID, Room]()
        sender = EnvelopeSender(self.id, self._writer, time.time)
        questions = WorkerQuestions(keyspace, self._requests, sender)
        fanout = Fanout(rooms, note)
        registry = RoomRegistry(rooms, keyspace, self._subscriber, fanout.spread)
        gaps = GapFetcher(keyspace, questions, rooms, self.tasks.spawn)
        self._typing_teller = TypingTeller(fanout.hint)
        self._presence = Presence(
            self.id,
            rooms,
            keyspace,
            self._writer.publish,
            fanout.hint,
            clock,
            lambda user: members.sees_presence(user),  # noqa: PLW0108 - they are made below
        )
        self._receipts = ReceiptsTeller(rooms, questions, fanout.hint, self.tasks.spawn, clock)
        incoming = IncomingEvents(
            fanout,
            gaps,
            self._requests.take_answered,
            registry.remove_user,
            self._rechecks,
            clock,
            self._typing_teller.hear,
            self._presence.hear,
            self._receipts.hear,
        )
        members = Members(registry, keyspace, questions, self._subscriber, incoming)
        self._typing = TypingAnnouncer(rooms, keyspace, self._writer.publish, members.name_of, clock)
        selection = Selection(rooms, fanout, incoming)
        watching = Watching(rooms, self._presence, self._receipts)
        here: TakenHere = {Typing: self._typing.take, Watch: watching.take}
        router = Router(keyspace, self._requests, sender, selection, clock, here, note, begin)
        second_look = SecondLook(keyspace, questions, self.tasks.spawn)
        self._authentication = Authentication(members, second_look, self.tasks.spawn)
        self._sweep = LoginSweep(self._authentication, members, questions, self.tasks.spawn)
        self._heads = HeadPoll(questions, incoming, rooms)
        self._make_connections(config, router, fanout, members, note)

    def _make_connections(
        self, config: Config, router: Router, fanout: Fanout, members: Members, note: Note
    ) -> None:
        """Make what holds the sockets, and what their sessions call."""
        self._subscriber.want(
            {
                config.keyspace.gateway_channel(self.id): router.on_replies,
                config.keyspace.beacon_channel: self._beacons.on_payload,
            }
        )
        services = Services(
            authenticate=self._authentication.authenticate,
            forward=router.forward,
            schedule=fanout.schedule,
            collect=fanout.collect,
            leave=members.leave,
            time_ms=lambda: int(time.time() * 1000),
            note=note,
        )
        self.connections = Connections(services, self.clock, config.max_connections)

    @property
    def is_connected(self) -> bool:
        """Return True while both links to Redis are up."""
        return self._writer.is_up and self._subscriber.is_up

    @property
    def disagreement(self) -> str | None:
        """Return why no command can be sent: workers count other shards than this process. Else None."""
        install = self._admission.install_shards
        if install is None or self._admission.is_agreed:
            return None
        own = self._keyspace.shards
        return f"{VARIABLE} is {own}, but this install has {install} shards: set it to {install}"

    def start(self) -> None:
        """Begin to connect to Redis and to keep time."""
        self.tasks.spawn_lasting(self._writer.link.run())
        self.tasks.spawn_lasting(self._subscriber.link.run())
        self.tasks.spawn_lasting(self._heads.run())
        self.tasks.spawn_lasting(self._keep_time())

    async def stop(self) -> None:
        """End all tasks; connections are the drain's business."""
        await self.tasks.stop()

    def _resubscribed(self) -> None:
        """Look for what was published while the channels were not subscribed."""
        self._heads.at_once()
        self._hurried_seconds = LOST_SLOTS

    async def _keep_time(self) -> None:
        ticks = 0
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = self.clock()
            self.was_connected = self.was_connected or self.is_connected
            self._writer.tick(now)
            if self._writer.is_demoted:  # a primary is found anew, for notices too
                self._writer.link.cut()
                self._subscriber.link.cut()
            self.connections.retry(now)
            self._typing_teller.tick(now)
            if self.is_connected:
                for session in self._rechecks.take(RECHECKS_PER_TICK):
                    self._authentication.recheck(session)
            ticks += 1
            if ticks % TICKS_PER_SECOND == 0:
                self.tick(now, ticks // TICKS_PER_SECOND)

    def tick(self, now: float, second: int) -> None:
        """Do what is due each second."""
        self._writer.link.tick(now)
        self._subscriber.link.tick(now)
        self._compare_shards()
        self._requests.expire(now)
        self._typing.tick(now)
        self._presence.tick(now)
        self._receipts.tick(now)
        self._degradation.tell(
            self._silent_shards(now), [connection.session for connection in self.connections]
        )
        self.connections.tick(now, second)
        if self.is_connected:
            turn = self.connections.in_turn(second, LOST_SLOTS if self._hurried_seconds else RECHECK_SLOTS)
            self._sweep.compare(connection.session for connection in turn)
        self._hurried_seconds = max(0, self._hurried_seconds - 1)

    def _compare_shards(self) -> None:
        """Say in the log, and where the doctor listens, that this process counts other shards."""
        if why := self.disagreement:
            self._writer.publish(self._keyspace.shards_channel, str(self._keyspace.shards).encode())
            if self._install_shards != self._admission.install_shards:
                log.error("shards_differ", todo=why)
        self._install_shards = self._admission.install_shards

    def _silent_shards(self, now: float) -> frozenset[int]:
        """Return the shards that accept nothing; all where Redis is mute, whatever TCP says."""
        heard_at = min(self._writer.link.heard_at, self._subscriber.link.heard_at)
        if now - heard_at >= SILENT_SECONDS:
            return self._beacons.all
        return self._beacons.silent(now) | self._writer.silent(now, SILENT_SECONDS)
