"""The measured systems as real processes: Roomlog and its peers on one PostgreSQL server and a Valkey each.

Around the load. Every system gets a fresh database and an empty Valkey, started with the same options, and
one process for each of its kinds: Roomlog a gateway and a worker, a peer one server. What is running is
told by process, so that memory and CPU can be read from outside. Nothing here loads anything.
"""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain, count, islice
from pathlib import Path
from typing import Protocol

from benchmarks.wires import Member
from roomlog_local.child import Child, stop_all
from roomlog_local.command import Command
from roomlog_local.ports import LOOPBACK, free_port
from roomlog_local.valkey import valkey
from tests.harness.postgres import HOW_TO_GET_IT, PostgresServer, find_binaries
from tests.harness.stack import UNHURRIED, Stack, User, build_stack
from tests.harness.stack_databases import PostgresDatabases

PEERS = Path(__file__).with_name("peers")
BUILT = Path(__file__).parent.parent / ".roomlog" / "peers"
"""What `make bench` makes of them."""
PEERS_PYTHON = BUILT / "bin" / "python"
CENTRIFUGE_SERVER = BUILT / "centrifuge"
READY_SECONDS = 30.0
STOP_SECONDS = 20.0
MIGRATE_SECONDS = 60.0
PROBE_SECONDS = 1.0
MADE_AT_ONCE = 1_000
"""People: the populator has a deadline for each question."""


class System(Protocol):
    """One system, from its start to its end."""

    wire: str
    """The name of its dialect in `benchmarks.wires`."""

    def start(self) -> None:
        """Start it and wait until it is ready."""

    def address(self) -> str:
        """Where its clients connect."""

    def rooms(self, sizes: Sequence[int]) -> list[list[Member]]:
        """Make rooms of so many members, used by nobody before."""

    def pids(self) -> dict[str, int]:
        """The main process of each part that is its own; not PostgreSQL and not Valkey."""

    def valkey_pid(self) -> int:
        """The main process of its Valkey."""

    def stop(self) -> None:
        """End it, its data thrown away."""


class Roomlog:
    """Roomlog: one gateway and one worker, unless more are wanted."""

    wire = "roomlog"

    def __init__(
        self,
        directory: Path,
        databases: PostgresDatabases,
        environ: Mapping[str, str] | None = None,
        *,
        gateways: int = 1,
        workers: int = 1,
    ) -> None:
        environ = UNHURRIED | dict(environ or {})
        self._stack: Stack = build_stack(
            directory, databases, gateways=gateways, workers=workers, environ=environ
        )

    def start(self) -> None:
        """Start Valkey first, then the rest, which may ask for it while it starts."""
        self._stack.start("valkey")
        self._stack.start()

    def address(self, gateway: int = 0) -> str:
        """A gateway's address."""
        return self._stack.websocket(gateway)

    def rooms(self, sizes: Sequence[int], others: int = 0) -> list[list[Member]]:
        """Make users with tokens and rooms with these members; each is in so many others of such sizes."""
        wanted = sum(sizes)
        made = (
            self._stack.make_users(min(MADE_AT_ONCE, wanted - start))
            for start in range(0, wanted, MADE_AT_ONCE)
        )
        people = list(chain.from_iterable(made))
        rooms = self._stack.make_rooms(_dealt(people, sizes))
        dice = random.Random(1)
        for _ in range(others):
            self._stack.make_rooms(_dealt(dice.sample(people, len(people)), sizes))
        return [
            [Member(room=room.id, user=user.id, token=user.token) for user in room.members] for room in rooms
        ]

    def pids(self) -> dict[str, int]:
        """The gateways' gunicorns and the workers."""
        return {name: self._pid(name) for name in self._stack.names if name != "valkey"}

    def valkey_pid(self) -> int:
        """The stack's Valkey."""
        return self._pid("valkey")

    def counted(self) -> float:
        """The commands that the gateway has counted."""
        return self._stack.metrics("gateway-0").total("roomlog_gateway_commands_total")

    def stop(self) -> None:
        """End all processes."""
        self._stack.close()

    def _pid(self, name: str) -> int:
        pid = self._stack.child(name).pid
        assert pid is not None
        return pid


@contextmanager
def postgres_server(*, durable: bool = True, **settings: str) -> Iterator[PostgresServer]:
    """Run a PostgreSQL server with these settings; where there is none to run, say how to get it and end."""
    binaries = find_binaries()
    if binaries is None:
        sys.exit(HOW_TO_GET_IT)
    server = PostgresServer(binaries, durable=durable, **settings)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def names_here() -> list[str]:
    """Return the systems that can be started here: centrifuge only where it was built."""
    return [name for name in NAMES if name != "centrifuge" or CENTRIFUGE_SERVER.exists()]


@contextmanager
def roomlog_alone(name: str, redis_url: str = "") -> Iterator[Roomlog]:
    """Run Roomlog, with a PostgreSQL server of its own, for the benchmark of this name."""
    environ = {"ROOMLOG_REDIS_URL": redis_url} if redis_url else {}
    with tempfile.TemporaryDirectory(prefix=f"roomlog-{name}-") as directory, postgres_server() as server:
        system = Roomlog(Path(directory) / "stack", PostgresDatabases(server), environ)
        try:
            system.start()
            yield system
        finally:
            system.stop()


class Peer:
    """A peer: one server process, Valkey and a database."""

    wire = "peer"

    def __init__(self, name: str, directory: Path, server: PostgresServer, python: Path) -> None:
        directory.mkdir(parents=True)
        self._name = name
        self._server = server
        self._database = server.create()
        self._python = str(python)
        self._numbers = count(1)
        self._port, redis_port = free_port(), free_port()
        self._environ = {
            "PEER_DATABASE_URL": server.url(self._database),
            "PEER_REDIS_URL": f"redis://{LOOPBACK}:{redis_port}/0",
            "PYTHONPATH": str(PEERS / "channels_chat"),
        }
        self._valkey = Child(valkey(redis_port, directory), directory / "valkey.log")
        command = Command(name, self._command(), self._environ, is_ready=lambda: listens(self._port))
        self._peer = Child(command, directory / f"{name}.log")

    def start(self) -> None:
        """Start Valkey, make the tables, start the server."""
        self._valkey.start()
        self._valkey.wait_ready(READY_SECONDS)
        if self._name == "channels":
            subprocess.run(
                [self._python, PEERS / "channels_chat" / "manage.py", "migrate", "--verbosity", "0"],
                env={**os.environ, **self._environ},
                check=True,
                timeout=MIGRATE_SECONDS,
            )
        self._peer.start()
        self._peer.wait_ready(READY_SECONDS)

    def address(self) -> str:
        """The server's address."""
        return f"ws://{LOOPBACK}:{self._port}"

    def rooms(self, sizes: Sequence[int]) -> list[list[Member]]:
        """Name rooms: a peer's room is there as soon as somebody connects to it."""
        users = count(1)
        return [
            [Member(room=name, user=next(users), token="") for _ in range(size)]
            for name, size in ((f"room{next(self._numbers)}", size) for size in sizes)
        ]

    def pids(self) -> dict[str, int]:
        """The one server."""
        assert self._peer.pid is not None
        return {self._name: self._peer.pid}

    def valkey_pid(self) -> int:
        """The peer's Valkey."""
        assert self._valkey.pid is not None
        return self._valkey.pid

    def stop(self) -> None:
        """End both processes and drop the database."""
        stop_all([self._peer], STOP_SECONDS)
        stop_all([self._valkey], STOP_SECONDS)
        self._server.drop(self._database)

    def _command(self) -> tuple[str, ...]:
        return (self._python, *ARGUMENTS[self._name](self._port))


class Centrifuge(Peer):
    """The server on Centrifugo's library, which is told each room's tokens before they are used."""

    wire = "centrifuge"

    def __init__(self, directory: Path, server: PostgresServer) -> None:
        super().__init__("centrifuge", directory, server, PEERS_PYTHON)

    def rooms(self, sizes: Sequence[int]) -> list[list[Member]]:
        """Name rooms and give everybody a token."""
        rooms = super().rooms(sizes)
        tokens: dict[str, str] = {}
        for room in rooms:
            for member in room:
                member["token"] = f"{member['room']}-{member['user']}"
                tokens[member["token"]] = member["room"]
        body = json.dumps(tokens).encode()
        address = f"http://{LOOPBACK}:{self._port}/people"
        urllib.request.urlopen(address, body, timeout=READY_SECONDS).close()
        return rooms

    def _command(self) -> tuple[str, ...]:
        return (str(CENTRIFUGE_SERVER), "--address", f"{LOOPBACK}:{self._port}")


def _dealt(people: Sequence[User], sizes: Sequence[int]) -> list[list[User]]:
    """Return groups of these sizes, in order."""
    rest = iter(people)
    return [list(islice(rest, size)) for size in sizes]


def _classic(form: str) -> Callable[[int], tuple[str, ...]]:
    server = str(PEERS / "classic" / "server.py")
    return lambda port: (server, "--port", str(port), "--subscription", form)


ARGUMENTS: dict[str, Callable[[int], tuple[str, ...]]] = {
    "channels": lambda port: ("-m", "daphne", "-b", LOOPBACK, "-p", str(port), "mysite.asgi:application"),
    "classic": _classic("socket"),
    "shared": _classic("process"),
}
"""What each peer's interpreter is started with."""

NAMES = ("roomlog", *ARGUMENTS, "centrifuge")


def make_system(
    name: str, directory: Path, databases: PostgresDatabases, python: Path = PEERS_PYTHON
) -> System:
    """Return one system, not started; `python` is the interpreter that has the peers' packages."""
    if name == "roomlog":
        return Roomlog(directory, databases)
    if name == "centrifuge":
        return Centrifuge(directory, databases.server)
    return Peer(name, directory, databases.server, python)


def listens(port: int) -> bool:
    """Say whether something accepts connections on the port."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=PROBE_SECONDS).close()
    except OSError:
        return False
    return True
