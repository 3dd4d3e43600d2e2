"""The connections of a room that may not write, as far as this gateway knows. Beside the event stage.

The workers decide who may write. This is for what no worker sees: a hint of someone who may not write is
passed on to nobody. What the database said counts, and after it what the room's events say.
"""

from collections.abc import Iterable
from enum import Flag, auto

from roomlog_contract.envelope import Rights
from roomlog_contract.errors import ErrorCode
from roomlog_contract.fingerprint import ARCHIVED, MUTED, READER

from ..sockets.session import Session


class Silence(Flag):
    """Why a member may not write."""

    READER = auto()
    MUTED = auto()


class Restrictions:
    """Those of one room. It remembers only connections that may not write."""

    __slots__ = ("_seq", "_silent", "is_archived")

    def __init__(self) -> None:
        self.is_archived = False
        self._silent: dict[Session, Silence] = {}
        self._seq = 0
        """The last event that changed any of this: what was read before it is outdated."""

    def refusal(self, session: Session) -> ErrorCode | None:
        """Return why the connection may not write now; None: nothing is known against it."""
        if self.is_archived:
            return ErrorCode.ARCHIVED
        silence = self._silent.get(session)
        if silence is None:
            return None
        return ErrorCode.MUTED if Silence.MUTED in silence else ErrorCode.FORBIDDEN

    def read(self, session: Session, seq: int, silence: Silence, *, is_archived: bool) -> None:
        """Take what the database said of a member when the room's head was `seq`."""
        if seq < self._seq:
            return  # a later event said otherwise, or nothing of this member: the next recheck knows
        self.is_archived = is_archived
        self._set(session, silence)

    def hear(self, members: Iterable[Session], rights: Rights, seq: int) -> None:
        """Take what an event says."""
        self._seq = seq
        if rights.archived is not None:
            self.is_archived = rights.archived
        if not rights.user:
            return
        for session in members:
            if session.user == rights.user:
                self._set(session, _changed(self._silent.get(session, Silence(0)), rights))

    def letters(self, session: Session) -> str:
        """Return what is known against a connection, as fingerprints have it."""
        silence = self._silent.get(session, Silence(0))
        return (
            (READER if Silence.READER in silence else "")
            + (MUTED if Silence.MUTED in silence else "")
            + (ARCHIVED if self.is_archived else "")
        )

    def forget(self, session: Session) -> None:
        """Drop what is known of a connection that leaves the room."""
        self._silent.pop(session, None)

    def start_over(self) -> None:
        """Let reads of another log count: its seqs are others."""
        self._seq = 0

    def _set(self, session: Session, silence: Silence) -> None:
        if silence:
            self._silent[session] = silence
        else:
            self._silent.pop(session, None)


def _changed(silence: Silence, rights: Rights) -> Silence:
    if rights.role is not None:
        is_reader = rights.role == "reader"
        silence = silence | Silence.READER if is_reader else silence & ~Silence.READER
    if rights.muted is not None:
        silence = silence | Silence.MUTED if rights.muted else silence & ~Silence.MUTED
    return silence
