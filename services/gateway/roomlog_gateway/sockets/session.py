"""One client: who it is, what it may ask, what it waits for. First and last stage of the message's way.

It turns frames into commands and refusals into error answers; it never waits, and it does not know how bytes
reach the socket. A mistake of the client is answered or closes its own socket, never anybody else's.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final
from uuid import UUID

import msgspec
import structlog

from roomlog_contract import limits
from roomlog_contract.codec import decode_command, encode_frame, names_of
from roomlog_contract.commands import Authenticate, ClientCommand, Ping, action_of
from roomlog_contract.envelope import Identify
from roomlog_contract.errors import ERROR_MESSAGES, CloseCode, ErrorCode, MalformedFrame, RefusedCommand
from roomlog_contract.events import ErrorAnswer, PingAnswer, RoomSummary
from roomlog_contract.server_events import Degraded, Expiring, Recovered
from roomlog_contract.trail import Note, Refused, ignore

from .. import metrics
from ..errors import NotAccepted
from .client_connection import ClientConnection, Gone
from .expiry import Expiry
from .login import NOBODY, login_of
from .outbox import Frame, Outbox, Push
from .repeats import Repeats
from .token_bucket import TokenBucket
from .websocket_frames import text_frame

log = structlog.get_logger()

FLOOD_REFUSALS: Final = 200.0
"""Commands over the rate that are answered one by one; a client that goes on is closed with 1008."""


class SessionState(Enum):
    """How far a connection has come."""

    OPEN = auto()
    """It must authenticate within 5 s."""
    AUTHENTICATING = auto()
    ACTIVE = auto()
    ENDED = auto()


@dataclass(frozen=True, slots=True)
class Services:
    """What a session needs of the gateway."""

    authenticate: Callable[["Session", Authenticate], None]
    """Finds out who it is; answers or closes later."""
    forward: Callable[["Session", ClientCommand], None]
    """Sends a command to its worker; raises NotAccepted if it was not sent."""
    schedule: Callable[["Session"], None]
    """Flushes its connection soon."""
    collect: Callable[["Session"], None]
    """Gives it now what came for its rooms in this turn of the loop."""
    leave: Callable[["Session"], None]
    """Takes it out of its rooms and forgets it."""
    time_ms: Callable[[], int]
    """Returns the wall clock in milliseconds since 1970."""
    note: Note = ignore
    """Takes steps for the trail."""


class Session:
    """The state of one connection, made for thousands: no task, no timer.

    Others read its fields; only its own methods set them.
    """

    __slots__ = (
        "_announced",
        "_bucket",
        "_clock",
        "_deadline",
        "_invalid_tokens",
        "_is_degraded",
        "_marks",
        "_outage",
        "_refusals",
        "_renewable_at",
        "_repeats",
        "_services",
        "_users_bucket",
        "connection",
        "expiry",
        "login",
        "number",
        "outbox",
        "rooms",
        "state",
        "unanswered",
        "user",
    )

    def __init__(self, connection: ClientConnection, services: Services, clock: Callable[[], float]) -> None:
        now = clock()
        self.connection = connection
        self.number = connection.number
        """Names the connection in the log."""
        self.outbox = Outbox()
        self.state = SessionState.OPEN
        self.login = NOBODY
        """The question whose its token or ticket is; a recheck, once that was valid."""
        self.expiry = Expiry(clock)
        """When that token or ticket ends."""
        self.user = 0
        """Whose it is; 0 until that is known."""
        self.rooms: set[UUID] = set()
        """The rooms whose events it is sent."""
        self.unanswered = 0
        """Commands of its client that a worker has not answered."""
        self._deadline = now + limits.AUTHENTICATE_SECONDS
        """When an OPEN session must have sent its authenticate."""
        self._invalid_tokens = 0
        self._renewable_at = now
        """When its client may show another token; never while one is looked at."""
        self._announced: set[UUID] = set()
        """Rooms that a notice brought it into since the last recheck."""
        self._marks: dict[UUID, RoomSummary] = {}
        """Rooms whose read marks moved before it was told of them."""
        self._outage = 0
        """The last change of what accepts nothing that it has heard of."""
        self._is_degraded = False
        """It was told `degraded`, and no `recovered` since."""
        self._services = services
        self._clock = clock
        self._bucket = TokenBucket(limits.COMMANDS_PER_SECOND, limits.COMMANDS_BURST, now)
        self._users_bucket: TokenBucket | None = None
        """Of all its user's connections here, while it is one of them."""
        self._refusals: TokenBucket | None = None
        self._repeats: Repeats | None = None

    def lose_connection(self) -> None:
        """Let go of the connection, which is closed."""
        self.connection = Gone()

    def is_late(self, now: float) -> bool:
        """Return True if it has not said in time who it is."""
        return self.state is SessionState.OPEN and now >= self._deadline

    def accept_login(self) -> None:
        """Note that its token or ticket is valid: what is asked of it from now on is a recheck."""
        self.login = msgspec.structs.replace(self.login, is_recheck=True)

    def renew(self, login: Identify, expires_in_ms: int | None) -> None:
        """Go on by another token or ticket of the same user."""
        self.login = login
        self.accept_login()
        self.expiry.forget()
        self.expiry.hear(expires_in_ms)

    def end_renewal(self) -> None:
        """Let its client show another token, after a pause."""
        self._renewable_at = self._clock() + limits.RENEWAL_SECONDS

    def tell_expiry(self) -> None:
        """Tell its client once that its token is about to end, and close when it has."""
        left_ms = self.expiry.take_notice()
        if self.expiry.is_past():
            self.connection.close(CloseCode.EXPIRED, "the token has expired")
        elif left_ms is not None:
            self.tell(Expiring(expires_in_ms=left_ms))

    def attach(self, user: int, bucket: TokenBucket) -> None:
        """Count it to a user, whose connections here share the bucket."""
        self.user, self._users_bucket = user, bucket

    def detach(self) -> None:
        """Take it from its user: it is nobody's from here on."""
        self.user, self._users_bucket = 0, None

    def activate(self) -> None:
        """Let its client send commands: it is known who it is."""
        self.state = SessionState.ACTIVE
        self.connection.admit()

    def enter(self, room: UUID) -> None:
        """Note that it is sent a room's events from here on."""
        self.rooms.add(room)

    def leave(self, room: UUID) -> None:
        """Note that it is not any more."""
        self.rooms.discard(room)

    def leave_all(self) -> set[UUID]:
        """Take it from all its rooms, and return them."""
        rooms, self.rooms = self.rooms, set()
        return rooms

    def announce(self, *rooms: UUID) -> None:
        """Remember that notices brought it into rooms, until the next recheck."""
        self._announced.update(rooms)

    def take_announced(self) -> set[UUID]:
        """Return the announced rooms, and forget them."""
        announced, self._announced = self._announced, set()
        return announced

    def sent(self) -> None:
        """Count a command that is under way to a worker."""
        self.unanswered += 1

    def answered(self) -> None:
        """Count one that is answered, refused, or no longer waited for."""
        self.unanswered -= 1

    def receive(self, text: str) -> None:
        """Take one text message; one over the rate is not read, but for the names that its refusal needs."""
        if not self._may_send():
            self._refuse_unread(text)
            return
        try:
            command = decode_command(text)
        except MalformedFrame as error:
            self.connection.close(CloseCode.MALFORMED, error.reason)
        except RefusedCommand as error:
            self._refuse_command(error, error.uuid, error.action)
        else:
            action = action_of(command)
            metrics.RECEIVED_BY_ACTION[action].inc()
            self._carry_out(command, action)

    def receive_ping(self) -> bool:
        """Take a ping frame and return whether to answer it: pings count like commands."""
        if self._may_send():
            return True
        self._is_flood()
        return False

    def _may_send(self) -> bool:
        now = self._clock()
        return self._bucket.take(now) and (self._users_bucket is None or self._users_bucket.take(now))

    def _carry_out(self, command: ClientCommand, action: str) -> None:
        try:
            if isinstance(command, Ping):
                self.tell(PingAnswer(uuid=command.uuid, time_ms=self._services.time_ms()))
            elif isinstance(command, Authenticate):
                self._authenticate(command)
            elif self.state is SessionState.ACTIVE:
                self._services.forward(self, command)
            else:
                self.refuse(ErrorCode.NOT_AUTHENTICATED, command.uuid, action)
        except RefusedCommand as error:
            self._refuse_command(error, command.uuid, action)
        except NotAccepted as error:
            self.refuse_busy(command.uuid, action, getattr(command, "room", None), error.retry_after_ms)

    def _authenticate(self, command: Authenticate) -> None:
        """Have the token looked at; of an active session it is to renew the present one."""
        if self.state is SessionState.OPEN:
            self.state = SessionState.AUTHENTICATING
            self.login = login_of(command)
        elif self.state is not SessionState.ACTIVE:
            raise RefusedCommand(ErrorCode.BAD_VALUE, "This connection is authenticating already.")
        elif command.cursors:
            raise RefusedCommand(ErrorCode.BAD_VALUE, "A renewal keeps all cursors; send none.")
        elif self._clock() < self._renewable_at:
            wait_ms = self._turn_ms(round(limits.RENEWAL_SECONDS * 1000))
            self.refuse(ErrorCode.RATE_LIMITED, command.uuid, "authenticate", retry_after_ms=wait_ms)
            return
        else:
            self._renewable_at = math.inf
        self._services.authenticate(self, command)

    def reject_token(self, uuid: str) -> None:
        """Answer a token that is not valid; the third closes the socket. An active session keeps its own."""
        if self.state is not SessionState.ACTIVE:
            self.state = SessionState.OPEN
            self.login = NOBODY
            self._deadline = self._clock() + limits.AUTHENTICATE_SECONDS
        self._invalid_tokens += 1
        self.refuse(ErrorCode.INVALID_TOKEN, uuid, "authenticate")
        if self._invalid_tokens >= limits.INVALID_TOKENS:
            self.connection.close(CloseCode.UNAUTHENTICATED, "three invalid tokens")

    def answer(self, payload: bytes) -> None:
        """Send a finished frame to this client alone."""
        if self.state is SessionState.ENDED:
            return
        outcome = self.outbox.push_answer(Frame(text_frame(payload)))
        if outcome is Push.FIRST:
            self._services.schedule(self)
        elif outcome is Push.FULL:
            self.connection.close(CloseCode.TOO_SLOW, "answers are not read")

    def tell(self, event: msgspec.Struct) -> None:
        """Send a frame that is made for this client alone."""
        self.answer(encode_frame(event))

    def hint(self, event: msgspec.Struct) -> None:
        """Tell what the client finds out at its next login too; dropped first where it does not keep up."""
        if not self.outbox.is_crowded:
            self.tell(event)

    def remember_mark(self, room: RoomSummary) -> None:
        """Keep a read mark that moved while the rooms are read: its room is told of only then."""
        if len(self._marks) < limits.ROOMS_PER_USER:
            self._marks[room.id] = room

    def take_mark(self, room: UUID) -> RoomSummary | None:
        """Return the mark that was kept of a room, and forget it."""
        return self._marks.pop(room, None)

    def hear_of(self, outage: int) -> bool:
        """Return True the first time that an active session hears of this change of what accepts nothing."""
        if self.state is not SessionState.ACTIVE or self._outage == outage:
            return False
        self._outage = outage
        return True

    def degrade(self, event: Degraded) -> None:
        """Tell it that some of its rooms accept nothing."""
        self._is_degraded = True
        self.tell(event)

    def recover(self, event: Recovered) -> None:
        """Take that back, if it was said."""
        if self._is_degraded:
            self._is_degraded = False
            self.tell(event)

    def refuse_busy(self, uuid: str, action: str, room: UUID | None, retry_after_ms: int) -> None:
        """Answer a command that certainly was not taken, and may be repeated after this time or later."""
        self.refuse(
            ErrorCode.BUSY, uuid, action, room=room, retry_after_ms=self._turn_ms(retry_after_ms, grows=True)
        )

    def _turn_ms(self, at_least_ms: int, *, grows: bool = False) -> int:
        if self._repeats is None:
            self._repeats = Repeats()
        return self._repeats.wait_ms(self._clock(), at_least_ms, grows=grows)

    def refuse(
        self,
        code: ErrorCode,
        uuid: str | None,
        action: str | None,
        message: str | None = None,
        *,
        room: UUID | None = None,
        retry_after_ms: int | None = None,
    ) -> None:
        """Answer a command with an error."""
        metrics.ERRORS_BY_CODE[code].inc()
        log.debug("command_refused", connection=self.number, uuid=uuid, code=code.value)
        if uuid:
            known = action if action in metrics.RECEIVED_BY_ACTION else "?"
            self._services.note(Refused(uuid, known, self.user, self.number, code.value))
        self.tell(
            ErrorAnswer(
                uuid=uuid,
                action=action,
                error_code=code,
                error_message=message or ERROR_MESSAGES[code],
                room=msgspec.UNSET if room is None else room,
                retry_after_ms=msgspec.UNSET if retry_after_ms is None else retry_after_ms,
            )
        )

    def collect(self) -> None:
        """Put into the outbox what came in this turn of the loop: the connection is about to end."""
        self._services.collect(self)

    def end(self) -> None:
        """Leave the rooms and the user; the connection calls it once, when it closes or is lost."""
        if self.state is not SessionState.ENDED:
            self.state = SessionState.ENDED
            self.outbox.clear()
            self._services.leave(self)

    def _refuse_command(self, error: RefusedCommand, uuid: str | None, action: str | None) -> None:
        self.refuse(error.code, uuid, action, error.message)
        if error.close:
            self.connection.close(CloseCode.MALFORMED, error.message)

    def _refuse_unread(self, text: str) -> None:
        if not self._is_flood():
            uuid, action = names_of(text)
            buckets = (self._bucket, self._users_bucket or self._bucket)
            wait_ms = self._turn_ms(max(bucket.wait_ms() for bucket in buckets))
            self.refuse(ErrorCode.RATE_LIMITED, uuid, action, retry_after_ms=wait_ms)

    def _is_flood(self) -> bool:
        """Count a refusal, and close the socket where they don't end."""
        now = self._clock()
        if self._refusals is None:
            self._refusals = TokenBucket(limits.COMMANDS_PER_SECOND, FLOOD_REFUSALS, now)
        if self._refusals.take(now):
            return False
        self.connection.close(CloseCode.POLICY, "flood")
        return True
