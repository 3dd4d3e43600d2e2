"""Notes for the trail and for spans what became of commands, with the times of commit and publication.

Beside the message's way; in memory only.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from roomlog_contract.trail import Decided, Note, ignore

from .decisions import Outcome
from .entries import Entry
from .log.errors import RefusedWrite
from .log.rules import Recorded


class Origin(NamedTuple):
    """What spans need of a decided command beside the step; times are in ns since 1970."""

    entry: Entry
    began_ns: int
    """When its batch began."""
    decided_ns: int
    """When that was committed, or refused."""


@contextmanager
def noted(note: Note, outcomes: Sequence[Outcome], began_ns: int) -> Iterator[None]:
    """Note the outcomes, which were just committed, once the body has published them or failed.

    `began_ns` is when their batch began.
    """
    if note is ignore:
        yield
        return
    decided_ns, is_published = time.time_ns(), False
    try:
        yield
        is_published = True
    finally:
        for outcome in outcomes:
            origin = Origin(outcome.entry, began_ns, decided_ns)
            note(step_of(outcome, decided_ns // 1_000_000, is_published), origin)


def step_of(outcome: Outcome, committed_ms: int, is_published: bool) -> Decided:
    """Return what the trail keeps of an outcome."""
    entry, result = outcome.entry, outcome.result
    room, seq, word = None, 0, "erased"
    if isinstance(result, RefusedWrite):
        committed_ms, word = 0, result.code.value
    elif isinstance(result, Recorded):
        room, seq = result.event.room_id, result.event.seq
        word = "repeat" if result.duplicate else "event"
    envelope = entry.envelope
    return Decided(
        envelope.command.uuid,
        envelope.user,
        entry.shard,
        entry.id,
        word,
        committed_ms,
        is_published,
        room,
        seq,
    )
