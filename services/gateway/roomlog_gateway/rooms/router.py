"""Commands to the stream of their shard, replies to who waits for them. Stage: session → worker → session.

It must not answer what it does not know: busy is said only where the command certainly is not in Redis, and
a request that expires is simply no longer waited for (GUARANTEES G7).
"""

import asyncio
from collections.abc import Callable
from typing import Final, cast
from uuid import UUID

import structlog

from roomlog_contract import limits
from roomlog_contract.actions import STREAMS, Stream
from roomlog_contract.commands import ClientCommand, RoomWrite, SelectRoom, action_of
from roomlog_contract.envelope import (
    Answered,
    Envelope,
    FetchEvents,
    Identify,
    Notice,
    ReadHeads,
    Reply,
    Selected,
    decode_replies,
    encode,
)
from roomlog_contract.keyspace import Keyspace
from roomlog_contract.shards import room_of, shard_of_room, shard_of_user

from .. import metrics
from ..errors import NoReply, NotAccepted
from ..redis.command_writer import Bus
from ..sockets.session import Session
from .pending_requests import Request, Requests
from .selection import Selection

log = structlog.get_logger()

FULL_RETRY_MS: Final = 1000
"""Told with the 33rd unanswered command: by then the worker has answered some."""


class Router:
    """Numbers commands, sends them off and brings their answers back."""

    def __init__(
        self,
        gateway: str,
        redis_url: str,
        keyspace: Keyspace,
        selection: Selection,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
    ) -> None:
        self._gateway = gateway
        self._keyspace = keyspace
        self._selection = selection
        self._clock = clock
        self._wall_clock = wall_clock
        self.requests = Requests()
        self.bus = Bus(redis_url, clock, self._refused)

    def forward(self, session: Session, command: ClientCommand) -> None:
        """Sends a member's command to its worker; the answer comes as a reply or as the room's event.

        Raises:
            NotAccepted: it was not sent, for certain.
        """
        is_read = STREAMS[type(command)] is not Stream.WRITE
        if session.unanswered >= limits.UNANSWERED_COMMANDS or (is_read and session.outbox.is_backed_up):
            raise NotAccepted(FULL_RETRY_MS)
        stream, room = self._route(session.user, command)
        if not is_read:
            self.requests.overtake(session, room, command.uuid)
        request = Request(session, command.uuid, action_of(command), room, self._clock())
        number = self.requests.add(request)
        try:
            # Until it has entered the room nothing here may hear the channel: the event could pass it by.
            wants_reply = room is not None and room not in session.rooms
            self.bus.add(stream, self._wrap(command, number, session.user, wants_reply), number)
        except NotAccepted:
            self.requests.take(number)
            raise
        session.sent()
        if isinstance(command, SelectRoom):
            self._selection.begin(request)

    async def ask(self, shard: int, question: Identify | ReadHeads | FetchEvents, seconds: float) -> Reply:
        """Returns the reply of a shard's worker to a question of the gateway itself.

        Raises:
            NotAccepted: it certainly was not sent.
            NoReply: nobody answered within `seconds`.
        """
        number, future = self.requests.add_own()
        try:
            stream = self._keyspace.read_stream(shard)
            self.bus.add(stream, self._wrap(question, number, 0), number)
            async with asyncio.timeout(seconds):
                return await future
        except TimeoutError:
            raise NoReply from None
        finally:
            self.requests.forget_own(number)

    def on_replies(self, payload: bytes) -> None:
        """Takes one publication on this gateway's channel."""
        for reply in decode_replies(payload):
            future = self.requests.own(reply.request)
            if future is not None:
                if not future.done():
                    future.set_result(reply)
            else:
                self._answer(reply)

    def take_answered(self, notice: Notice) -> Session | None:
        """Returns the connection whose command this event answers; None where nobody waits for it here."""
        if notice.gateway != self._gateway:
            return None
        request = self.requests.take(notice.request)
        if request is None:
            return None
        request.session.answered()
        metrics.WRITTEN_SECONDS.observe(self._clock() - request.received_at)
        return request.session

    def expire(self, now: float) -> None:
        """Stops waiting for what has not been answered for 15 s."""
        for request in self.requests.take_expired(now):
            metrics.EXPIRED.inc()
            request.session.answered()
            self._selection.end(request)

    def _answer(self, reply: Reply) -> None:
        request = self.requests.take(reply.request)
        if request is None:
            return
        request.session.answered()
        if isinstance(reply, Selected):
            self._selection.answer(request, reply)
        elif isinstance(reply, Answered):
            if not request.is_overtaken:
                request.session.answer(reply.frame)
            self._selection.end(request)

    def _refused(self, number: int, retry_after_ms: int) -> None:
        """The bus is certain that this command is not in Redis."""
        future = self.requests.own(number)
        if future is not None:
            if not future.done():
                future.set_exception(NotAccepted(retry_after_ms))
            return
        request = self.requests.take(number)
        if request is not None:
            request.session.answered()
            request.session.refuse_busy(request.uuid, request.action, request.room, retry_after_ms)
            self._selection.end(request)

    def _wrap(
        self,
        command: ClientCommand | Identify | ReadHeads | FetchEvents,
        number: int,
        user: int,
        wants_reply: bool = False,
    ) -> bytes:
        return encode(
            Envelope(
                command=command,
                gateway=self._gateway,
                request=number,
                user=user,
                received_ms=int(self._wall_clock() * 1000),
                wants_reply=wants_reply,
            )
        )

    def _route(self, user: int, command: ClientCommand) -> tuple[str, UUID | None]:
        """Return the stream of a command and the room that it names."""
        kind, room = STREAMS[type(command)], getattr(command, "room", None)
        if kind is Stream.WRITE:
            shard = shard_of_room(room_of(cast(RoomWrite, command), user))
        else:
            shard = shard_of_user(user) if room is None else shard_of_room(room)
        return self._keyspace.stream(kind, shard), room
