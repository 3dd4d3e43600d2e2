"""Free ports: kept where they can be, never given twice, never one that a client could be sitting on."""

import socket
import subprocess
import sys

import pytest

from roomlog_local import ports
from roomlog_local.errors import PortsTaken
from roomlog_local.ports import LOOPBACK, STEP, free_port, preferred_port

FIRST_CLIENT_PORT = 32_768
SEARCH_FROM = """
import sys
from itertools import count
from roomlog_local import ports
ports._offers = count(int(sys.argv[1]) - ports.FIRST_PORT)
print(ports.free_port())
"""


def test_a_taken_port_has_the_same_substitute_each_time() -> None:
    """A free port is kept; a taken one is replaced by the next hundred's, in every run."""
    port = free_port()
    assert preferred_port(port) == port
    with socket.socket() as taken:
        taken.bind((LOOPBACK, port))
        taken.listen()
        assert preferred_port(port) == preferred_port(port) == port + STEP


def test_taken_ports_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing is free the start ends with one sentence that names the ports."""
    monkeypatch.setattr(ports, "_is_free", lambda port: False)
    with pytest.raises(PortsTaken, match=r"Ports 8000, 8100, .*8900 are all taken"):
        preferred_port(8000)


def test_no_port_is_given_twice() -> None:
    """Two processes of one stack never get the same, though neither listens yet."""
    given = [free_port() for _ in range(100)]
    assert len(set(given)) == 100


def test_no_port_is_given_to_two_processes() -> None:
    """While this process lives, another passes over its port, also while nothing listens there."""
    port = free_port()
    other = subprocess.run(
        [sys.executable, "-c", SEARCH_FROM, str(port)], capture_output=True, text=True, check=True, timeout=30
    )
    assert int(other.stdout) > port


def test_no_client_can_sit_on_a_servers_port() -> None:
    """Outgoing connections are numbered above: a restarted server finds its port free."""
    assert max(free_port() for _ in range(100)) < FIRST_CLIENT_PORT
