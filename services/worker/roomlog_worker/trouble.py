"""The trouble of a dependency, as the writer meets it turn after turn: told once, and once when it ends.

A login that stays refused ends the process: its next start reads the secrets again.
"""

import time
from typing import Final

import structlog

from roomlog_runtime.causes import cause_of
from roomlog_runtime.refused_login import RefusedLogin

from . import metrics
from .errors import FailAlike, LoginRefused, sqlstate_of

log = structlog.get_logger()

STARTING: Final = "starting"


class Trouble:
    """What cut the last turn short, if anything did."""

    def __init__(self) -> None:
        self.name = STARTING
        """A dependency, or a sentence; empty while all is well."""
        self._since = time.monotonic()
        self._told: set[tuple[str, str]] = set()
        """Dependency and state of what was logged since all was well."""
        self._refused = RefusedLogin()

    def met(self, dependency: str, error: Exception) -> None:
        """Note what ended a turn; log it if it is new.

        Raises:
            LoginRefused: this process's password has not fitted for half a minute.
        """
        metrics.TROUBLE.labels(dependency).inc()
        if not self._told:
            self._since = time.monotonic()
        state = sqlstate_of(error)
        if (dependency, state) not in self._told:
            self._told.add((dependency, state))
            cause = error.__cause__ if isinstance(error, FailAlike) else None
            log.warning("trouble", dependency=dependency, **cause_of(cause or error))
        self.name = dependency
        if self._refused.lasts(error):
            log.error("login_refused", dependency=dependency)
            raise LoginRefused(dependency)

    def ended(self) -> None:
        """Note a turn that went well."""
        self._refused.lasts(None)
        if self._told:
            seconds = round(time.monotonic() - self._since, 1)
            log.info("trouble_over", dependency=self.name, seconds=seconds)
            self._told.clear()
        self.name = ""
