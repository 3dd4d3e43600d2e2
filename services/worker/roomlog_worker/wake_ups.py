"""Hears that something was added to the streams of a Redis Cluster, on one connection to each primary.

Below the bus, which reads without blocking there: no read can wait for streams of different slots. Gateways
publish a stream's name on the shard channel of that name, behind what they have added. It must not matter
what is lost here: the bus looks at all streams from time to time.
"""

import select
import time
from collections import defaultdict
from collections.abc import Collection
from typing import Final

import redis

from .cluster_nodes import AGAIN_SECONDS, ClusterNodes, packed
from .redis_socket import RedisSocket

HEARD: Final = frozenset({b"smessage", b"ssubscribe"})
"""Also what is subscribed from now on is worth a look."""


class WakeUps:
    """The subscriptions to some streams' channels, used by one thread."""

    def __init__(self, nodes: ClusterNodes) -> None:
        """`nodes` know where the streams are."""
        self._nodes = nodes
        self._streams: Collection[str] = ()
        self._sockets: dict[int, RedisSocket] = {}
        self._poll = select.poll()
        self._version = -1
        """Of the slots, by which the subscriptions were made."""
        self._again_at = float("inf")
        """When a node that could not be reached is tried again."""

    def listen(self, streams: Collection[str]) -> None:
        """Hear of these streams from now on, and of no others."""
        self._streams = streams
        self.close()

    def wait(self, seconds: float) -> set[str]:
        """Return the streams that have something new, as soon as there is one, or after that time."""
        if self._version != self._nodes.slots.version or time.monotonic() >= self._again_at:
            self._subscribe()
        heard: set[str] = set()
        for number, _ in self._poll.poll(max(0, int(seconds * 1000))):
            heard |= self._hear(self._sockets[number])
        return heard

    def close(self) -> None:
        """Give all subscriptions up, until the next wait."""
        for socket in self._sockets.values():
            socket.close()
        self._sockets.clear()
        self._poll = select.poll()
        self._version = -1

    def _hear(self, socket: RedisSocket) -> set[str]:
        try:
            replies = socket.arrived()
        except redis.RedisError:
            self._lose()
            return set()
        heard = set()
        for reply in replies:
            if isinstance(reply, list) and reply[0] in HEARD:
                heard.add(reply[1].decode())
            else:  # an error, or the word that a slot has gone
                self._lose()
        return heard

    def _lose(self) -> None:
        """Make all subscriptions anew, by what is known of the slots then."""
        self._nodes.doubt()
        self._again_at = time.monotonic()

    def _subscribe(self) -> None:
        self.close()
        self._version = self._nodes.slots.version
        self._again_at = float("inf")
        by_node = defaultdict(list)
        for stream in self._streams:
            if node := self._nodes.slots.node_of(stream):
                by_node[node].append(stream)
        for node, streams in by_node.items():
            try:
                socket = self._nodes.connect(node)
                socket.write(packed(("SSUBSCRIBE", stream) for stream in streams))
            except redis.RedisError:
                self._nodes.doubt()
                self._again_at = time.monotonic() + AGAIN_SECONDS
            else:
                self._sockets[socket.fileno()] = socket
                self._poll.register(socket.fileno(), select.POLLIN)
