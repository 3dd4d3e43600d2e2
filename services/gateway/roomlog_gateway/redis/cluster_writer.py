"""Commands into the streams of a Redis Cluster: one ordered writer for each node.

Stage: router → worker. A node that has lost a command's slot has not executed it: the command is refused, and
those behind it go to the other node. Sent on from here it could overtake, or be overtaken.
"""

from collections.abc import Callable
from typing import Any, Final

from roomlog_contract.keyspace import Keyspace
from roomlog_runtime.redis_cluster import ASKING, Node, slot_of

from .. import metrics
from ..errors import NotAccepted
from .admission import Admission
from .cluster import Cluster, NodeSpeakers, is_sharded
from .command_writer import DOWN_RETRY_MS, CommandWriter
from .link import pack

_ASKING: Final = pack(*ASKING)


class NodeWriter(CommandWriter):
    """The writer of one node; a stream's name on the channel of that name wakes the stream's reader."""

    def __init__(
        self,
        node: Node,
        clock: Callable[[], float],
        on_refused: Callable[[int, int], None],
        admission: Admission,
        cluster: "ClusterWriter",
    ) -> None:
        super().__init__(cluster.url_of(node), clock, on_refused, admission)
        self._node = node
        self._cluster = cluster

    def add(self, stream: str, envelope: bytes, request: int, is_asked: bool = False) -> None:
        """Append a command and, if it is the first of its stream in this write, a wake-up behind it.

        It is asked for if this node has the key and not yet the slot.
        """
        is_first = stream not in self._touched
        super().add(stream, envelope, request)
        if is_asked:
            self._pending[-1] = _ASKING + self._pending[-1]
            self._requests.insert(-1, None)
        if is_first:
            self._pending[-1] += pack("SPUBLISH", stream, b"")
            self._requests.append(None)

    def forget_others(self, owner_of: Callable[[str], Node | None]) -> None:
        """Forget the sizes of streams that are on other nodes now."""
        for stream in self._gates.keys() - self._touched:
            if owner_of(stream) != self._node:
                del self._gates[stream]

    def link_up(self) -> None:
        super().link_up()
        self._cluster.show()

    def link_reply(self, reply: Any) -> None:
        if self.is_up:  # else an earlier reply of the same bytes has said that this is no primary any more
            super().link_reply(reply)

    def link_down(self) -> None:
        super().link_down()
        self._cluster.show()

    def _publish_command(self, channel: str) -> str:
        return "SPUBLISH" if is_sharded(channel) else "PUBLISH"

    def _note(self, error: str) -> None:
        self._cluster.redirected(error, self._node)
        super()._note(error)


class ClusterWriter:
    """What `CommandWriter` is for one server."""

    is_demoted: Final = False
    """A node that has become a replica names the new primary."""

    def __init__(
        self,
        cluster: Cluster,
        keyspace: Keyspace,
        clock: Callable[[], float],
        on_refused: Callable[[int, int], None],
        admission: Admission,
    ) -> None:
        self._cluster = cluster
        self._slots = {stream: slot_of(stream) for stream in keyspace.streams()}
        self._shards = {shard: keyspace.in_stream(shard) for shard in range(keyspace.shards)}
        self._nodes = NodeSpeakers(
            cluster,
            NodeWriter.name,
            lambda node: NodeWriter(node, clock, on_refused, admission, self),
        )
        self._asked: dict[int, Node] = {}
        """Slots on their way, and the node that already takes what is added."""
        self._version = 0
        self.link = cluster
        cluster.tell(self._settle)

    @property
    def is_up(self) -> bool:
        """Return True while some node takes commands."""
        return any(writer.is_up for writer in self._nodes.by_node.values())

    def url_of(self, node: Node) -> str:
        """Return the URL of one node."""
        return self._cluster.url_of(node)

    def show(self) -> None:
        """Say whether all nodes are there."""
        self._nodes.show()

    def admit(self, stream: str) -> None:
        """Look whether a command would wait too long; as `CommandWriter.admit`."""
        writer = self._writer_of(stream)
        if writer is not None:
            writer.admit(stream)

    def add(self, stream: str, envelope: bytes, request: int) -> None:
        """Append a command to a stream with its node's next write; as `CommandWriter.add`."""
        asked = self._asked.get(self._slots[stream]) if self._asked else None
        writer = self._writer_of(stream) if asked is None else self._nodes.by_node.get(asked)
        if writer is None:
            raise NotAccepted(DOWN_RETRY_MS)
        writer.add(stream, envelope, request, asked is not None)

    def publish(self, channel: str, payload: bytes) -> bool:
        """Publish what may be lost; as `CommandWriter.publish`."""
        writer = self._writer_of(channel)
        return writer is not None and writer.publish(channel, payload)

    def tick(self, now: float) -> None:
        """Sample the streams that take nothing; as `CommandWriter.tick`."""
        writers = self._nodes.by_node.values()
        metrics.SHUT_GATES.set(sum(writer.sample_shut(now) for writer in writers))

    def silent(self, now: float, seconds: float) -> frozenset[int]:
        """Return the shards whose node has said nothing for so long."""
        heard = {node: writer.link.heard_at for node, writer in self._nodes.by_node.items()}
        owners = {shard: self._cluster.slots.node_of(stream) for shard, stream in self._shards.items()}
        return frozenset(
            shard for shard, node in owners.items() if node in heard and now - heard[node] >= seconds
        )

    def redirected(self, error: str, asked: Node) -> None:
        """Take what a node's error reply says of another node."""
        to = self._cluster.moved(error, asked)
        if to is not None and not to.is_lasting:
            self._asked[to.slot] = to.node

    def _writer_of(self, name: str) -> NodeWriter | None:
        node = self._cluster.slots.node_of(name)
        return None if node is None else self._nodes.by_node.get(node)

    def _settle(self) -> None:
        """Go by the slots again, once they are others."""
        slots = self._cluster.slots
        if self._version != slots.version:
            self._version = slots.version
            self._asked.clear()
            for writer in self._nodes.by_node.values():
                writer.forget_others(slots.node_of)


Writer = CommandWriter | ClusterWriter
