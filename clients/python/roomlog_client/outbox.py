"""Commands on their way out: kept until they are answered, repeated with the same uuid, oldest first. Pure.

It survives reconnects: losing the connection makes what was in flight due again. Of one room nothing
overtakes a command that waits, so that messages stay in the order in which they were given (G4).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, TypedDict
from uuid import UUID

import msgspec

from roomlog_contract import limits

from .errors import BadValue, OutboxFull

WAITING_COMMANDS: Final = 1_000
"""Most commands that wait for an answer, sent or not: minutes of a person's typing."""
IN_FLIGHT_COMMANDS: Final = limits.UNANSWERED_COMMANDS - 8
"""Sent and unanswered on one connection; the rest of the server's 32 is for reading what was missed."""
ANSWER_SECONDS: Final = limits.UNANSWERED_SECONDS + 1.0
"""After this an answer is not awaited any longer: the server has forgotten the command, repeat it."""


class How(TypedDict, total=False):
    """How an application sends a command."""

    uuid: str
    """Its name; a repeat with the same one is the same command."""
    timeout_seconds: float


@dataclass(slots=True)
class Command:
    """One command and where it stands."""

    uuid: str
    action: str
    room: str
    """Empty for commands without a room."""
    frame: bytes
    """Encoded once: every repeat sends the same bytes."""
    attempts: int = 0
    """How often it was sent, over all connections."""
    sent_at: float | None = None
    """When it was sent on the present connection; None where it is due."""
    retry_at: float = 0.0
    """Not before this, because the server asked to wait."""
    was_refused: bool = False
    """The server refused it for now: the later ones of its room wait until it is answered."""


def command_of(action: str, uuid: str, room: str, facts: dict[str, Any]) -> Command:
    """Return an application's command.

    Raises:
        BadValue: it can't be written as a frame.
        ValueError: it is the client's own business.
    """
    if action in {"authenticate", "select_room"}:
        raise ValueError(f"{action} is the client's own business")
    body = {"uuid": uuid, "action": action, **({"room": room} if room else {}), **facts}
    try:
        frame = msgspec.json.encode(body)
    except (UnicodeEncodeError, TypeError) as error:
        raise BadValue("bad_value", f"can't be written as JSON: {type(error).__name__}", uuid, room) from None
    if len(frame) > limits.FRAME_BYTES:
        raise BadValue("bad_value", f"the frame is longer than {limits.FRAME_BYTES} bytes", uuid, room)
    return Command(uuid, action, room, frame)


class Outbox:
    """The commands that have no definite answer yet, in the order in which they were given."""

    def __init__(self) -> None:
        self._commands: dict[str, Command] = {}
        self._in_flight = 0

    def __len__(self) -> int:
        return len(self._commands)

    def __contains__(self, uuid: str) -> bool:
        return uuid in self._commands

    def add(self, command: Command) -> None:
        """Take a command.

        Raises:
            OutboxFull: a thousand wait already.
            ValueError: its uuid waits already.
        """
        if command.uuid in self._commands:
            raise ValueError(f"{command.uuid} is under way already")
        if len(self._commands) >= WAITING_COMMANDS:
            raise OutboxFull(f"{WAITING_COMMANDS} commands wait")
        self._commands[command.uuid] = command

    def get(self, uuid: str) -> Command | None:
        """Return the command if it is still without a definite answer."""
        return self._commands.get(uuid)

    def settle(self, uuid: str) -> Command | None:
        """Take a command out: it was answered, or is not wanted any more."""
        command = self._commands.pop(uuid, None)
        if command is not None and command.sent_at is not None:
            self._in_flight -= 1
        return command

    def drain(self) -> list[Command]:
        """Take all commands out, oldest first."""
        commands = list(self._commands.values())
        self._commands.clear()
        self._in_flight = 0
        return commands

    def due(self, now: float) -> Iterator[Command]:
        """Yield what may be sent now, oldest first; the caller says `sent` to each that it sends."""
        if self._in_flight == len(self._commands):
            return
        blocked: set[str] = set()
        for command in list(self._commands.values()):
            if self._in_flight >= IN_FLIGHT_COMMANDS:
                return
            if command.room in blocked:
                continue
            if command.was_refused:
                blocked.add(command.room)
            if command.sent_at is None and command.retry_at <= now:
                yield command

    def sent(self, command: Command, now: float) -> None:
        """Count a command as sent on the present connection."""
        command.attempts += 1
        command.sent_at = now
        self._in_flight += 1

    def refused(self, uuid: str, retry_at: float) -> None:
        """Make a command due again at `retry_at`: the server certainly did not take it."""
        command = self._commands.get(uuid)
        if command is not None:
            command.retry_at = retry_at
            command.was_refused = True
            self._recall(command)

    def disconnected(self) -> None:
        """Make everything due again: what was in flight is unknown now."""
        for command in self._commands.values():
            self._recall(command)
            command.retry_at, command.was_refused = 0.0, False

    def expire(self, now: float) -> None:
        """Make due again what was not answered in time."""
        for command in self._commands.values():
            if command.sent_at is not None and now >= command.sent_at + ANSWER_SECONDS:
                self._recall(command)

    def next_at(self, now: float) -> float | None:
        """Return when something falls due or expires by time alone.

        What is due already does not count; what should have expired already does, or nobody would expire it.
        """
        commands = self._commands.values()
        times = [one.sent_at + ANSWER_SECONDS for one in commands if one.sent_at is not None]
        times += [one.retry_at for one in commands if one.sent_at is None and one.retry_at > now]
        return min(times, default=None)

    def _recall(self, command: Command) -> None:
        if command.sent_at is not None:
            command.sent_at = None
            self._in_flight -= 1


def room_id(room: str) -> str:
    """Return a room's id as the wire writes it: 32 hex digits.

    Raises:
        BadValue: it is no UUID.
    """
    try:
        return UUID(room).hex
    except ValueError:
        raise BadValue("bad_value", "a room's id is a UUID") from None
