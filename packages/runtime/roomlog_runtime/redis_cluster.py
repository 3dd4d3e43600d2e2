"""Which node of a Redis Cluster has which slot, and the address of each node. Pure.

No stage of the message's way: gateway, worker and api each keep a map of slots of their own. It must not
connect: who keeps a map asks the nodes, and says here what they answered.
"""

import re
from binascii import crc_hqx
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from .redis_url import parse_redis_url

SLOTS: Final = 16_384
ASK_SLOTS: Final = ("CLUSTER", "SLOTS")
"""Answered with ranges of slots, each with its primary and the replicas of it."""
ASKING: Final = ("ASKING",)
"""Before a command that a node refused with ASK: the other node has the key, but not yet the slot."""
_REDIRECTION: Final = re.compile(r"(MOVED|ASK) (\d+) (.*):(\d+)")

Node = tuple[str, int]
"""Host and port."""


class Redirection(NamedTuple):
    """An error reply that names the right node; the command was not executed."""

    is_lasting: bool
    """The slot has moved. Else only this key has, and the slot is on its way."""
    slot: int
    node: Node


def is_cluster(url: str) -> bool:
    """Return True if a URL names nodes of a Cluster; raises SettingError as `parse_redis_url` does."""
    return parse_redis_url(url).is_cluster


def node_url(url: str, node: Node) -> str:
    """Return the URL of one node, as that of a single server, with the login and TLS of the Cluster's."""
    scheme, _, rest = url.partition("://")
    place, mark, query = rest.partition("?")
    login, at, _ = place.rstrip("/").rpartition("@")
    host = f"[{node[0]}]" if ":" in node[0] else node[0]
    return f"{scheme.removesuffix('+cluster')}://{login}{at}{host}:{node[1]}/0{mark}{query}"


def slot_of(name: str | bytes) -> int:
    """Return the slot of a key or channel: of what stands in its first braces, or of all of it."""
    key = name.encode() if isinstance(name, str) else name
    start = key.find(b"{") + 1
    end = key.find(b"}", start)
    return crc_hqx(key[start:end] if start and end > start else key, 0) % SLOTS


def redirection_of(error: str, asked: Node) -> Redirection | None:
    """Return what a node's error reply says of another node; None if it says something else."""
    found = _REDIRECTION.fullmatch(error)
    if found is None:
        return None
    kind, slot, host, port = found.groups()
    return Redirection(kind == "MOVED", int(slot), (host or asked[0], int(port)))


class SlotMap:
    """What is known of the slots; each change makes `version` another."""

    def __init__(self) -> None:
        self.version = 0
        self.nodes: frozenset[Node] = frozenset()
        """Primaries and replicas."""
        self.primaries: frozenset[Node] = frozenset()
        """The nodes that have slots."""
        self._owners: Mapping[int, Node] = {}

    @property
    def count(self) -> int:
        """Return how many slots have a node."""
        return len(self._owners)

    def node_of(self, name: str | bytes) -> Node | None:
        """Return the node that has a key or channel; None if it is not known."""
        return self._owners.get(slot_of(name))

    def learn(self, answer: Any, asked: Node) -> None:
        """Take a node's answer to `ASK_SLOTS`."""
        owners: dict[int, Node] = {}
        nodes: set[Node] = set()
        for first, last, *places in answer:
            here = [_node(place, asked) for place in places]
            nodes.update(here)
            owners.update(dict.fromkeys(range(first, last + 1), here[0]))
        if owners and (owners != self._owners or nodes != self.nodes):
            self._change(owners, nodes)

    def moved(self, to: Redirection) -> None:
        """Take it that a slot has moved."""
        if self._owners.get(to.slot) != to.node:
            self._change({**self._owners, to.slot: to.node}, self.nodes | {to.node})

    def _change(self, owners: Mapping[int, Node], nodes: Iterable[Node]) -> None:
        self._owners, self.nodes, self.primaries = owners, frozenset(nodes), frozenset(owners.values())
        self.version += 1


def _node(place: Any, asked: Node) -> Node:
    """Return a node's address; one that knows no name of its own is the one that was asked."""
    host = place[0].decode() if isinstance(place[0], bytes) else place[0]
    return (host if host and host != "?" else asked[0]), int(place[1])
