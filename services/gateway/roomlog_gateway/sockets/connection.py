"""One WebSocket after its upgrade: messages in, frames out, the goodbye. Edge of the message's way.

aiohttp reads the frames; one task a connection does nothing but receive. Writes are whole frames of our own
making, straight to the transport: a socket that takes nothing for 10 s is closed, and nobody else waits for
it meanwhile.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import structlog
from aiohttp import WSMsgType

from roomlog_contract import limits
from roomlog_contract.errors import CloseCode
from roomlog_runtime.logs import is_debug

from .. import metrics
from .outbox import WRITE_BYTES, Frame, Push
from .read_throttle import MEMBER
from .session import Services, Session
from .websocket import CLOSE_SECONDS, WebSocket
from .websocket_frames import close_frame, echoed_close_code, ping_frame, pong_frame

log = structlog.get_logger()

SOCKET_BYTES: Final = 128 * 1024
"""What may wait in the transport of one connection; the rest waits in its outbox, where it can be dropped."""
_PING: Final = ping_frame()


class Connection:
    """The messages of one client."""

    __slots__ = (
        "_clock",
        "_is_heard",
        "_socket",
        "_stalled",
        "_transport",
        "_waiting_bytes",
        "asked_at",
        "close_deadline",
        "deadline",
        "heard_at",
        "is_paused",
        "number",
        "session",
    )

    def __init__(
        self,
        socket: WebSocket,
        transport: asyncio.WriteTransport,
        stalled: dict["Connection", None],
        services: Services,
        clock: Callable[[], float],
        number: int = 0,
    ) -> None:
        """`stalled` holds the connections whose socket takes nothing just now: `retry` is called for them."""
        self._socket = socket
        self._transport = transport
        self._stalled = stalled
        self._clock = clock
        self.number = number
        """Names it in the log."""
        self._is_heard = True
        """Since its last turn to be pinged."""
        self._waiting_bytes = 0
        self.heard_at = clock()
        """When its last frame came."""
        self.asked_at: float | None = None
        """When it was asked out of turn for a sign of life that has not come yet."""
        self.is_paused = False
        """The transport holds as much as it may."""
        self.deadline = 0.0
        """When a paused socket must have taken something."""
        self.close_deadline: float | None = None
        """When the client must have said goodbye too; None while the connection is open."""
        self.session = Session(self, services, clock)
        socket.attach(self)

    async def serve(self) -> None:
        """Receive until the socket is closed; never waits for anything else."""
        try:
            async for message in self._socket:  # deadline: pings cut a silent socket
                if message.type is WSMsgType.TEXT:  # it came before this loop, or behind another kind
                    self.take(message.data)
                    continue
                self._heard()
                if message.type is WSMsgType.ERROR:
                    message.data.__traceback__ = None  # it would hold this frame, which holds it
                    break  # aiohttp has said goodbye, or found it said; it would find the error for ever
                if self.close_deadline is None:
                    self._receive(message.type, message.data)
            if self.close_deadline is not None:
                # Both halves of the goodbye are said (or the socket is gone); aiohttp must not say it again.
                self._transport.close()
            else:
                await self._socket.close(code=echoed_close_code(self._socket.close_code), drain=False)
        except Exception:  # this session's boundary: our bug must not reach the neighbours
            self._fail()
        finally:
            self.end()
            self._stalled.pop(self, None)
            # Without cycles it is freed at once: a full collection would stop the loop for all.
            self._socket.detach()
            self.session.lose_connection()

    def take(self, text: str) -> None:
        """Take a text message, in the turn of the loop in which it was read."""
        self._heard()
        if self.close_deadline is None:
            try:
                self.session.receive(text)
            except Exception:  # this session's boundary too
                self._fail()

    def _fail(self) -> None:
        log.exception("session_failed", connection=self.session.number)
        self.close(CloseCode.GOING_AWAY, "")

    def _heard(self) -> None:
        self._is_heard = True
        self.heard_at = self._clock()
        self.asked_at = None

    def _receive(self, kind: WSMsgType, data: Any) -> None:
        if kind is WSMsgType.BINARY:
            self.close(CloseCode.MALFORMED, "frames are text")
        elif kind is WSMsgType.PING and self.session.receive_ping():
            self._pong(data)

    def flush(self) -> None:
        """Write what waits in the outbox, as far as the socket takes it."""
        outbox = self.session.outbox
        while outbox and not self.is_paused:
            self._write(outbox.take())
        if not outbox:
            outbox.is_scheduled = False

    def close(self, code: int, reason: str) -> None:
        """Say goodbye after what waits, and end the session; again is harmless."""
        if not self.end():
            return
        metrics.CLOSED.labels(str(int(code))).inc()
        if is_debug():
            log.debug("connection_ended", connection=self.session.number, code=int(code))
        # aiohttp's close() would end the socket without waiting for the client's half, because `serve` is
        # receiving: what the client is just sending would then reset the connection, goodbye included.
        self._write(close_frame(code, reason))

    def admit(self) -> None:
        """Let the client send what members may: it has said who it is."""
        if self._socket.throttle is not None:
            self._socket.throttle.allow(MEMBER)

    def finish(self) -> None:
        """Close the socket after what was written, without waiting for the client's goodbye."""
        self._transport.close()

    def abort(self) -> None:
        """Cut the socket."""
        self._transport.abort()

    @property
    def unread_bytes(self) -> int:
        """Return what waits for this connection alone, above what any socket may hold."""
        in_transport = self._waiting_bytes - SOCKET_BYTES - WRITE_BYTES
        return self.session.outbox.answer_bytes + max(0, in_transport)

    def ping(self) -> None:
        """Ask for a sign of life, or cut a connection that gave none since the last time."""
        if self.is_paused or self.close_deadline is not None:
            return  # other deadlines run
        if not self._is_heard:
            self.abort()
            return
        self._is_heard = False
        self._write(_PING)

    def ask(self) -> None:
        """Ask for a sign of life out of turn, because its place is wanted; one question at a time."""
        if self.asked_at is None:
            self.asked_at = self._clock()
            if not self.is_paused:  # else it must take what waits
                self._write(_PING)

    @property
    def is_silent(self) -> bool:
        """Return True if it had its time to answer `ask` and gave no sign of life."""
        return self.asked_at is not None and self._clock() - self.asked_at >= limits.PLACE_SECONDS

    def retry(self, now: float) -> None:
        """Write on where a paused socket takes bytes again, and close one that took nothing for 10 s."""
        waiting = self._transport.get_write_buffer_size()
        if waiting < self._waiting_bytes:
            self.asked_at = None  # what takes bytes lives
        if waiting < SOCKET_BYTES:
            self.is_paused = False
            self._stalled.pop(self, None)
            self.flush()
        elif waiting < self._waiting_bytes:
            self.deadline = now + limits.STALLED_SECONDS
        elif now >= self.deadline:
            self.close(CloseCode.TOO_SLOW, "the socket takes nothing")
        self._waiting_bytes = waiting

    def end(self) -> bool:
        """Write what waits and end the session, before the goodbye; False where that was done."""
        if self.close_deadline is not None:
            return False
        self.session.collect()
        self.flush()
        self.close_deadline = self._clock() + CLOSE_SECONDS
        self.session.end()
        return True

    def flooded(self) -> None:
        """Close it: its client pushes on over what it may send."""
        self.close(CloseCode.POLICY, "flood")

    def _pong(self, payload: bytes) -> None:
        outcome = self.session.outbox.push_answer(Frame(pong_frame(payload)))
        if outcome is Push.FIRST:
            self.flush()
        elif outcome is Push.FULL:
            self.close(CloseCode.TOO_SLOW, "pongs are not read")

    def _write(self, data: bytes) -> None:
        """Write, unless the socket broke and `serve` is about to end."""
        if self._transport.is_closing():
            return
        self._transport.write(data)
        self._waiting_bytes = self._transport.get_write_buffer_size()
        if self._waiting_bytes >= SOCKET_BYTES and not self.is_paused:
            self.is_paused = True
            self.deadline = self._clock() + limits.STALLED_SECONDS
            self._stalled[self] = None
