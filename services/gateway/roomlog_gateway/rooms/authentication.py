"""Who a connection is, found out without a race, and checked again. Stage: authenticate, joins and
revocation.

(a) read the token: user and rooms; (b) subscribe to both and wait for the confirmation; (c) look whether that
still holds, else read again, and once more while rooms are new; (d) answer. Waits are bounded: without a
worker's word in 10 s it is 1013.
On an open connection another token of the same user takes the place of the first, and nothing else changes.
"""

import asyncio
import random
from collections.abc import Callable, Collection, Coroutine
from time import monotonic
from typing import Any, Final
from uuid import UUID
from weakref import WeakValueDictionary

import structlog

from roomlog_contract import limits
from roomlog_contract.commands import Authenticate
from roomlog_contract.envelope import Identified, Identify
from roomlog_contract.errors import CloseCode, ErrorCode
from roomlog_contract.events import AuthenticateAnswer, RoomSummary
from roomlog_contract.server_events import Reset, SyncRequired
from roomlog_runtime.logs import is_debug

from .. import metrics
from ..errors import NoReply, NotAccepted, NotSubscribed, TooManyConnections
from ..sockets.login import login_of
from ..sockets.session import Session, SessionState
from .connection_limit import replace_silent
from .members import IDENTIFY_TRY_SECONDS, Members, summary_at
from .pagination import paginate
from .room import Room
from .second_look import SecondLook
from .waves import Waves

log = structlog.get_logger()

RETRY_SECONDS: Final = 0.2
"""Between two tries while Redis is away or the gate is shut."""

RECHECK_PAUSE_SECONDS_A_ROOM: Final = 0.00025
"""Between two comparisons of one connection, for each of its rooms: reading the 1,000 that one may have costs
everybody 5 ms, and an account that makes rooms asks for it with each of them."""
RECHECK_PAUSE_SECONDS: Final = 0.5
"""At most: a revocation is noticed within 1 s."""
RECHECK_RETRY_SECONDS: Final = 4.0
"""Between an unanswered recheck and its repeat."""
RENEWAL_RETRY_MS: Final = 1000
"""Told with a renewal that no worker answered: the present token still counts."""
ANOTHERS_TOKEN: Final = "This token or ticket is another user's; open a connection for it."  # noqa: S105
REPEATS_AT_ONCE: Final = 32
"""Repeated rechecks under way: with no worker there, all connections would ask all the time."""


class Authentication:
    """Authenticates, rechecks and revokes."""

    def __init__(
        self,
        members: Members,
        second_look: SecondLook,
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._members = members
        self._second_look = second_look
        self._spawn = spawn
        self._comparing: set[Session] = set()
        self._asked_again: set[Session] = set()
        """Something changed while these authenticated or were compared: they are compared once more."""
        self._repeats = asyncio.Semaphore(REPEATS_AT_ONCE)
        self._waves = Waves()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        """By token or ticket: connections of one are compared one after the other, and others in between."""

    def authenticate(self, session: Session, command: Authenticate) -> None:
        """Start to find out who it is, or of an active session whether it still is the same user."""
        find_out = self._renew if session.state is SessionState.ACTIVE else self._authenticate
        self._spawn(find_out(session, command))

    def recheck(self, session: Session) -> None:
        """Compare token and rooms with the database, now or when what is under way has ended."""
        if session.state is SessionState.AUTHENTICATING or session in self._comparing:
            self._asked_again.add(session)
        elif session.state is SessionState.ACTIVE:
            self._comparing.add(session)
            self._spawn(self._recheck(session))

    def is_at_rest(self, session: Session) -> bool:
        """Return True if it is known who it is, and nothing of it is being found out."""
        return session.state is SessionState.ACTIVE and session not in self._comparing

    async def _authenticate(self, session: Session, command: Authenticate) -> None:
        pinned: list[Room] = []
        began, result = monotonic(), "failed"
        try:
            async with asyncio.timeout(limits.IDENTIFY_SECONDS):
                await self._waves.next()
                identified = await self._read_within_limit(session, pinned)
            if session.state is SessionState.ENDED:
                result = "gone"
                return
            if identified.user is None:
                session.reject_token(command.uuid)
                result = "rejected"
            else:
                self._welcome(session, command, identified)
                result = "accepted"
        except (TimeoutError, NotSubscribed):
            result = "unanswered"
            session.connection.close(CloseCode.OVERLOADED, "no worker answered")
        except TooManyConnections:
            result = "too_many_connections"
            session.refuse(ErrorCode.TOO_MANY_CONNECTIONS, command.uuid, "authenticate")
            session.connection.close(CloseCode.POLICY, "too many connections")
        except Exception:  # this session's boundary: without it the client would wait for ever
            log.exception("authenticate_failed", connection=session.number, uuid=command.uuid)
            session.connection.close(CloseCode.OVERLOADED, "")
        finally:
            metrics.AUTHENTICATION_SECONDS.labels(result).observe(monotonic() - began)
            if is_debug():
                log.debug("authenticate_ended", connection=session.number, uuid=command.uuid, result=result)
            self._members.unpin(pinned)
            if session.state is not SessionState.ACTIVE:
                self._members.leave(session)
            if session in self._asked_again:
                self._asked_again.discard(session)
                self.recheck(session)

    async def _renew(self, session: Session, command: Authenticate) -> None:
        """Take another token for the connection's own, if it is the same user's; until then the first counts.

        The token is compared once more afterwards: a notice may have told meanwhile that it ended.
        """
        login = login_of(command)
        try:
            async with asyncio.timeout(limits.IDENTIFY_SECONDS), self._turn(login):
                identified = await self._identify(login)
            if session.state is SessionState.ACTIVE:
                self._settle_renewal(session, command.uuid, login, identified)
        except TimeoutError:
            session.refuse_busy(command.uuid, "authenticate", None, RENEWAL_RETRY_MS)
        except Exception:  # this session's boundary: without it the client would wait for ever
            log.exception("renewal_failed", connection=session.number, uuid=command.uuid)
            session.connection.close(CloseCode.OVERLOADED, "")
        finally:
            session.end_renewal()

    def _settle_renewal(self, session: Session, uuid: str, login: Identify, identified: Identified) -> None:
        if identified.user is None:
            session.reject_token(uuid)
        elif identified.user.id != session.user:
            session.refuse(ErrorCode.FORBIDDEN, uuid, "authenticate", ANOTHERS_TOKEN)
        else:
            session.renew(login, identified.expires_in_ms)
            session.tell(AuthenticateAnswer(uuid=uuid, user=identified.user, rooms=[]))
            self.recheck(session)

    async def _recheck(self, session: Session) -> None:
        """Compare; all that is asked for meanwhile, and in the pause after it, is one more comparison."""
        try:
            while session.state is SessionState.ACTIVE:
                self._asked_again.discard(session)
                await self._compare_until_answered(session)
                await asyncio.sleep(
                    min(RECHECK_PAUSE_SECONDS, len(session.rooms) * RECHECK_PAUSE_SECONDS_A_ROOM)
                )
                if session not in self._asked_again:
                    break
        finally:
            self._comparing.discard(session)
            self._asked_again.discard(session)

    async def _compare_until_answered(self, session: Session) -> None:
        """Compare until a worker has answered: a revocation must not wait for the next turn of all."""
        is_answered = await self._compare(session)
        while not is_answered and session.state is SessionState.ACTIVE:
            await asyncio.sleep(RECHECK_RETRY_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
            async with self._repeats:
                is_answered = await self._compare(session)

    async def _compare(self, session: Session) -> bool:
        """Compare once and return whether a worker answered."""
        pinned: list[Room] = []
        announced, secret = session.take_announced(), session.login.secret
        try:
            async with asyncio.timeout(limits.IDENTIFY_SECONDS):
                identified = await self._in_turn(session, pinned, announced)
            if session.state is not SessionState.ACTIVE:
                return True
            if session.login.secret != secret:  # renewed meanwhile: this was said of the token before
                session.announce(*announced)
                self._asked_again.add(session)
            elif identified.user is None:
                self._cut_off(session)
            else:
                session.expiry.hear(identified.expires_in_ms)
                self._members.apply(session, identified, announced)
        except (TimeoutError, NotSubscribed):
            metrics.RECHECKS_UNANSWERED.inc()
            session.announce(*announced)
            return False
        finally:
            self._members.unpin(pinned)
        return True

    def _cut_off(self, session: Session) -> None:
        """Close a connection whose token is not valid any more, with the code that says why."""
        if session.expiry.is_near():
            session.connection.close(CloseCode.EXPIRED, "the token has expired")
        else:
            session.connection.close(CloseCode.REVOKED, "revoked")

    async def _read_within_limit(self, session: Session, pinned: list[Room]) -> Identified:
        """Read, and where the user's places are taken, wait for one without holding up the others' turns."""
        try:
            return await self._in_turn(session, pinned)
        except TooManyConnections as full:
            if not await replace_silent(self._members, session, full.user):
                raise
        return await self._in_turn(session, pinned)

    async def _in_turn(
        self, session: Session, pinned: list[Room], announced: Collection[UUID] = ()
    ) -> Identified:
        async with self._turn(session.login):  # deadline: the caller's
            return await self._read_and_subscribe(session, pinned, announced)

    def _turn(self, login: Identify) -> asyncio.Lock:
        return self._turns.setdefault(login.secret, asyncio.Lock())

    async def _read_and_subscribe(
        self, session: Session, pinned: list[Room], announced: Collection[UUID]
    ) -> Identified:
        """Return what was read after everything in it was subscribed to; the caller unpins."""
        held = set(session.rooms)
        if announced:
            # Subscribed to first, the rooms of a notice need no second read.
            pinned.extend(await self._members.pin(session.user, announced, self.recheck))
            held.update(announced)
        identified = await self._identify(session.login)
        while identified.user is not None and session.state is not SessionState.ENDED:
            if session.user not in (0, identified.user.id):
                return Identified(identified.request, None, [])  # a connection never becomes another user
            session.accept_login()
            if not self._members.attach(session, identified.user.id):
                raise TooManyConnections(identified.user.id)
            missing = [summary.id for summary in identified.rooms if summary.id not in held]
            if held and not missing and not self._members.is_outdated(identified):
                break
            pinned.extend(await self._members.pin(identified.user.id, missing, self.recheck))
            held.update(missing)
            identified = await self._read_again(session, identified)
            is_whole = held.issuperset(summary.id for summary in identified.rooms)
            if is_whole and not self._members.is_outdated(identified):
                break
        return identified

    async def _read_again(self, session: Session, identified: Identified) -> Identified:
        """Return what holds now: what was read before, if a worker says that nothing has changed."""
        unchanged = await self._second_look.look(session, identified, IDENTIFY_TRY_SECONDS)
        return unchanged or await self._identify(session.login)

    async def _identify(self, login: Identify) -> Identified:
        """Ask until the caller's deadline ends it."""
        while True:
            try:
                return await self._members.identify(login)
            except (NotAccepted, NoReply):
                await asyncio.sleep(RETRY_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311 - jitter

    def _welcome(self, session: Session, command: Authenticate, identified: Identified) -> None:
        """Answer, and begin to deliver from where the answer or the client's cursors end."""
        assert identified.user is not None
        entered: list[tuple[Room, RoomSummary]] = []
        for summary in identified.rooms:
            room = self._members.update_room(session, summary)
            if room is not None:
                entered.append((room, summary_at(summary, room, session.user)))
        session.activate()
        session.expiry.hear(identified.expires_in_ms)
        for rooms, more in paginate([summary for _, summary in entered], limits.AUTHENTICATE_ROOMS):
            session.tell(
                AuthenticateAnswer(uuid=command.uuid, user=identified.user, rooms=list(rooms), more=more)
            )
        behind = [room.id for room, summary in entered if self._enter(session, command, room, summary)]
        if behind:
            session.tell(SyncRequired(rooms=behind))
        self._members.note(session, identified)

    def _enter(self, session: Session, command: Authenticate, room: Room, told: RoomSummary) -> bool:
        """Begin to deliver a room and return whether the client must ask for what its cursor misses."""
        cursor = command.cursors.get(room.id)
        self._members.enter(session, room, told)
        if cursor is None or session not in room:
            return False
        if cursor.epoch != room.epoch or cursor.seq > told.seq:
            # Another log, or one that went back: nothing in the client's hands can be continued.
            room.fall_behind(session)
            session.tell(Reset(room=room.id, epoch=room.epoch))
        elif cursor.seq < told.seq:
            room.fall_behind(session)
            return True
        return False
