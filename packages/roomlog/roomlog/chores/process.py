"""The process of `manage.py roomlog chores`: one thread holds the lease and finds news, eight tell of them.

After the message's way. The project's receivers may be slow or fail: they hold up their own room, and
nobody else while one of the eight is free.
"""

import threading
import time
from typing import Final

import structlog
from django.db import Error, connection

from roomlog.configuration import configuration
from roomlog.presence import redis_trouble
from roomlog_runtime.shutdown import Shutdown

from . import metrics
from .lease import Lease
from .news import News, begin
from .schedule import Schedule
from .telling import tell

TURN_SECONDS: Final = 0.5
THREADS: Final = 8
"""Rooms that are told of together; each thread has a connection to the database of its own."""
END_SECONDS: Final = 5.0
"""For what the threads are at when the process ends; one that goes on is told again by the next process."""
STUCK_SECONDS: Final = 60.0
"""A turn takes under 30 s even when every time-out is used up; beyond this the process is stuck."""

log = structlog.get_logger()


class Chores:
    """The chores of one process."""

    def __init__(self, shutdown: Shutdown) -> None:
        self._shutdown = shutdown
        self._lease = Lease()
        self._schedule = Schedule()
        self._news: News | None = None
        """None while the lease is another's."""
        self._trouble: str | None = "starting"
        self._turned_at = time.monotonic()

    def is_turning(self) -> bool:
        """Tell whether the loop goes round; says nothing about Redis, the database or the receivers."""
        return time.monotonic() - self._turned_at < STUCK_SECONDS

    def trouble(self) -> str | None:
        """Return what was wrong with the database or Redis in the last turn, or None."""
        return self._trouble

    def run(self) -> None:
        """Work until shutdown is requested, then free the lease."""
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(THREADS)]
        for thread in threads:
            thread.start()
        try:
            while True:
                self._turn()
                if self._shutdown.wait(TURN_SECONDS):
                    break
        finally:
            self._stop(threads)

    def _turn(self) -> None:
        """Look once; log what is wrong if it is new."""
        self._turned()
        trouble = self._look() or redis_trouble()
        if trouble and trouble != self._trouble:
            log.warning("chores_trouble", trouble=trouble)
        self._trouble = trouble
        metrics.LEASE_OWNED.set(self._news is not None)
        metrics.FAILING_ROOMS.set(self._schedule.failing)

    def _turned(self) -> None:
        self._turned_at = time.monotonic()

    def _look(self) -> str | None:
        """Find news while the lease is this process's; return what is wrong with the database.

        Then another process may work meanwhile: begin afresh on a new connection.
        """
        try:
            if not self._lease.keep():
                self._rest()
            elif self._news is None:
                begin(self._turned)
                self._news = News()
            elif not self._schedule.is_full:
                self._schedule.add(self._news.fresh(), configuration().away_seconds)
                self._schedule.add(self._news.missed(), 0)
        except Error as error:
            self._rest()
            self._lease.forget()
            connection.close()
            return f"database: {type(error).__name__}"
        return None

    def _rest(self) -> None:
        self._news = None
        self._schedule.clear()

    def _work(self) -> None:
        """Tell of one room after the other, on a connection of this thread's own."""
        while (room := self._schedule.take()) is not None:
            try:
                self._schedule.done(room, tell(room, self._may_go_on))
            except Exception as error:  # the project's code, or trouble: this room waits
                connection.close()
                pause = self._schedule.failed(room)
                metrics.FAILURES.inc()
                # Its class alone: the text may hold a message's.
                log.warning("away_failed", room=room.hex, error=type(error).__name__, again_in=pause)
        connection.close()

    def _may_go_on(self) -> bool:
        return self._news is not None and not self._shutdown.requested

    def _stop(self, threads: list[threading.Thread]) -> None:
        self._schedule.close()
        until = time.monotonic() + END_SECONDS
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
        try:
            self._lease.release()
        except Error:
            log.warning("chores_not_released")  # the next process waits until this one's beat counts as dead
        connection.close()
