"""What a refused request is answered with: one shape for every error of the REST interface (RFC 9457).

Around people's requests. `detail` is for people, `error_code` for programs: the wire's own code where it has
one. It must not repeat what the sender wrote but in the names of fields.
"""

import math
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from django.http import HttpResponse, JsonResponse
from django.utils.functional import Promise

from roomlog_contract.errors import ErrorCode, RefusedCommand

MEDIA_TYPE: Final = "application/problem+json"
RETRY_SECONDS: Final = 2
"""After which a request that found no database or no room in the queue may come again."""
CODES: Final[Mapping[int, str]] = {
    400: ErrorCode.BAD_VALUE.value,
    401: ErrorCode.NOT_AUTHENTICATED.value,
    403: ErrorCode.FORBIDDEN.value,
    404: ErrorCode.NOT_FOUND.value,
    405: "method_not_allowed",
    406: "not_acceptable",
    409: ErrorCode.UUID_CONFLICT.value,
    411: "length_required",
    413: "too_large",
    415: "unsupported_media_type",
    429: ErrorCode.RATE_LIMITED.value,
    503: ErrorCode.BUSY.value,
}
"""The code of each status, where nothing says more; all others are `internal` or `bad_value`."""
_STATUSES: Final[Mapping[ErrorCode, int]] = {
    ErrorCode.NOT_MEMBER: 404,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.MUTED: 403,
    ErrorCode.ARCHIVED: 409,
    ErrorCode.BANNED: 403,
    ErrorCode.UUID_CONFLICT: 409,
    ErrorCode.RATE_LIMITED: 429,
    ErrorCode.UNAVAILABLE: 403,
    ErrorCode.BUSY: 503,
}
"""Of the wire's codes; all others are 400."""
_FIELD: Final = re.compile(r"`\$\.(\w+)|field `(\w+)`|^`(\w+)`")
"""Where msgspec's sentences and the codec's own name a field."""


def problem(
    status: int,
    detail: str | Promise,
    *,
    code: str | None = None,
    errors: Mapping[str, Sequence[str]] | None = None,
    retry_after_seconds: int | None = None,
) -> HttpResponse:
    """Return the answer; `errors` are sentences by field."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "error_code": code or code_of(status),
    }
    if errors:
        body["errors"] = errors
    answer = JsonResponse(body, status=status, content_type=MEDIA_TYPE)
    if status == HTTPStatus.SERVICE_UNAVAILABLE and retry_after_seconds is None:
        retry_after_seconds = RETRY_SECONDS
    if retry_after_seconds is not None:
        answer.headers["Retry-After"] = str(retry_after_seconds)
    return answer


def code_of(status: int) -> str:
    """Return the code of a status that nothing says more about."""
    default = ErrorCode.INTERNAL if status >= HTTPStatus.INTERNAL_SERVER_ERROR else ErrorCode.BAD_VALUE
    return CODES.get(status, default.value)


def refused(refusal: RefusedCommand) -> HttpResponse:
    """Return the answer to a command that can't become an event."""
    status = _STATUSES.get(refusal.code, int(HTTPStatus.BAD_REQUEST))
    field = _field_of(refusal)
    errors = {field: [refusal.message]} if field else None
    wait_ms = refusal.retry_after_ms
    return problem(
        status,
        refusal.message,
        code=refusal.code.value,
        errors=errors,
        retry_after_seconds=None if wait_ms is None else math.ceil(wait_ms / 1000),
    )


def _field_of(refusal: RefusedCommand) -> str | None:
    if refusal.code in {ErrorCode.EMPTY_TEXT, ErrorCode.TEXT_TOO_LONG}:
        return "text"
    named = _FIELD.search(refusal.message)
    return named and next(filter(None, named.groups()))
