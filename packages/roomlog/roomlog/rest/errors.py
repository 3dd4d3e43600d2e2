"""From what a view raised to the problem that answers it. Only faults of our own pass unanswered."""

import math
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.db import DataError
from django.http import Http404, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import APIException, ValidationError

from roomlog.login_tries import TooManyTries
from roomlog.outage import is_outage, outage_problem
from roomlog.problems import problem, refused
from roomlog_contract.errors import ErrorCode, RefusedCommand

MAX_SENTENCES: Final = 20
"""Wrong fields that are told of: a list of 100 members may have as many mistakes."""

_DJANGOS: Final[tuple[tuple[type[Exception], HTTPStatus, Promise], ...]] = (
    (Http404, HTTPStatus.NOT_FOUND, _("It does not exist, or you may not see it.")),
    (PermissionDenied, HTTPStatus.FORBIDDEN, _("You may not do this.")),
    (RequestDataTooBig, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _("The body is too large.")),
    (SuspiciousOperation, HTTPStatus.BAD_REQUEST, _("The request can't be read.")),
    (BadRequest, HTTPStatus.BAD_REQUEST, _("The request can't be read.")),
    (DataError, HTTPStatus.BAD_REQUEST, _("A value can't be stored.")),
    (MultiPartParserError, HTTPStatus.BAD_REQUEST, _("The request can't be read.")),
)
"""Django's own errors, the first that fits: RequestDataTooBig is a SuspiciousOperation."""


def answer(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """Return the problem of an error, or None where it is ours and must be seen."""
    match error:
        case RefusedCommand():
            return refused(error)
        case ValidationError():
            return _invalid(error)
        case APIException():
            return _answered(error)
        case TooManyTries():
            wait = error.retry_after_seconds
            sentence = _("Too many attempts. Try again in %(wait_seconds)s s.") % {"wait_seconds": wait}
            return problem(429, sentence, retry_after_seconds=wait)
    return outage_problem(error) if is_outage(error) else _djangos(error)


def _djangos(error: Exception) -> HttpResponse | None:
    for kind, status, sentence in _DJANGOS:
        if isinstance(error, kind):
            return problem(status, sentence)
    return None


def _answered(error: APIException) -> HttpResponse:
    """Return what the framework's own errors say, with the headers that belong to them."""
    wait = getattr(error, "wait", None)
    response = problem(
        error.status_code,
        str(error.detail),
        code=_code_of(error),
        retry_after_seconds=None if wait is None else math.ceil(wait),
    )
    if header := getattr(error, "auth_header", None):
        response.headers["WWW-Authenticate"] = header
    return response


def _code_of(error: APIException) -> str | None:
    """Return the code where an error says more than its status."""
    if error.status_code == HTTPStatus.UNAUTHORIZED and error.get_codes() == "authentication_failed":
        return ErrorCode.INVALID_TOKEN.value
    return None


def _invalid(error: ValidationError) -> HttpResponse:
    errors: dict[str, list[str]] = {}
    for field, sentence, _code in list(_mistakes(error.get_full_details()))[:MAX_SENTENCES]:
        errors.setdefault(field, []).append(sentence)
    first = next(_mistakes(error.get_full_details()), ("", _("A value is wrong."), ""))
    code = ErrorCode.REQUIRED_KEYS if first[2] == "required" else ErrorCode.BAD_VALUE
    detail = f"`{first[0]}`: {first[1]}" if first[0] else first[1]
    return problem(error.status_code, detail, code=code.value, errors=errors)


def _mistakes(details: Any, field: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield field, sentence and code of each mistake; nested ones count to the outermost field."""
    match details:
        case {"message": str() as sentence, "code": str() as code}:
            yield field, sentence, code
        case dict():
            for name, inner in details.items():
                yield from _mistakes(inner, field or str(name))
        case list():
            for inner in details:
                yield from _mistakes(inner, field)
