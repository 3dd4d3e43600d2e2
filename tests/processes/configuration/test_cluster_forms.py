"""A Redis Cluster whose nodes speak TLS, among themselves too, and by IPv6 where there is any."""

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from roomlog_local.ports import LOOPBACK, free_port
from tests.harness.redis_cluster import RedisCluster
from tests.harness.stack import Stack, running_stack
from tests.harness.stack_databases import Databases
from tests.harness.waiting import eventually
from tests.harness.wire import SECONDS, Wire
from tests.processes.configuration.servers import has_ipv6, make_certificates, tls_server

MESSAGES = 8
ROOMS = 4
"""Over several shards, so over several nodes."""


@pytest.fixture
def stack(tmp_path: Path, sqlite_databases: Databases) -> Iterator[Stack]:
    """A gateway and a worker whose Redis is that Cluster: every name of a node is proved."""
    host, ports = "::1" if has_ipv6() else LOOPBACK, dict[int, int]()
    make_certificates(tmp_path, f"IP:{host}")

    def settings(port: int) -> Mapping[str, object]:
        ports[port] = free_port()
        return {
            "bind": f"{LOOPBACK} {host}",
            **{"tls-port": ports[port], "tls-cluster": "yes", "tls-replication": "yes"},
            **{"tls-cert-file": tmp_path / "server.crt", "tls-key-file": tmp_path / "server.key"},
            **{"tls-ca-cert-file": tmp_path / "ca.crt", "tls-auth-clients": "optional"},
        }

    cluster = RedisCluster(tmp_path, tls_server(), host, settings)
    seeds = ",".join(f"[{host}]:{port}" for port in ports.values())
    environ = {"ROOMLOG_REDIS_URL": f"rediss+cluster://{seeds}?ssl_ca_certs={tmp_path}/ca.crt"}
    try:
        cluster.start()
        with running_stack(tmp_path / "stack", sqlite_databases, environ=environ) as stack:
            yield stack
    finally:
        cluster.close()


async def test_people_chat_by_a_cluster_with_tls(stack: Stack) -> None:
    """Commands, answers and notices go by links to all primaries."""
    people = await asyncio.to_thread(stack.make_users, 2)
    rooms = await asyncio.to_thread(stack.make_rooms, [people] * ROOMS)
    async with Wire(stack.websocket(), people[0]) as one, Wire(stack.websocket(), people[1]) as other:
        await one.authenticate()
        await other.authenticate()
        for number in range(MESSAGES):
            await one.send("new_message", room=rooms[number % ROOMS].id, text=f"{number}")

        def counts() -> list[int]:
            return [sum(len(wire.events(room)) for room in rooms) for wire in (one, other)]

        await eventually(lambda: counts() == [MESSAGES, MESSAGES], SECONDS, "all messages")
