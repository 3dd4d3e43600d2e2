"""Sockets that are reached by both families."""

import socket

import pytest

from roomlog_runtime import listening
from roomlog_runtime.health import Checks, HealthServer
from roomlog_runtime.settings import Bind

FAMILIES = ("127.0.0.1", "::1")


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
def test_everywhere_is_both_families() -> None:
    """An address of IPv4 is that alone."""
    with listening.listen(Bind("::", 0)) as server:
        for host in FAMILIES:
            socket.create_connection((host, server.getsockname()[1]), timeout=5).close()
    health = HealthServer(Bind("::", 0), Checks(live=lambda: True, ready=lambda: None))
    health.start()
    try:
        for host in FAMILIES:
            socket.create_connection((host, health.port), timeout=5).close()
    finally:
        health.stop()
    with listening.listen(Bind("127.0.0.1", 0)) as server:
        assert server.getsockname()[0] == "127.0.0.1"


def test_without_ipv6_everywhere_is_ipv4(monkeypatch: pytest.MonkeyPatch) -> None:
    """The chart says [::] to every cluster, those of IPv4 alone included; other binds stay as they are."""
    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: False)
    assert listening.reachable(Bind("::", 80)) == Bind("0.0.0.0", 80)
    assert listening.reachable(Bind("::1", 80)) == Bind("::1", 80)
    with listening.listen(Bind("::", 0)) as server:
        socket.create_connection(("127.0.0.1", server.getsockname()[1]), timeout=5).close()
