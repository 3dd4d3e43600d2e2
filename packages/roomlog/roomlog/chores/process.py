"""The process of `manage.py roomlog chores`: one thread holds the lease and finds news, others tell of them.

After the message's way. The project's receivers and webhooks may be slow or fail: they hold up their own
room, and nobody else while a thread of their duty is free. One more thread deletes files (`collecting`).
"""

import threading
import time
from collections.abc import Sequence
from typing import Any, Final

import structlog
from django.db import Error, connection

from roomlog.configuration import configuration
from roomlog.file_store import store
from roomlog.models import ChatMessage
from roomlog.presence import redis_trouble
from roomlog.signals import message_missed
from roomlog_runtime.shutdown import Shutdown

from . import metrics
from .away import Away
from .collecting import Collector
from .duty import Duty
from .lease import Lease

TURN_SECONDS: Final = 0.5
END_SECONDS: Final = 5.0
"""For what the threads are at when the process ends; one that goes on is told again by the next process."""
STUCK_SECONDS: Final = 60.0
"""A turn takes under 30 s even when every time-out is used up; beyond this the process is stuck."""

log = structlog.get_logger()


def has_duties() -> bool:
    """Tell whether there is anything to do: somebody listens, webhooks are on, or a storage has files."""
    is_told = message_missed.has_listeners(ChatMessage)
    return is_told or configuration().webhooks != "off" or store() is not None


class Chores:
    """The chores of one process."""

    def __init__(self, shutdown: Shutdown) -> None:
        self._shutdown = shutdown
        self._lease = Lease()
        self._is_owner = False
        self._duties: Sequence[Duty[Any]] = self._wanted()
        collector = Collector(shutdown, lambda: self._is_owner)
        self._collecting = threading.Thread(target=collector.run, daemon=True)
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
        for duty in self._duties:
            duty.start()
        self._collecting.start()
        try:
            while True:
                self._turn()
                if self._shutdown.wait(TURN_SECONDS):
                    break
        finally:
            self._stop()

    def _wanted(self) -> list[Duty[Any]]:
        duties: list[Duty[Any]] = []
        if message_missed.has_listeners(ChatMessage):
            duties.append(Away(self._may_go_on))
        if (webhooks := configuration().webhooks) != "off":
            from roomlog.hooks.duty import Webhooks  # the extra that it needs is not installed everywhere

            duties.append(Webhooks(self._may_go_on, allows_private=webhooks == "private"))
        return duties

    def _turn(self) -> None:
        """Look once; log what is wrong if it is new."""
        self._turned()
        trouble = self._look() or redis_trouble()
        if trouble and trouble != self._trouble:
            log.warning("chores_trouble", trouble=trouble)
        self._trouble = trouble
        metrics.LEASE_OWNED.set(self._is_owner)

    def _turned(self) -> None:
        self._turned_at = time.monotonic()

    def _look(self) -> str | None:
        """Find news while the lease is this process's; return what is wrong with the database.

        Then another process may work meanwhile: begin afresh on a new connection.
        """
        try:
            self._is_owner = self._lease.keep()
            for duty in self._duties:
                if not self._is_owner:
                    duty.forget()
                elif not duty.schedule.is_full:
                    duty.look(self._turned)
        except Error as error:
            self._is_owner = False
            for duty in self._duties:
                duty.forget()
            self._lease.forget()
            connection.close()
            return f"database: {type(error).__name__}"
        return None

    def _may_go_on(self) -> bool:
        return self._is_owner and not self._shutdown.requested

    def _stop(self) -> None:
        until = time.monotonic() + END_SECONDS
        for duty in self._duties:
            duty.schedule.close()
        for duty in self._duties:
            duty.close(until)
        self._collecting.join(max(0.0, until - time.monotonic()))
        try:
            self._lease.release()
        except Error:
            log.warning("chores_not_released")  # the next process waits until this one's beat counts as dead
        connection.close()
