"""One WebSocket after its upgrade: messages in, frames out, the goodbye. Edge of the message's way.

aiohttp reads the frames; one task a connection does nothing but receive. Writes are whole frames of our own
making, straight to the transport: a socket that takes nothing for 10 s is closed, and nobody else waits for
it meanwhile.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final, Protocol

import structlog
from aiohttp import WSCloseCode, WSMsgType, web

from roomlog_contract import limits
from roomlog_contract.errors import CloseCode

from .. import metrics
from .outbox import WRITE_BYTES, Frame, Push
from .read_throttle import MEMBER, Inlet
from .session import Services, Session
from .websocket_frames import close_frame, echoed_close_code, ping_frame, pong_frame

log = structlog.get_logger()

CLOSE_SECONDS: Final = 5.0
"""For the client's half of the closing handshake (RFC 6455 section 7.1.1), then the socket is cut."""
SOCKET_BYTES: Final = 128 * 1024
"""What may wait in the transport of one connection; the rest waits in its outbox, where it can be dropped."""
_PING: Final = ping_frame()


class Socket(web.WebSocketResponse):
    """aiohttp's side of a WebSocket: the inlet before its parser, and its goodbye where framing is broken."""

    inlet: Inlet | None = None
    on_flood: Callable[[], None] | None = None
    """Hears of a client that sends far more than it may, and goes on."""

    is_first_goodbye: Callable[[], bool] | None = None
    """Writes what waits, and says whether a goodbye may follow: one, and nothing after it (RFC 6455 section
    5.5.1)."""

    def _post_start(self, request: web.BaseRequest, protocol: str | None, writer: Any) -> None:
        """Put the inlet before the parser; bytes that came with the handshake pass through it too.

        aiohttp has no place for this, so three of its private names are used here; the tests of the inlet
        fail if a release renames them.
        """
        connection: Any = request.protocol
        early, connection._message_tail = connection._message_tail, b""
        super()._post_start(request, protocol, writer)
        if request.transport is not None:
            loop = asyncio.get_running_loop()
            self.inlet = Inlet(connection._payload_parser, request.transport, loop, self._flooded)
            connection._payload_parser = self.inlet
            self.inlet.feed_data(early)

    def _flooded(self) -> None:
        if self.on_flood is not None:
            self.on_flood()

    async def close(self, *, code: int = WSCloseCode.OK, message: bytes = b"", drain: bool = True) -> bool:
        """Say goodbye after what waits; False where it was said already."""
        if self.is_first_goodbye is not None and not self.is_first_goodbye():
            return False
        return await super().close(code=code, message=message, drain=drain)


class Connections(Protocol):
    """What a connection needs of the gateway."""

    def stalled(self, connection: "Connection") -> None:
        """Its socket takes nothing just now: `retry` it ten times a second."""

    def flowing(self, connection: "Connection") -> None:
        """Its socket takes bytes again."""

    def lost(self, connection: "Connection") -> None:
        """It is gone."""


class Connection:
    """The messages of one client."""

    __slots__ = (
        "_clock",
        "_connections",
        "_is_heard",
        "_socket",
        "_transport",
        "_waiting_bytes",
        "asked_at",
        "close_deadline",
        "deadline",
        "heard_at",
        "is_paused",
        "session",
    )

    def __init__(
        self,
        socket: Socket,
        transport: asyncio.WriteTransport,
        connections: Connections,
        services: Services,
        clock: Callable[[], float],
    ) -> None:
        self._socket = socket
        self._transport = transport
        self._connections = connections
        self._clock = clock
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
        socket.is_first_goodbye = self._end
        socket.on_flood = self._flooded

    # -- from the socket ------------------------------------------------------------------------

    async def serve(self) -> None:
        """Receive until the socket is closed; never waits for anything else."""
        try:
            async for message in self._socket:  # deadline: pings cut a silent socket
                self._heard()
                if message.type is WSMsgType.ERROR:
                    break  # aiohttp has said goodbye, or found it said; it would find the error for ever
                if self.close_deadline is None:
                    self._receive(message.type, message.data)
            if self.close_deadline is not None:
                # Both halves of the goodbye are said (or the socket is gone); aiohttp must not say it again.
                self._transport.close()
            else:
                await self._socket.close(code=echoed_close_code(self._socket.close_code), drain=False)
        except Exception:  # this session's boundary: our bug must not reach the neighbours
            log.exception("session_failed")
            self.close(CloseCode.GOING_AWAY, "")
        finally:
            self._end()
            self._socket.is_first_goodbye = _never
            self._connections.lost(self)

    def _heard(self) -> None:
        self._is_heard = True
        self.heard_at = self._clock()
        self.asked_at = None

    def _receive(self, kind: WSMsgType, data: Any) -> None:
        if kind is WSMsgType.TEXT:
            self.session.receive(data)
        elif kind is WSMsgType.BINARY:
            self.close(CloseCode.MALFORMED, "frames are text")
        elif kind is WSMsgType.PING and self.session.receive_ping():
            self._pong(data)

    # -- to the socket --------------------------------------------------------------------------

    def flush(self) -> None:
        """Writes what waits in the outbox, as far as the socket takes it."""
        outbox = self.session.outbox
        while outbox and not self.is_paused:
            self._write(outbox.take())
        if not outbox:
            outbox.is_scheduled = False

    def close(self, code: int, reason: str) -> None:
        """Says goodbye after what waits, and ends the session; again is harmless."""
        if not self._end():
            return
        metrics.CLOSED.labels(str(int(code))).inc()
        # aiohttp's close() would end the socket without waiting for the client's half, because `serve` is
        # receiving: what the client is just sending would then reset the connection, goodbye included.
        self._write(close_frame(code, reason))

    def admit(self) -> None:
        """The client has said who it is: it may send what clients send."""
        if self._socket.inlet is not None:
            self._socket.inlet.allow(MEMBER)

    def finish(self) -> None:
        """Closes the socket after what was written, without waiting for the client's goodbye."""
        self._transport.close()

    def abort(self) -> None:
        """Cuts the socket."""
        self._transport.abort()

    @property
    def unread_bytes(self) -> int:
        """What waits for this connection alone, but for what any socket may hold."""
        in_transport = self._waiting_bytes - SOCKET_BYTES - WRITE_BYTES
        return self.session.outbox.answer_bytes + max(0, in_transport)

    # -- once in a while ------------------------------------------------------------------------

    def ping(self) -> None:
        """Asks for a sign of life, or cuts a connection that gave none since the last time."""
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
        """True if it had its time to answer `ask` and gave no sign of life."""
        return self.asked_at is not None and self._clock() - self.asked_at >= limits.PLACE_SECONDS

    def retry(self, now: float) -> None:
        """Writes on where a paused socket takes bytes again, and closes one that took nothing for 10 s."""
        waiting = self._transport.get_write_buffer_size()
        if waiting < self._waiting_bytes:
            self.asked_at = None  # what takes bytes lives
        if waiting < SOCKET_BYTES:
            self.is_paused = False
            self._connections.flowing(self)
            self.flush()
        elif waiting < self._waiting_bytes:
            self.deadline = now + limits.STALLED_SECONDS
        elif now >= self.deadline:
            self.close(CloseCode.TOO_SLOW, "the socket takes nothing")
        self._waiting_bytes = waiting

    def _end(self) -> bool:
        """Write what waits and end the session, before the goodbye; False where that was done."""
        if self.close_deadline is not None:
            return False
        for room in self.session.rooms.values():
            room.spread()
        self.flush()
        self.close_deadline = self._clock() + CLOSE_SECONDS
        self.session.end()
        return True

    def _flooded(self) -> None:
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
            self._connections.stalled(self)


def _never() -> bool:
    """Stand in for a connection that is gone."""
    return False
