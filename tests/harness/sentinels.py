"""Redis as in production: a primary, a replica and three Sentinels.

Between gateways and workers. Keeps nothing on disk. What waits, blocks: call it by `asyncio.to_thread`.
"""

import contextlib
import shutil
import signal
import socket
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import hiredis
import redis

from roomlog_contract.keyspace import Keyspace
from roomlog_contract.shards import DEFAULT_SHARDS
from roomlog_local.child import Child, stop_all
from roomlog_local.command import Command
from roomlog_local.ports import LOOPBACK, free_port
from roomlog_local.valkey import MAX_MEMORY, answers_ping, find_server
from tests.harness.waiting import wait_stopped, wait_until

SERVICE: Final = "chat"
SERVERS: Final = 2
SENTINELS: Final = 3
QUORUM: Final = 2
DOWN_MS: Final = 1500
"""After so long without an answer a Sentinel takes a server for dead."""
FAILOVER_MS: Final = 5000
START_SECONDS: Final = 20.0
FAILOVER_SECONDS: Final = 30.0
STOP_SECONDS: Final = 10.0
ASK_SECONDS: Final = 2.0
RECEIVE_BYTES: Final = 65_536
STREAMS: Final = [Keyspace().in_stream(shard) for shard in range(DEFAULT_SHARDS)]


class RedisGroup:
    """The five processes."""

    def __init__(self, directory: Path) -> None:
        self.ports = [free_port() for _ in range(SERVERS)]
        self.sentinel_ports = [free_port() for _ in range(SENTINELS)]
        self._directory = directory
        # One thread starts all children and lives as long as they: they end with it (see Child.start).
        self._spawner = ThreadPoolExecutor(1, thread_name_prefix="redis")
        self._servers = [self._child(f"redis-{port}", self._server(port), port) for port in self.ports]
        self._sentinels = [
            self._child(f"sentinel-{port}", self._sentinel(port), port) for port in self.sentinel_ports
        ]

    def start(self) -> None:
        """Start everything and wait until the Sentinels know the primary, its replica and each other."""
        self._spawn(self._servers[0])
        self._spawn(self._servers[1], replica_of=self.ports[0])
        for sentinel in self._sentinels:
            self._spawn(sentinel)
        wait_until(self._is_settled, START_SECONDS, "a primary with a replica, known to all Sentinels")

    def url(self, database: int = 0) -> str:
        """Return the address that a process is given."""
        return sentinel_url(self.sentinel_ports, database)

    def primary_port(self) -> int:
        """Return the port that the Sentinels name now."""
        ports = set()
        for sentinel in self.sentinel_ports:
            with contextlib.suppress(redis.RedisError):
                ports.add(int(ask(sentinel, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE)[1]))
        return ports.pop() if len(ports) == 1 else 0

    def kill_primary(self) -> int:
        """Kill the primary and return its port."""
        port = self._wait_primary()
        self._servers[self.ports.index(port)].kill()
        return port

    def wait_failover(self, old_port: int) -> None:
        """Wait until another than this one is the primary and takes writes."""
        wait_until(lambda: self._is_other(old_port), FAILOVER_SECONDS, "another primary")

    def restart(self, port: int) -> None:
        """Start a dead server as a replica of whoever is the primary now."""
        self._spawn(self._servers[self.ports.index(port)], replica_of=self._wait_primary())

    def pause(self, port: int) -> None:
        """Stop a server where it stands."""
        server = self._servers[self.ports.index(port)]
        server.send_group(signal.SIGSTOP)
        wait_stopped(server.pid)

    def resume(self, port: int) -> None:
        """Let it go on."""
        self._servers[self.ports.index(port)].send_group(signal.SIGCONT)

    def flush(self) -> None:
        """Make the primary forget everything, and its replica with it."""
        ask(self._wait_primary(), "FLUSHALL")

    def wait_whole(self) -> None:
        """Wait until a primary has its replica again: only then the next one may die."""
        wait_until(self._is_settled, FAILOVER_SECONDS, "a primary with a replica")

    def wait_done(self) -> None:
        """Wait until there is one primary and it holds no command that a worker still has to write.

        A primary that was paused goes on for some ten seconds beside the one that was chosen meanwhile.
        What only it was told is done, is done again by the other, where it still waits.
        """
        self.wait_whole()
        wait_until(self._is_done, FAILOVER_SECONDS, "no command waits in Redis")

    def close(self) -> None:
        """End everything."""
        children = [*self._sentinels, *self._servers]
        for child in children:
            child.send_group(signal.SIGCONT)
        stop_all(children, STOP_SECONDS)
        self._spawner.shutdown()

    def _wait_primary(self) -> int:
        return wait_until(self.primary_port, FAILOVER_SECONDS, "the Sentinels agree on a primary")

    def _is_settled(self) -> bool:
        port = self.primary_port()
        try:
            if not port or ask(port, "ROLE")[0] != b"master":
                return False
            others = next(other for other in self.ports if other != port)
            role = ask(others, "ROLE")
            if role[0] != b"slave" or int(role[2]) != port or role[3] != b"connected":
                return False
            return all(self._knows_all(sentinel) for sentinel in self.sentinel_ports)
        except redis.RedisError:
            return False

    def _is_done(self) -> bool:
        port = self.primary_port()
        try:
            return bool(port) and not any(int(ask(port, "XLEN", stream)) for stream in STREAMS)
        except redis.RedisError:
            return False

    def _knows_all(self, sentinel: int) -> bool:
        told = ask(sentinel, "SENTINEL", "MASTER", SERVICE)
        facts = told if isinstance(told, dict) else dict(zip(told[::2], told[1::2], strict=True))
        wanted = {b"num-slaves": SERVERS - 1, b"num-other-sentinels": SENTINELS - 1}
        return facts[b"flags"] == b"master" and all(int(facts[key]) >= least for key, least in wanted.items())

    def _is_other(self, old_port: int) -> bool:
        port = self.primary_port()
        try:
            return port not in (0, old_port) and ask(port, "ROLE")[0] == b"master"
        except redis.RedisError:
            return False

    def _spawn(self, child: Child, replica_of: int = 0) -> None:
        arguments = child.command.arguments
        if replica_of:
            arguments = (*arguments, "--replicaof", f"{LOOPBACK} {replica_of}")
        plain, child.command = child.command, _with(child.command, arguments)
        self._spawner.submit(child.start).result()
        child.command = plain
        child.wait_ready(START_SECONDS)

    def _child(self, name: str, arguments: tuple[str, ...], port: int) -> Child:
        ready = Command(name=name, arguments=arguments, is_ready=lambda: answers_ping(port))
        return Child(ready, self._directory / f"{name}.log")

    def _server(self, port: int) -> tuple[str, ...]:
        return (_program(), *flags_of_server(port, self._directory))

    def _sentinel(self, port: int) -> tuple[str, ...]:
        settings = self._directory / f"sentinel-{port}.conf"
        lines = [
            f"port {port}",
            f"bind {LOOPBACK}",
            f"dir {self._directory}",
            f"sentinel monitor {SERVICE} {LOOPBACK} {self.ports[0]} {QUORUM}",
            f"sentinel down-after-milliseconds {SERVICE} {DOWN_MS}",
            f"sentinel failover-timeout {SERVICE} {FAILOVER_MS}",
            # Told of each other, as after a restart: to find each other takes them two seconds.
            f"sentinel myid {_id_of(port)}",
            f"sentinel known-replica {SERVICE} {LOOPBACK} {self.ports[1]}",
            *(
                f"sentinel known-sentinel {SERVICE} {LOOPBACK} {other} {_id_of(other)}"
                for other in self.sentinel_ports
                if other != port
            ),
        ]
        settings.write_text("\n".join(lines) + "\n")
        return (_program(), str(settings), "--sentinel")


def sentinel_url(ports: Iterable[int], database: int = 0) -> str:
    """Return the address of what the Sentinels on these ports name."""
    return f"redis+sentinel://{','.join(f'{LOOPBACK}:{port}' for port in ports)}/{SERVICE}/{database}"


def _id_of(sentinel: int) -> str:
    """Return the 40 hex digits by which the others know the Sentinel on this port."""
    return f"{sentinel:040x}"


def _with(command: Command, arguments: tuple[str, ...]) -> Command:
    return Command(name=command.name, arguments=arguments, is_ready=command.is_ready)


def _program() -> str:
    """Return Redis where it is installed, else whatever Valkey there is: either can be a Sentinel."""
    return shutil.which("redis-server") or find_server()


def ask(port: int, *words: str) -> Any:
    """Return a server's answer, or raise redis.RedisError.

    Fifty times a second while something is waited for: redis-py's connections greet, and cost ten times that.
    """
    reader = hiredis.Reader(replyError=redis.ResponseError)
    try:
        with socket.create_connection((LOOPBACK, port), ASK_SECONDS) as link:
            link.sendall(hiredis.pack_command(words))  # type: ignore[arg-type]  # its stub: tuples of one
            while (answer := reader.gets()) is False:
                received = link.recv(RECEIVE_BYTES)
                if not received:
                    raise redis.ConnectionError("closed before the answer")
                reader.feed(received)
    except OSError as error:
        raise redis.ConnectionError(str(error)) from error
    if isinstance(answer, redis.RedisError):
        raise answer
    return answer


def flags_of_server(port: int, directory: Path, more: Mapping[str, object] | None = None) -> Iterator[str]:
    """Yield the words of a server's command line that replicates and keeps nothing over its end."""
    settings: dict[str, object] = {
        "port": port,
        "bind": LOOPBACK,
        "dir": directory,
        "dbfilename": f"{port}.rdb",
        "save": "",
        "appendonly": "no",
        "maxmemory": MAX_MEMORY,
        "maxmemory-policy": "noeviction",
        "repl-diskless-sync": "yes",
        "repl-diskless-sync-delay": 0,
        **(more or {}),
    }
    for name, value in settings.items():
        yield f"--{name}"
        yield f"{value}"
