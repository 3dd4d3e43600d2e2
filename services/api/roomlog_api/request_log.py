"""One line for each request: what was asked, how it ended, how long it took.

Around people's requests, before everything else. It must not log a path or a query: both may hold a secret.
Probes come to another port and are not seen here.
"""

import time
from collections.abc import Callable
from typing import Final

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from roomlog_runtime.logs import route_of

from .refusals import METHODS

log = structlog.get_logger()

OTHER: Final = "other"
"""Stands for a method that nobody serves: it is the client's own word."""


class RequestLog:
    """The middleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the answer to a request, and log it."""
        began = time.monotonic()
        response = self._get_response(request)
        log.info(
            "request",
            method=request.method if request.method in METHODS else OTHER,
            route=_route_of(request),
            status=response.status_code,
            milliseconds=round((time.monotonic() - began) * 1000, 1),
        )
        return response


def _route_of(request: HttpRequest) -> str | None:
    """Return the pattern of the path; None if none fits. WhiteNoise serves static files before any match."""
    route = route_of(request)
    if route is None and request.path.startswith(str(settings.STATIC_URL)):
        return "static"
    return route
