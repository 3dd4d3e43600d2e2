"""I6 and I7: the order of the log against the order in which clients sent and were answered (G4)."""

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

from tests.judge.history import Attempt, History, Operation, Outcome

from .anomaly import Anomaly


class _Moment(NamedTuple):
    """An answer that fixes the order, or a sending that must come after it."""

    at: float
    is_answer: bool
    """False sorts first: an answer at the very time of a sending was not before it."""
    operation: Operation
    seq: int


def real_time_order(history: History) -> Iterator[Anomaly]:
    """I6: what was sent after another message's answer had arrived has a higher seq in the same room.

    What was never answered but is stored counts too: it also was sent after the answer.
    """
    answered: dict[str, tuple[int, str]] = {}
    for moment in sorted(_moments(history), key=lambda moment: moment[:2]):
        operation = moment.operation
        highest, earlier = answered.get(operation.room, (0, ""))
        if moment.is_answer:
            answered[operation.room] = max((highest, earlier), (moment.seq, operation.uuid))
        elif moment.seq < highest:
            what = f"was sent after {earlier} was answered with {highest}, and has {moment.seq}"
            yield Anomaly.of("I6", operation, what, seq=moment.seq, client=operation.client, at=moment.at)


def _moments(history: History) -> Iterator[_Moment]:
    for operation in history.operations:
        seqs = operation.seqs or history.stored_seqs.get(operation.key, [])
        if seqs and operation.attempts:
            yield _Moment(operation.attempts[0].invoked_at, False, operation, seqs[0])
        if operation.answered_at is not None:
            yield _Moment(operation.answered_at, True, operation, operation.seqs[0])


def connection_order(history: History) -> Iterator[Anomaly]:
    """I7: messages of one connection to one room are sequenced as sent, while all succeed at once.

    A refused, unanswered or repeated message between two others ends the run of those that are compared:
    it may have been stored at another attempt.
    """
    sent: dict[tuple[int, str], list[tuple[Attempt, Operation]]] = defaultdict(list)
    for operation in history.operations:
        for attempt in operation.attempts:
            sent[attempt.connection, operation.room].append((attempt, operation))
    for on_connection in sent.values():
        yield from _run_order(sorted(on_connection, key=lambda pair: pair[0].position))


def _run_order(sent: list[tuple[Attempt, Operation]]) -> Iterator[Anomaly]:
    last = 0
    for attempt, operation in sent:
        if attempt.outcome is not Outcome.SUCCESS or len(operation.attempts) > 1:
            last = 0
            continue
        seq = operation.seqs[0]
        if seq < last:
            what = f"has {seq}, sent on connection {attempt.connection} after one that has {last}"
            at = attempt.invoked_at
            yield Anomaly.of("I7", operation, what, seq=seq, client=operation.client, at=at)
        last = seq
