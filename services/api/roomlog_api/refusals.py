"""Refuses what no view should see, and gives every error under the REST interface its one shape.

Around people's requests, before everything else: also before the metrics, whose labels name the method.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Final

import structlog
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from .problems import MEDIA_TYPE, problem

log = structlog.get_logger()

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Whatever a view here may know; each view refuses most of them again."""
Answer = Callable[[HttpRequest], HttpResponse]


def refusals(get_response: Answer) -> Answer:
    """Return the middleware."""

    def respond(request: HttpRequest) -> HttpResponse:
        refused = _refused(request)
        if refused is not None:
            return _told(request, *refused)
        response = get_response(request)
        if response.status_code < HTTPStatus.BAD_REQUEST or not _is_rest(request):
            return response
        if response.headers.get("Content-Type") == MEDIA_TYPE:
            return response
        return problem(response.status_code, HTTPStatus(response.status_code).description or "It failed.")

    return respond


def _refused(request: HttpRequest) -> tuple[HTTPStatus, str] | None:
    """Return status and sentence for a request that nobody reads; None for all others."""
    if request.method not in METHODS:
        return HTTPStatus.METHOD_NOT_ALLOWED, "There is no such method here."
    try:
        request.get_host()
    except DisallowedHost:
        return HTTPStatus.BAD_REQUEST, "This host is not served here."
    return None


def _told(request: HttpRequest, status: HTTPStatus, sentence: str) -> HttpResponse:
    log.info("request_refused", status=int(status), reason=sentence)
    if _is_rest(request):
        response = problem(status, sentence)
    else:
        response = HttpResponse(f"{sentence}\n", status=status, content_type="text/plain; charset=utf-8")
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        response.headers["Allow"] = ", ".join(sorted(METHODS))
    return response


def _is_rest(request: HttpRequest) -> bool:
    return request.path.startswith(reverse("nothing-here"))
