"""Says of a failed dependency what a log may hold: class, SQLSTATE, and whether a login was refused.

Beside the message's way. It must not pass on the words of an error: they may quote a value, a user or a host.
"""

from typing import Any, Final

_LOGIN_CLASS: Final = "28"
"""PostgreSQL's class of refused logins."""
_WRONG_PASSWORD: Final = "28P01"  # noqa: S105 - a code
_OTHER_LOGIN: Final = "28000"
_REFUSED_LOGINS: Final = {
    "password authentication failed": _WRONG_PASSWORD,
    "no password supplied": _WRONG_PASSWORD,
    "no pg_hba.conf entry": _OTHER_LOGIN,
    "authentication failed": _OTHER_LOGIN,
    "is not permitted to log in": _OTHER_LOGIN,
}
"""libpq passes no SQLSTATE on while it connects, so its words are looked at; the first that fits counts."""
_REDIS_REFUSES: Final = ("WRONGPASS", "NOAUTH")
"""What Redis' error replies to a wrong or missing password begin with."""
_REDIS_CLASS: Final = "AuthenticationError"
"""redis-py's name for them."""


def cause_of(error: BaseException) -> dict[str, Any]:
    """Return the fields `error`, `sqlstate` and `authentication_failed` of an error's line in the log.

    `sqlstate` is PostgreSQL's code, or SQLite's name; empty where the error has none.
    """
    state = _sqlstate_of(error)
    is_refused = state.startswith(_LOGIN_CLASS) or any(_is_refused_by_redis(one) for one in _chain(error))
    return {"error": type(error).__name__, "sqlstate": state, "authentication_failed": is_refused}


def is_login_refused(reply: str) -> bool:
    """Return whether an error reply of Redis says that the password is wrong or missing."""
    return reply.startswith(_REDIS_REFUSES)


def _chain(error: BaseException) -> list[BaseException]:
    return [one for one in (error, error.__cause__) if one is not None]


def _sqlstate_of(error: BaseException) -> str:
    for one in _chain(error):
        if state := getattr(one, "sqlstate", None):
            return str(state)
    for one in _chain(error):
        if hasattr(one, "sqlstate"):  # psycopg's, while it connects
            words = str(one)
            return next((state for refusal, state in _REFUSED_LOGINS.items() if refusal in words), "")
    return str(getattr(error.__cause__, "sqlite_errorname", ""))


def _is_refused_by_redis(error: BaseException) -> bool:
    return type(error).__name__ == _REDIS_CLASS or is_login_refused(str(error))
