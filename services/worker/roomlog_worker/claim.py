"""The claim on the prefix, kept alive by every worker of the database; before the leases.

Without it, workers of a copied database would take the original's commands and tell its people. The claim is
renewed in the writer's thread, while the database is away too: a restart must not lose the prefix to a copy.
"""

import time
from collections.abc import Callable
from typing import Any, Final

import structlog
from django.db import connection

from roomlog.identity import identity
from roomlog.install_shards import refuse_other_shards
from roomlog.pooling import refuse_lent_sessions
from roomlog_contract.claim import CLAIM_SECONDS, claim_of, difference

from . import metrics
from .bus import Bus
from .errors import ForeignClaim

log = structlog.get_logger()

RENEW_SECONDS: Final = 2.0
TODO: Final = (
    "give each install its own ROOMLOG_REDIS_PREFIX, or stop the other workers: these take over"
    f" {CLAIM_SECONDS} s later"
)


class Claim:
    """This worker's part in the claim of its install; used by the writer's thread."""

    def __init__(self, bus: Bus, clock: Callable[[], float] = time.monotonic) -> None:
        self._bus = bus
        self._clock = clock
        self._mine = ""
        self._session: Any = None
        """The connection to the database whose identity was read."""
        self._due_at = clock()
        self._holder = ""
        """The install that holds the prefix instead of this one; empty if there is none."""

    @property
    def is_foreign(self) -> bool:
        """Return whether somebody else's claim stood there at the last look."""
        return bool(self._holder)

    def renew(self) -> None:
        """Claim the prefix, or keep the claim alive, every RENEW_SECONDS.

        Raises:
            ForeignClaim: the workers of another database hold it, or those of another number of shards.
            SettingError: the database is behind a pooler that keeps no sessions apart, or its install has
                another number of shards.
            redis.RedisError, django.db errors: Redis or the database is away.
        """
        if connection.connection is None or connection.connection is not self._session:
            self._identify()
        if self._clock() >= self._due_at:
            self._ask()

    def lapse(self) -> None:
        """Look at the claim again before anything else: Redis was away and may have lost it."""
        self._due_at = self._clock()

    def _identify(self) -> None:
        """Read whose claim to make: behind a new connection there may be another database, or a pooler."""
        if self._mine:
            self._ask()  # before connecting, which may take long or fail
        connection.ensure_connection()
        refuse_lent_sessions()
        shards = self._bus.keyspace.shards
        refuse_other_shards(shards)
        mine = claim_of(identity(), shards)
        self._session = connection.connection
        if mine != self._mine:
            self._mine = mine
            self.lapse()

    def _ask(self) -> None:
        holder = difference(self._mine, self._bus.claim(self._mine, CLAIM_SECONDS * 1000))
        if holder != self._holder:
            self._tell(holder)
        if holder:
            raise ForeignClaim(holder)
        self._due_at = self._clock() + RENEW_SECONDS

    def _tell(self, holder: str) -> None:
        metrics.FOREIGN_CLAIM.set(bool(holder))
        if holder:
            log.error("prefix_claimed", by=holder, todo=TODO)
        else:
            log.info("prefix_claimed_over", by=self._holder)
        self._holder = holder
