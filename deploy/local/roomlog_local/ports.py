"""Free ports on the loopback address.

They are chosen before the processes start. Between choosing and using a port another program may take it:
whoever loses that race fails at its start and is started again by its supervisor. Processes that choose with
this module do not race: each holds the UDP port of the same number.
"""

import atexit
import os
import socket
from collections import deque
from itertools import count

from roomlog_local.errors import PortsTaken

LOOPBACK = "127.0.0.1"
FIRST_PORT = 20_000
PORTS = 10_000
"""Below the ports that systems give to outgoing connections (Linux from 32,768): a server that is away for a
moment must find its own port again, and not a client's connection on it."""

STEP = 100
"""Between a port and its substitutes: beyond the last of our own in its hundred."""
STEPS = 10
"""More than anybody runs beside each other on a laptop."""

HELD_PORTS = 200
"""How many of the ports that it was given a process holds, the last ones."""

_offers = count(os.getpid() * 61)
"""Never the same port twice for one process, and seldom the same for two that search at one time."""
_held: deque[socket.socket] = deque(maxlen=HELD_PORTS)


def free_port() -> int:
    """Return a port that is free now and that neither this process nor a living other one was given."""
    for _ in range(PORTS):
        port = FIRST_PORT + next(_offers) % PORTS
        if _is_free(port) and _hold(port):
            return port
    raise OSError(f"no free port from {FIRST_PORT} on")


def preferred_port(port: int) -> int:
    """Return this port, or the next free one in steps of a hundred, so that addresses stay from run to run.

    Raises:
        PortsTaken: when all of them are taken.
    """
    offers = range(port, port + STEPS * STEP, STEP)
    for offer in offers:
        if _is_free(offer):
            return offer
    raise PortsTaken(f"Ports {', '.join(map(str, offers))} are all taken by other programs; end one of them.")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: a port whose last connections are still in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def _hold(port: int) -> bool:
    """Take the UDP port of this number as a sign to other processes; return whether it was free."""
    sign = socket.socket(type=socket.SOCK_DGRAM)
    try:
        sign.bind((LOOPBACK, port))
    except OSError:
        sign.close()
        return False
    if len(_held) == HELD_PORTS:
        _held.popleft().close()
    _held.append(sign)
    return True


def _let_go() -> None:
    """Close what is held: the interpreter warns of each socket that it finds open at its end."""
    while _held:
        _held.pop().close()


atexit.register(_let_go)
