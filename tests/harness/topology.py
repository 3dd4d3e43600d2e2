"""A Roomlog as in production, every link through a proxy: gateways, workers, Redis, Sentinels, PostgreSQL.

Around the message's way. Each gateway and worker has routes of its own to each Redis, Sentinel and the
database, so that one process can be cut off from one dependency.
"""

import asyncio
import os
from pathlib import Path
from typing import Final
from urllib.error import HTTPError
from urllib.request import urlopen

from tests.harness.proxy import Route
from tests.harness.sentinels import RedisGroup, sentinel_url
from tests.harness.stack import Stack, build_stack
from tests.harness.stack_databases import PostgresDatabase, PostgresDatabases

GATEWAYS: Final = 2
WORKERS: Final = 3
READY_SECONDS: Final = 3.0
ABLATED: Final = Path(__file__).with_name("ablated")


class Topology:
    """The processes of one history."""

    def __init__(self, directory: Path, databases: PostgresDatabases, ablation: str = "") -> None:
        """Starts nothing yet. `ablation` names the safeguard that the processes run without."""
        environ = _ablated(ablation) if ablation else None
        self.stack: Stack = build_stack(directory, databases, gateways=0, workers=0, environ=environ)
        database = self.stack.database
        assert isinstance(database, PostgresDatabase)
        # As in production: a superuser could not be refused anything.
        self._database_url = database.admit()
        self.replica = databases.replica
        self.redis = RedisGroup(directory)
        self.gateways = [f"gateway-{number}" for number in range(GATEWAYS)]
        self.workers = [f"worker-{ordinal}" for ordinal in range(WORKERS)]
        self._database_port = databases.server.port
        self._to_redis: dict[str, list[Route]] = {}
        self._to_database: dict[str, list[Route]] = {}

    async def start(self) -> None:
        """Start everything, servers first."""
        await asyncio.to_thread(self.redis.start)
        for ordinal, name in enumerate(self.workers):
            self.stack.add_worker(ordinal, **await self._environ(name))
        for number, name in enumerate(self.gateways):
            self.stack.add_gateway(number, **await self._environ(name))
        await asyncio.to_thread(self.stack.start, *self.workers, *self.gateways)

    async def close(self) -> list[str]:
        """End everything and return the names that did not stop when asked."""
        late = await asyncio.to_thread(self.stack.close)
        await asyncio.to_thread(self.redis.close)
        for route in self._routes():
            await route.close()
        return late

    def routes(self, name: str, dependency: str) -> list[Route]:
        """Return a process's ways to "redis", its Sentinels included, or to the "database"."""
        return (self._to_redis if dependency == "redis" else self._to_database)[name]

    def websockets(self) -> list[str]:
        """Return the addresses that clients connect to."""
        return [self.stack.websocket(number) for number in range(GATEWAYS)]

    def is_through_proxy(self) -> bool:
        """Tell whether every process reaches Redis by its routes now."""
        return all(any(route.connections for route in routes) for routes in self._to_redis.values())

    def states(self) -> dict[str, str]:
        """Return what each process says of its readiness, for a report on something that is stuck."""
        return {name: _readiness(self.stack.health(name)) for name in (*self.workers, *self.gateways)}

    def _routes(self) -> list[Route]:
        every = [*self._to_redis.values(), *self._to_database.values()]
        return [route for routes in every for route in routes]

    async def _environ(self, name: str) -> dict[str, str]:
        servers = [Route(port) for port in self.redis.ports]
        for route in servers:
            await route.start()
        renamed = {route.target: route.port for route in servers}
        sentinels = [Route(port, renamed) for port in self.redis.sentinel_ports]
        database = Route(self._database_port)
        for route in (*sentinels, database):
            await route.start()
        self._to_redis[name], self._to_database[name] = [*servers, *sentinels], [database]
        url = self._database_url.replace(f":{self._database_port}/", f":{database.port}/")
        return {
            "ROOMLOG_REDIS_URL": sentinel_url(route.port for route in sentinels),
            "ROOMLOG_DATABASE_URL": url,
            "ROOMLOG_REPLICA_URL": self._replica_url(),
        }

    def _replica_url(self) -> str:
        """Return where the replica is; empty without one. It needs no proxy: it breaks by itself."""
        if self.replica is None:
            return ""
        return self._database_url.replace(f":{self._database_port}/", f":{self.replica.port}/")


def _ablated(ablation: str) -> dict[str, str]:
    path = os.environ.get("PYTHONPATH", "")
    return {"PYTHONPATH": os.pathsep.join(filter(None, [str(ABLATED), path])), "ABLATION": ablation}


def _readiness(address: str) -> str:
    try:
        with urlopen(f"{address}/readyz", timeout=READY_SECONDS) as answer:
            return f"{answer.status}"
    except HTTPError as error:
        return f"{error.code} {error.read().decode(errors='replace')[:200]}"
    except OSError as error:
        return type(error).__name__
