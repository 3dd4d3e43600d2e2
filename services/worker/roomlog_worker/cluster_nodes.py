"""The worker's sockets to the nodes of a Redis Cluster: each command goes to the node that has its key.

Below the bus. A node that refuses a command and names another has not executed it, so it goes there. A node
that can't be reached fails its own commands only, and the others are asked for the slots until another has
them.
"""

import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple, cast

import hiredis
import redis

from roomlog_runtime.redis_address import client
from roomlog_runtime.redis_cluster import ASK_SLOTS, ASKING, Node, SlotMap, node_url, redirection_of
from roomlog_runtime.redis_url import parse_redis_url

from .redis_socket import RedisSocket

TIMEOUT_SECONDS: Final = 2.0
"""For an answer: nothing blocks here."""
CONNECT_SECONDS: Final = 0.5
"""The other nodes' shards wait meanwhile."""
AGAIN_SECONDS: Final = 1.0
"""Until a node that failed is tried again."""
LEARN_SECONDS: Final = 0.1
"""Between two questions for the slots, while they are in doubt."""
ROUNDS: Final = 4
"""Of one exchange: slots may move while a redirection is followed."""

Words = tuple[str | bytes, ...]


class Command(NamedTuple):
    """A command, and what decides which node it goes to."""

    words: Words
    key: str | None = None
    """The key or channel; without one any node does, and another one where the first can't be reached."""


class _Sending(NamedTuple):
    number: int
    """Of the command in its exchange."""
    node: Node | None = None
    """Which asked for it (ASK), before it has the slot."""


class ClusterNodes:
    """One connection to each primary, used by one thread."""

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        """Connect nowhere yet."""
        self._url = url
        self._clock = clock
        self._seeds = parse_redis_url(url).hosts
        self._sockets: dict[Node, RedisSocket] = {}
        self._again_at: dict[Node, float] = {}
        """When a node that failed is tried again."""
        self._learn_at = clock()
        self._is_in_doubt = True
        self.slots = SlotMap()

    def exchange(self, commands: Sequence[Command]) -> list[object]:
        """Return the reply to each command, or the RedisError that it met."""
        replies: list[object] = [None] * len(commands)
        todo = [_Sending(number) for number in range(len(commands))]
        for _ in range(ROUNDS):
            self.learn()
            todo = self._round(commands, todo, replies)
            if not todo:
                break
        return replies

    def connect(self, node: Node) -> RedisSocket:
        """Return a new connection, logged in.

        Raises:
            redis.RedisError: the node can't be reached.
        """
        one = client(
            node_url(self._url, node),
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=CONNECT_SECONDS,
            socket_keepalive=True,
        )
        # Not the pool's: it would close it with the client, which ends here.
        connection = cast(redis.Connection, one.connection_pool.make_connection())
        connection.connect()  # type: ignore[no-untyped-call]
        return RedisSocket(connection)

    def learn(self) -> None:
        """Ask some node for the slots where they are in doubt."""
        now = self._clock()
        if not self._is_in_doubt or now < self._learn_at:
            return
        self._learn_at = now + LEARN_SECONDS
        known = [*(self.slots.nodes or self._seeds)]
        # One that is cut off from the others answers too, with what it knew: it must not stay the first.
        for node in dict.fromkeys([*random.sample(known, len(known)), *self._seeds]):
            try:
                socket = self._socket_of(node)
                socket.write(packed([ASK_SLOTS]))
                (answer,) = socket.read(1)
            except redis.RedisError:
                self._fail(node)
                continue
            self.slots.learn(answer, node)
            break
        for node in self._sockets.keys() - self.slots.primaries:
            self._drop(node)
        primaries = self.slots.primaries
        self._is_in_doubt = not primaries or bool(primaries & self._again_at.keys())

    def doubt(self) -> None:
        """Take note that slots may not be where they were."""
        self._is_in_doubt = True

    def close(self) -> None:
        """Give all connections up."""
        for node in list(self._sockets):
            self._drop(node)
        self._again_at.clear()
        self.doubt()

    def _round(
        self, commands: Sequence[Command], todo: Iterable[_Sending], replies: list[object]
    ) -> list[_Sending]:
        """Send commands and note their replies; return what is to be sent again, elsewhere."""
        by_node: defaultdict[Node, list[_Sending]] = defaultdict(list)
        for one in todo:
            key = commands[one.number].key
            node = one.node or (self._any() if key is None else self.slots.node_of(key))
            if node is None:
                replies[one.number] = redis.ConnectionError("no node has this slot")
                self.doubt()
            else:
                by_node[node].append(one)
        for node, several in by_node.items():
            self._write(node, several, commands)
        again = []
        for node, several in by_node.items():
            for one, reply in zip(several, self._replies(node, several), strict=True):
                replies[one.number] = reply
                if isinstance(reply, redis.RedisError):
                    again += self._elsewhere(one, commands[one.number], node, reply)
        return again

    def _write(self, node: Node, several: Iterable[_Sending], commands: Sequence[Command]) -> None:
        """Send commands; where that fails, the node has no socket."""
        words: list[Words] = []
        for one in several:
            words += [] if one.node is None else [ASKING]
            words.append(commands[one.number].words)
        try:
            self._socket_of(node).write(packed(words))
        except redis.RedisError:
            self._fail(node)

    def _replies(self, node: Node, several: Sequence[_Sending]) -> list[object]:
        socket = self._sockets.get(node)
        if socket is None:
            return [redis.ConnectionError("not sent")] * len(several)
        try:
            found = [socket.replies(1 if one.node is None else 2) for one in several]
        except redis.RedisError as error:
            self._fail(node)
            return [error] * len(several)
        return [replies[-1] for replies in found]

    def _elsewhere(
        self, one: _Sending, command: Command, node: Node, error: redis.RedisError
    ) -> list[_Sending]:
        """Return how to send a command again that met an error; not at all if it may have been executed."""
        if isinstance(error, redis.ResponseError):
            if to := redirection_of(str(error), node):
                if not to.is_lasting:
                    return [_Sending(one.number, to.node)]
                self.slots.moved(to)
                self.doubt()
                return [_Sending(one.number)]
            if str(error).startswith("CLUSTERDOWN"):
                self.doubt()
        is_anywhere = command.key is None and isinstance(error, redis.ConnectionError)
        return [_Sending(one.number)] if is_anywhere else []

    def _socket_of(self, node: Node) -> RedisSocket:
        socket = self._sockets.get(node)
        if socket is None:
            if self._clock() < self._again_at.get(node, 0.0):
                raise redis.ConnectionError("failed a moment ago")
            self._again_at[node] = self._clock() + AGAIN_SECONDS
            socket = self._sockets[node] = self.connect(node)
            del self._again_at[node]
        return socket

    def _fail(self, node: Node) -> None:
        if node in self._sockets:
            self._drop(node)
            self._again_at[node] = self._clock() + AGAIN_SECONDS
        self.doubt()

    def _drop(self, node: Node) -> None:
        self._sockets.pop(node).close()

    def _any(self) -> Node | None:
        """Return a primary, one that is connected if there is one."""
        return min(self.slots.primaries, key=lambda node: (node not in self._sockets, node), default=None)


def packed(commands: Iterable[Words]) -> bytes:
    """Return the bytes of commands."""
    return b"".join(cast(bytes, hiredis.pack_command(command)) for command in commands)  # type: ignore[arg-type]
