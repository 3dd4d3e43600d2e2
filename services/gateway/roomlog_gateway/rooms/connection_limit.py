"""The places of a user's connections, and which of them a newcomer gets when all are taken. Stage:
authenticate.

A phone that lost its network leaves sockets behind that the pings find dead after 50 s at most. It must not
wait so long for its own dead sockets: they are asked at once, and one that is silent gives its place up.
"""

import asyncio
from typing import Final

from roomlog_contract.errors import CloseCode

from ..sockets.session import Session, SessionState
from .members import Members

LOOK_SECONDS: Final = 0.05
"""Between two looks at who has answered."""


async def replace_silent(members: Members, session: Session, user: int) -> bool:
    """Attach a newcomer to its user in the place of the connection that was silent for longest.

    Return False if all gave a sign of life, or the newcomer left. Nothing is awaited between a goodbye and
    the newcomer's entry, so each silent connection makes place for one, whoever else waits.
    """
    for other in members.connections(user):
        other.connection.ask()
    while session.state is not SessionState.ENDED:
        if members.attach(session, user):
            return True
        others = [other.connection for other in members.connections(user)]
        silent = [other for other in others if other.is_silent]
        if silent:
            longest = min(silent, key=lambda other: other.heard_at)
            longest.close(CloseCode.TOO_SLOW, "silent while its place was needed")
        elif any(other.asked_at is not None for other in others):
            await asyncio.sleep(LOOK_SECONDS)
        else:
            return False
    return False
