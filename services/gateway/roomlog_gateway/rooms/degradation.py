"""Tells people what accepts nothing now: `degraded` with their rooms, `recovered` after.

Stage: beside a message's way, once a second. Each connection is told when something changes for it, one that
came later too. It must not find out what is wrong: it is handed the shards.
"""

import time
from collections.abc import Iterable
from uuid import UUID

import structlog
from msgspec import UNSET, UnsetType

from roomlog_contract.keyspace import Keyspace
from roomlog_contract.limits import DEGRADED_ROOMS
from roomlog_contract.server_events import Degraded, Recovered

from .. import metrics
from ..sockets.session import Session
from .worker_beacons import SILENT_SECONDS

log = structlog.get_logger()


class Degradation:
    """The shards that accept nothing, and who was told of it."""

    def __init__(self, keyspace: Keyspace) -> None:
        self._keyspace = keyspace
        self._shards: frozenset[int] = frozenset()
        self._number = 0
        """Counts the changes; a session knows which it was told."""

    def tell(self, shards: frozenset[int], sessions: Iterable[Session]) -> None:
        """Tell each session what has changed for its rooms since it was told last."""
        if shards != self._shards:
            self._note(shards)
        if not self._number:
            return
        for session in sessions:
            if session.hear_of(self._number):
                self._tell(session)

    def _note(self, shards: frozenset[int]) -> None:
        self._shards = shards
        self._number += 1
        metrics.SILENT_SHARDS.set(len(shards))
        log.warning("degraded" if shards else "recovered", shards=len(shards))

    def _tell(self, session: Session) -> None:
        is_everything = len(self._shards) == self._keyspace.shards
        rooms = [room for room in session.rooms if self._keyspace.shard_of_room(room) in self._shards]
        if is_everything or rooms:
            since_ms = _now_ms() - int(SILENT_SECONDS * 1000)
            session.degrade(Degraded(since_ms=since_ms, rooms=UNSET if is_everything else _named(rooms)))
        else:
            session.recover(Recovered(since_ms=_now_ms()))


def _named(rooms: list[UUID]) -> list[UUID] | UnsetType:
    return rooms if len(rooms) <= DEGRADED_ROOMS else UNSET


def _now_ms() -> int:
    return int(time.time() * 1000)
