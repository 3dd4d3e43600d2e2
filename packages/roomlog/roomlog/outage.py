"""Tells what the database can't do now from what is wrong with a request or with us.

Around people's requests.
"""

from http import HTTPStatus
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


def is_outage(error: BaseException | None) -> bool:
    """Tell whether the database is away, read-only, stuck or not as it was migrated."""
    return isinstance(error, DatabaseError | InterfaceError) and not isinstance(
        error, DataError | IntegrityError
    )


def outage_problem(error: BaseException) -> HttpResponse:
    """Return a program's answer to an outage, and log its cause without its words."""
    _note(error)
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, SENTENCE)


def outage_page(error: BaseException) -> HttpResponse:
    """Return a person's."""
    _note(error)
    return _page(SENTENCE)


def crowd_page() -> HttpResponse:
    """Return a person's answer while too many commands wait for their workers."""
    return _page(_("Too many commands are waiting. Nothing was changed; try again in a moment."))


def _page(sentence: str | Promise) -> HttpResponse:
    page = render_to_string("roomlog/unavailable.html", {"sentence": sentence})
    response = HttpResponse(page, status=HTTPStatus.SERVICE_UNAVAILABLE)
    response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response


def _note(error: BaseException) -> None:
    log.warning("database_unavailable", **cause_of(error))
