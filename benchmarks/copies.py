"""`python -m benchmarks.copies`: what Redis takes for each copy of a notice, and for each reply in a Cluster.

One Valkey, then a Cluster of three primaries; nothing is pinned. Notices of 500 bytes are published on a
channel with one subscriber and with ten: the difference is nine copies. One by one, each copy is a write of
its own, as where few of many gateways have a member of a room; in pipelines of 50 they are joined. In the
Cluster they are published at one node without `SPUBLISH`, as replies are, and nobody subscribes: each of the
other nodes takes them from the Cluster's bus.
"""

from __future__ import annotations

import os
import socket
import statistics
import tempfile
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import redis

from benchmarks.processes import cpu_seconds
from roomlog_local.child import Child, stop_all
from roomlog_local.ports import LOOPBACK, free_port
from roomlog_local.valkey import valkey
from tests.harness.redis_cluster import PRIMARIES, RedisCluster

NOTICE: Final = b"x" * 500
CHANNEL: Final = "notices"
WAYS: Final = {"one by one": 1, "in pipelines of 50": 50}
NOTICES: Final = 30_000
ROUNDS: Final = 5
FEW, MANY = 1, 10
READY_SECONDS: Final = 30.0
READ_BYTES: Final = 256 * 1024
SUBSCRIBED_BYTES: Final = len(f"*3\r\n$9\r\nsubscribe\r\n${len(CHANNEL)}\r\n{CHANNEL}\r\n:1\r\n")
COPY_BYTES: Final = len(f"*3\r\n$7\r\nmessage\r\n${len(CHANNEL)}\r\n{CHANNEL}\r\n$500\r\n\r\n") + len(NOTICE)


def publish(port: int, at_once: int) -> None:
    """Publish all notices at a node."""
    with redis.Redis(host=LOOPBACK, port=port) as client:
        pipeline = client.pipeline(transaction=False)
        for _ in range(NOTICES // at_once):
            for _ in range(at_once):
                pipeline.publish(CHANNEL, NOTICE)
            pipeline.execute()


def hear(port: int, subscribed: threading.Barrier) -> None:
    """Subscribe, and read until every notice has come."""
    with socket.create_connection((LOOPBACK, port), READY_SECONDS) as link:
        link.sendall(f"SUBSCRIBE {CHANNEL}\r\n".encode())
        missing = SUBSCRIBED_BYTES + NOTICES * COPY_BYTES
        missing -= len(link.recv(READ_BYTES))
        subscribed.wait(READY_SECONDS)
        while missing > 0:
            missing -= len(link.recv(READ_BYTES))


def microseconds(pid: int, do: Callable[[], None]) -> float:
    """Return what the process takes meanwhile, for each notice."""
    before = cpu_seconds({"it": pid})["it"]
    do()
    return (cpu_seconds({"it": pid})["it"] - before) / NOTICES * 1e6


def heard_by(port: int, pid: int, subscribers: int, at_once: int) -> float:
    """Return what the server takes for a notice that so many hear."""
    subscribed = threading.Barrier(subscribers + 1)
    threads = [threading.Thread(target=hear, args=(port, subscribed)) for _ in range(subscribers)]
    for thread in threads:
        thread.start()
    subscribed.wait(READY_SECONDS)

    def publish_to_all() -> None:
        publish(port, at_once)
        for thread in threads:
            thread.join()

    return microseconds(pid, publish_to_all)


def measure_copies(directory: Path) -> None:
    """Print the cost of a notice and of a copy."""
    port = free_port()
    server = Child(valkey(port, directory), directory / "valkey.log")
    server.start()
    try:
        server.wait_ready(READY_SECONDS)
        assert server.pid is not None
        for way, at_once in WAYS.items():
            few, many = (
                statistics.median(heard_by(port, server.pid, number, at_once) for _ in range(ROUNDS))
                for number in (FEW, MANY)
            )
            copy = (many - few) / (MANY - FEW)
            print(f"{way}: a notice to one subscriber {few:.1f} µs, each further copy {copy:.1f} µs")
    finally:
        stop_all([server], READY_SECONDS)


def measure_bus(directory: Path) -> None:
    """Print what a node takes for each notice that was published at another one."""
    cluster = RedisCluster(directory)
    cluster.start()
    try:
        publisher, other = cluster.ports[:PRIMARIES][:2]
        with redis.Redis(host=LOOPBACK, port=other) as client:
            pid = int(client.info("server")["process_id"])
        for way, at_once in WAYS.items():
            cost = statistics.median(
                microseconds(pid, partial(publish, publisher, at_once)) for _ in range(ROUNDS)
            )
            print(f"{way}: a reply, at each other node of a Cluster {cost:.1f} µs")
    finally:
        cluster.close()


def main() -> None:
    """Measure, print."""
    with tempfile.TemporaryDirectory(prefix="roomlog-copies-") as directory:
        measure_copies(Path(directory))
        measure_bus(Path(directory))
    print(f"{os.cpu_count()} cores, nothing pinned; load {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
