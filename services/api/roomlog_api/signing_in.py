"""Checks names and passwords, for the login page, the admin and `POST /api/token/` alike.

Before people's first request. Counts failures per name and address, so that nobody tries passwords by
the thousand; it must not lock a name for other addresses.
"""

from hashlib import sha256
from typing import Any, Final

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

MAX_FAILURES: Final = 10
"""Wrong passwords of one name from one address, per process, until it has to wait."""
FAILURES_SECONDS: Final = 60
"""How long failures count."""


class PacedBackend(ModelBackend):
    """Django's own check of name and password, refused unseen after too many failures."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        """Return the active user of this name and password, or None.

        Raises:
            PermissionDenied: after too many failures; Django then tells of wrong credentials.
        """
        key = _failures_key(request, username)
        if cache.get(key, 0) >= MAX_FAILURES:
            raise PermissionDenied
        user = super().authenticate(request, username=username, password=password, **kwargs)
        if user is None and username is not None:
            cache.set(key, cache.get(key, 0) + 1, FAILURES_SECONDS)
        return user


def _failures_key(request: HttpRequest | None, username: str | None) -> str:
    # Hashed: a name may be long or hold what a cache key may not.
    address = request.META.get("REMOTE_ADDR", "") if request is not None else ""
    return "failures:" + sha256(f"{address} {username}".encode()).hexdigest()
