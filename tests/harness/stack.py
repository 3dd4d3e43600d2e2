"""A whole Roomlog of real processes on free loopback ports, for one test: start, break, look, end.

Around the message's way. The same commands as everywhere, from roomlog_local; ended by their ids. What waits,
blocks: an asynchronous test calls it by `asyncio.to_thread` where its clients must go on meanwhile.
"""

import signal
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

from roomlog_contract.shards import DEFAULT_SHARDS
from roomlog_local import command
from roomlog_local.child import Child, stop_all
from roomlog_local.command import Command
from roomlog_local.ports import LOOPBACK, free_port
from roomlog_local.valkey import find_server, valkey
from roomlog_runtime.shards_setting import VARIABLE
from tests.harness.joining import Invitations, new_invitations, tokens_of
from tests.harness.often_polling import often_polling
from tests.harness.populator import Populator
from tests.harness.samples import Samples, scrape
from tests.harness.stack_databases import SECRET_KEY, Database, Databases, Row, spread
from tests.harness.waiting import wait_stopped

READY_SECONDS = 30.0
STOP_SECONDS = 20.0
POPULATOR = Populator()
TRACEBACK = "Traceback (most recent call last)"
STAGES = ("valkey", "worker", "gateway", "api")
"""The order of the start; the end is the other way round."""
UNHURRIED = {"ROOMLOG_MAX_ACCEPTS_PER_SECOND": "100000"}
"""For tests that connect once a case: how fast is not their question."""


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who can authenticate."""

    id: int
    name: str
    token: str


@dataclass(frozen=True, slots=True)
class Room:
    """A room and its members as they were when it was made."""

    id: str
    """32 hex digits."""
    name: str
    members: tuple[User, ...]


@dataclass(slots=True)
class Ports:
    """Where one process listens; 0 where it doesn't."""

    service: int = 0
    health: int = 0


@dataclass(slots=True)
class Part:
    """One process of the stack, running or not."""

    child: Child
    ports: Ports
    environ: dict[str, str] = field(default_factory=dict)
    """What it sees besides the shared settings; a change counts from its next start on."""


class Stack:
    """Valkey, workers, gateways and perhaps an api on one database."""

    def __init__(self, directory: Path, database: Database, environ: Mapping[str, str] | None = None) -> None:
        """Starts nothing yet; `environ` is seen by all processes."""
        self.directory = directory
        self.database = database
        self._parts: dict[str, Part] = {}
        self._numbers = count(1)
        # One thread starts all children and lives as long as the stack: they end with it (see Child.start).
        self._spawner = ThreadPoolExecutor(1, thread_name_prefix="stack")
        redis_port = free_port()
        self.redis_url = f"redis://{LOOPBACK}:{redis_port}/0"
        self.environ = {
            "ROOMLOG_DATABASE_URL": database.url,
            "ROOMLOG_REDIS_URL": self.redis_url,
            "ROOMLOG_SECRET_KEY": SECRET_KEY,
            "ROOMLOG_LOG_FORMAT": "json",
            **(environ or {}),
        }
        self._add(valkey(redis_port, directory, server=find_server()), Ports(service=redis_port))

    @property
    def names(self) -> list[str]:
        """The names of all processes: valkey, worker-0 …, gateway-0 …, api."""
        return list(self._parts)

    def add_worker(self, ordinal: int, **environ: str) -> str:
        """Adds a worker, not yet started, and returns its name."""
        ports = Ports(health=free_port())
        return self._add(command.worker(ordinal, self.environ, ports.health), ports, environ)

    def add_gateway(self, number: int, polls_often: bool = False, /, **environ: str) -> str:
        """Adds a gateway, not yet started, and returns its name."""
        ports = Ports(service=free_port(), health=free_port())
        gateway = command.gateway(f"gateway-{number}", self.environ, ports.service, ports.health)
        return self._add(often_polling(gateway) if polls_often else gateway, ports, environ)

    def add_api(self, **environ: str) -> str:
        """Adds the api, not yet started, and returns its name."""
        ports = Ports(service=free_port(), health=free_port())
        return self._add(command.api(self.environ, ports.service, ports.health), ports, environ)

    def child(self, name: str) -> Child:
        """The process of this name."""
        return self._parts[name].child

    def websocket(self, number: int = 0) -> str:
        """The address that clients of this gateway connect to."""
        return f"ws://{LOOPBACK}:{self._parts[f'gateway-{number}'].ports.service}/ws"

    @property
    def page(self) -> str:
        """The address of the api, without a path."""
        return f"http://{LOOPBACK}:{self._parts['api'].ports.service}"

    def health(self, name: str) -> str:
        """The address of a process's probes and metrics, without a path."""
        return f"http://{LOOPBACK}:{self._parts[name].ports.health}"

    def start(self, *names: str) -> None:
        """Starts these processes together, or all that don't run, and waits until they are ready."""
        chosen = names or [name for name, part in self._parts.items() if not part.child.is_running]
        for name in chosen:
            self.spawn(name)
        for name in chosen:
            self.child(name).wait_ready(READY_SECONDS)

    def spawn(self, name: str, **environ: str) -> None:
        """Starts one process and does not wait; `environ` is seen by this start and no later one."""
        part = self._parts[name]
        self._spawner.submit(part.child.start, {**part.environ, **environ}).result()

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Sends a signal; SIGKILL reaches all that the process started, and is waited for."""
        if number == signal.SIGKILL:
            self.child(name).kill()
        else:
            self.child(name).send(number)

    def stop(self, name: str, seconds: float = STOP_SECONDS) -> None:
        """Ends a process in the orderly way, as a rollout does, and waits for it."""
        assert not stop_all([self.child(name)], seconds), f"{name} did not stop in {seconds:g} s"

    def restart(self, name: str) -> None:
        """Ends a process in the orderly way and starts it again."""
        self.stop(name)
        self.start(name)

    def pause(self, name: str) -> None:
        """Stops a process where it stands (SIGSTOP), with all that it holds."""
        self.child(name).send_group(signal.SIGSTOP)
        wait_stopped(self.child(name).pid)

    def resume(self, name: str) -> None:
        """Lets a paused process go on."""
        self.child(name).send_group(signal.SIGCONT)

    def restart_valkey_empty(self) -> None:
        """Kills Valkey and starts it again with nothing in it, on the same port."""
        self.kill("valkey")
        self.start("valkey")

    def sql(self, statement: str, *parameters: object) -> list[Row]:
        """Runs one statement against the database, with %s for parameters, and returns its rows."""
        return self.database.query(statement, parameters)

    def metrics(self, name: str) -> Samples:
        """What the process's metrics say now."""
        return scrape(self._parts[name].ports.health)

    def logs(self) -> dict[str, str]:
        """All that each process ever wrote."""
        existing = {name: part.child.log for name, part in self._parts.items() if part.child.log.exists()}
        return {name: log.read_text(errors="replace") for name, log in existing.items()}

    def assert_no_traceback(self) -> None:
        """Fails with the first traceback of any log."""
        for name, text in self.logs().items():
            place = text.find(TRACEBACK)
            assert place < 0, f"{name} wrote a traceback:\n{text[max(0, place - 500) : place + 4000]}"

    def make_users(self, number: int) -> list[User]:
        """Makes users with tokens, straight in the database."""
        names = [f"user{next(self._numbers)}" for _ in range(number)]
        return [User(**user) for user in self._populate({"users": names, "rooms": []})["users"]]

    def make_rooms(
        self, members: Sequence[Sequence[User]], kind: str = "group", ids: Sequence[str] = ()
    ) -> list[Room]:
        """Makes one room for each list of members, straight in the database, with empty logs.

        The rooms have these ids, 32 hex digits each, or fresh ones.
        """
        ids = ids or [uuid4().hex for _ in members]
        rooms = [
            Room(room, f"room{next(self._numbers)}", tuple(users))
            for room, users in zip(ids, members, strict=True)
        ]
        asked = [
            {"id": room.id, "name": room.name, "kind": kind, "members": [user.id for user in room.members]}
            for room in rooms
        ]
        self._populate({"users": [], "rooms": asked})
        return rooms

    def invite(self, rooms: Iterable[Room]) -> Invitations:
        """Makes invitations to each room, and returns their tokens."""
        invitations = new_invitations(rooms)
        self._populate({"users": [], "rooms": [], "invitations": invitations})
        return tokens_of(invitations)

    def close(self) -> list[str]:
        """Ends everything, throws the database away, and returns the names that did not stop when asked."""
        late: list[Child] = []
        for stage in reversed(STAGES):
            children = [part.child for name, part in self._parts.items() if name.split("-")[0] == stage]
            for child in children:
                child.send_group(signal.SIGCONT)
            late += stop_all(children, STOP_SECONDS)
        self._spawner.shutdown()
        self.database.remove()
        return [child.command.name for child in late]

    def _add(self, new: Command, ports: Ports, environ: Mapping[str, str] | None = None) -> str:
        child = Child(new, self.directory / f"{new.name}.log")
        self._parts[new.name] = Part(child, ports, dict(environ or {}))
        return new.name

    def _populate(self, wanted: dict[str, Any]) -> dict[str, Any]:
        return POPULATOR.make(self.database.url, SECRET_KEY, wanted)


def build_stack(
    directory: Path,
    databases: Databases,
    *,
    gateways: int = 1,
    workers: int = 1,
    api: bool = False,
    polls_often: bool = False,
    shards: int = DEFAULT_SHARDS,
    environ: Mapping[str, str] | None = None,
) -> Stack:
    """Returns a stack of so many processes on a fresh database, nothing started; it must be closed."""
    directory.mkdir(parents=True)
    database = databases.fresh(directory)
    if shards != DEFAULT_SHARDS:
        spread(database, shards)
        environ = {VARIABLE: str(shards), **(environ or {})}
    stack = Stack(directory, database, environ)
    for ordinal in range(workers):
        stack.add_worker(ordinal)
    for number in range(gateways):
        stack.add_gateway(number, polls_often)
    if api:
        stack.add_api()
    return stack


@contextmanager
def running_stack(directory: Path, databases: Databases, **wanted: Any) -> Iterator[Stack]:
    """Give a stack that several tests share: at its end no log has a traceback and all end when asked."""
    stack = build_stack(directory, databases, **wanted)
    try:
        stack.start()
        yield stack
        stack.assert_no_traceback()
    finally:
        late = stack.close()
    assert late == []


MakeStack = Callable[..., Stack]
"""The fixture `make_stack`: `build_stack` on a fresh database, started, and closed after the test."""
