"""Free ports on the loopback address.

Before the processes start. Between finding and using a port somebody else may take it: whoever loses that
race fails at its start and is started again by its supervisor.
"""

import os
import socket
from itertools import count

LOOPBACK = "127.0.0.1"
FIRST_PORT = 20_000
PORTS = 10_000
"""Below the ports that systems give to outgoing connections (Linux from 32,768): a server that is away for a
moment must find its own port again, and not a client's connection on it."""

_offers = count(os.getpid() * 61)
"""Never the same port twice for one process, and seldom the same for two that search at one time."""


def free_port() -> int:
    """Returns a port that is free now and that this process was not given before."""
    for _ in range(PORTS):
        port = FIRST_PORT + next(_offers) % PORTS
        if _is_free(port):
            return port
    raise OSError(f"no free port from {FIRST_PORT} on")


def preferred_port(port: int) -> int:
    """Returns this port where it is free, so that addresses stay the same from run to run, else another."""
    return port if _is_free(port) else free_port()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: a port whose last connections are still in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True
