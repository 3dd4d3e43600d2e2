"""Free ports on the loopback address.

Before the processes start. Between finding and using a port somebody else may take it: whoever loses that
race fails at its start and is started again by its supervisor.
"""

import socket

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """Returns a port that the system says is free."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def preferred_port(port: int) -> int:
    """Returns this port where it is free, so that addresses stay the same from run to run, else another."""
    with socket.socket() as probe:
        # As servers do: a port whose last connections are still in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return free_port()
        return port
