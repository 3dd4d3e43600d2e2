"""Commands under way: who waits for which number. Between the router and the workers' replies.

Pure but for the futures of the gateway's own questions. A request leaves by its answer, by a certain refusal
or after 15 s; an answer after that is dropped, because its command counts as unknown (GUARANTEES G7).
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

import structlog

from roomlog_contract import limits
from roomlog_contract.actions import EVENTS
from roomlog_contract.envelope import Notice, Reply
from roomlog_contract.trail import Ended, Note, ignore
from roomlog_runtime.logs import is_debug

from .. import metrics
from ..errors import NotAccepted
from ..sockets.session import Session
from ..sockets.token_bucket import TokenBucket
from .delivery import Delivery

log = structlog.get_logger()

NOTES_PER_SECOND: Final = 10.0
"""Lines in the log about expired commands: an outage expires thousands. All are counted."""


class Request:
    """One client command that was forwarded."""

    __slots__ = (
        "_on_end",
        "action",
        "delivery",
        "is_overtaken",
        "received_at",
        "room",
        "session",
        "shard",
        "span",
        "uuid",
    )

    def __init__(
        self,
        session: Session,
        uuid: str,
        action: str,
        room: UUID | None,
        shard: int,
        received_at: float,
        on_end: Callable[["Request"], None] | None = None,
    ) -> None:
        """`on_end` is called however it ends, but for an event that answers it."""
        self.session = session
        self.uuid = uuid
        self.action = action
        self.room = room
        self.shard = shard
        self.received_at = received_at
        self.delivery: Delivery | None = None
        """Where the room's events are held for this select_room's answer."""
        self.is_overtaken = False
        """Its client sent the same write again: a refusal of this one would be taken for the last word."""
        self.span: object = None
        """Its span, where OpenTelemetry is on."""
        self._on_end = on_end

    def end(self) -> None:
        """Have done what its end is to set free."""
        if self._on_end is not None:
            self._on_end(self)


class PendingRequests:
    """All requests of this gateway, by number; clients' and its own."""

    def __init__(self, gateway: str, clock: Callable[[], float], note: Note = ignore) -> None:
        self._gateway = gateway
        self._clock = clock
        self._note = note
        self._is_debug = is_debug()
        self._notes = TokenBucket(NOTES_PER_SECOND, NOTES_PER_SECOND, clock())
        self._last = 0
        self._clients: dict[int, Request] = {}
        self._latest: dict[tuple[Session, UUID | None, str], int] = {}
        """The last one under way of each session, room and uuid: a uuid names a command of its room."""
        self._own: dict[int, asyncio.Future[Reply]] = {}

    def __len__(self) -> int:
        return len(self._clients)

    def add(self, request: Request) -> int:
        """Return the new number of a client's request."""
        self._last += 1
        self._clients[self._last] = request
        self._latest[_name(request)] = self._last
        return self._last

    def overtake(self, session: Session, room: UUID | None, uuid: str) -> None:
        """Note that a write is sent again; what is under way of it still counts, and is not told."""
        earlier = self._clients.get(self._latest.get((session, room, uuid), 0))
        if earlier is not None:
            earlier.is_overtaken = True

    def take(self, number: int) -> Request | None:
        """Remove and return a client's request; None where it is not under way any more."""
        request = self._clients.pop(number, None)
        if request is not None and self._latest.get(_name(request)) == number:
            del self._latest[_name(request)]
        return request

    def take_answered(self, notice: Notice) -> Session | None:
        """Return the connection whose command this event answers; None where nobody waits for it here."""
        if notice.gateway != self._gateway:
            return None
        request = self.take(notice.request)
        if request is None:
            return None
        request.session.answered()
        if self._is_debug:
            log.debug("event_received", request=notice.request, seq=notice.seq, **request_hop(request))
        self.note_end(request, "event")
        metrics.WRITTEN_SECONDS.observe(self._clock() - request.received_at)
        return request.session

    def note_end(self, request: Request, how: str) -> None:
        """Note for the trail how the wait for a write's answer ended."""
        if request.action in EVENTS:
            self._note(Ended(request.uuid, request.session.number, how), request.span)

    def refuse(self, number: int, retry_after_ms: int) -> None:
        """Tell who waits for this number that it certainly is not in Redis."""
        future = self._own.get(number)
        if future is not None:
            if not future.done():
                future.set_exception(NotAccepted(retry_after_ms))
            return
        request = self.take(number)
        if request is not None:
            request.session.answered()
            request.session.refuse_busy(request.uuid, request.action, request.room, retry_after_ms)
            request.end()

    def expire(self, now: float) -> None:
        """Stop waiting for what has not been answered for 15 s; numbers grow with time."""
        while self._clients:
            number = next(iter(self._clients))
            if now - self._clients[number].received_at < limits.UNANSWERED_SECONDS:
                return
            request = self.take(number)
            assert request is not None
            metrics.EXPIRED.inc()
            self.note_end(request, "expired")
            if self._notes.take(now):
                log.warning("command_expired", action=request.action, request=number, **request_hop(request))
            request.session.answered()
            request.end()

    def add_own(self) -> tuple[int, "asyncio.Future[Reply]"]:
        """Return a number and the future of its reply; the caller calls `forget_own` in the end."""
        self._last += 1
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._own[self._last] = future
        return self._last, future

    def own(self, number: int) -> "asyncio.Future[Reply] | None":
        """Return the future of one of the gateway's own questions."""
        return self._own.get(number)

    def forget_own(self, number: int) -> None:
        """Drop one of the gateway's own questions."""
        self._own.pop(number, None)


def request_hop(request: Request) -> dict[str, Any]:
    """Return the fields `uuid`, `connection` and `shard` of a line about a request."""
    return {"uuid": request.uuid, "connection": request.session.number, "shard": request.shard}


def _name(request: Request) -> tuple[Session, UUID | None, str]:
    return request.session, request.room, request.uuid
