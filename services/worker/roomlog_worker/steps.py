"""Notes for the trail what became of commands, with the times of commit and publication.

Beside the message's way; in memory only.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from roomlog_contract.trail import Decided, Note, ignore

from .decisions import Outcome
from .log.errors import RefusedWrite
from .log.rules import Recorded


@contextmanager
def noted(note: Note, outcomes: Sequence[Outcome]) -> Iterator[None]:
    """Note the outcomes, which were just committed, once the body has published them or failed."""
    if note is ignore:
        yield
        return
    committed_ms, is_published = int(time.time() * 1000), False
    try:
        yield
        is_published = True
    finally:
        for outcome in outcomes:
            note(step_of(outcome, committed_ms, is_published))


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
