"""Tickets: a browser's pass for one authenticate, so that its token or session stays where it is.

Made by the api for a signed-in user, read by workers; both know the secret key. A ticket names a user
for a minute and no longer: it is no token, and it can't be revoked before it ends.
"""

from typing import Final

from django.core.signing import BadSignature, TimestampSigner

SALT: Final = "roomlog.ticket"
TICKET_SECONDS: Final = 60
"""From the page's request to the gateway's answer, with a slow network and clocks a little apart."""


def make_ticket(user_id: int) -> str:
    """Return a ticket for this user, good for TICKET_SECONDS."""
    return TimestampSigner(salt=SALT).sign(str(user_id))


def read_ticket(ticket: str, *, max_age_seconds: int | None = TICKET_SECONDS) -> int | None:
    """Return the user of a ticket, or None where it is not ours or too old.

    Without a `max_age_seconds` it says whose it was: for the recheck of a connection that came with it
    in time.
    """
    try:
        return int(TimestampSigner(salt=SALT).unsign(ticket, max_age=max_age_seconds))
    except (BadSignature, ValueError):
        return None
