"""What the workers publish in a Redis Cluster. Stage: worker → fan-out.

Rooms' channels are sharded: each is heard from the node that has its slot, and from no other. What is for a
user or a gateway is published to all nodes and heard from any. It must not know what a payload means.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import hiredis

from roomlog_runtime.redis_cluster import Node, slot_of

from ..errors import NotSubscribed
from .cluster import AnyNodeLink, Cluster, NodeSpeakers, is_sharded
from .link import pack
from .subscriber import PayloadHandler, Subscriber

_PLAIN: Final = {b"smessage": b"message", b"ssubscribe": b"subscribe", b"sunsubscribe": b"unsubscribe"}
"""What a shard channel's pushes are called, and what the same are called elsewhere."""


class NodeSubscriber(Subscriber):
    """The shard channels that one node has."""

    name = "rooms"

    def __init__(
        self,
        node: Node,
        cluster: Cluster,
        clock: Callable[[], float],
        on_resubscribed: Callable[[], None],
        on_link: Callable[[], None],
    ) -> None:
        super().__init__(cluster.url_of(node), clock, on_resubscribed)
        self._node = node
        self._cluster = cluster
        self._on_link = on_link
        self.lost: set[bytes] = set()
        """Channels that the node has ended, because their slot is gone."""

    def adopt(self, handlers: Mapping[bytes, PayloadHandler]) -> None:
        """Subscribe to channels that were heard elsewhere; once confirmed, what was missed is looked for."""
        self._handlers.update(handlers)
        self.lost -= handlers.keys()
        if self.is_up:
            confirmed = asyncio.get_running_loop().create_future()
            confirmed.add_done_callback(lambda done: self._resubscribed((), done))
            self._send_subscribe(list(handlers), confirmed)

    def wants(self, channel: bytes) -> bool:
        """Return whether a channel is, or will be, subscribed to here."""
        return channel in self._handlers

    def release(self, channel: bytes) -> None:
        """Forget a channel whose slot the node has no longer."""
        self._handlers.pop(channel, None)
        self._confirmed.discard(channel)
        self.lost.discard(channel)

    def unsubscribe(self, channels: Iterable[str]) -> None:
        """End subscriptions; a payload that is under way is dropped."""
        keys = _by_slot(channel.encode() for channel in channels)
        for key in keys:
            self.release(key)
        if self.is_up and keys:
            self._expect(keys, None)
            self._write("SUNSUBSCRIBE", keys)

    def link_up(self) -> None:
        self.lost.clear()
        super().link_up()
        self._on_link()

    def link_down(self) -> None:
        super().link_down()
        self._on_link()

    def link_reply(self, reply: Any) -> None:
        if not self.is_up:  # an earlier reply of the same bytes has said that this is no primary any more
            return
        if isinstance(reply, hiredis.ReplyError) and self._cluster.moved(str(reply), self._node):
            self.link.cut()  # which of the channels it was is not said
            return
        if isinstance(reply, list) and len(reply) == 3:
            kind, channel, payload = reply
            if kind == b"sunsubscribe" and not self._in_flight[channel]:
                self._lose(channel)
                return
            reply = [_PLAIN.get(kind, kind), channel, payload]
        super().link_reply(reply)

    def _lose(self, channel: bytes) -> None:
        self._confirmed.discard(channel)
        if channel in self._handlers:
            self.lost.add(channel)
            self._cluster.doubt(self._node)

    def _send_subscribe(self, keys: list[bytes], confirmed: asyncio.Future[None] | None) -> None:
        keys = _by_slot(keys)
        self._expect(keys, confirmed)
        self._write("SSUBSCRIBE", keys)

    def _write(self, command: str, keys: list[bytes]) -> None:
        """Send a command for each slot: it may name channels of one slot only."""
        slots: defaultdict[int, list[bytes]] = defaultdict(list)
        for key in keys:
            slots[slot_of(key)].append(key)
        self._send(b"".join(pack(command, *several) for several in slots.values()))


class ClusterSubscriber(Subscriber):
    """All channels of this gateway: rooms' by their nodes, the others on a link to any node."""

    def __init__(
        self, cluster: Cluster, clock: Callable[[], float], on_resubscribed: Callable[[], None]
    ) -> None:
        super().__init__(cluster.url_of(cluster.any_node()), clock, on_resubscribed)
        self.link = AnyNodeLink(cluster, self, clock)
        self._cluster = cluster
        self._nodes: NodeSpeakers[NodeSubscriber] = NodeSpeakers(
            cluster,
            NodeSubscriber.name,
            lambda node: NodeSubscriber(node, cluster, clock, on_resubscribed, self._nodes.show),
        )
        self._rooms: dict[bytes, PayloadHandler] = {}
        self._places: dict[bytes, Node] = {}
        """Where each room's channel is heard."""
        self._version = 0
        cluster.tell(self._settle)

    async def subscribe(self, handlers: Mapping[str, PayloadHandler]) -> None:
        """Wait until all channels are confirmed; from there on nothing published is missed.

        Raises:
            NotSubscribed: no confirmation within 5 s; the channels stay wanted.
        """
        by_node: defaultdict[Node | None, dict[str, PayloadHandler]] = defaultdict(dict)
        for channel, handler in handlers.items():
            if is_sharded(channel):
                by_node[self._place(channel.encode(), handler)][channel] = handler
        waiting = [super().subscribe({name: one for name, one in handlers.items() if not is_sharded(name)})]
        waiting += [
            self._nodes.by_node[node].subscribe(several)
            for node, several in by_node.items()
            if node is not None
        ]
        await asyncio.gather(*waiting)  # deadline: each one's own
        if None in by_node:
            raise NotSubscribed

    def unsubscribe(self, channels: Iterable[str]) -> None:
        """End subscriptions; a payload that is under way is dropped."""
        channels = list(channels)
        super().unsubscribe(channel for channel in channels if not is_sharded(channel))
        by_node: defaultdict[Node | None, list[str]] = defaultdict(list)
        for channel in filter(is_sharded, channels):
            self._rooms.pop(channel.encode(), None)
            by_node[self._places.pop(channel.encode(), None)].append(channel)
        for node, several in by_node.items():
            if node in self._nodes.by_node:
                self._nodes.by_node[node].unsubscribe(several)

    def _place(self, channel: bytes, handler: PayloadHandler) -> Node | None:
        """Return the node that is asked for a channel; None before there is a link to it."""
        self._rooms[channel] = handler
        node = self._places.get(channel) or self._cluster.slots.node_of(channel)
        if node is None or node not in self._nodes.by_node:
            return None
        self._places[channel] = node
        return node

    def _settle(self) -> None:
        """Hear each room where its slot is now, and again what a node has ended."""
        lost = {channel for one in self._nodes.by_node.values() for channel in one.lost}
        if self._version == self._cluster.slots.version and not lost:
            return
        self._version = self._cluster.slots.version
        adopted: defaultdict[Node, dict[bytes, PayloadHandler]] = defaultdict(dict)
        for channel, handler in self._rooms.items():
            before, node = self._places.get(channel), self._cluster.slots.node_of(channel)
            if node is None or (self._nodes.by_node[node].wants(channel) and channel not in lost):
                continue
            if before in self._nodes.by_node:
                self._nodes.by_node[before].release(channel)
            self._places[channel] = node
            adopted[node][channel] = handler
        for node, handlers in adopted.items():
            self._nodes.by_node[node].adopt(handlers)


def _by_slot(keys: Iterable[bytes]) -> list[bytes]:
    """Return channels in the order in which commands by slot name them."""
    return sorted(keys, key=slot_of)
