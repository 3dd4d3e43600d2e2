"""How many connections one question compares with the database. Around `login_sweep` and `second_look`."""

from collections.abc import Iterable, Iterator
from typing import Final

from ..sockets.session import Session

LOGINS_AT_ONCE: Final = 100
SECRETS_BYTES: Final = 48 * 1024
"""Of the tokens and tickets in one question, which is to be no larger than a client's largest frame."""


def portions(sessions: Iterable[Session]) -> Iterator[list[Session]]:
    """Divide connections among as few questions as can hold them."""
    portion: list[Session] = []
    size = 0
    for session in sessions:
        size += len(session.login.secret)
        if portion and (len(portion) == LOGINS_AT_ONCE or size > SECRETS_BYTES):
            yield portion
            portion, size = [], len(session.login.secret)
        portion.append(session)
    if portion:
        yield portion
