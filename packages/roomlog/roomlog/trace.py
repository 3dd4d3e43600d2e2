"""Where is my message? The way of a command through gateways and workers, from its uuid.

Beside the message's way, for people who ask. The database says for certain where it is (`message_lookup`);
the trail in Redis says who had it when, as far as it was kept (`roomlog_contract.trail`). Reads only.
"""

import time
from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

import redis
from redis.exceptions import NoPermissionError

from roomlog.configuration import configuration
from roomlog.message_lookup import Place, State, places_of
from roomlog_contract.trail import Decided, Refused, Step, Written, find
from roomlog_runtime.redis_address import client
from roomlog_runtime.trail import KEPT_SECONDS, TRAIL_FIELD

TIMEOUT_SECONDS: Final = 5.0
PAGE_ENTRIES: Final = 500
"""Of the trail, read at once."""
MOST_STEPS: Final = 1_000
"""Shown of one uuid: others may use the same as often as they like."""


class TrailState(StrEnum):
    """Whether the trail could be read."""

    READ = "read"
    EMPTY = "empty"
    """No process keeps one, or Redis lost it."""
    FORBIDDEN = "forbidden"
    """This user of Redis may not read it."""
    UNREACHABLE = "unreachable"


class Fate(StrEnum):
    """What became of a command, as far as it is known."""

    STORED = "stored"
    PENDING = "pending"
    FAILED = "failed"
    REFUSED = "refused"
    UNDER_WAY = "under_way"
    """A gateway sent it to a shard's stream, and no worker has noted what became of it."""
    GONE = "gone"
    """A worker noted its commit, and the database does not have it."""
    UNSEEN = "unseen"
    """No process noted it."""
    UNKNOWN = "unknown"
    """The database does not have it, and the trail can't be read."""


@dataclass(frozen=True, slots=True)
class Noted:
    """One step of the trail."""

    at: datetime
    """By the clock of who noted it."""
    source: str
    """A gateway or worker, and its host."""
    step: Step


@dataclass(slots=True)
class Trace:
    """All that is known of a uuid."""

    uuid: str
    places: list[Place]
    """Rows that hold it: certain."""
    trail: TrailState = TrailState.EMPTY
    since: datetime | None = None
    """How far back the trail goes."""
    steps: list[Noted] = field(default_factory=list)
    """In the order of their times, which come from several clocks."""

    @property
    def fate(self) -> Fate:
        """Return what became of the command; of several with this uuid, the best."""
        states = {place.state for place in self.places}
        for state in State:
            if state in states:
                return Fate(state.value)
        if any(isinstance(one.step, Decided) and one.step.is_committed for one in self.steps):
            return Fate.GONE
        if self.refusals:
            return Fate.REFUSED
        if self.steps:
            return Fate.UNDER_WAY
        return Fate.UNSEEN if self.trail is TrailState.READ else Fate.UNKNOWN

    @property
    def refusals(self) -> list[tuple[Noted, str]]:
        """Return the steps that refused it, each with its error code."""
        return [(one, code) for one in self.steps if (code := _code_of(one.step))]


def trace(uuid: str) -> Trace:
    """Return all that is known of the commands of this uuid.

    Raises:
        django.db.Error: the database can't be asked.
    """
    found = Trace(uuid, places_of(uuid))
    events = {(place.room, place.seq) for place in found.places if place.seq}
    settings = configuration()
    connection = client(
        settings.redis_url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS
    )
    with connection:
        try:
            _follow(found, connection, settings.keyspace.trail_key, events)
        except NoPermissionError:
            found.trail = TrailState.FORBIDDEN
        except (redis.RedisError, OSError):
            found.trail = TrailState.UNREACHABLE
    found.steps.sort(key=lambda one: one.at)
    return found


def _follow(
    found: Trace, connection: "redis.Redis", key: str, events: Set[tuple[UUID | None, int | None]]
) -> None:
    names = [found.uuid.encode(), *(room.bytes for room, _ in events if room)]
    for entry, value in _entries(connection, key):
        if found.since is None:
            found.since, found.trail = _time(int(entry.partition("-")[0]) / 1000), TrailState.READ
        try:
            source, steps = find(value, names)
        except ValueError:  # another release's
            continue
        found.steps += [
            Noted(_time(at), source, step)
            for at, step in steps
            if ((step.room, step.seq) in events if isinstance(step, Written) else step.uuid == found.uuid)
        ]
        del found.steps[MOST_STEPS:]


def _entries(connection: "redis.Redis", key: str) -> Iterator[tuple[str, bytes]]:
    """Yield id and value of each of the trail's entries, the oldest first."""
    start = str(int((time.time() - KEPT_SECONDS) * 1000))
    while True:
        page: Any = connection.xrange(key, min=start, count=PAGE_ENTRIES)
        for entry, fields in page:
            yield entry.decode(), fields.get(TRAIL_FIELD, b"")
        if len(page) < PAGE_ENTRIES:
            return
        start = f"({page[-1][0].decode()}"


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _code_of(step: Step) -> str:
    """Return the error code of a step that refused its command."""
    if isinstance(step, Refused):
        return step.code
    return step.result if isinstance(step, Decided) and not step.is_committed else ""
