"""PgBouncer before a test's PostgreSQL, in session mode: the one in which a worker may work.

Beside the message's way. Without it on this machine `find_pooler` returns None; CI installs it.
"""

import os
import shutil
import tempfile
from pathlib import Path

import psycopg

from roomlog_local.child import Child
from roomlog_local.command import Command
from roomlog_local.ports import LOOPBACK, free_port
from tests.faults.postgres import CONNECT_SECONDS, server_user

FOLDER = "/usr/sbin"
READY_SECONDS = 15.0
HOW_TO_GET_IT = "no PgBouncer here: install it (Debian: apt-get install pgbouncer)"
SETTINGS = """[databases]
* = host={host} port={server_port}
[pgbouncer]
listen_addr = {host}
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {users}
pool_mode = session
default_pool_size = 60
; Else it lets 15 s pass after each failure to connect.
server_login_retry = 1
"""


def find_pooler() -> str | None:
    """Returns the program, also where Debian keeps it out of PATH; None without."""
    return shutil.which("pgbouncer", path=os.pathsep.join([os.environ["PATH"], FOLDER]))


class Pooler:
    """One PgBouncer; its address takes the place of the server's."""

    def __init__(self, url: str, server_port: int, user: str) -> None:
        """Starts nothing yet; `url` is the server's for this user."""
        program = find_pooler()
        if program is None:
            raise FileNotFoundError(HOW_TO_GET_IT)
        port = free_port()
        self.url = url.replace(f":{server_port}/", f":{port}/")
        # Not pytest's folder: that one is closed to the pooler's user.
        self._directory = Path(tempfile.mkdtemp(prefix="roomlog-pgbouncer-"))
        self._directory.chmod(0o755)
        users, settings = self._directory / "users.txt", self._directory / "pgbouncer.ini"
        users.write_text(f'"{user}" ""\n')
        settings.write_text(SETTINGS.format(host=LOOPBACK, port=port, server_port=server_port, users=users))
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
