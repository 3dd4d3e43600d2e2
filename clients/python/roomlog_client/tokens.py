"""The token that a client shows: the program's own, or what its function returns. First stage."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from .errors import SignedOut

Token = str | Callable[[], Awaitable[str]]
"""A token, or the application's function that is asked for one before each connection and before it ends."""
TOKEN_SECONDS: Final = 30.0
"""Longest wait for the application's token."""


class NoToken(Exception):
    """The application's function failed; its text may hold anything, so the class of its error is named."""


async def ask_token(token: Token) -> str:
    """Return the token of this moment.

    Raises:
        SignedOut: the application says that there is none any more.
        NoToken: it failed, or took too long.
    """
    if isinstance(token, str):
        return token
    try:
        async with asyncio.timeout(TOKEN_SECONDS):
            return await token()
    except SignedOut:
        raise
    except Exception as error:  # the application's boundary: whatever failed there is tried again
        raise NoToken(f"no token: {type(error).__name__}") from error
