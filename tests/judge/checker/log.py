"""I1 to I5 and I10: the database's log against what clients sent and were answered."""

from collections.abc import Iterator
from typing import Final

from tests.judge.history import DELETION_KIND, EDIT_KIND, MESSAGE_KIND, History, Operation, Outcome, Row
from tests.judge.joining import JOINING_KIND
from tests.judge.moderation import MODERATION, as_sent
from tests.judge.pins import PIN_KIND, UNPIN_KIND
from tests.judge.reactions import REACTION_KIND, REMOVAL_KIND
from tests.judge.receipts import RECEIPTS_KIND
from tests.judge.topics import ROOM_KINDS

from .anomaly import Anomaly

SENT: Final = (
    *(MESSAGE_KIND, EDIT_KIND, DELETION_KIND, REACTION_KIND, REMOVAL_KIND),
    *(PIN_KIND, UNPIN_KIND),
    *(JOINING_KIND, *ROOM_KINDS, RECEIPTS_KIND, *MODERATION),
)
"""Kinds of rows that a load's clients make."""


def success_is_stored(history: History) -> Iterator[Anomaly]:
    """I1: every success is in the database (G1)."""
    for operation in history.operations:
        if operation.seqs and operation.key not in history.stored_seqs:
            yield _of("I1", operation, "was answered with success and is not stored")


def stored_once(history: History) -> Iterator[Anomaly]:
    """I2: no (room, sender, uuid) is stored twice (G2)."""
    for (room, user, uuid), seqs in history.stored_seqs.items():
        if len(seqs) > 1:
            what = f"is stored {len(seqs)} times, at {sorted(seqs)[:5]}"
            yield Anomaly("I2", what, room=room, user=user, uuid=uuid, seq=seqs[-1])


def log_is_gapless(history: History) -> Iterator[Anomaly]:
    """I3: a room's rows have seq 1, 2, 3 … without a gap or a repeat (G3); the first break is named."""
    for rows in history.rows_by_room.values():
        for expected, row in enumerate(rows, start=1):
            if row.seq != expected:
                what = f"has seq {row.seq} where {expected} is due"
                yield Anomaly.of("I3", row, what, seq=row.seq)
                break


def answers_agree(history: History) -> Iterator[Anomaly]:
    """I4: the same uuid has the same seq in every answer, and it is the stored one (G2)."""
    for operation in history.operations:
        seqs = set(operation.seqs)
        stored = history.stored_seqs.get(operation.key)
        if len(seqs) > 1 or (stored is not None and not seqs <= set(stored)):
            yield _of("I4", operation, f"was answered with {sorted(seqs)}, stored at {stored}")


def stored_was_sent(history: History) -> Iterator[Anomaly]:
    """I5: each message or change was sent by that user, with that body (G1), or lost it (G14, G17)."""
    for row in history.rows:
        if row.kind not in SENT or row.seq <= history.baseline.get(row.room, 0):
            continue
        operation = history.operation_of.get(row.key)
        if operation is None:
            yield Anomaly.of("I5", row, "was sent by nobody", seq=row.seq)
        elif _facts(operation) != _facts(row):
            yield Anomaly.of("I5", row, "is another command than was sent", seq=row.seq)
        elif operation.text != row.text and (row.text or not history.may_be_erased(operation)):
            yield Anomaly.of("I5", row, "has another body than was sent", seq=row.seq)


def _facts(one: Operation | Row) -> tuple[object, ...]:
    return one.kind, one.target, one.emoji, as_sent(one.kind, one.moderation)


def error_is_not_stored(history: History) -> Iterator[Anomaly]:
    """I10: what was answered with errors alone is not stored (G7)."""
    for operation in history.operations:
        if operation.outcome is Outcome.ERROR and operation.key in history.stored_seqs:
            codes = sorted({attempt.error_code for attempt in operation.attempts})
            yield _of("I10", operation, f"was refused with {codes} and is stored")


def _of(invariant: str, operation: Operation, what: str) -> Anomaly:
    seq = operation.seqs[0] if operation.seqs else None
    return Anomaly.of(invariant, operation, what, seq=seq, client=operation.client, at=operation.answered_at)
