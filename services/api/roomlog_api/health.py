"""Whether the api serves: /livez, /readyz and /metrics on a port of their own.

Beside people's requests. One thread asks the database each second, and the probes read what it found: a
stuck database costs one connection and one thread, however often the probes come.
"""

import time
from collections.abc import Callable
from threading import Event, Thread
from typing import Final

from django.db import DatabaseError, close_old_connections, connection
from django.db.utils import InterfaceError

from roomlog_runtime.health import Checks, HealthServer
from roomlog_runtime.settings import Bind
from roomlog_store.models import Install

PROBE_SECONDS: Final = 1.0
"""Between two questions to the database."""
STALE_SECONDS: Final = 3.0
"""An answer older than this means that the database hangs."""


class DatabaseProbe:
    """Knows whether the database answered lately."""

    def __init__(self, ask: Callable[[], object], clock: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._clock = clock
        self._stopped = Event()
        self._problem: str | None = "the database was not asked yet"
        self._answered_at = clock()

    def start(self) -> None:
        """Ask from now on, in a thread that ends with the process."""
        Thread(target=self._run, name="database-probe", daemon=True).start()

    def stop(self) -> None:
        """Ask no more."""
        self._stopped.set()

    def problem(self) -> str | None:
        """Return in a few words why the database can't be used, at once; None where it can."""
        if self._clock() - self._answered_at > STALE_SECONDS:
            return "the database does not answer"
        return self._problem

    def probe(self) -> None:
        """Ask once and remember the answer."""
        try:
            self._ask()
        except (DatabaseError, InterfaceError) as error:
            self._problem = f"the database refuses: {type(error).__name__}"
        else:
            self._problem = None
        self._answered_at = self._clock()

    def _run(self) -> None:
        while not self._stopped.is_set():
            self.probe()
            self._stopped.wait(PROBE_SECONDS)


def start(bind: Bind) -> HealthServer:
    """Answer on `bind` from now on, in threads that end with the process."""
    probe = DatabaseProbe(_Question())
    server = HealthServer(bind, Checks(live=lambda: True, ready=probe.problem))
    probe.start()
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
                Install.objects.get()
                self._is_migrated = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        finally:
            close_old_connections()
