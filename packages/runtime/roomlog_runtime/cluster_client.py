"""A blocking client of a Redis Cluster, for what is asked beside the message's way.

redis-py's own repeats commands, waits longer than its caller allows, and connects when it is made. This one
sends a command to the node that has its key, follows a node that says where the key is, and leaves the rest
to its caller. Shared by threads; a lost race costs a question for the slots more.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Self

from .redis_cluster import ASK_SLOTS, Node, Redirection, SlotMap

KEYED: Final = frozenset({"XADD", "XLEN", "XRANGE", "UNLINK", "GET", "MEMORY USAGE", "SPUBLISH"})
"""Commands with a key or shard channel behind their name. All others any node answers."""


if TYPE_CHECKING:
    from redis import Redis


class Commands:
    """The methods of redis-py's clients that make a command of their arguments, and give it to one method."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        from redis.commands import CoreCommands

        return partial(getattr(CoreCommands, name), self)


class ClusterClient(Commands):
    """What `redis.Redis` is for one server, as far as it is used here."""

    def __init__(self, nodes: Sequence[Node], options: dict[str, Any]) -> None:
        """Connect nowhere yet; `options` are redis-py's, for each connection to each node."""
        self._seeds = nodes
        self._options = options
        self._clients: dict[Node, Redis] = {}
        self.slots = SlotMap()
        self._any: Redis | None = None
        """Answers what has no key, until it fails."""

    @property
    def connection_pool(self) -> Self:
        """Return what can be asked to disconnect."""
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give all connections back."""
        self.disconnect()

    def disconnect(self) -> None:
        """Give all connections and what is known of the slots up."""
        clients, self._clients, self._any, self.slots = self._clients, {}, None, SlotMap()
        for client in clients.values():
            client.close()

    def execute_command(self, *words: Any, **options: Any) -> Any:
        """Send a command to its node, or to any; return the reply.

        Raises:
            RedisError: as redis.Redis does.
        """
        from redis.exceptions import AskError, ConnectionError, MovedError  # noqa: A004 - redis-py's

        if words[0] not in KEYED:
            return self._ask_any(words, options)
        try:
            return self._client_of(words[1]).execute_command(*words, **options)  # type: ignore[no-untyped-call]
        except MovedError as moved:
            self.slots.moved(Redirection(True, moved.slot_id, (moved.host, moved.port)))
            return self._client_of(words[1]).execute_command(*words, **options)  # type: ignore[no-untyped-call]
        except AskError as asked:
            there = self._at((asked.host, asked.port)).pipeline(transaction=False)
            there.execute_command("ASKING")  # type: ignore[no-untyped-call]
            there.execute_command(*words, **options)  # type: ignore[no-untyped-call]
            return there.execute()[-1]  # deadline: the options'
        except ConnectionError:
            self.slots = SlotMap()
            raise

    def pipeline(self, transaction: bool = False) -> "ClusterPipeline":
        """Return what collects commands and sends them together, by node."""
        assert not transaction, "a transaction is of one node"
        return ClusterPipeline(self)

    def wake(self, stream: str) -> None:
        """Tell the reader of a stream that something was added: there no read waits for it."""
        self.execute_command("SPUBLISH", stream, b"")

    def pubsub(self, **options: Any) -> Any:
        """Return a subscriber on some node: each hears all that is published, but for what is sharded."""
        return self._any_client().pubsub(**options)  # type: ignore[no-untyped-call]

    def pubsub_numsub(self, *channels: str) -> list[tuple[bytes, int]]:
        """Return how many subscribe to each channel, on whatever node."""
        counts = [client.pubsub_numsub(*channels) for client in self.nodes()]
        return [(several[0][0], sum(count for _, count in several)) for several in zip(*counts, strict=True)]

    def nodes(self, primaries_alone: bool = False) -> "Iterator[Redis]":
        """Yield a client of each node."""
        self._know_slots()
        for node in sorted(self.slots.primaries if primaries_alone else self.slots.nodes):
            yield self._at(node)

    def client_for(self, words: tuple[Any, ...]) -> "Redis":
        """Return a client of the node that a command goes to, as far as it is known."""
        return self._client_of(words[1]) if words[0] in KEYED else self._any_client()

    def _client_of(self, key: str | bytes) -> "Redis":
        self._know_slots()
        node = self.slots.node_of(key)
        if node is None:
            from redis.exceptions import ConnectionError  # noqa: A004 - redis-py's

            self.slots = SlotMap()
            raise ConnectionError("no node has this key's slot")
        return self._at(node)

    def _at(self, node: Node) -> "Redis":
        client = self._clients.get(node)
        if client is None:
            from redis import Redis

            host, port = node
            client = self._clients[node] = Redis(host=host, port=port, **self._options)  # deadline: options
        return client

    def _ask_any(self, words: tuple[Any, ...], options: dict[str, Any]) -> Any:
        from redis.exceptions import ConnectionError  # noqa: A004 - redis-py's

        client = self._any_client()
        try:
            return client.execute_command(*words, **options)  # type: ignore[no-untyped-call]
        except ConnectionError:
            self._any, self.slots = None, SlotMap()
            raise

    def _any_client(self) -> "Redis":
        client = self._any
        if client is None:
            self._know_slots()
            client = self._any = self._at(random.choice(list(self.slots.primaries)))  # noqa: S311 - no secret
        return client

    def _know_slots(self) -> None:
        """Ask nodes for the slots, if they aren't known, until one answers."""
        if self.slots.primaries:
            return
        from redis.exceptions import ConnectionError, RedisError  # noqa: A004 - redis-py's

        failure: RedisError = ConnectionError("no node")
        for node in dict.fromkeys([*random.sample(self._seeds, len(self._seeds)), *self._clients]):
            try:
                answer = self._at(node).execute_command(*ASK_SLOTS)  # type: ignore[no-untyped-call]
            except RedisError as error:
                failure = error
                continue
            self.slots.learn(answer, node)
            if self.slots.primaries:
                return
        raise failure


class ClusterPipeline(Commands):
    """Commands that are sent together, each to its node."""

    def __init__(self, cluster: ClusterClient) -> None:
        self._cluster = cluster
        self._commands: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    def execute_command(self, *words: Any, **options: Any) -> Self:
        """Collect a command."""
        self._commands.append((words, options))
        return self

    def execute(self) -> list[Any]:
        """Send all, and return their replies in order.

        Raises:
            RedisError: the first of them, also where a key has just moved to another node.
        """
        by_node: defaultdict[int, list[int]] = defaultdict(list)
        clients: dict[int, Redis] = {}
        for number, (words, _) in enumerate(self._commands):
            client = self._cluster.client_for(words)
            clients[id(client)] = client
            by_node[id(client)].append(number)
        replies: dict[int, Any] = {}
        for client_id, numbers in by_node.items():
            pipeline = clients[client_id].pipeline(transaction=False)
            for number in numbers:
                words, options = self._commands[number]
                pipeline.execute_command(*words, **options)  # type: ignore[no-untyped-call]
            replies.update(zip(numbers, pipeline.execute(), strict=True))  # deadline: the options'
        return [replies[number] for number in range(len(self._commands))]
