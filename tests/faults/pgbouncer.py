"""A PgBouncer of the tests' own between us and a PostgreSQL server. Skips without one, unless required."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from roomlog_local.child import Child
from roomlog_local.command import Command
from roomlog_local.ports import LOOPBACK, free_port
from tests.faults.postgres import REQUIRED_VARIABLE, server_user

START_SECONDS = 15.0


@contextmanager
def pgbouncer(url: str, mode: str = "session") -> Iterator[str]:
    """Yields the address of a database behind a pooler with this `pool_mode`."""
    binary = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if binary is None:
        missing = "no PgBouncer here: apt-get install pgbouncer"
        (pytest.fail if os.environ.get(REQUIRED_VARIABLE) == "1" else pytest.skip)(missing)
    address, port = urlsplit(url), free_port()
    folder = Path(tempfile.mkdtemp(prefix="roomlog-pgbouncer-"))
    folder.chmod(0o755)
    (folder / "users.txt").write_text(f'"{address.username}" ""\n')
    settings = folder / "pgbouncer.ini"
    settings.write_text(
        f"[databases]\n* = host={address.hostname} port={address.port}\n[pgbouncer]\n"
        f"listen_addr = {LOOPBACK}\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = trust\nauth_file = {folder}/users.txt\npool_mode = {mode}\n"
    )
    pooled = f"postgres://{address.username}@{LOOPBACK}:{port}{address.path}"
    command = Command("pgbouncer", (binary, str(settings)), is_ready=_answers(pooled), user=server_user())
    pooler = Child(command, folder / "log")
    try:
        pooler.start()
        pooler.wait_ready(START_SECONDS)
        yield pooled
    finally:
        pooler.kill()
        shutil.rmtree(folder)


def _answers(url: str) -> Callable[[], bool]:
    def is_ready() -> bool:
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    return is_ready
