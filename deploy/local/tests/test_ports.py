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


def test_a_taken_port_has_the_same_substitute_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """And is told."""
    port = free_port()
    assert preferred_port(port) == port
    with socket.socket() as taken:
        taken.bind((LOOPBACK, port))
        taken.listen()
        assert preferred_port(port) == preferred_port(port) == port + STEP
    monkeypatch.setattr(ports, "_is_free", lambda port: False)
    with pytest.raises(PortsTaken, match=r"Ports 8000, 8100, .*8900 are all taken"):
        preferred_port(8000)


def test_no_port_is_given_twice() -> None:
    """Not to two processes either, and none that a client could sit on."""
    given = [free_port() for _ in range(100)]
    assert len(set(given)) == 100
    port = free_port()
    other = subprocess.run(
        [sys.executable, "-c", SEARCH_FROM, str(port)], capture_output=True, text=True, check=True, timeout=30
    )
    assert int(other.stdout) > port
    assert max(free_port() for _ in range(100)) < FIRST_CLIENT_PORT
