"""Decides whether an entry fails by its own fault, or because something fails all entries alike.

Beside `poison`, at the end of a turn. A half-done migration or a bug of ours fails every entry just as a bad
entry fails itself. Another entry tells the two apart. If one of the same action succeeds, the failures are
the entries' own. If a second command fails in the same way, something else is at fault.
"""

import traceback
from collections.abc import Callable
from typing import Final, NamedTuple
from uuid import UUID

from django.db import Error

from .entries import Entry
from .errors import sqlstate_of, took_too_long

Failure = tuple[Entry, Exception]
_Command = tuple[str, int, UUID | int]
"""uuid, sender, and the room; for a read its shard."""
Way = tuple[str, str]
"""How an entry fails: the error, and its SQLSTATE or the line that raised it."""
ENOUGH: Final = 2
"""Different commands that failed in one way: more need not be known."""


class Verdict(NamedTuple):
    """The judgement on a turn's failures."""

    own: list[Failure]
    """The failures that are their entries' own fault."""
    common: Exception | None
    """A failure that is no entry's fault, or None."""
    may_go_on: bool
    """Other commands succeed, or all that failed alike are of one room."""


class Blame:
    """The failures since the last success. Bound: three commands for each way to fail."""

    def __init__(self, is_trouble: Callable[[Exception], bool]) -> None:
        self._is_trouble = is_trouble
        self._failures: list[Failure] = []
        self._worked: set[str] = set()
        self._ways: dict[Way, dict[_Command, str]] = {}
        """Way to fail → commands that did since their action was last seen to work, with that action."""

    def start_turn(self) -> None:
        """Forget the failures of a turn that was cut short: the same trouble may have caused them."""
        self._failures = []
        self._worked = set()

    def failed(self, entry: Entry, error: Exception) -> None:
        """Note that an entry failed alone."""
        self._failures.append((entry, error))

    def heard(self, entry: Entry, error: Exception) -> None:
        """Note how the next entry of a failing entry's room would fail; that is not yet its own failure."""
        if self._is_doubtful(error):
            self._doubt(entry, error)

    def worked(self, action: str) -> None:
        """Note that a command of this action became an event; a repeat or a refusal does not count."""
        self._worked.add(action)

    def judge(self) -> Verdict:
        """Tell the turn's failures apart, and start the next turn."""
        failures, worked = self._failures, self._worked
        self.start_turn()
        for way, commands in list(self._ways.items()):
            self._ways[way] = {key: action for key, action in commands.items() if action not in worked}
        self._ways = {way: commands for way, commands in self._ways.items() if commands}
        doubtful = [
            (entry, error)
            for entry, error in failures
            if self._is_doubtful(error) and entry.action not in worked
        ]
        for entry, error in doubtful:
            self._doubt(entry, error)
        common = [error for _, error in failures if self._is_trouble(error)]
        common += [error for _, error in doubtful if self._is_common(error)]
        own = [(entry, error) for entry, error in failures if not any(error is one for one in common)]
        may_go_on = bool(worked) or all(self._is_of_one_room(error) for error in common)
        return Verdict(own, common[0] if common else None, may_go_on)

    def _is_doubtful(self, error: Exception) -> bool:
        """Tell whether one failure leaves open if the entry or something else is at fault."""
        return not (self._is_trouble(error) or took_too_long(error))

    def _doubt(self, entry: Entry, error: Exception) -> None:
        commands = self._ways.setdefault(way_of(error), {})
        command = command_of(entry)
        rooms = {room for *_, room in commands}
        if len(commands) < ENOUGH or (len(rooms) == 1 and command[-1] not in rooms):
            commands[command] = entry.action

    def _is_of_one_room(self, error: Exception) -> bool:
        """Tell whether all commands that failed in this way are of one room."""
        rooms = {room for *_, room in self._ways.get(way_of(error), ())}
        return not self._is_trouble(error) and len(rooms) == 1 and isinstance(rooms.pop(), UUID)

    def _is_common(self, error: Exception) -> bool:
        return len(self._ways[way_of(error)]) >= ENOUGH


def way_of(error: Exception) -> Way:
    """Return the error's class and place, never its text: that of a database error quotes the row."""
    if isinstance(error, Error):
        return type(error).__name__, sqlstate_of(error)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return type(error).__name__, f"{frame.name}:{frame.lineno}"


def command_of(entry: Entry) -> _Command:
    """Return what identifies a command, so that a client's retry counts as the same one."""
    command = entry.envelope.command
    return command.uuid, entry.envelope.user, entry.shard if entry.is_read else entry.room
