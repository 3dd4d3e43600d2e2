"""Asks the project's policy about people's commands before they are decided (`ROOMLOG["POLICY"]`).

Between the stream and the batch. What is asked about waits in its stream, and its room with it: other rooms
are read on. One entry is asked about once, until it has left the stream.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from roomlog.policy import AskedAbout, Sentence, has_policy, objection_to
from roomlog_contract.commands import RoomWrite
from roomlog_contract.errors import ErrorCode

from .decisions import Outcome
from .entries import Entry
from .log.errors import RefusedWrite
from .questions import Questions, State

LATE_MS: Final = 1_000
"""After which a client asks again."""
_UNDECIDED: Final = {
    State.LATE: RefusedWrite(ErrorCode.BUSY, retry_after_ms=LATE_MS),
    State.FAILED: RefusedWrite(ErrorCode.INTERNAL),
}
"""Without an answer nothing is allowed, and nobody waits for ever."""


@dataclass(slots=True)
class Sifted:
    """The entries of one read."""

    ready: list[Entry] = field(default_factory=list)
    refused: list[Outcome] = field(default_factory=list)
    waiting: set[UUID] = field(default_factory=set)
    """Rooms whose entries wait for an answer."""


class Objections:
    """What the policy says of the commands that are under way; used by one thread."""

    def __init__(self) -> None:
        self._has_policy = has_policy()
        self._questions = Questions[tuple[RoomWrite, int], Sentence | None](
            "policy", lambda question: objection_to(*question)
        )

    def sift(self, entries: Sequence[Entry]) -> Sifted:
        """Return which entries can be decided now, which are refused, and which rooms wait."""
        if not self._has_policy:
            return Sifted(list(entries))
        self._questions.forget_gone()
        sifted = Sifted()
        for entry in entries:
            if entry.room not in sifted.waiting:
                self._sort(entry, sifted)
        return sifted

    def forget(self, entries: Collection[Entry]) -> None:
        """Take these entries for decided."""
        if self._has_policy:
            self._questions.forget([entry.key for entry in entries])

    def close(self) -> None:
        """End the threads. Again is harmless."""
        self._questions.close()

    def _sort(self, entry: Entry, sifted: Sifted) -> None:
        if entry.envelope.staff or not isinstance(entry.write, AskedAbout):
            sifted.ready.append(entry)
            return
        match self._questions.look(entry.key, (entry.write, entry.envelope.user)):
            case State.ANSWERED:
                sentence = self._questions.answer(entry.key)
                if sentence is None:
                    sifted.ready.append(entry)
                else:
                    sifted.refused.append(Outcome(entry, RefusedWrite(ErrorCode.FORBIDDEN, sentence)))
            case State.OPEN | State.CROWDED:
                sifted.waiting.add(entry.room)
            case state:
                sifted.refused.append(Outcome(entry, _UNDECIDED[state]))
