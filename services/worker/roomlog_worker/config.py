"""The settings of one worker process: the project's, and what the environment says of this process alone."""

import re
import socket
from dataclasses import dataclass, field
from typing import Final

from roomlog.configuration import configuration
from roomlog_contract.keyspace import Keyspace
from roomlog_runtime.settings import Bind, SettingError, read_bind, read_integer, read_text
from roomlog_runtime.tracing import read_exporters
from roomlog_runtime.trail import DEFAULT_MIB, MAX_MIB

MAX_ORDINAL: Final = 2**31 - 1
"""The database's integer."""


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of a worker process."""

    ordinal: int
    """0, 1, 2 …: the StatefulSet's, or the one given on the command line."""
    redis_url: str = field(repr=False)
    keyspace: Keyspace
    """This install's names and its number of shards; the gateways' and the api's are the same."""
    health_bind: Bind
    trail_mib: int
    """Of Redis' memory for the trail (`roomlog trace`); 0: none is kept."""
    span_exporters: tuple[str, ...]
    """Where OpenTelemetry's spans go, by OpenTelemetry's own variables; none: there are no spans."""
    crash_point: str
    """Names the point at which a test wants this process to die; empty in real life."""


def read_config(ordinal: int | None = None) -> Config:
    """Return the settings; raises SettingError with the name of the variable that is wrong."""
    if ordinal is not None and ordinal < 0:
        raise SettingError("--ordinal", f"is {ordinal}, less than 0")
    project = configuration()
    return Config(
        ordinal=_ordinal() if ordinal is None else ordinal,
        redis_url=project.redis_url,
        keyspace=project.keyspace,
        health_bind=read_bind("ROOMLOG_HEALTH_BIND", "0.0.0.0:9081"),
        trail_mib=read_integer("ROOMLOG_TRAIL_MIB", DEFAULT_MIB, maximum=MAX_MIB),
        span_exporters=read_exporters(),
        crash_point=_crash_point(),
    )


def _crash_point() -> str:
    text = read_text("ROOMLOG_CRASH_POINT", "")
    if text and not re.fullmatch("[a-z_]+(:(KILL|STOP))?", text):
        raise SettingError(
            "ROOMLOG_CRASH_POINT", "is not a crash point for tests such as after_commit:KILL; leave it unset"
        )
    return text


def _ordinal() -> int:
    if read_text("ROOMLOG_ORDINAL", ""):
        return read_integer("ROOMLOG_ORDINAL", maximum=MAX_ORDINAL)
    number = re.search(r"-(\d+)$", socket.gethostname())
    return int(number[1]) if number else 0
