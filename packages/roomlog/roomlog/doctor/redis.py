"""Looks at Redis: version, memory, persistence, rights, streams, clock. Changes nothing, blocks nothing.

Of a Cluster, at each of its primaries.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import metadata
from typing import Any, Final

from redis import Redis
from redis.exceptions import NoPermissionError, RedisError

from roomlog_contract import limits
from roomlog_contract.keyspace import Keyspace
from roomlog_runtime.cluster_client import ClusterClient
from roomlog_runtime.redis_cluster import SLOTS

from .finding import Finding, found

SERVER_VERSION: Final = (6, 2)
"""Commands of this level are used (docs: the design's section on Redis)."""
CLUSTER_VERSION: Final = (7, 0)
"""The first with shard channels."""
CLIENT_VERSION: Final = (6, 0)
LAG_ENTRIES: Final = limits.STREAM_ENTRIES // 10
"""A tenth of a full stream: an owner that keeps up has nothing waiting for long."""
CLOCK_SECONDS: Final = 2.0
"""Safety needs no clock; tickets, which live for a minute, and timestamps do."""
MEBIBYTE: Final = 1024 * 1024


def look(redis: Redis, keyspace: Keyspace) -> Iterator[Finding]:
    """Yield what is to be said of Redis; one line where it can't be asked.

    What its user may not ask is no fault: each service needs only the commands of its row in
    docs/configuration.md. What the api needs and may not is one.
    """
    try:
        yield _library()
        yield from _informed(redis, keyspace)
        yield _rights(redis, keyspace)
        yield from _allowed("streams", lambda: _streams(redis, keyspace))
        yield from _allowed("Redis clock", lambda: _clock(redis))
    except (RedisError, OSError) as error:
        fact = f"no answer: {type(error).__name__}"  # its text may hold the address or the user
        yield Finding("Redis", fact, "start it, or correct ROOMLOG_REDIS_URL")


def _informed(redis: Redis, keyspace: Keyspace) -> Iterator[Finding]:
    try:
        if isinstance(redis, ClusterClient):
            yield from _of_primaries(redis, keyspace)
            return
        info: dict[str, Any] = redis.info()
    except NoPermissionError:
        looks = "version, role, eviction, memory and persistence"
        yield Finding("Redis INFO", f"this user may not run it: check {looks} yourself")
        return
    yield _server(info, SERVER_VERSION)
    role = str(info.get("role"))
    yield found(
        "Redis role", role, role == "master", "point ROOMLOG_REDIS_URL to the primary, or to its Sentinels"
    )
    yield from _memory(info, len(keyspace.streams()))
    yield from _persistence(info)


def _of_primaries(cluster: ClusterClient, keyspace: Keyspace) -> Iterator[Finding]:
    primaries = list(cluster.nodes(primaries_alone=True))
    others = len(list(cluster.nodes())) - len(primaries)
    fact = f"{len(primaries)} primaries, {others} more nodes; {cluster.slots.count} of {SLOTS} slots served"
    todo = "give every slot a primary: see CLUSTER INFO and CLUSTER NODES"
    yield found("Redis Cluster", fact, cluster.slots.count == SLOTS, todo)
    for number, primary in enumerate(primaries, 1):
        info: dict[str, Any] = primary.info()
        streams = sum(cluster.client_for(("XADD", stream)) is primary for stream in keyspace.streams())
        for finding in (_server(info, CLUSTER_VERSION), *_memory(info, streams), *_persistence(info)):
            yield replace(finding, what=f"{finding.what} of primary {number}")


def _allowed(what: str, question: Callable[[], Finding]) -> Iterator[Finding]:
    try:
        yield question()
    except NoPermissionError:
        yield Finding(what, "this user may not read it")


def _rights(redis: Redis, keyspace: Keyspace) -> Finding:
    """Ask for what the api does, in ways that change nothing."""
    name = f"{keyspace.prefix}:{{doctor}}"
    missing = []
    for words in (("XADD", name, "NOMKSTREAM", "*", "e", ""), ("PUBLISH", name, "")):
        try:
            redis.execute_command(*words)  # type: ignore[no-untyped-call]
        except NoPermissionError:
            missing.append(words[0])
    fact = f"may not: {', '.join(missing)}" if missing else "the api has the rights it needs"
    return found("Redis rights", fact, not missing, "give the user the rights in docs/configuration.md")


def _server(info: dict[str, Any], least: tuple[int, int]) -> Finding:
    version = str(info.get("redis_version", "0"))
    name = f"Valkey {info['valkey_version']}, as Redis" if "valkey_version" in info else "Redis"
    todo = f"use {'.'.join(map(str, least))} or newer"
    return found("Redis version", f"{name} {version}", _numbers(version) >= least, todo)


def _library() -> Finding:
    version = metadata.version("redis")
    return found("redis-py", version, _numbers(version) >= CLIENT_VERSION, "install the pinned requirements")


def _memory(info: dict[str, Any], streams: int) -> Iterator[Finding]:
    policy = str(info.get("maxmemory_policy", "unknown"))
    todo = "set maxmemory-policy noeviction: eviction deletes commands"
    yield found("eviction", policy, policy == "noeviction", todo)
    most, used = int(info.get("maxmemory", 0)), int(info.get("used_memory", 0))
    fact = f"{used / MEBIBYTE:.0f} of {most / MEBIBYTE:.0f} MiB"
    todo = "set maxmemory: without it Redis never refuses writes"
    yield found("Redis memory", fact if most else "no limit", most > 0, todo)
    worst = streams * limits.STREAM_BYTES / MEBIBYTE
    yield Finding("worst-case streams", f"{worst:.0f} MiB ({streams}); above maxmemory clients get busy")


def _persistence(info: dict[str, Any]) -> Iterator[Finding]:
    is_on = bool(info.get("aof_enabled"))
    state = (
        "append-only file"
        if is_on
        else "no append-only file: a crash loses commands in flight, and clients retry them"
    )
    yield Finding("persistence", state)
    last = {name: str(info.get(name, "ok")) for name in ("aof_last_write_status", "rdb_last_bgsave_status")}
    broken = [name for name, status in last.items() if status != "ok"]
    todo = "check its disk: Redis may refuse writes"
    yield found("last save", "failed: " + ", ".join(broken) if broken else "ok", not broken, todo)


def _streams(redis: Redis, keyspace: Keyspace) -> Finding:
    names = keyspace.streams()
    pipeline = redis.pipeline(transaction=False)
    for name in names:
        pipeline.xlen(name)
    lengths = dict(zip(names, pipeline.execute(), strict=True))
    name, longest = max(lengths.items(), key=lambda item: item[1])
    fact = f"{sum(lengths.values())} entries wait, at most {longest} in one stream"
    fact += f" ({name})" if longest else ""
    todo = "check the owner of this shard, its log and the database's load"
    return found("streams", fact, longest <= LAG_ENTRIES, todo)


def _clock(redis: Redis) -> Finding:
    before = time.time()
    seconds, microseconds = redis.time()
    here = (before + time.time()) / 2
    return clock("Redis clock", seconds + microseconds / 1e6 - here)


def clock(what: str, difference: float) -> Finding:
    """Return what is to be said of a clock that is so many seconds ahead of this machine's."""
    return found(
        what,
        f"{difference:+.2f} s",
        abs(difference) <= CLOCK_SECONDS,
        "synchronize the clocks of both machines with NTP",
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
