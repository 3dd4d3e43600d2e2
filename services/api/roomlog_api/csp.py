"""Content-Security-Policy of every page, by django-csp: only our own files run, nothing inline.

Around people's requests; the settings say what holds for all pages. The admin's theme evaluates expressions
in its markup (Alpine.js), so its pages, for staff alone, allow that and nothing from elsewhere either.
"""

from typing import Any, Final
from urllib.parse import urlsplit

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

from roomlog.configuration import configuration

_ADMIN: Final[dict[str, Any]] = {
    "default-src": [SELF],
    "script-src": [SELF, UNSAFE_INLINE, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:"],
    "object-src": [NONE],
    "form-action": [SELF],
    "base-uri": [NONE],
    "frame-ancestors": [NONE],
}


class ContentSecurityPolicy(CSPMiddleware):
    """The middleware that adds the header."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        """Return the settings' policy with the gateway's address, or the one of the admin."""
        parts = super().get_policy_parts(request, response, report_only)
        if report_only:
            return parts
        if request.path.startswith(reverse("admin:index")):
            parts.config = _ADMIN
        else:
            parts.update = {"connect-src": _websocket_sources(request)}
        return parts


def _websocket_sources(request: HttpRequest) -> list[str]:
    """Return where the chat page may connect to. `'self'` covers ws only in newer browsers."""
    if url := configuration().websocket_url:
        address = urlsplit(url)
        return [f"{address.scheme}://{address.netloc}"]
    try:
        host = request.get_host()
    except DisallowedHost:
        return []  # answered with 400 already
    return [f"ws://{host}", f"wss://{host}"]
