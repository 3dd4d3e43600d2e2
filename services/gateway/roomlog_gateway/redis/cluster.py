"""A Redis Cluster as one gateway sees it: which node has which slot, and a link to each primary.

Between gateway and Redis, beside the message's way. Nodes are asked where the slots are at the start, when
something says that they are elsewhere, and from time to time. It must not send a command again: only the one
who sent it may.
"""

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, Generic, Protocol, TypeVar

import structlog
from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError

from roomlog_runtime.redis_address import asyncio_pool
from roomlog_runtime.redis_cluster import ASK_SLOTS, Node, Redirection, SlotMap, node_url, redirection_of
from roomlog_runtime.redis_url import parse_redis_url

from .. import metrics
from .link import RedisLink, Speaker, pool_of

log = structlog.get_logger()

ASK_SECONDS: Final = 1.0
"""For one node's answer, connection and login included."""
LOOK_SECONDS: Final = 10.0
"""Between two looks at the slots while nothing is in doubt."""
DOUBT_SECONDS: Final = 0.25
"""Between two looks at most."""


class NodeSpeaker(Speaker, Protocol):
    """Who speaks through a link to one node."""

    link: RedisLink
    is_up: bool


S = TypeVar("S", bound=NodeSpeaker)


class Cluster:
    """The slots, those who are told when they change, and all links to single nodes."""

    def __init__(self, url: str, clock: Callable[[], float]) -> None:
        """Connect nowhere yet."""
        self._url = url
        self._links: set[RedisLink] = set()
        self._heard_at = clock()
        self._seeds = parse_redis_url(url).hosts
        self.slots = SlotMap()
        self._listeners: list[Callable[[], None]] = []
        self._doubt = asyncio.Event()
        self._first: Node | None = None
        """The node to ask next: it has said that a slot is gone, and knows where."""
        self._group: asyncio.TaskGroup | None = None

    def tell(self, listener: Callable[[], None]) -> None:
        """Call a listener after each look at the slots, and when one has moved."""
        self._listeners.append(listener)

    def url_of(self, node: Node) -> str:
        """Return the URL of one node."""
        return node_url(self._url, node)

    def any_node(self) -> Node:
        """Return some node, of those that are known."""
        return random.choice(sorted(self.slots.nodes) or self._seeds)  # noqa: S311 - no secret

    def moved(self, error: str, asked: Node) -> Redirection | None:
        """Return what an error reply says of another node; take it that the slot is there, if it is."""
        to = redirection_of(error, asked)
        if to is not None and to.is_lasting:
            self.slots.moved(to)
            # Not at once: this is called while a link's replies are being taken.
            asyncio.get_running_loop().call_soon(self._announce)
            self.doubt()
        return to

    def doubt(self, first: Node | None = None) -> None:
        """Look at the slots soon, by what the first node says."""
        self._first = first or self._first
        self._doubt.set()

    def start(self, link: RedisLink) -> asyncio.Task[None]:
        """Keep a link until its task is cancelled, or until `run` ends."""
        assert self._group is not None, "links are started by what `run` has learned"
        task = self._group.create_task(link.run())
        self._links.add(link)
        task.add_done_callback(lambda _: self._links.discard(link))
        return task

    @property
    def heard_at(self) -> float:
        """Return when any node last said anything."""
        self._heard_at = max([self._heard_at, *(link.heard_at for link in self._links)])
        return self._heard_at

    def tick(self, now: float) -> None:
        """Find out, when called each second, whether silent nodes are still there."""
        for link in self._links:
            link.tick(now)

    def cut(self) -> None:
        """Drop all connections at once."""
        for link in self._links:
            link.cut()

    async def run(self) -> None:
        """Keep the slots and all links until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            while True:
                self._doubt.clear()
                await self._learn()
                self._announce()
                await asyncio.sleep(DOUBT_SECONDS)
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS if self.slots.nodes else DOUBT_SECONDS):
                        await self._doubt.wait()

    async def _learn(self) -> None:
        first, self._first = self._first, None
        # One that is cut off from the others answers too, with what it knew: it must not stay the first.
        known = random.sample(sorted(self.slots.nodes), len(self.slots.nodes))
        for node in dict.fromkeys([*([first] if first else []), *known, *self._seeds]):
            with suppress(RedisError, OSError, TimeoutError, RuntimeError):
                async with asyncio.timeout(ASK_SECONDS):
                    self.slots.learn(await self._ask(node), node)
                return
        log.warning("cluster_unreachable", nodes=len(self._seeds))

    async def _ask(self, node: Node) -> Any:
        pool = asyncio_pool(self.url_of(node), socket_timeout=ASK_SECONDS, socket_connect_timeout=ASK_SECONDS)
        async with Redis(connection_pool=pool) as redis:  # deadline: its caller's
            try:
                return await redis.execute_command(*ASK_SLOTS)  # type: ignore[no-untyped-call]
            finally:
                await pool.aclose()

    def _announce(self) -> None:
        for listener in self._listeners:
            listener()


class NodeSpeakers(Generic[S]):
    """One speaker with a link for each primary, by its node."""

    def __init__(self, cluster: Cluster, name: str, make: Callable[[Node], S]) -> None:
        """`name` is what metrics call all of these links together."""
        self._cluster = cluster
        self._name = name
        self._make = make
        self._tasks: dict[Node, asyncio.Task[None]] = {}
        self.by_node: dict[Node, S] = {}
        cluster.tell(self._settle)

    def show(self) -> None:
        """Say whether all links are up; a node whose link is down may have lost its slots to another."""
        are_up = [speaker.is_up for speaker in self.by_node.values()]
        metrics.REDIS_LINKS.labels(self._name).set(bool(are_up) and all(are_up))
        if not all(are_up):
            self._cluster.doubt()

    def _settle(self) -> None:
        slots = self._cluster.slots
        # A primary that has become a replica may still owe replies.
        for node in self.by_node.keys() - slots.nodes:
            self._tasks.pop(node).cancel()
            self.by_node.pop(node).link_down()
        for node in slots.primaries - self.by_node.keys():
            speaker = self.by_node[node] = self._make(node)
            self._tasks[node] = self._cluster.start(speaker.link)


class AnyNodeLink(RedisLink):
    """A link to whichever node, another one after each loss."""

    def __init__(self, cluster: Cluster, speaker: Speaker, clock: Callable[[], float]) -> None:
        super().__init__(cluster.url_of(cluster.any_node()), speaker, clock)
        self._cluster = cluster
        self._node: Node | None = None
        cluster.tell(self._leave)

    def _leave(self) -> None:
        """Leave a node that the others no longer name: what they publish does not reach it."""
        if self._node is not None and self._node not in self._cluster.slots.nodes:
            self.cut()

    async def _open(self) -> AbstractConnection | None:
        self._node = self._cluster.any_node()
        self._pool = pool_of(self._cluster.url_of(self._node))
        return await super()._open()


def is_sharded(channel: str) -> bool:
    """Return True if only the node of the channel's slot publishes it: names of shards have braces."""
    return "{" in channel
