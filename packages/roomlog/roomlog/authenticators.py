"""Resolve a token to its account: by DRF's or bots' table, SimpleJWT, knox, or the project's own function.

`ROOMLOG["AUTHENTICATORS"]` names them in the order in which they are asked. Each takes a token and returns an
account, alone or with the token's end, or None. They may be slow or fail: whoever asks them lets nobody else
wait for it.
"""

import time
from collections.abc import Callable
from datetime import datetime
from importlib import import_module
from typing import Any, Final

from django.contrib.auth.base_user import AbstractBaseUser
from django.utils.module_loading import import_string
from rest_framework.authentication import BaseAuthentication, TokenAuthentication, get_authorization_header
from rest_framework.authtoken.models import Token
from rest_framework.exceptions import APIException, AuthenticationFailed
from rest_framework.request import Request

from .bots import PREFIX, account_of
from .configuration import configuration
from .people import as_user, person_of
from .signed_in import SignedIn

AUTHTOKEN: Final = "authtoken"
SIMPLEJWT: Final = "simplejwt"
KNOX: Final = "knox"
BOTS: Final = "bots"
APPS: Final = {AUTHTOKEN: "rest_framework.authtoken", SIMPLEJWT: "rest_framework_simplejwt", KNOX: "knox"}
"""What each of the known ones needs; SimpleJWT need not be in INSTALLED_APPS."""
SCHEME: Final = "Bearer"
"""What stands before a token of the project's own kind in `Authorization`."""

End = datetime | float | None
"""When a token ends, as a time or in seconds since 1970; None: never by itself."""
Found = AbstractBaseUser | tuple[AbstractBaseUser, End] | None
Authenticator = Callable[[str], Found]


def own_authenticators() -> list[Authenticator]:
    """Return the authenticators if the project names others than DRF's and bots' tokens, read in batches."""
    names = configuration().authenticators
    is_ours = set(names) <= {AUTHTOKEN, BOTS}
    return [] if is_ours else [_KNOWN.get(name) or import_string(name) for name in names]


def signed_in(token: str, authenticators: list[Authenticator]) -> SignedIn | None:
    """Return the active person of a token, by the first who knows it. Raises whatever they raise."""
    for authenticate in authenticators:
        found = authenticate(token)
        if found is not None:
            account, left_ms = _account_of(found)
            return None if account is None else SignedIn(as_user(person_of(account)), left_ms)
    return None


def rest_classes() -> list[type[BaseAuthentication]]:
    """Return what stands for the same authenticators before the REST views.

    Bots come before those who refuse a `Bearer` that they don't know. The first one's scheme is that of a
    401.
    """
    names = [name for name in configuration().authenticators if not _is_missing(name)]
    if BOTS in names:
        names.remove(BOTS)
        names.insert(1 if names[:1] == [AUTHTOKEN] else 0, BOTS)
    return [_rest_class(name) for name in names]


def _rest_class(name: str) -> type[BaseAuthentication]:
    if name == AUTHTOKEN:
        return TokenAuthentication
    if name == BOTS:
        return BotTokens
    if name in APPS:
        known: type[BaseAuthentication] = _class_of(name)
        return known
    return type("OwnTokens", (BearerTokens,), {"authenticator": staticmethod(import_string(name))})


class BearerTokens(BaseAuthentication):
    """Tokens that a function of the project's knows."""

    authenticator: Authenticator

    def authenticate(self, request: Request) -> tuple[AbstractBaseUser, str] | None:
        """Return the account and its token; None for requests without one."""
        token = _bearer_of(request)
        if not token:
            return None
        found = type(self).authenticator(token)
        account = None if found is None else _account_of(found)[0]
        if account is None:
            raise AuthenticationFailed("Invalid token.")
        return account, token

    def authenticate_header(self, request: Request) -> str:
        """Return the scheme of a 401."""
        return SCHEME


class BotTokens(BearerTokens):
    """Tokens of bots; every other `Bearer` is left to those who come after."""

    authenticator = staticmethod(account_of)

    def authenticate(self, request: Request) -> tuple[AbstractBaseUser, str] | None:
        """Return the account and its token; None for requests without a bot's."""
        return super().authenticate(request) if _bearer_of(request).startswith(PREFIX) else None


def _bearer_of(request: Request) -> str:
    """Return the token of the request's `Authorization`, or an empty text."""
    scheme, _, token = get_authorization_header(request).decode("latin-1").partition(" ")
    return token if scheme.lower() == SCHEME.lower() else ""


def _account_of(
    found: AbstractBaseUser | tuple[AbstractBaseUser, End],
) -> tuple[AbstractBaseUser | None, int | None]:
    """Return the account and for how many milliseconds its token still lasts; no account if either has ended.

    By this machine's clock, which also judges SimpleJWT's and knox's tokens.
    """
    account, end = found if isinstance(found, tuple) else (found, None)
    if not account.is_active:
        return None, None
    if end is None:
        return account, None
    left_ms = round(((end.timestamp() if isinstance(end, datetime) else end) - time.time()) * 1000)
    return (account, left_ms) if left_ms > 0 else (None, None)


def _is_missing(name: str) -> bool:
    return name == AUTHTOKEN and Token._meta.abstract


def _class_of(name: str) -> Any:
    module, attribute = {
        SIMPLEJWT: ("rest_framework_simplejwt.authentication", "JWTAuthentication"),
        KNOX: ("knox.auth", "TokenAuthentication"),
    }[name]
    return getattr(import_module(module), attribute)


def _authtoken(token: str) -> AbstractBaseUser | None:
    if _is_missing(AUTHTOKEN):
        return None
    found = Token.objects.select_related("user").filter(key=token).first()
    return None if found is None else found.user


def _simplejwt(token: str) -> Found:
    backend = _class_of(SIMPLEJWT)()
    try:
        valid = backend.get_validated_token(token.encode())
        account: AbstractBaseUser = backend.get_user(valid)
    except APIException:
        return None
    end = valid.get("exp")
    return account, None if end is None else end + valid.token_backend.get_leeway().total_seconds()


def _knox(token: str) -> Found:
    try:
        account, row = _class_of(KNOX)().authenticate_credentials(token.encode())
    except APIException:
        return None
    return account, row.expiry


_KNOWN: Final[dict[str, Authenticator]] = {
    AUTHTOKEN: _authtoken,
    BOTS: account_of,
    SIMPLEJWT: _simplejwt,
    KNOX: _knox,
}
