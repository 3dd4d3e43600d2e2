"""One WebSocket after its upgrade: bytes in, frames out, the closing handshake. Edge of the message's way.

aiohttp has done the HTTP and lets the transport go; from there a connection costs no task and no timer.
Writes are whole frames; a socket that takes nothing for 10 s is closed, and nobody else waits for it
meanwhile.
"""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

import structlog

from roomlog_contract import limits
from roomlog_contract.errors import CloseCode

from . import metrics
from .errors import ProtocolViolation
from .frames import FrameParser, Opcode, close_frame, control_frame, decode_text, read_close
from .outbox import Frame, Push
from .session import Services, Session

log = structlog.get_logger()

CLOSE_SECONDS: Final = 5.0
"""For the client's half of the closing handshake (RFC 6455 section 7.1.1), then the socket is cut."""
_PING: Final = control_frame(Opcode.PING)


class Connections(Protocol):
    """What a connection needs of the gateway."""

    def stalled(self, connection: "Connection") -> None:
        """Its socket takes nothing."""

    def flowing(self, connection: "Connection") -> None:
        """Its socket takes bytes again."""

    def lost(self, connection: "Connection") -> None:
        """It is gone."""


class Connection(asyncio.Protocol):
    """The bytes of one client."""

    __slots__ = (
        "_clock",
        "_connections",
        "_is_deaf",
        "_is_heard",
        "_parser",
        "_transport",
        "_waiting_bytes",
        "close_deadline",
        "deadline",
        "is_paused",
        "session",
    )

    def __init__(
        self,
        transport: asyncio.Transport,
        connections: Connections,
        services: Services,
        clock: Callable[[], float],
    ) -> None:
        self._transport = transport
        self._connections = connections
        self._clock = clock
        self._parser = FrameParser(limits.FRAME_BYTES)
        self._is_deaf = False
        self._is_heard = True
        self._waiting_bytes = 0
        self.is_paused = False
        """The socket's buffer is full."""
        self.deadline = 0.0
        """When a paused socket must have taken something."""
        self.close_deadline: float | None = None
        """When the client must have said goodbye too; None while the connection is open."""
        self.session = Session(self, services, clock)

    # -- from the socket ------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        self._is_heard = True
        if self._is_deaf:
            return
        try:
            for opcode, payload in self._parser.feed(data):
                self._receive(opcode, payload)
        except ProtocolViolation as error:
            self._fail(error)
        except Exception:  # this session's boundary: our bug must not reach the loop or the neighbours
            log.exception("session_failed")
            self.close(CloseCode.GOING_AWAY, "")

    def _receive(self, opcode: int, payload: bytes) -> None:
        if opcode == Opcode.CLOSE:
            self._receive_close(payload)
        elif self.close_deadline is not None:
            return
        elif opcode == Opcode.TEXT:
            self.session.receive(decode_text(payload))
        elif opcode == Opcode.BINARY:
            self.close(CloseCode.MALFORMED, "frames are text")
        elif opcode == Opcode.PING and self.session.receive_ping():
            self._control(control_frame(Opcode.PONG, payload))

    def _receive_close(self, payload: bytes) -> None:
        if self.close_deadline is None:
            code = read_close(payload)
            self._say_goodbye(close_frame(code))
        self._transport.close()

    def _fail(self, error: ProtocolViolation) -> None:
        """Fail the connection (RFC 6455 section 7.1.7): goodbye, end of our half, and deaf from here on.

        What the client still sends is read and dropped: closing with unread bytes would reset the
        connection, and the client might never see the code.
        """
        self.close(error.code, error.reason)
        self._is_deaf = True
        if self._transport.can_write_eof() and not self._transport.is_closing():
            self._transport.write_eof()

    def pause_writing(self) -> None:
        self.is_paused = True
        self._waiting_bytes = self._transport.get_write_buffer_size()
        self.deadline = self._clock() + limits.STALLED_SECONDS
        self._connections.stalled(self)

    def resume_writing(self) -> None:
        self.is_paused = False
        self._connections.flowing(self)
        self.flush()

    def connection_lost(self, error: Exception | None) -> None:
        self.session.end()
        self._connections.lost(self)

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
        if self.close_deadline is not None:
            return
        metrics.CLOSED.labels(str(int(code))).inc()
        self._say_goodbye(close_frame(code, reason))

    def finish(self) -> None:
        """Closes the socket after what was written, without waiting for the client's goodbye."""
        self._transport.close()

    def abort(self) -> None:
        """Cuts the socket."""
        self._transport.abort()

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

    def check_stall(self, now: float) -> None:
        """Closes a paused socket that took nothing for 10 s."""
        waiting = self._transport.get_write_buffer_size()
        if waiting < self._waiting_bytes:
            self.deadline = now + limits.STALLED_SECONDS
        elif now >= self.deadline:
            self.close(CloseCode.TOO_SLOW, "the socket takes nothing")
        self._waiting_bytes = waiting

    def _control(self, frame: bytes) -> None:
        outcome = self.session.outbox.push_answer(Frame(frame))
        if outcome is Push.FIRST:
            self.flush()
        elif outcome is Push.FULL:
            self.close(CloseCode.TOO_SLOW, "pongs are not read")

    def _say_goodbye(self, frame: bytes) -> None:
        self.flush()
        self._write(frame)
        self.close_deadline = self._clock() + CLOSE_SECONDS
        self.session.end()

    def _write(self, data: bytes) -> None:
        """Write, unless the socket broke and `connection_lost` is about to be called."""
        if not self._transport.is_closing():
            self._transport.write(data)
