"""What was read before a subscription, compared with the database after it: one question for many logins.

Stage: authenticate and rechecks. All that come to it in one turn of the loop are asked for together. It must
not trust: what is not said to be the same, or what nobody answers for, is read anew (GUARANTEES G5, G10).
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, NamedTuple

import msgspec

from roomlog_contract.envelope import Identified, Identify, KnownLogin, LoginsCompared
from roomlog_contract.fingerprint import ARCHIVED, MUTED, READER, fingerprint, membership_with_head
from roomlog_contract.keyspace import Keyspace

from ..errors import NoReply, NotAccepted
from ..sockets.session import Session
from .login_portions import portions
from .worker_questions import WorkerQuestions


class _Look(NamedTuple):
    """One login that waits."""

    login: KnownLogin
    is_same: "asyncio.Future[tuple[bool, int | None]]"
    """And how long its token still lasts."""


class SecondLook:
    """Compares logins, all of one turn at once."""

    def __init__(
        self,
        keyspace: Keyspace,
        questions: WorkerQuestions,
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._keyspace = keyspace
        self._questions = questions
        self._spawn = spawn
        self._waiting: dict[Session, _Look] = {}

    async def look(self, session: Session, identified: Identified, seconds: float) -> Identified | None:
        """Return what was read, if it is so still, with what is left of the token; else None.

        A worker compares heads too, so nothing happened to the rooms before this was asked.
        """
        if identified.is_by_project or identified.user is None:
            return None
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._ask, seconds)
        known = KnownLogin(_fingerprint(identified), session.login.token, session.login.ticket)
        look = self._waiting[session] = _Look(known, loop.create_future())
        is_same, expires_in_ms = await look.is_same  # deadline: the question's
        return msgspec.structs.replace(identified, expires_in_ms=expires_in_ms) if is_same else None

    def _ask(self, seconds: float) -> None:
        waiting, self._waiting = self._waiting, {}
        for sessions in portions(waiting):
            self._spawn(self._compare([waiting[session] for session in sessions], seconds))

    async def _compare(self, looks: Sequence[_Look], seconds: float) -> None:
        question = Identify(uuid="look", logins=[look.login for look in looks], has_heads=True)
        unchanged: dict[int, int | None] = {}
        try:
            # A shard whose worker has just answered one of them.
            shard = self._keyspace.shard_of_token(looks[0].login.token or looks[0].login.ticket or "")
            reply = await self._questions.ask(shard, question, seconds)
            if isinstance(reply, LoginsCompared):  # a worker of an earlier release knows no such question
                unchanged = reply.unchanged
        except (NotAccepted, NoReply):
            pass
        finally:
            for place, look in enumerate(looks):
                if not look.is_same.done():
                    look.is_same.set_result((place in unchanged, unchanged.get(place)))


def _fingerprint(identified: Identified) -> bytes:
    assert identified.user is not None
    readers, muted = identified.readers, identified.muted
    return fingerprint(
        identified.user,
        [
            membership_with_head(
                room,
                (READER if room.id in readers else "")
                + (MUTED if room.id in muted else "")
                + (ARCHIVED if room.archived else ""),
            )
            for room in identified.rooms
        ],
    )
