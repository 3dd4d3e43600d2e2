"""Where Redis is: one server, or the Sentinels that know the primary of a service.

No stage of the message's way: gateway, worker and api make their connections from this. With Sentinels every
new connection asks them afresh, so whoever drops a connection finds the new primary. It must not repeat a
command, nor load redis-py before somebody connects, and its errors never hold a password.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from .errors import SettingError
from .settings import read_secret

if TYPE_CHECKING:
    from redis import Redis
    from redis.asyncio import ConnectionPool

VARIABLE: Final = "ROOMLOG_REDIS_URL"
DEFAULT_URL: Final = "redis://127.0.0.1:6379/0"
SENTINEL_SCHEMES: Final = ("redis+sentinel", "rediss+sentinel")
SERVER_SCHEMES: Final = ("redis", "rediss", "unix")
SENTINEL_PORT: Final = 26379
ASK_SECONDS: Final = 0.5
"""For one Sentinel's answer: two dead ones of three leave time for the connection itself."""


@dataclass(frozen=True, slots=True)
class SentinelAddress:
    """What a redis+sentinel:// URL says."""

    sentinels: tuple[tuple[str, int], ...]
    service: str
    """What the Sentinels call the primary and its replicas."""
    server: Mapping[str, Any]
    """Database, login and TLS of the primary, as redis-py's connections call them."""
    sentinel: Mapping[str, Any]
    """Login and TLS of the Sentinels."""


def read_redis_url(environ: Mapping[str, str] = os.environ) -> str:
    """Returns ROOMLOG_REDIS_URL, checked."""
    url = read_secret(VARIABLE, DEFAULT_URL, environ=environ)
    sentinel_address(url)
    return url


def sentinel_address(url: str) -> SentinelAddress | None:
    """Returns the parts of `redis+sentinel://[user:password@]host:port,host:port/service/db`.

    None for the address of one server. `rediss+sentinel` is TLS to all; `?sentinel_username=` and
    `?sentinel_password=` log in to the Sentinels.

    Raises:
        SettingError: it is neither.
    """
    scheme, _, rest = url.partition("://")
    if scheme in SERVER_SCHEMES and rest:
        return None
    try:
        if scheme not in SENTINEL_SCHEMES:
            raise ValueError(scheme)
        return _parse(scheme, rest)
    except ValueError:
        forms = "redis://host:port/db or redis+sentinel://host:port,host:port/service/db"
        raise SettingError(VARIABLE, f"has not the form {forms}") from None


def asyncio_pool(url: str, **options: Any) -> "ConnectionPool":
    """Returns a pool whose new connections go to the server, or to the primary of that moment."""
    from redis.asyncio import ConnectionPool
    from redis.asyncio.retry import Retry
    from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
    from redis.backoff import NoBackoff

    address = sentinel_address(url)
    if address is None:
        return ConnectionPool.from_url(url, **options)
    asked = {**address.sentinel, **_ask_options(), "retry": Retry(NoBackoff(), 0)}
    # deadline: _ask_options
    sentinels = Sentinel(address.sentinels, sentinel_kwargs=asked)  # type: ignore[no-untyped-call]
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
    """Returns a blocking client of the server, or of the primary of the moment of each connection."""
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry
    from redis.sentinel import Sentinel, SentinelConnectionPool

    address = sentinel_address(url)
    if address is None:
        return Redis.from_url(url, **options)
    asked = {**address.sentinel, **_ask_options(), "retry": Retry(NoBackoff(), 0)}
    # deadline: _ask_options
    sentinels = Sentinel(address.sentinels, sentinel_kwargs=asked)  # type: ignore[no-untyped-call]
    pool = SentinelConnectionPool(  # type: ignore[no-untyped-call]
        address.service, sentinels, **{**address.server, **options}
    )
    return Redis(connection_pool=pool)  # deadline: the pool has the caller's


def _ask_options() -> dict[str, Any]:
    return {"socket_timeout": ASK_SECONDS, "socket_connect_timeout": ASK_SECONDS, "protocol": 2}


def _parse(scheme: str, rest: str) -> SentinelAddress:
    parts = urlsplit(f"//{rest}")
    login, _, hosts = parts.netloc.rpartition("@")
    username, _, password = login.partition(":")
    service, _, database = parts.path.strip("/").partition("/")
    sentinels = tuple(_host(text) for text in hosts.split(","))
    if not service:
        raise ValueError("no service")
    tls = {"ssl": True} if scheme.startswith("rediss") else {}
    query = {
        name: values[-1] for name, values in parse_qs(parts.query, strict_parsing=bool(parts.query)).items()
    }
    known = {"sentinel_username", "sentinel_password"}
    if set(query) - known:
        raise ValueError("unknown option")
    return SentinelAddress(
        sentinels,
        unquote(service),
        {"db": int(database or 0), **_login(unquote(username), unquote(password)), **tls},
        {**_login(query.get("sentinel_username", ""), query.get("sentinel_password", "")), **tls},
    )


def _host(text: str) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    if not parts.hostname:
        raise ValueError("no host")
    return parts.hostname, parts.port or SENTINEL_PORT


def _login(username: str, password: str) -> dict[str, str]:
    return {**({"username": username} if username else {}), **({"password": password} if password else {})}
