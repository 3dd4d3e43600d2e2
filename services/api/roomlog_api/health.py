"""Whether the api serves: /livez, /readyz and /metrics on a port of their own.

Beside people's requests. One thread asks the database each second, another whether a request would find a
thread, and the probes read what they found: a stuck database costs one connection, however often they come.
"""

import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import Executor
from threading import Event, Thread
from typing import Final

from django.db import DatabaseError, close_old_connections, connection
from django.db.utils import InterfaceError

from roomlog.configuration import configuration
from roomlog.install_shards import refuse_other_shards
from roomlog.outage import OUTAGE
from roomlog.pooling import refuse_lent_sessions
from roomlog_runtime.health import Checks, HealthServer
from roomlog_runtime.refused_login import RefusedLogin
from roomlog_runtime.settings import Bind, SettingError

from . import metrics

PROBE_SECONDS: Final = 1.0
"""Between two questions to the database."""
STALE_SECONDS: Final = 3.0
"""An answer older than this means that the database hangs."""
BOOT_ERROR: Final = 3
"""gunicorn does not start a worker again that ends with it, and ends itself."""
BUSY_SECONDS: Final = 10.0
"""Requests that wait longer for a thread are not served; a locked table alone holds each for a second."""


class Probe:
    """Knows whether something that may hang answered lately."""

    def __init__(
        self,
        what: str,
        ask: Callable[[], object],
        clock: Callable[[], float] = time.monotonic,
        stale_seconds: float = STALE_SECONDS,
    ) -> None:
        self._what = what
        self._ask = ask
        self._clock = clock
        self._stale_seconds = stale_seconds
        self._stopped = Event()
        self._refused = RefusedLogin(clock)
        self._problem: str | None = f"{what} not asked yet"
        self._answered_at = clock()

    def start(self) -> None:
        """Ask from now on, in a thread that ends with the process."""
        Thread(target=self._run, name=f"probe of {self._what}", daemon=True).start()

    def stop(self) -> None:
        """Ask no more."""
        self._stopped.set()

    def problem(self) -> str | None:
        """Return in a few words why it can't be used, at once; None where it can."""
        if self._clock() - self._answered_at > self._stale_seconds:
            return f"{self._what} does not answer"
        return self._problem

    def probe(self) -> None:
        """Ask once and remember the answer.

        Raises:
            SettingError: the login has been refused for so long that only a new start may help.
        """
        try:
            self._ask()
        except (DatabaseError, InterfaceError, RuntimeError) as error:  # a pool of threads that has ended
            self._problem = f"{self._what} refuses: {type(error).__name__}"
            if self._refused.lasts(error):
                raise SettingError(
                    "ROOMLOG_DATABASE_URL",
                    "names a login that the database refuses; a new start reads it again",
                ) from None
        else:
            self._problem = None
            self._refused.lasts(None)
        self._answered_at = self._clock()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self.probe()
            except SettingError as error:  # found only while the process runs
                sys.stderr.write(f"{error}\n")
                sys.stderr.flush()
                os._exit(BOOT_ERROR)
            self._stopped.wait(PROBE_SECONDS)


def start(bind: Bind, threads: Executor) -> HealthServer:
    """Answer on `bind` from now on, in threads that end with the process; `threads` serve the requests."""
    database = Probe("the database", _Question())
    requests = Probe(
        "a thread for requests", lambda: threads.submit(bool).result(), stale_seconds=BUSY_SECONDS
    )
    server = HealthServer(
        bind, Checks(live=lambda: True, ready=lambda: database.problem() or requests.problem())
    )
    database.start()
    requests.start()
    server.start()
    return server


class _Question:
    """What the probe asks, on its own thread's connection: nobody else's requests can use it up."""

    def __init__(self) -> None:
        self._is_migrated = False

    def __call__(self) -> None:
        """Read the one row that migrations write; once it was there, ask whether the database answers.

        No table then: whoever locks one must not take every api out at once.
        """
        close_old_connections()
        try:
            if not self._is_migrated:
                refuse_lent_sessions()
                refuse_other_shards(configuration().shards)
                self._is_migrated = True
            with connection.cursor() as cursor, metrics.DATABASE_SECONDS.time():
                cursor.execute("SELECT 1")
            OUTAGE.answered()
        finally:
            close_old_connections()
