"""The gateway's settings, read once from the environment at start.

Before the message's way: a wrong value ends the process with one sentence. Nothing else reads the
environment.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from roomlog_contract.keyspace import DEFAULT_PREFIX, Keyspace
from roomlog_contract.shards import SHARD_NUMBERS
from roomlog_runtime.redis_address import read_redis_url
from roomlog_runtime.redis_prefix import read_redis_prefix
from roomlog_runtime.settings import Bind, read_bind, read_integer, read_list, read_seconds
from roomlog_runtime.shards_setting import read_shards
from roomlog_runtime.tracing import read_exporters
from roomlog_runtime.trail import DEFAULT_MIB, MAX_MIB

from .allowed_origins import read_origins

SERVICE: Final = "gateway"

ANSWER_SECONDS: Final = 10.0
"""After the last reconnect of a drain, for answers still under way."""


@dataclass(frozen=True, slots=True)
class Config:
    """What an operator can turn."""

    redis_url: str = field(repr=False)
    keyspace: Keyspace
    """This install's names and its number of shards; the workers' and the api's are the same."""
    bind: Bind
    health_bind: Bind
    allowed_origins: tuple[str, ...]
    """Origins that may connect beside the server's own, in the form that `allowed_origins.py` compares."""
    max_connections: int
    """Sockets of this process; the next upgrade is answered with 503."""
    max_header_bytes: int
    """Of one line of a request's head; the cookies of a host are one."""
    max_accepts_per_second: int
    """Upgrades a second, so that a new pod is not run over by everybody's reconnect."""
    max_reconnects_per_second: int
    """Connections a second that a drain sends to the other pods."""
    trail_mib: int
    """Of Redis' memory for the trail (`roomlog trace`); 0: none is kept."""
    span_exporters: tuple[str, ...]
    """Where OpenTelemetry's spans go, by OpenTelemetry's own variables; none: there are no spans."""
    prestop_seconds: float
    """Service after SIGTERM with readiness off, until every proxy has heard of it."""

    @property
    def drain_seconds(self) -> float:
        """Return the longest drain: gunicorn and the pod's grace period must allow for it."""
        spread = self.max_connections / self.max_reconnects_per_second
        return self.prestop_seconds + spread + ANSWER_SECONDS


def read_config(environ: Mapping[str, str] = os.environ) -> Config:
    """Read all ROOMLOG_… settings of the gateway.

    Raises:
        SettingError: a value can't be read; its text names the variable.
    """
    return Config(
        redis_url=read_redis_url(environ),
        keyspace=Keyspace(read_redis_prefix(DEFAULT_PREFIX, environ), read_shards(SHARD_NUMBERS, environ)),
        bind=read_bind("ROOMLOG_BIND", "0.0.0.0:8080", environ=environ),
        health_bind=read_bind("ROOMLOG_HEALTH_BIND", "0.0.0.0:9080", environ=environ),
        allowed_origins=read_origins(read_list("ROOMLOG_ALLOWED_ORIGINS", environ=environ)),
        max_connections=read_integer("ROOMLOG_MAX_CONNECTIONS", 10_000, minimum=1, environ=environ),
        max_header_bytes=read_integer(
            "ROOMLOG_MAX_HEADER_BYTES", 16 * 1024, minimum=1024, maximum=1024 * 1024, environ=environ
        ),
        max_accepts_per_second=read_integer(
            "ROOMLOG_MAX_ACCEPTS_PER_SECOND", 500, minimum=1, environ=environ
        ),
        max_reconnects_per_second=read_integer(
            "ROOMLOG_MAX_RECONNECTS_PER_SECOND", 200, minimum=1, environ=environ
        ),
        trail_mib=read_integer("ROOMLOG_TRAIL_MIB", DEFAULT_MIB, maximum=MAX_MIB, environ=environ),
        span_exporters=read_exporters(environ),
        prestop_seconds=read_seconds("ROOMLOG_PRESTOP_SECONDS", 0.0, maximum=3600.0, environ=environ),
    )
