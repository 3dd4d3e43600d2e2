"""A Redis server in every dress: TLS, a socket file, IPv6, a user whose password must be encoded.

For the tests of the configuration only. Loopback, nothing on disk, gone when the context ends.
"""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
import redis

from roomlog_local.ports import LOOPBACK, free_port
from roomlog_local.valkey import find_server
from tests.harness.waiting import wait_until

PASSWORD: Final = ":/?#[]@!$&'()*+,;=%-._~ü"
"""Every reserved character of RFC 3986, and what else one meets."""
USER: Final = "room:log@x"
START_SECONDS: Final = 15.0
REQUIRED_VARIABLE: Final = "ROOMLOG_REQUIRE_TLS_REDIS"
RIGHT: Final = ("--maxmemory", "64mb", "--maxmemory-policy", "noeviction")
"""Settings with which the doctor finds nothing wrong."""


def tls_server() -> str:
    """Return a redis-server that can do TLS; the wheel's Valkey can't. Skips without one, unless required."""
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found and shutil.which("openssl") and _does_tls(found):
        return found
    missing = "no redis-server with TLS and openssl here; Debian: apt-get install redis-server openssl"
    if os.environ.get(REQUIRED_VARIABLE) == "1":
        pytest.fail(f"{REQUIRED_VARIABLE}=1, but {missing}")
    pytest.skip(missing)


@contextmanager
def running(binary: str, words: Sequence[str], place: redis.Redis) -> Iterator[None]:
    """Run a server until the context ends; it is there when it answers."""
    with subprocess.Popen([binary, *words], stdout=subprocess.DEVNULL) as process, place:
        try:
            wait_until(lambda: _answers(place), START_SECONDS, "the server answers")
            yield
        finally:
            process.kill()


@contextmanager
def running_valkey(folder: Path, *words: str) -> Iterator[redis.Redis]:
    """Run Valkey on a free port, with further words of its command line, and yield its owner's client."""
    port = free_port()
    client = redis.Redis(port=port, socket_timeout=5.0, protocol=2)
    place = ("--port", str(port), "--bind", LOOPBACK, "--dir", str(folder))
    with running(find_server(), (*place, *words), client):
        yield client


def port_of(client: redis.Redis) -> int:
    """Return the port that the client connects to."""
    return int(client.connection_pool.connection_kwargs["port"])


@contextmanager
def server(folder: Path, binary: str) -> Iterator[dict[str, int]]:
    """Run one server with everything on: yields its ports, plain and TLS; its socket file is `folder`/s."""
    ports = {"plain": free_port(), "tls": free_port()}
    make_certificates(folder)
    (folder / "users.acl").write_text(
        f"user default off\nuser {USER} on >{PASSWORD} ~* &* +@all\nuser quick on nopass ~* &* +@all\n"
    )
    words = [
        f"--port {ports['plain']}", f"--tls-port {ports['tls']}", f"--bind {LOOPBACK} ::1",
        f"--unixsocket {folder}/s", f"--aclfile {folder}/users.acl", f"--dir {folder}", "--save ''",
        f"--tls-cert-file {folder}/server.crt", f"--tls-key-file {folder}/server.key",
        f"--tls-ca-cert-file {folder}/ca.crt", "--tls-auth-clients optional",
    ]  # fmt: skip
    config = folder / "server.conf"
    config.write_text("\n".join(word.removeprefix("--") for word in words).replace("''", '""'))
    asked = redis.Redis(port=ports["plain"], username="quick", password="any", socket_timeout=1.0)
    with running(binary, [str(config)], asked):
        yield ports


def make_certificates(folder: Path, names: str = "IP:127.0.0.1,DNS:localhost") -> None:
    """Make an authority, a server's certificate for these names, and a client's."""
    _openssl(folder, "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=ca -keyout ca.key -out ca.crt")
    for name in ("server", "client"):
        _openssl(folder, f"req -newkey rsa:2048 -nodes -subj /CN={name} -keyout {name}.key -out {name}.csr")
        (folder / "names").write_text(f"subjectAltName={names}")
        _openssl(
            folder,
            f"x509 -req -in {name}.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile names"
            f" -out {name}.crt",
        )


def has_ipv6() -> bool:
    """Tell whether this machine has the loopback address of IPv6."""
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def _openssl(folder: Path, words: str) -> None:
    subprocess.run(["openssl", *words.split()], cwd=folder, check=True, capture_output=True, timeout=60)


def _answers(place: redis.Redis) -> bool:
    try:
        return bool(place.ping())
    except (redis.exceptions.RedisError, OSError):
        return False


def _does_tls(binary: str) -> bool:
    ldd = subprocess.run(["ldd", binary], capture_output=True, text=True, timeout=10, check=False)
    return "libssl" in ldd.stdout
