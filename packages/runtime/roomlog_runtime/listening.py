"""What a bind means: `[::]` is every address of this machine, of both families, whichever it has.

Beside the message's way, at start. It must not listen on less than was asked for without an error.
"""

import socket

from .settings import Bind

EVERYWHERE = "::"
BACKLOG = 100


def reachable(bind: Bind) -> Bind:
    """Return the bind itself, but 0.0.0.0 for `[::]` on a machine without IPv6."""
    if bind.host == EVERYWHERE and not socket.has_dualstack_ipv6():
        return Bind("0.0.0.0", bind.port)  # noqa: S104 - asked for
    return bind


def listen(bind: Bind, backlog: int = BACKLOG) -> socket.socket:
    """Return a socket that listens; `[::]` takes IPv4 too, where asyncio would take IPv6 alone.

    Raises:
        OSError: the address is taken, or not this machine's.
    """
    place = reachable(bind)
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    return socket.create_server(
        (place.host, place.port),
        family=family,
        backlog=backlog,
        dualstack_ipv6=place.host == EVERYWHERE,
    )
