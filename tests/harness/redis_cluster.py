"""A Redis Cluster: three primaries, a replica of each, and slots that move.

Between gateways and workers. Keeps nothing but its own table of nodes on disk. What waits, blocks: call it by
`asyncio.to_thread`.
"""

import contextlib
import signal
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import redis

from roomlog_local.child import Child, stop_all
from roomlog_local.command import Command
from roomlog_local.ports import LOOPBACK, free_port
from roomlog_local.valkey import answers_ping, find_server
from roomlog_runtime.redis_address import client
from roomlog_runtime.redis_cluster import SLOTS, slot_of
from tests.harness.sentinels import ask, flags_of_server
from tests.harness.waiting import wait_stopped, wait_until

PRIMARIES: Final = 3
DOWN_MS: Final = 2000
"""After so long without an answer a node takes another for dead; a busy machine stops one for less."""
START_SECONDS: Final = 30.0
FAILOVER_SECONDS: Final = 30.0
STOP_SECONDS: Final = 10.0
MOVED_KEYS: Final = 100
MOVE_MS: Final = 5000


class RedisCluster:
    """The six processes."""

    def __init__(
        self,
        directory: Path,
        program: str = "",
        host: str = LOOPBACK,
        more: Callable[[int], Mapping[str, object]] = lambda port: {},
    ) -> None:
        """Starts nothing yet.

        The nodes name each other, and everybody who asks, `host`; they are asked here by IPv4. `more` are
        further settings of the node on a port, and `program` is what can do them.
        """
        self._program, self._host = program or find_server(), host
        self.ports = [free_port() for _ in range(2 * PRIMARIES)]
        self._more = {port: more(port) for port in self.ports}
        self._bus_ports = {port: free_port() for port in self.ports}
        self._directory = directory
        # One thread starts all children and lives as long as they: they end with it (see Child.start).
        self._spawner = ThreadPoolExecutor(1, thread_name_prefix="cluster")
        self._nodes = {port: self._child(port) for port in self.ports}

    def start(self) -> None:
        """Start all nodes, give each primary a third of the slots and a replica, and wait until all agree."""
        for port in self.ports:
            self._spawn(port)
        primaries, replicas = self.ports[:PRIMARIES], self.ports[PRIMARIES:]
        for number, port in enumerate(primaries):
            first, end = number * SLOTS // PRIMARIES, (number + 1) * SLOTS // PRIMARIES
            ask(port, "CLUSTER", "SET-CONFIG-EPOCH", f"{number + 1}")
            ask(port, "CLUSTER", "ADDSLOTSRANGE", f"{first}", f"{end - 1}")
        for port in self.ports[1:]:
            met = f"{self.ports[0]}", f"{self._bus_ports[self.ports[0]]}"
            ask(port, "CLUSTER", "MEET", self._host, *met)
        wait_until(self._have_met, START_SECONDS, "the nodes know each other")
        for primary, replica in zip(primaries, replicas, strict=True):
            ask(replica, "CLUSTER", "REPLICATE", self._id_of(primary))
        wait_until(self._is_whole, START_SECONDS, "three primaries with a replica each")

    @property
    def pids(self) -> dict[str, int]:
        """The processes of the nodes, by name."""
        return {f"node-{port}": child.pid for port, child in self._nodes.items() if child.pid is not None}

    def url(self, login: str = "") -> str:
        """Return the address that a process is given, with `user:password@` if it logs in."""
        return f"redis+cluster://{login}{','.join(f'{LOOPBACK}:{port}' for port in self.ports)}"

    def admit(self, name: str, rules: Sequence[str]) -> str:
        """Make a user on all nodes and return the address with its login."""
        for port in self.ports:
            ask(port, "ACL", "SETUSER", name, "on", ">pw", *rules)
        return self.url(f"{name}:pw@")

    def owner_of(self, key: str) -> int:
        """Return the port of the primary that has a key, as the nodes say."""
        slot = slot_of(key)
        for port in self.ports:
            with contextlib.suppress(redis.RedisError):
                for first, last, (_, owner, *_), *_ in ask(port, "CLUSTER", "SLOTS"):
                    if first <= slot <= last and owner in self._running():
                        return int(owner)
        return 0

    def kill(self, port: int) -> None:
        """Kill a node."""
        self._nodes[port].kill()

    def wait_failover(self, dead: int) -> None:
        """Wait until all nodes that live say that every slot has a living primary."""
        wait_until(self._is_served, FAILOVER_SECONDS, f"a replica has the slots of {dead}")

    def restart(self, port: int) -> None:
        """Start a dead node: it becomes a replica of whoever has its slots."""
        self._spawn(port)

    def pause(self, port: int) -> None:
        """Stop a node where it stands."""
        self._nodes[port].send_group(signal.SIGSTOP)
        wait_stopped(self._nodes[port].pid)

    def resume(self, port: int) -> None:
        """Let it go on."""
        self._nodes[port].send_group(signal.SIGCONT)

    def move(self, stream: str) -> None:
        """Move a stream's slot to another primary, as `redis-cli --cluster reshard` does."""
        self.begin_move(stream)()

    def begin_move(self, stream: str) -> Callable[[], None]:
        """Move the keys of a stream's slot to another primary; return what moves the slot itself."""
        slot = f"{slot_of(stream)}"
        source = wait_until(lambda: self.owner_of(stream), FAILOVER_SECONDS, "an owner")
        primaries = sorted(self._primaries())
        target = primaries[(primaries.index(source) + 1) % len(primaries)]
        ask(target, "CLUSTER", "SETSLOT", slot, "IMPORTING", self._id_of(source))
        ask(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", self._id_of(target))

        def migrate() -> None:
            while keys := ask(source, "CLUSTER", "GETKEYSINSLOT", slot, f"{MOVED_KEYS}"):
                ask(source, "MIGRATE", LOOPBACK, f"{target}", "", "0", f"{MOVE_MS}", "KEYS", *keys)

        def end() -> None:
            migrate()  # what has come back meanwhile
            for port in (target, *(port for port in primaries if port != target)):
                ask(port, "CLUSTER", "SETSLOT", slot, "NODE", self._id_of(target))

        migrate()
        return end

    def wait_whole(self) -> None:
        """Wait until each primary has its replica again: only then the next one may die."""
        wait_until(self._is_whole, FAILOVER_SECONDS, "three primaries with a replica each")

    def wait_done(self, streams: Sequence[str]) -> None:
        """Wait until no command waits for a worker in any of the streams."""
        self.wait_whole()
        wait_until(lambda: self._are_empty(streams), FAILOVER_SECONDS, "no command waits in Redis")

    def close(self) -> None:
        """End everything."""
        for child in self._nodes.values():
            child.send_group(signal.SIGCONT)
        stop_all(list(self._nodes.values()), STOP_SECONDS)
        self._spawner.shutdown()

    def _running(self) -> list[int]:
        return [port for port, child in self._nodes.items() if child.is_running]

    def _primaries(self) -> set[int]:
        return {port for port in self._running() if ask(port, "ROLE")[0] == b"master"}

    def _have_met(self) -> bool:
        return all(b"cluster_known_nodes:6" in ask(port, "CLUSTER", "INFO") for port in self.ports)

    def _is_served(self) -> bool:
        try:
            return all(self._is_served_by(port) for port in self._running())
        except redis.RedisError:
            return False

    def _is_served_by(self, port: int) -> bool:
        """Return whether a node takes commands, and says that each slot has a primary that lives."""
        if b"cluster_state:ok" not in ask(port, "CLUSTER", "INFO"):
            return False
        ranges = ask(port, "CLUSTER", "SLOTS")
        slots = sum(last - first + 1 for first, last, *_ in ranges)
        primaries = self._primaries()
        return slots == SLOTS and all(primary[1] in primaries for _, _, primary, *_ in ranges)

    def _is_whole(self) -> bool:
        if not self._is_served():
            return False
        roles = {port: ask(port, "ROLE") for port in self.ports}
        followed = {role[2] for role in roles.values() if role[0] == b"slave" and role[3] == b"connected"}
        ranges = [one for port in self.ports for one in ask(port, "CLUSTER", "SLOTS")]
        is_known = all(len(nodes) > 1 for _, _, *nodes in ranges)
        primaries = {self._more[port].get("tls-port", port) for port in self._primaries()}
        return is_known and followed == primaries and len(followed) == PRIMARIES

    def _are_empty(self, streams: Sequence[str]) -> bool:
        try:
            with client(
                self.url(), socket_timeout=STOP_SECONDS, socket_connect_timeout=STOP_SECONDS
            ) as nodes:
                lengths = nodes.pipeline(transaction=False)
                for stream in streams:
                    lengths.xlen(stream)
                return not any(lengths.execute())
        except redis.RedisError:
            return False

    def _id_of(self, port: int) -> str:
        name: bytes = ask(port, "CLUSTER", "MYID")
        return name.decode()

    def _spawn(self, port: int) -> None:
        child = self._nodes[port]
        self._spawner.submit(child.start).result()
        child.wait_ready(START_SECONDS)

    def _child(self, port: int) -> Child:
        settings = {
            "cluster-enabled": "yes",
            "cluster-port": self._bus_ports[port],
            "cluster-config-file": f"nodes-{port}.conf",
            "cluster-node-timeout": DOWN_MS,
            # As docs/servers.md says: two thirds of the slots are served while a primary is dead.
            "cluster-require-full-coverage": "no",
            "cluster-replica-validity-factor": 0,
            "cluster-announce-ip": self._host,
            **self._more[port],
        }
        flags = flags_of_server(port, self._directory, settings)
        ready = Command(
            name=f"node-{port}", arguments=(self._program, *flags), is_ready=lambda: answers_ping(port)
        )
        return Child(ready, self._directory / f"node-{port}.log")
