"""How far the members of a watched room have read, and what its watchers here were told of it. Pure.

Part of the room, beside the event stage. It exists only while somebody watches the room here. Marks only move
forward, so whatever comes twice or late changes nothing.
"""

from collections.abc import Mapping
from typing import Final

from roomlog_contract.server_events import ReadUpTo

from ..sockets.session import Session

NEVER: Final = float("-inf")
NOTHING: Final = -1
"""What a watcher has been told that must be told all."""
News = tuple[bool, list[ReadUpTo]]
"""Whether it is all that there is, and the marks."""


class Receipts:
    """The marks of one room."""

    __slots__ = ("_changes", "_marks", "asked_at", "is_known", "told_at", "watchers")

    def __init__(self) -> None:
        self.watchers: dict[Session, int] = {}
        """The connections here that watch; for each the last change of which it was told, or NOTHING."""
        self.asked_at = NEVER
        """When the workers were asked last, as far as an answer may still come or has come."""
        self.told_at = NEVER
        self.is_known = False
        """All marks are known; else nothing is told."""
        self._changes = 0
        self._marks: dict[int, tuple[int, int]] = {}
        """By user: the seq, and the change that brought it."""

    def clear(self) -> None:
        """Forget all that was heard and told, and ask anew: it was of another log, or is shown no longer."""
        self._forget()
        self.asked_at = NEVER
        self.watchers = dict.fromkeys(self.watchers, NOTHING)

    def hide(self) -> None:
        """Forget the marks, because the room has become too large; those who were told some are told so."""
        self._forget()

    def hear(self, marks: Mapping[int, int]) -> None:
        """Take marks; those that are not ahead of what is known mean nothing."""
        self._changes += 1
        for user, seq in marks.items():
            known = self._marks.get(user)
            if known is None or known[0] < seq:
                self._marks[user] = seq, self._changes

    def discard(self, user: int) -> None:
        """Forget somebody who has left; the event says so to those who were told."""
        self._marks.pop(user, None)

    def news(self, told: int) -> News | None:
        """Return what is new to those who were told up to a change, if anything is."""
        if not self.is_known:
            return None if told == NOTHING else (True, [])
        later = [ReadUpTo(user, seq) for user, (seq, change) in sorted(self._marks.items()) if change > told]
        return (told == NOTHING, later) if later else None

    def tell(self, session: Session) -> None:
        """Note that a watcher was told all of it."""
        self.watchers[session] = self._changes if self.is_known else NOTHING

    def _forget(self) -> None:
        self._marks = {}
        self.is_known = False
