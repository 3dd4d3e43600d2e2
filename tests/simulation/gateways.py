"""Real gateways on model links, and how a real client reaches one: everything of the product but its sockets.

Between the client's driver and the model Redis. Seams: `RedisLink._open` gives a model connection,
`driver._open` a model socket; nothing else of gateway or client is replaced.
"""

import asyncio
import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch
from urllib.parse import urlsplit

import aiohttp

from roomlog_client import driver
from roomlog_contract.shards import DEFAULT_SHARDS
from roomlog_gateway import gateway as gateway_module
from roomlog_gateway.config import Config, read_config
from roomlog_gateway.gateway import Gateway
from roomlog_gateway.redis.link import RedisLink
from roomlog_gateway.sockets.drain import Drain
from roomlog_runtime.shards_setting import VARIABLE

from .redis_link import CONNECT_SECONDS, LoggedIn, Ways
from .redis_model import ModelRedis
from .sockets import WAY_SECONDS, Line


class GatewayHost:
    """One address at which a gateway runs, dies, drains and runs again."""

    def __init__(
        self, name: str, loop: asyncio.AbstractEventLoop, dice: random.Random, redis: ModelRedis, shards: int
    ) -> None:
        self.name = name
        self._loop, self._dice = loop, dice
        self._config: Config = read_config(
            {"ROOMLOG_REDIS_URL": f"redis://{name}:6379/0", VARIABLE: str(shards)}
        )
        self.gateway: Gateway | None = None
        self.drain: Drain | None = None
        self.lines: list[Line] = []
        self.redis = Ways(loop, redis, dice)

    def start(self) -> None:
        """Begin to serve."""
        gateway = self.gateway = Gateway(self._config, self._loop.time, lambda: None)
        if self._config.keyspace.shards == DEFAULT_SHARDS:
            # Other installs wait for the first beacon; most seeds are older than that wait.
            gateway._admission.is_agreed = True
        self.drain = Drain(
            gateway.connections, self._config, self._loop.time, gateway.tasks.spawn, lambda: None
        )
        gateway.start()

    def hears(self, since: float) -> bool:
        """Tell whether it misses nothing now: its link has worked since, with all channels."""
        if self.gateway is None:
            return True
        subscriber = self.gateway._subscriber
        is_whole = subscriber.is_up and subscriber._confirmed >= subscriber._handlers.keys()
        return is_whole and subscriber.link.heard_at > since

    def open_lines(self) -> list[Line]:
        """Return the sockets that are open now."""
        self.lines = [line for line in self.lines if not line.is_over]
        return self.lines

    async def kill(self) -> None:
        """End it as SIGKILL does: nothing is said to anybody."""
        gateway, self.gateway = self.gateway, None
        for line in self.open_lines():
            line.cut()
        for link in self.redis.open_links():
            link.abort()
        if gateway is not None:
            await gateway.stop()

    async def empty(self) -> None:
        """End it as SIGTERM does: its connections are told when to come back, and their commands answered."""
        assert self.drain is not None
        self.drain.start()
        gateway = self.gateway
        while gateway is not None and self.gateway is gateway and gateway.connections:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        await self.kill()

    async def accept(self) -> Line:
        """Open a socket to it.

        Raises:
            ConnectionRefusedError: nobody listens.
        """
        await asyncio.sleep(self._dice.uniform(*WAY_SECONDS))
        gateway = self.gateway
        if gateway is None or (self.drain is not None and self.drain.is_closing):
            raise ConnectionRefusedError
        line = Line(self._loop, self._dice)
        self.lines.append(line)
        transport: Any = line.transport
        server: Any = line.server
        gateway.tasks.spawn(gateway.connections.serve(server, transport))
        return line

    async def reach_redis(self) -> LoggedIn | None:
        """Connect a link; None where Redis can't be reached."""
        await asyncio.sleep(self._dice.uniform(*CONNECT_SECONDS))
        link = self.redis.connected()
        return None if link is None else LoggedIn(link)


@contextmanager
def seams(hosts: dict[str, GatewayHost], dice: random.Random) -> Iterator[None]:
    """Let gateways find the model Redis and clients the gateways."""

    async def open_link(link: RedisLink) -> LoggedIn | None:
        return await hosts[_host_of(link)].reach_redis()

    async def open_socket(session: aiohttp.ClientSession, url: str) -> Any:
        return (await hosts[urlsplit(url).hostname or ""].accept()).client

    def token_hex(count: int) -> str:
        return f"{dice.getrandbits(8 * count):0{2 * count}x}"

    with ExitStack() as patches:
        patches.enter_context(patch.object(RedisLink, "_open", open_link))
        patches.enter_context(patch.object(driver, "_open", open_socket))
        patches.enter_context(patch.object(gateway_module, "token_hex", token_hex))
        yield


def _host_of(link: RedisLink) -> str:
    """Return the host in the address that the link was given, which is its gateway's name here."""
    host: str = link._pool.connection_kwargs["host"]
    return host
