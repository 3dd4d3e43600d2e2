"""Whose fault a failure is: its entry's, where that fails alone; something else's, where all fail alike.

Beside `poison`, at the end of a turn. A half-done migration or a bug of ours fails every entry in the way of
a single bad one. What tells them apart is another entry: one of the same action that succeeds clears all, a
second one that fails in the same way accuses something else than the entries.
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
    """What a turn's failures say."""

    own: list[Failure]
    """Those that are their entries' own."""
    common: Exception | None
    """One that is no entry's fault, if there is one."""
    may_go_on: bool
    """Something was carried out all the same, or only one room is known to have the fault."""


class Blame:
    """What failed since the last success. Bound: three commands for each way to fail."""

    def __init__(self, is_trouble: Callable[[Exception], bool]) -> None:
        self._is_trouble = is_trouble
        self._failures: list[Failure] = []
        self._worked: set[str] = set()
        self._ways: dict[Way, dict[_Command, str]] = {}
        """Way to fail → commands that did since their action was last seen to work, with that action."""

    def start_turn(self) -> None:
        """Forget what failed in a turn that was cut short: whatever cut it may have failed the entries."""
        self._failures = []
        self._worked = set()

    def failed(self, entry: Entry, error: Exception) -> None:
        """Note that an entry failed alone."""
        self._failures.append((entry, error))

    def heard(self, entry: Entry, error: Exception) -> None:
        """Note how an entry would fail that stands behind one that did; it is not its own failure yet."""
        if self._is_doubtful(error):
            self._doubt(entry, error)

    def worked(self, action: str) -> None:
        """Note that a command of this action was carried out; finding a repeat or refusing is not enough."""
        self._worked.add(action)

    def judge(self) -> Verdict:
        """Tell the turn's failures apart, and begin the next turn."""
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
        """Tell whether it may be the entry's own fault or everybody's: others that fail alike show it."""
        return not (self._is_trouble(error) or took_too_long(error))

    def _doubt(self, entry: Entry, error: Exception) -> None:
        commands = self._ways.setdefault(way_of(error), {})
        command = command_of(entry)
        rooms = {room for *_, room in commands}
        if len(commands) < ENOUGH or (len(rooms) == 1 and command[-1] not in rooms):
            commands[command] = entry.action

    def _is_of_one_room(self, error: Exception) -> bool:
        """Tell whether only commands of one room failed in this way: others may have no part in it."""
        rooms = {room for *_, room in self._ways.get(way_of(error), ())}
        return not self._is_trouble(error) and len(rooms) == 1 and isinstance(rooms.pop(), UUID)

    def _is_common(self, error: Exception) -> bool:
        return len(self._ways[way_of(error)]) >= ENOUGH


def way_of(error: Exception) -> Way:
    """Return class and place; the text of a database error quotes the row."""
    if isinstance(error, Error):
        return type(error).__name__, sqlstate_of(error)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return type(error).__name__, f"{frame.name}:{frame.lineno}"


def command_of(entry: Entry) -> _Command:
    """Return what a command sent twice has in common: a sender without an answer repeats it."""
    command = entry.envelope.command
    return command.uuid, entry.envelope.user, entry.shard if entry.is_read else entry.room
