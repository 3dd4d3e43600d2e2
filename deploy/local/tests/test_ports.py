"""Free ports: kept where they can be, never given twice, never one that a client could be sitting on."""

import socket

from roomlog_local.ports import LOOPBACK, free_port, preferred_port

FIRST_CLIENT_PORT = 32_768


def test_a_taken_port_is_not_preferred() -> None:
    """A free port is kept, a taken one is replaced by a free one."""
    port = free_port()
    assert preferred_port(port) == port
    with socket.socket() as taken:
        taken.bind((LOOPBACK, port))
        taken.listen()
        assert preferred_port(port) != port


def test_no_port_is_given_twice() -> None:
    """Two processes of one stack never get the same, though neither listens yet."""
    ports = [free_port() for _ in range(100)]
    assert len(set(ports)) == 100


def test_no_client_can_sit_on_a_servers_port() -> None:
    """Outgoing connections are numbered above: a restarted server finds its port free."""
    assert max(free_port() for _ in range(100)) < FIRST_CLIENT_PORT
