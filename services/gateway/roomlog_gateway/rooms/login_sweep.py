"""Connections in their turn against the database: one question says of many that nothing has changed.

Beside the event stage; the safety net of revocation (GUARANTEES G10). It must not change a connection: what
differs, or what nobody answers for, is rechecked alone.
"""

from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from roomlog_contract.envelope import Identify, LoginsCompared

from ..errors import NoReply, NotAccepted
from ..sockets.session import Session
from .authentication import Authentication
from .login_portions import portions
from .members import IDENTIFY_TRY_SECONDS, Members
from .worker_questions import WorkerQuestions


class LoginSweep:
    """Compares connections, many at once."""

    def __init__(
        self,
        authentication: Authentication,
        members: Members,
        questions: WorkerQuestions,
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._authentication = authentication
        self._members = members
        self._questions = questions
        self._spawn = spawn

    def compare(self, sessions: Iterable[Session]) -> None:
        """Begin to compare token and rooms of these connections with the database."""
        at_rest: list[Session] = []
        for session in sessions:
            if self._authentication.is_at_rest(session):
                at_rest.append(session)
            else:
                self._authentication.recheck(session)
        for portion in portions(at_rest):
            self._spawn(self._compare(portion))

    async def _compare(self, sessions: list[Session]) -> None:
        secrets = [session.login.secret for session in sessions]
        question = Identify(uuid="sweep", logins=[self._members.known_login(session) for session in sessions])
        unchanged: dict[int, int | None] = {}
        try:
            reply = await self._questions.ask_any(question, IDENTIFY_TRY_SECONDS)
            if isinstance(reply, LoginsCompared):  # a worker of an earlier release knows no such question
                unchanged = reply.unchanged
        except (NotAccepted, NoReply):
            pass
        for place, (session, secret) in enumerate(zip(sessions, secrets, strict=True)):
            if place in unchanged and session.login.secret == secret:
                session.expiry.hear(unchanged[place])
            else:
                self._authentication.recheck(session)
