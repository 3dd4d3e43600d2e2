"""Tells what the database can't do now from what is wrong with a request or with us.

Around people's requests.
"""

import time
from collections.abc import Callable
from http import HTTPStatus
from threading import Lock
from typing import Final

import structlog
from django.db import DatabaseError, DataError, IntegrityError
from django.db.utils import InterfaceError
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from roomlog_runtime.causes import cause_of

from .problems import RETRY_SECONDS, problem

log = structlog.get_logger()

SENTENCE: Final = _("The database is not available. Nothing was changed; try again in a moment.")

CALM_SECONDS: Final = 5.0
"""Since the last request that met it, before an outage is over: a read-only database answers reads."""


class Outage:
    """The log's lines about a database that can't serve requests. Shared by all threads of a process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._began_at: float | None = None
        self._met_at = 0.0

    def met(self, error: BaseException) -> None:
        """Log that a request met it, by the cause without its words."""
        with self._lock:
            self._met_at = self._clock()
            if self._began_at is None:
                self._began_at = self._met_at
        log.warning("database_unavailable", **cause_of(error))

    def answered(self) -> None:
        """Note a statement that succeeded; log the end of an outage that no request has met for a while."""
        with self._lock:
            if self._began_at is None or self._clock() - self._met_at < CALM_SECONDS:
                return
            seconds, self._began_at = self._met_at - self._began_at, None
        log.info("database_back", seconds=round(seconds, 1))


OUTAGE: Final = Outage()
"""This process's."""


def is_outage(error: BaseException | None) -> bool:
    """Tell whether the database is away, read-only, stuck or not as it was migrated."""
    return isinstance(error, DatabaseError | InterfaceError) and not isinstance(
        error, DataError | IntegrityError
    )


def outage_problem(error: BaseException) -> HttpResponse:
    """Return a program's answer to an outage, and log its cause without its words."""
    OUTAGE.met(error)
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, SENTENCE)


def outage_page(error: BaseException) -> HttpResponse:
    """Return a person's."""
    OUTAGE.met(error)
    return _page(SENTENCE)


def crowd_page() -> HttpResponse:
    """Return a person's answer while too many commands wait for their workers."""
    return _page(_("Too many commands are waiting. Nothing was changed; try again in a moment."))


def _page(sentence: str | Promise) -> HttpResponse:
    page = render_to_string("roomlog/unavailable.html", {"sentence": sentence})
    response = HttpResponse(page, status=HTTPStatus.SERVICE_UNAVAILABLE)
    response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response
