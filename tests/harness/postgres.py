"""A PostgreSQL server of the tests' own: one for a session, a database for each stack.

Where messages end up. Durable as in production (fsync stays on) unless a test says that nothing of its own is
about that, on the loopback address only, and as another user where the tests are root, for the server refuses
root. Nobody's own server is touched.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import NoReturn

import psutil
import psycopg
import pytest
from psycopg import sql

from roomlog_local.child import Child, account
from roomlog_local.command import Command
from roomlog_local.ports import LOOPBACK, free_port
from tests.harness.waiting import wait_until

REQUIRED_VARIABLE = "ROOMLOG_REQUIRE_POSTGRES"
FOLDERS = "/usr/lib/postgresql"
SERVER_USERS = ("postgres", "nobody")
OWNER = "roomlog"
START_SECONDS = 30.0
STOP_SECONDS = 20.0
INITDB_SECONDS = 60.0
CONNECT_SECONDS = 5
MAX_CONNECTIONS = 100
HOW_TO_GET_IT = "no PostgreSQL server here: install one (Debian: apt-get install postgresql; macOS: brew)"


def find_binaries() -> Path | None:
    """Returns the folder of `postgres` and `initdb`: PATH's, else the newest of Debian's; None without."""
    on_path = shutil.which("postgres")
    folders = [Path(on_path).resolve().parent] if on_path else []
    newest_first = sorted(
        Path(FOLDERS).glob("*/bin"), key=lambda path: _version(path.parent.name), reverse=True
    )
    for folder in (*folders, *newest_first):
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            return folder
    return None


class PostgresServer:
    """A fresh server in a folder of its own, gone with all its data at `stop`."""

    def __init__(self, binaries: Path, *, durable: bool = True, **settings: str) -> None:
        """Starts nothing yet. Without `durable` a commit waits for no disk; `settings` are further ones."""
        self.binaries = binaries
        self._durable = durable
        self._settings = settings
        self._numbers = count(1)
        # Not pytest's folder: that one is closed to the server's user.
        self._directory = Path(tempfile.mkdtemp(prefix="roomlog-postgres-"))
        self.port = free_port()
        self._user = server_user()
        # It lives as long as the server, which ends with the thread that started it (see Child.start).
        self._spawner = ThreadPoolExecutor(1, thread_name_prefix="postgres")
        self._child = Child(self._command(), self._directory / "server.log")

    def start(self) -> None:
        """Makes the cluster and waits until it answers."""
        if self._user is not None:
            shutil.chown(self._directory, self._user)
        self._make()
        self.begin()

    def begin(self) -> None:
        """Starts the server on what it holds, whatever thread asks, and waits until it answers."""
        self._spawner.submit(self._child.start).result()
        self._child.wait_ready(START_SECONDS)

    def end(self) -> None:
        """Ends the server, its clients cut off; what it holds stays."""
        self._child.send(signal.SIGINT)  # SIGTERM would wait until the last client leaves
        self._child.wait(STOP_SECONDS)
        self._child.kill()

    def stop(self) -> None:
        """Ends the server, its clients cut off, and removes its folder."""
        self.end()
        self._spawner.shutdown()
        shutil.rmtree(self._directory)

    @property
    def child(self) -> Child:
        """The server's process, for faults."""
        return self._child

    def create(self, template: str = "template1") -> str:
        """Makes a database as a copy of a template that nobody uses now, and returns its name."""
        name = f"roomlog_{next(self._numbers)}"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        self._execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
        return name

    def drop(self, name: str) -> None:
        """Removes a database, whoever is still connected."""
        self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def url(self, name: str) -> str:
        """Returns the address of one database."""
        return f"postgres://{OWNER}@{LOOPBACK}:{self.port}/{name}"

    @property
    def data(self) -> Path:
        """The server's own folder."""
        return self._directory / "data"

    def _make(self) -> None:
        self._run("initdb", "--no-sync", "-A", "trust", "-U", OWNER, "-E", "UTF8", "-D", str(self.data))

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self.binaries / program, *arguments],
            check=True,
            capture_output=True,
            timeout=INITDB_SECONDS,
            cwd=self._directory,
            **account(self._user),
        )

    def _command(self) -> Command:
        settings = {
            "port": self.port,
            "listen_addresses": LOOPBACK,
            "unix_socket_directories": "",
            "max_connections": MAX_CONNECTIONS,
        }
        if not self._durable:
            settings |= {"fsync": "off", "full_page_writes": "off"}
        settings |= self._settings
        flags = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return Command(
            name="postgres",
            arguments=(str(self.binaries / "postgres"), "-D", str(self.data), *flags),
            is_ready=self._is_ready,
            user=self._user,
        )

    def _is_ready(self) -> bool:
        try:
            self._execute(sql.SQL("SELECT 1"))
        except psycopg.OperationalError:
            return False
        return True

    def _execute(self, statement: sql.SQL | sql.Composed) -> None:
        with psycopg.connect(
            self.url("postgres"), autocommit=True, connect_timeout=CONNECT_SECONDS
        ) as connection:
            connection.execute(statement)


def server_user() -> str | None:
    """Returns whom the server must run as: nobody else, or one of the usual users where we are root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in SERVER_USERS if name in names)


def _version(folder: str) -> float:
    try:
        return float(folder)
    except ValueError:
        return 0.0


@contextmanager
def running_postgres(*, durable: bool = True, **settings: str) -> Iterator[PostgresServer]:
    """A server meanwhile; skips where there is none, unless it is required."""
    binaries = find_binaries()
    if binaries is None:
        missing_postgres()
    server = PostgresServer(binaries, durable=durable, **settings)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def missing_postgres() -> NoReturn:
    """Says how to get a server: by skipping, or by failing where it is required."""
    if os.environ.get(REQUIRED_VARIABLE) == "1":
        pytest.fail(f"{REQUIRED_VARIABLE}=1, but {HOW_TO_GET_IT}")
    pytest.skip(HOW_TO_GET_IT)


class PostgresReplica(PostgresServer):
    """A streaming replica of another server, begun from a copy of it; it holds all of its databases."""

    def __init__(self, primary: PostgresServer, **settings: str) -> None:
        """Starts nothing yet."""
        super().__init__(primary.binaries, durable=False, **settings)
        self._primary = primary

    def pause_replay(self) -> None:
        """Shows nothing that the primary commits from now on, until `resume_replay`."""
        self._execute(sql.SQL("SELECT pg_wal_replay_pause()"))
        paused = "pg_get_wal_replay_pause_state() = 'paused'"
        wait_until(lambda: self._is(paused), START_SECONDS, "replay is paused")

    def resume_replay(self) -> None:
        """Goes on with what came meanwhile."""
        self._execute(sql.SQL("SELECT pg_wal_replay_resume()"))

    def hang(self) -> None:
        """Stops the server where it stands, with its sessions; each is a process group of its own."""
        for process in self._processes():
            process.suspend()

    def wake(self) -> None:
        """Lets a server that hangs go on."""
        for process in self._processes():
            process.resume()

    def wait_level(self) -> None:
        """Waits until it shows all that the primary has committed."""
        with psycopg.connect(self._primary.url("postgres"), connect_timeout=CONNECT_SECONDS) as primary:
            ((place,),) = primary.execute("SELECT pg_current_wal_insert_lsn()").fetchall()
        level = f"pg_last_wal_replay_lsn() >= '{place}'"
        wait_until(lambda: self._is(level), START_SECONDS, "the replica is level")

    def _make(self) -> None:
        source = ["-h", LOOPBACK, "-p", str(self._primary.port), "-U", OWNER]
        self._run("pg_basebackup", *source, "-D", str(self.data), "-R", "-c", "fast", "--no-sync")

    def _processes(self) -> list[psutil.Process]:
        server = psutil.Process(self.child.pid)
        return [server, *server.children(recursive=True)]

    def _is(self, condition: str) -> bool:
        with psycopg.connect(self.url("postgres"), connect_timeout=CONNECT_SECONDS) as connection:
            return connection.execute(f"SELECT {condition}".encode()).fetchall() == [(True,)]
