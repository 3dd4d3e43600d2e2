"""Makes a gateway whose PYTHONPATH has this folder ask for each connection alone, and for all heads."""

from collections.abc import Iterable
from uuid import UUID

from roomlog_contract.envelope import ReadHeads
from roomlog_gateway.rooms.head_poll import HeadPoll
from roomlog_gateway.rooms.login_sweep import LoginSweep
from roomlog_gateway.sockets.session import Session


def _recheck_each(self: LoginSweep, sessions: Iterable[Session]) -> None:
    for session in sessions:
        self._authentication.recheck(session)


def _ask_for_all(self: HeadPoll, rooms: list[UUID]) -> ReadHeads:
    return ReadHeads(uuid="heads", rooms=rooms)


LoginSweep.compare = _recheck_each  # type: ignore[method-assign]
HeadPoll._question = _ask_for_all  # type: ignore[method-assign]
