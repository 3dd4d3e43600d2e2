"""Two installs that were given one prefix on one Redis, as a copied database is: real workers."""

from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest
import redis

from roomlog_contract.keyspace import Keyspace
from roomlog_local import command
from roomlog_local.child import Child, stop_all
from roomlog_local.ports import LOOPBACK, free_port
from tests.harness.manage import manage
from tests.harness.waiting import wait_until
from tests.processes.configuration.install import SECONDS, STOP_SECONDS
from tests.processes.configuration.servers import port_of, running_valkey

KEY = Keyspace().install_key


@pytest.fixture
def carrier(tmp_path: Path) -> Iterator[redis.Redis]:
    """The Redis of both."""
    with running_valkey(tmp_path) as client:
        yield client


@pytest.fixture
def workers(carrier: redis.Redis, tmp_path: Path) -> Iterator[tuple[Child, Child]]:
    """The worker of a database and the worker of its copy, not yet started."""
    children: list[Child] = []
    for name in ("original", "copy"):
        environ = {
            "ROOMLOG_SECRET_KEY": "k" * 50,
            "ROOMLOG_DATABASE_URL": f"sqlite:///{tmp_path}/{name}.sqlite3",
            "ROOMLOG_REDIS_URL": f"redis://{LOOPBACK}:{port_of(carrier)}/0",
        }
        if not children:
            manage(environ, "migrate", "--verbosity", "0", seconds=SECONDS)
        children.append(Child(command.worker(0, environ, free_port()), tmp_path / f"{name}.log"))
    (tmp_path / "copy.sqlite3").write_bytes((tmp_path / "original.sqlite3").read_bytes())
    try:
        yield children[0], children[1]
    finally:
        stop_all(children, STOP_SECONDS)


def why_not_ready(worker: Child) -> str:
    """Return what the readiness probe says; empty where the process does not answer yet."""
    bind = worker.command.environ["ROOMLOG_HEALTH_BIND"]
    connection = HTTPConnection(bind, timeout=5.0)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().read().decode()
    except OSError:
        return ""
    finally:
        connection.close()


def test_a_copy_s_worker_waits_until_the_original_s_is_gone(
    workers: tuple[Child, Child], carrier: redis.Redis
) -> None:
    """It owns nothing and says why; afterwards it goes to work by itself."""
    original, copy = workers
    original.start()
    original.wait_ready(SECONDS)
    claim = carrier.get(KEY)
    copy.start()
    wait_until(lambda: "in use by another database" in why_not_ready(copy), SECONDS, "the copy says why")
    assert "leases_taken" not in copy.log.read_text()
    assert "ROOMLOG_REDIS_PREFIX" in copy.log.read_text()
    assert original.command.is_ready()
    assert carrier.get(KEY) == claim
    original.kill()
    carrier.pexpire(KEY, 1)  # as it does by itself, some seconds later
    copy.wait_ready(SECONDS)
    assert "leases_taken" in copy.log.read_text()
    assert carrier.get(KEY) not in (claim, None)
