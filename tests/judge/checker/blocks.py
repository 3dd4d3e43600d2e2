"""I35: blocks are what was asked for, and who is blocked writes nothing in a direct room (G26).

Of a block it is not known where among a log's events it was committed. But once it is answered, a message
that is sent then finds it, unless somebody has asked to end it.
"""

from collections.abc import Iterator
from math import inf
from typing import Final

from tests.judge.blocks import Asked
from tests.judge.history import EDIT_KIND, MESSAGE_KIND, History, Operation
from tests.judge.reactions import REACTION_KIND

from .anomaly import Anomaly

ADDED: Final = (MESSAGE_KIND, EDIT_KIND, REACTION_KIND)
"""Kinds that a block refuses."""


def blocks_hold(history: History) -> Iterator[Anomaly]:
    """I35: rows and lists are those that were asked for last, and no block is overlooked."""
    blocks = history.blocks
    stored = set(blocks.stored)
    for one in blocks.asked:
        pair = one.blocker, one.blocked
        if one.is_last and one.answered_at is not None and (pair in stored) != one.is_blocked:
            yield Anomaly("I35", f"the row of {one.blocked} is not as was asked for last", user=one.blocker)
    for told in blocks.listed:
        due = sorted(blocked for blocker, blocked in stored if blocker == told.blocker)
        if sorted(told.users) != due:
            yield Anomaly("I35", f"{told.users} are listed as blocked instead of {due}", user=told.blocker)
    for operation in history.operations:
        two = blocks.direct.get(operation.room)
        if two and operation.seqs and operation.kind in ADDED and _is_refused(history, two, operation):
            what = "was accepted in a direct room in spite of a block"
            yield Anomaly("I35", what, operation.room, operation.seqs[0], operation.user, operation.uuid)


def _is_refused(history: History, pair: tuple[int, int], operation: Operation) -> bool:
    """Return True if a block of either direction held from before the first sending on."""
    sent_at = operation.attempts[0].invoked_at
    end = inf if operation.answered_at is None else operation.answered_at
    for blocker, blocked in (pair, pair[::-1]):
        asked = [one for one in history.blocks.asked if (one.blocker, one.blocked) == (blocker, blocked)]
        holding = [one for one in asked if one.is_blocked and _answered(one) < sent_at]
        ends = [one.invoked_at for one in asked if not one.is_blocked]
        ends += [one.at for one in history.departures if one.user in pair]  # blocks go with an account
        if holding and not any(ended_at < end for ended_at in ends):
            return True
    return False


def _answered(one: Asked) -> float:
    return inf if one.answered_at is None else one.answered_at
