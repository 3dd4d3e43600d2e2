"""Checks names and passwords, for the login page, the admin and `POST /api/v1/token/` alike.

Before people's first request. Nobody tries passwords by the thousand, and hashing them never takes all of the
process's threads.
"""

from collections.abc import Callable
from http import HTTPStatus
from threading import BoundedSemaphore
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from . import login_tries
from .login_tries import TooManyTries
from .signals import login_tried

LOGINS: Final = 3
"""Logins of a process at once; five threads serve the others."""
HASHING: Final = 1
"""Passwords that it hashes at once: each takes a core for 0.3 s. The other logins wait for it."""
HASHING_RETRY_SECONDS: Final = 1

View = Callable[..., HttpResponse]
_logins: Final = BoundedSemaphore(LOGINS)
_hashing: Final = BoundedSemaphore(HASHING)


class PacedBackend(ModelBackend):
    """Django's own check of name and password, refused unseen after too many failures."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> Any:  # whatever the project's user model is
        """Return the active user of this name and password, or None.

        Raises:
            TooManyTries: after too many failures, and while too many others are being checked.
        """
        model = get_user_model()
        username = kwargs.pop(model.USERNAME_FIELD, username)  # of a form that calls it so
        if username is None or password is None:
            return None
        username = model.normalize_username(username)  # as the account's was: keyboards differ
        try:
            user = self._authenticate(request, username, password, kwargs)
        except TooManyTries:
            login_tried.send(type(self), result="too_many")
            raise
        login_tried.send(type(self), result="refused" if user is None else "accepted")
        return user

    def _authenticate(
        self, request: HttpRequest | None, username: str, password: str, kwargs: dict[str, Any]
    ) -> Any:
        if not _logins.acquire(blocking=False):
            raise TooManyTries(HASHING_RETRY_SECONDS)
        try:
            attempt = login_tries.begin(username, request)
            with _hashing:
                user = super().authenticate(request, username=username, password=password, **kwargs)
        finally:
            _logins.release()
        if user is not None:
            login_tries.succeed(attempt)
        return user


def paced_password_change(view: View) -> View:
    """Return the view with its guesses of the old password counted as tries to log in.

    Whoever found a browser open has no more of them than a stranger.
    """

    def respond(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method != "POST" or not request.user.is_authenticated:
            return view(request, *args, **kwargs)
        attempt = login_tries.begin(request.user.get_username(), request)
        response = view(request, *args, **kwargs)
        if response.status_code == HTTPStatus.FOUND:
            login_tries.succeed(attempt)
        return response

    return respond


class TooManyTriesPage:
    """Middleware that answers 429 with a page, at every door that shows pages; REST has its own answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on."""
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Say when to come back."""
        if not isinstance(error, TooManyTries):
            return None
        facts = {"wait_seconds": error.retry_after_seconds, "next": request.POST.get("next", "")}
        answer = render(request, "roomlog/login.html", facts, status=429)
        answer.headers["Retry-After"] = str(error.retry_after_seconds)
        return answer
