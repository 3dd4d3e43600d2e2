"""The client's protocol without any I/O: facts and the time go in, actions come out.

It decides what is sent when, what is handed on, and when to reconnect; `driver.py` carries it out. Whatever
happens to connections, commands keep their uuid until they are answered, and events keep their order.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

import msgspec

from roomlog_contract import limits
from roomlog_contract.commands import Cursor
from roomlog_contract.errors import ErrorCode
from roomlog_contract.events import User
from roomlog_contract.server_events import Expiring, Heads, Reconnect, Recovered, Reset, SyncRequired

from .actions import Action, AskToken, Disconnect, Fail, HandOn, Resolve, SendFrame
from .errors import FINAL_CLOSES, RETRIED, CutOff, Disconnected, OutcomeUnknown, error_of
from .events import (
    Degraded,
    Event,
    RoomLeft,
    RoomPresence,
    RoomReceipts,
    RoomSummary,
    RoomTyping,
    Sent,
    UserBlocked,
)
from .incoming import (
    RENEWAL,
    Answer,
    Authenticated,
    Incoming,
    Joined,
    Marked,
    Page,
    Refusal,
    Selected,
)
from .outbox import Command, Outbox
from .pace import STEADY_SECONDS, Bucket, Pauses, backoff_seconds
from .rooms import Question, Rooms, Start
from .watching import Watching

IDENTIFY_SECONDS: Final = limits.IDENTIFY_SECONDS + 2.0
"""Longest wait for the answer to authenticate: the server gives up after 10 s."""
RETRY_SECONDS: Final = 1.0
"""Wait after a refusal that passes by itself and names no time."""
CLOSED_BY_SERVER_SECONDS: Final = 5.0
"""How long after the announced delay the server may still close the socket itself."""
_SELECT: Final = "select-"
"""Begins the uuid of a question; the room follows, because errors need not name it."""


class Phase(Enum):
    """Where the connection stands."""

    AWAY = auto()
    """No socket; `reconnect_at` says when to try."""
    AUTHENTICATING = auto()
    READY = auto()
    CLOSING = auto()
    """The socket is given up; its end is awaited."""
    ENDED = auto()
    """For good."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What an application chooses."""

    start: Start = "head"
    only: Collection[str] = ()
    """Rooms to follow; empty for all."""
    cursors: dict[str, Cursor] | None = None
    has_new_tokens: bool = False
    """The application can be asked for another token, so one that is not valid is not the end."""


class ClientState:
    """One user's client over all its connections, one at a time."""

    def __init__(self, options: Options, random: Callable[[], float]) -> None:
        """`random` returns numbers in [0, 1), for jitter."""
        self._has_new_tokens = options.has_new_tokens
        self._random = random
        self.phase = Phase.AWAY
        self.user: User | None = None
        self.outbox = Outbox()
        self.rooms = Rooms(options.start, options.only, options.cursors or {})
        self.reconnect_at = 0.0
        """When to open the next socket, while there is none."""
        self.ended_by: Disconnected | None = None
        self._told: list[RoomSummary] = []
        """The user's rooms so far, while the answer to authenticate is not complete."""
        self._bucket = Bucket()
        self._typing = Pauses(limits.TYPING_SECONDS)
        self._watching = Watching()
        self._failures = 0
        self._was_steady = False
        """The present connection lasted long enough to forget the failures before it."""
        self._phase_since = 0.0
        self._announced_at: float | None = None
        """When the server asked to come back; its socket is closed by then."""
        self._not_before = 0.0
        """The server refused the connection until then."""
        self._actions: list[Action] = []

    @property
    def is_ended(self) -> bool:
        """Whether nothing will happen any more."""
        return self.phase is Phase.ENDED

    def take_actions(self) -> list[Action]:
        """Return what is to be done, in order, and forget it."""
        actions, self._actions = self._actions, []
        return actions

    def opened(self, now: float, token: str) -> None:
        """A socket is open: say who we are and how far we are."""
        self._enter(Phase.AUTHENTICATING, now)
        self._told = []
        self._bucket = Bucket()
        self._bucket.take(now)
        cursors = dict(list(self.rooms.cursors().items())[: limits.CURSORS])
        self._ask("authenticate", "authenticate", token=token, cursors=cursors)

    def renew(self, now: float, token: str) -> None:
        """The application has another token: show it on the open connection, which goes on."""
        if self.phase is Phase.READY:
            self._bucket.take(now)
            self._ask(RENEWAL, "authenticate", token=token)

    def received(self, incoming: Incoming, now: float) -> None:
        """A frame arrived."""
        self._take(incoming, now)
        self._flush(now)

    def closed(self, code: int | None, now: float, retry_after_seconds: float = 0.0) -> None:
        """The socket is gone or could not be opened; None is no close frame at all."""
        self.outbox.disconnected()
        self.rooms.disconnected()
        if self.phase is Phase.ENDED:
            return
        if code in FINAL_CLOSES:
            self.end(CutOff(int(code or 0)))
            return
        self._failures = 1 if self._was_steady else self._failures + 1
        self._was_steady = False
        delay = backoff_seconds(self._failures, self._random()) + retry_after_seconds
        announced, self._announced_at = self._announced_at, None
        self.reconnect_at = max(now + delay, self._not_before) if announced is None else max(now, announced)
        self._enter(Phase.AWAY, now)

    def submit(self, command: Command, now: float) -> None:
        """The application has a command.

        Raises:
            OutboxFull: too many wait already.
            Disconnected: the client has ended.
            ValueError: its uuid waits already.
        """
        if self.ended_by is not None:
            raise self.ended_by
        self.outbox.add(command)
        self._flush(now)

    def type(self, room: str, now: float) -> None:
        """Say that the user is typing, if it is time to: once, and only on a connection that is there."""
        if self.phase is Phase.READY and self._typing.is_due(room, now) and self._bucket.take(now):
            self._ask("typing", "typing", room=room)

    def watch(self, rooms: Collection[str], now: float) -> None:
        """Say which rooms the user looks at, now and on each later connection."""
        self._watching.want(rooms, now)
        self._flush(now)

    def withdraw(self, uuid: str) -> Command | None:
        """The application waits no longer for a command; one that was sent may be stored all the same."""
        return self.outbox.settle(uuid)

    def taken(self, items: int, now: float) -> None:
        """The application has taken items: there is space for more."""
        self.rooms.taken(items)
        self._flush(now)

    def tick(self, now: float) -> None:
        """Time has passed: repeat what was not answered, give up what is stuck."""
        if self.phase is Phase.AUTHENTICATING and now >= self._phase_since + IDENTIFY_SECONDS:
            self._disconnect(now)
        if self._announced_at is not None and now >= self._announced_at + CLOSED_BY_SERVER_SECONDS:
            self._disconnect(now)
        if self.phase is Phase.READY and now >= self._phase_since + STEADY_SECONDS:
            self._was_steady = True
        self.outbox.expire(now)
        self.rooms.expire(now)
        self._flush(now)

    def next_tick_at(self, now: float) -> float | None:
        """Return when `tick` must be called next; None while only the network or the application can act."""
        match self.phase:
            case Phase.AUTHENTICATING:
                return self._phase_since + IDENTIFY_SECONDS
            case Phase.READY:
                times = [self.outbox.next_at(now), self.rooms.next_at(now), *self._own_times(now)]
                return min((time for time in times if time is not None), default=None)
            case _:
                return None

    def end(self, reason: Disconnected) -> None:
        """Nothing is sent or received any more: fail what waits."""
        if self.phase is Phase.ENDED:
            return
        self.phase = Phase.ENDED
        self.ended_by = reason
        for command in self.outbox.drain():
            error = OutcomeUnknown(command.uuid) if command.attempts else reason
            self._actions.append(Fail(command.uuid, error))
        self._actions.append(Disconnect())

    def _take(self, incoming: Incoming, now: float) -> None:  # noqa: PLR0912 - one case a fact
        """Take one fact in; what only a later release says means nothing here."""
        match incoming:
            case Event():
                self._event(incoming)
            case Page():
                for event in incoming.events:
                    self._settle_own(event)
                self.rooms.page(incoming, now)
            case Selected():
                self.rooms.selected(incoming)
            case Authenticated():
                self._authenticated(incoming, now)
            case Answer():
                self._answered(incoming)
            case Marked():
                self._marked(incoming)
            case Refusal():
                self._refused(incoming, now)
            case Heads():
                for room, cursor in incoming.rooms.items():
                    self.rooms.head_is(room, cursor)
            case SyncRequired():
                for behind in incoming.rooms:
                    self.rooms.must_ask(behind.hex)
            case Reset():
                self.rooms.reset(incoming.room.hex, incoming.epoch)
            case Joined():
                self._joined(incoming.room, now)
            case RoomLeft():
                self.rooms.left(incoming.room)
            case Reconnect():
                self._announced_at = now + incoming.after_ms / 1000
            case Expiring():
                if self._has_new_tokens:
                    self._actions.append(AskToken())
            case RoomTyping() | RoomPresence() | RoomReceipts() | UserBlocked():
                self.rooms.hint(incoming)
            case Degraded() | Recovered():
                self.rooms.hand_on(incoming)
        self._hand_on()

    def _answered(self, answer: Answer) -> None:
        if self.outbox.settle(answer.uuid) is not None:
            self._actions.append(Resolve(answer.uuid, answer.body))

    def _marked(self, marked: Marked) -> None:
        self.rooms.marked(marked.room)
        if marked.answer is not None:
            self._answered(marked.answer)

    def _authenticated(self, answer: Authenticated, now: float) -> None:
        self._told += answer.rooms
        if answer.more:
            return
        self.user = answer.user
        self._enter(Phase.READY, now)
        told, self._told = self._told, []
        self.rooms.authenticated(told)
        self._watching.begin(now)

    def _joined(self, room: RoomSummary, now: float) -> None:
        self.rooms.joined(room)
        self._watching.joined(room.id, now)

    def _event(self, event: Event) -> None:
        self._settle_own(event)
        self.rooms.event(event)

    def _settle_own(self, event: Event) -> None:
        """For the sender of its command an event is the answer, wherever it is met.

        A duplicate is sent to nobody else, even where somebody else was first, as in a direct room.
        """
        is_own = event.duplicate or (self.user is not None and event.user.id == self.user.id)
        if not is_own:
            return
        command = self.outbox.get(event.uuid)
        if command is None or command.action != event.action or command.room not in ("", event.room):
            return
        self.outbox.settle(event.uuid)
        sent = Sent(event.room, event.epoch, event.seq, event.uuid, event.duplicate)
        self._actions.append(Resolve(event.uuid, sent))

    def _refused(self, refusal: Refusal, now: float) -> None:
        wait = RETRY_SECONDS if refusal.retry_after_ms is None else refusal.retry_after_ms / 1000
        code, uuid = refusal.error_code, refusal.uuid or ""
        if uuid == RENEWAL and refusal.action == "authenticate":
            pass  # the present token counts to its end; then the server closes and we come back with another
        elif refusal.action == "authenticate":
            self._not_authenticated(refusal, now)
        elif refusal.action == "select_room":
            self._select_refused(refusal, uuid, now + wait)
        elif refusal.action == "watch":
            if code in RETRIED or code == ErrorCode.NOT_MEMBER:
                self._watching.refused(now + wait)
        elif code in RETRIED:
            self.outbox.refused(uuid, now + wait)
        elif self.outbox.settle(uuid) is not None:
            self._actions.append(Fail(uuid, error_of(code, refusal.error_message, uuid, refusal.room)))

    def _not_authenticated(self, refusal: Refusal, now: float) -> None:
        if refusal.error_code == ErrorCode.INVALID_TOKEN and not self._has_new_tokens:
            self.end(Disconnected("the token is not valid"))
        else:
            self._not_before = now + (refusal.retry_after_ms or 0) / 1000
            self._disconnect(now)

    def _select_refused(self, refusal: Refusal, uuid: str, retry_at: float) -> None:
        room = uuid.removeprefix(_SELECT)
        if refusal.error_code == ErrorCode.NOT_MEMBER:
            self.rooms.left(room)
        else:
            self.rooms.refused(room, retry_at)

    def _flush(self, now: float) -> None:
        """Send what may be sent: first what was missed, then commands, oldest first."""
        self._hand_on()
        if self.phase is not Phase.READY:
            return
        for question in self.rooms.questions(now):
            if not self._bucket.take(now):
                return
            self._select(question)
            self.rooms.asked(question.room, now)
        if self._watching.is_due(now) and self._bucket.take(now):
            self._ask("watch", "watch", rooms=self._watching.take(self.rooms.__contains__))
        for command in self.outbox.due(now):
            if not self._bucket.take(now):
                return
            self.outbox.sent(command, now)
            self._actions.append(SendFrame(command.frame, command.uuid))

    def _own_times(self, now: float) -> Iterator[float]:
        if self.rooms.questions(now) or next(self.outbox.due(now), None) is not None:
            yield now + self._bucket.seconds_to_next(now)
        if self._watching.due_at is not None:
            yield max(self._watching.due_at, now + self._bucket.seconds_to_next(now))
        if self._announced_at is not None:
            yield self._announced_at + CLOSED_BY_SERVER_SECONDS
        if not self._was_steady:
            yield self._phase_since + STEADY_SECONDS

    def _select(self, question: Question) -> None:
        since = {} if question.since is None else {"since": question.since}
        self._ask(_SELECT + question.room, "select_room", room=question.room, **since)

    def _ask(self, uuid: str, action: str, **facts: Any) -> None:
        frame = {"uuid": uuid, "action": action, **facts}
        self._actions.append(SendFrame(msgspec.json.encode(frame)))

    def _disconnect(self, now: float) -> None:
        self._actions.append(Disconnect())
        self._enter(Phase.CLOSING, now)

    def _hand_on(self) -> None:
        self._actions += map(HandOn, self.rooms.items)
        self.rooms.items.clear()

    def _enter(self, phase: Phase, now: float) -> None:
        self.phase = phase
        self._phase_since = now
