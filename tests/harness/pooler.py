"""PgBouncer in front of a test's PostgreSQL; `session` is the mode in which a worker may work."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from roomlog_local.child import Child
from roomlog_local.command import Command
from roomlog_local.ports import LOOPBACK, free_port
from tests.harness.postgres import CONNECT_SECONDS, REQUIRED_VARIABLE, server_user

FOLDER = "/usr/sbin"
READY_SECONDS = 15.0
HOW_TO_GET_IT = "no PgBouncer here: install it (Debian: apt-get install pgbouncer)"
SETTINGS = """[databases]
* = host={server.hostname} port={server.port}
[pgbouncer]
listen_addr = {host}
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {users}
pool_mode = {mode}
default_pool_size = 60
; Else it lets 15 s pass after each failure to connect.
server_login_retry = 1
"""


def find_pooler() -> str | None:
    """Returns the program, also where Debian keeps it out of PATH; None without."""
    return shutil.which("pgbouncer", path=os.pathsep.join([os.environ["PATH"], FOLDER]))


class Pooler:
    """One PgBouncer; its address takes the place of the server's."""

    def __init__(self, url: str, mode: str = "session") -> None:
        """Starts nothing yet; `url` is the server's, `mode` PgBouncer's pool_mode."""
        program = find_pooler()
        if program is None:
            raise FileNotFoundError(HOW_TO_GET_IT)
        server, port = urlsplit(url), free_port()
        self.url = f"postgres://{server.username}@{LOOPBACK}:{port}{server.path}"
        # Not pytest's folder: that one is closed to the pooler's user.
        self._directory = Path(tempfile.mkdtemp(prefix="roomlog-pgbouncer-"))
        self._directory.chmod(0o755)
        users, settings = self._directory / "users.txt", self._directory / "pgbouncer.ini"
        users.write_text(f'"{server.username}" ""\n')
        settings.write_text(SETTINGS.format(server=server, host=LOOPBACK, port=port, users=users, mode=mode))
        command = Command("pgbouncer", (program, str(settings)), is_ready=self._answers, user=server_user())
        self._child = Child(command, self._directory / "log")

    def start(self) -> None:
        """Starts it and waits until it leads to the database."""
        self._child.start()
        self._child.wait_ready(READY_SECONDS)

    def kill(self) -> None:
        """Kills it, every connection cut."""
        self._child.kill()

    def remove(self) -> None:
        """Kills it and removes its files."""
        self.kill()
        shutil.rmtree(self._directory)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=CONNECT_SECONDS).close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def running_pooler(url: str, mode: str = "session") -> Iterator[str]:
    """Yields the address of the database behind a pooler; skips without PgBouncer, unless it is required."""
    if find_pooler() is None:
        (pytest.fail if os.environ.get(REQUIRED_VARIABLE) == "1" else pytest.skip)(HOW_TO_GET_IT)
    pooler = Pooler(url, mode)
    try:
        pooler.start()
        yield pooler.url
    finally:
        pooler.remove()
