"""The worker's settings, read once from the environment."""

import re
import socket
from dataclasses import dataclass

from roomlog_runtime.redis_address import read_redis_url
from roomlog_runtime.settings import Bind, SettingError, read_bind, read_integer, read_text


@dataclass(frozen=True, slots=True)
class Config:
    """What a worker process is told."""

    ordinal: int
    """0, 1, 2 …: the StatefulSet's, or the one given on the command line."""
    redis_url: str
    health_bind: Bind
    crash_point: str
    """Names the point at which a test wants this process to die; empty in real life."""


def read_config(ordinal: int | None = None) -> Config:
    """Return the settings; raises SettingError with the name of the variable that is wrong."""
    return Config(
        ordinal=_ordinal() if ordinal is None else ordinal,
        redis_url=read_redis_url(),
        health_bind=read_bind("ROOMLOG_HEALTH_BIND", "0.0.0.0:9081"),
        crash_point=read_text("ROOMLOG_CRASH_POINT", ""),
    )


def _ordinal() -> int:
    if read_text("ROOMLOG_ORDINAL", ""):
        return read_integer("ROOMLOG_ORDINAL")
    number = re.search(r"-(\d+)$", socket.gethostname())
    if number is None:
        raise SettingError("ROOMLOG_ORDINAL", "is not set, and the host name ends in no number")
    return int(number[1])
