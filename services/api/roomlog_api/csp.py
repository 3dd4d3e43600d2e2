"""Content-Security-Policy of every page: only our own files run, nothing inline.

Around people's requests. The admin's theme evaluates expressions in its markup (Alpine.js), so its
pages, for staff alone, allow that and nothing from elsewhere either.
"""

from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

_PAGES: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self' {websocket}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_ADMIN: Final = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; object-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def content_security_policy(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Return the middleware that adds the header."""

    def respond(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        is_admin = request.path.startswith(reverse("admin:index"))
        policy = _ADMIN if is_admin else _PAGES.format(websocket=_websocket_sources(request))
        response.headers["Content-Security-Policy"] = policy
        return response

    return respond


def _websocket_sources(request: HttpRequest) -> str:
    """Return where the chat page may connect to. `'self'` covers ws only in newer browsers."""
    if settings.ROOMLOG_WEBSOCKET_URL:
        address = urlsplit(settings.ROOMLOG_WEBSOCKET_URL)
        return f"{address.scheme}://{address.netloc}"
    try:
        host = request.get_host()
    except DisallowedHost:
        return ""  # answered with 400 already
    return f"ws://{host} wss://{host}"
