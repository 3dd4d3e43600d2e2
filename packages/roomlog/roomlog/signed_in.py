"""Whose a token or ticket is and how long it still lasts, as authenticators and tickets tell the reader."""

from dataclasses import dataclass

from roomlog_contract.events import User


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody whose token or ticket is valid now."""

    user: User
    expires_in_ms: int | None = None
    """From now on, by the clock that judges it; None: no end is known."""
