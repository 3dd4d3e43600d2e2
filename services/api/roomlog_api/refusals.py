"""Refuses what no view should see, and gives every error under the REST interface its one shape.

Around people's requests, before everything else: also before the metrics, whose labels name the method.
"""

import sys
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

import structlog
from django.core.exceptions import DisallowedHost
from django.db import DataError
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import get_language_from_request, gettext, gettext_noop, override
from django.views.defaults import server_error

from roomlog.outage import crowd_page, is_outage, outage_page, outage_problem
from roomlog.problems import MEDIA_TYPE, problem
from roomlog_contract.errors import ErrorCode, RefusedCommand

log = structlog.get_logger()

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Whatever a view here may know; each view refuses most of them again."""
Answer = Callable[[HttpRequest], HttpResponse]


class Refusals:
    """The middleware."""

    def __init__(self, get_response: Answer) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the answer to a request; below the REST interface every error is a problem."""
        refused = _refused(request)
        if refused is not None:
            return _told(request, *refused)
        response = self._get_response(request)
        if response.status_code < HTTPStatus.BAD_REQUEST or not _is_rest(request):
            return response
        if response.headers.get("Content-Type") == MEDIA_TYPE:
            return response
        return problem(response.status_code, HTTPStatus(response.status_code).description or "It failed.")

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Return the answer where a view met an outage or a value that no database stores."""
        if is_outage(error):
            return _outage(request, error)
        if isinstance(error, RefusedCommand) and error.code is ErrorCode.BUSY:
            return crowd_page()
        if isinstance(error, DataError):
            return _told(request, HTTPStatus.BAD_REQUEST, gettext_noop("A value can't be stored."))
        return None


def failed(request: HttpRequest) -> HttpResponse:
    """Return the answer where something else than a view raised: Django's `handler500`."""
    error = sys.exc_info()[1]
    return _outage(request, error) if error is not None and is_outage(error) else server_error(request)


def _outage(request: HttpRequest, error: BaseException) -> HttpResponse:
    return outage_problem(error) if _is_rest(request) else outage_page(error)


def _refused(request: HttpRequest) -> tuple[HTTPStatus, str] | None:
    """Return status and sentence for a request that nobody reads; None for all others."""
    if request.method not in METHODS:
        return HTTPStatus.METHOD_NOT_ALLOWED, gettext_noop("This path does not support the method.")
    try:
        request.get_host()
    except DisallowedHost:
        return HTTPStatus.BAD_REQUEST, gettext_noop("This host is not served here.")
    return None


def _told(request: HttpRequest, status: HTTPStatus, sentence: str) -> HttpResponse:
    log.info("request_refused", status=int(status), reason=sentence)
    with override(get_language_from_request(request)):  # LocaleMiddleware may not have seen the request
        told = gettext(sentence)
    if _is_rest(request):
        response = problem(status, told)
    else:
        response = HttpResponse(f"{told}\n", status=status, content_type="text/plain; charset=utf-8")
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        response.headers["Allow"] = ", ".join(sorted(METHODS))
    return response


def _is_rest(request: HttpRequest) -> bool:
    return request.path.startswith(reverse("roomlog:nothing-here"))
