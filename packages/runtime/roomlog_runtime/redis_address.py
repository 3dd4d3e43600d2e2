"""Connections to Redis: to one server, its socket file, the primary that Sentinels know, or a Cluster.

No stage of the message's way: gateway, worker and api make their connections from this. With Sentinels every
new connection asks them afresh, so whoever drops a connection finds the new primary. It must not repeat a
command, nor load redis-py before somebody connects.
"""

from typing import TYPE_CHECKING, Any, Final, cast

from .redis_url import RedisAddress, parse_redis_url, read_redis_url

if TYPE_CHECKING:
    from redis import Redis
    from redis.asyncio import ConnectionPool

__all__ = ["asyncio_pool", "client", "read_redis_url"]

ASK_SECONDS: Final = 0.5
"""For one Sentinel's answer: two dead ones of three leave time for the connection itself."""
OF_TCP_ALONE: Final = ("socket_connect_timeout", "socket_keepalive")
"""Options that a socket file has no use for, and redis-py no patience with."""


def asyncio_pool(url: str, **options: Any) -> "ConnectionPool":
    """Return a pool whose new connections go to the server, or to the primary of that moment.

    `options` are redis-py's, for each connection; without a word on `retry` nothing is tried twice. A
    Cluster has no such server: its nodes have URLs of their own (`redis_cluster.node_url`).
    """
    from redis.asyncio import ConnectionPool, connection
    from redis.asyncio.retry import Retry
    from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
    from redis.backoff import NoBackoff

    address, options = parse_redis_url(url), _with_defaults(Retry(NoBackoff(), 0), options)
    if address.service is None:
        kind = getattr(connection, _connection_name(address))
        return ConnectionPool(connection_class=kind, **_server_options(address, options))
    asked = {**address.sentinel, **_ask_options(), "retry": options["retry"]}
    # deadline: _ask_options
    sentinels = Sentinel(address.hosts, sentinel_kwargs=asked)  # type: ignore[no-untyped-call]
    discover = sentinels.discover_master

    async def discover_afresh(service: str) -> tuple[str, int]:
        """Keep no connection to a Sentinel: one that died unnoticed would fail the next question."""
        try:
            primary: tuple[str, int] = await discover(service)
            return primary
        finally:
            await sentinels.aclose()

    sentinels.discover_master = discover_afresh  # type: ignore[method-assign, assignment]
    return SentinelConnectionPool(  # type: ignore[no-untyped-call]
        address.service, sentinels, **{**address.server, **options}
    )


def client(url: str, **options: Any) -> "Redis":
    """Return a blocking client of the server, the primary of each connection's moment, or the Cluster."""
    from redis import Redis, connection
    from redis.backoff import NoBackoff
    from redis.retry import Retry
    from redis.sentinel import Sentinel, SentinelConnectionPool

    address, options = parse_redis_url(url), _with_defaults(Retry(NoBackoff(), 0), options)
    if address.is_cluster:
        from .cluster_client import ClusterClient

        secured = {"ssl": True} if address.scheme.startswith("rediss") else {}
        return cast("Redis", ClusterClient(address.hosts, {**address.server, **secured, **options}))
    if address.service is None:
        kind = getattr(connection, _connection_name(address))
        own = connection.ConnectionPool(connection_class=kind, **_server_options(address, options))
        return Redis.from_pool(own)
    asked = {**address.sentinel, **_ask_options(), "retry": options["retry"]}
    # deadline: _ask_options
    sentinels = Sentinel(address.hosts, sentinel_kwargs=asked)  # type: ignore[no-untyped-call]
    discover: Any = sentinels.discover_master

    def discover_afresh(service: str) -> tuple[str, int]:
        """Keep no connection to a Sentinel; as above."""
        try:
            primary: tuple[str, int] = discover(service)
            return primary
        finally:
            sentinels.close()

    sentinels.discover_master = discover_afresh  # type: ignore[method-assign]
    pool = SentinelConnectionPool(  # type: ignore[no-untyped-call]
        address.service, sentinels, **{**address.server, **options}
    )
    return Redis(connection_pool=pool)  # deadline: the pool has the caller's


def _connection_name(address: RedisAddress) -> str:
    """Return what redis-py, blocking and asyncio alike, calls the connection of a scheme."""
    return {"redis": "Connection", "rediss": "SSLConnection", "unix": "UnixDomainSocketConnection"}[
        address.scheme
    ]


def _with_defaults(retry: object, options: dict[str, Any]) -> dict[str, Any]:
    """Return the options with those that all connections share: one try, RESP2, no CLIENT SETINFO."""
    return {"retry": retry, "protocol": 2, "driver_info": None, **options}


def _server_options(address: RedisAddress, options: dict[str, Any]) -> dict[str, Any]:
    is_file = address.scheme == "unix"
    usable = {name: value for name, value in options.items() if not (is_file and name in OF_TCP_ALONE)}
    return {**address.server, **usable}


def _ask_options() -> dict[str, Any]:
    return {"socket_timeout": ASK_SECONDS, "socket_connect_timeout": ASK_SECONDS, "protocol": 2}
