"""Carries out the blocks that a lane's entries bring, and says whose sockets hear of it.

Between a `browse` stream and its answers. A block is no event: it needs no lease, no head's lock and no seq.
One that can't be written now is given up, as a report is: its client repeats it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.db import DatabaseError, InterfaceError

from roomlog.blocking import block, unblock
from roomlog_contract.commands import BlockUser, OwnBlock
from roomlog_contract.envelope import Blocked
from roomlog_contract.errors import RefusedCommand
from roomlog_contract.events import BlockUserAnswer, ErrorAnswer, UnblockUserAnswer

from .bus import ChannelNotice
from .entries import Entry
from .publications import error_answer

BlockAnswer = BlockUserAnswer | UnblockUserAnswer | ErrorAnswer


@dataclass(frozen=True, slots=True)
class Blocks:
    """What became of a batch's blocks."""

    answers: Mapping[tuple[int, str], BlockAnswer] = field(default_factory=dict)
    """By the entry's key."""
    notices: Sequence[ChannelNotice] = ()
    error: Exception | None = None
    """Why not all were written: the database is read-only, or somebody locks a person."""


NONE: Final = Blocks()


def is_block(entry: Entry) -> bool:
    """Tell whether the entry blocks somebody, or ends that."""
    return isinstance(entry.envelope.command, OwnBlock)


def store(entries: Sequence[Entry]) -> Blocks:
    """Carry out the blocks among the entries, each committed by itself.

    A repeat is announced too: its first owner may have died before it could.
    """
    answers: dict[tuple[int, str], BlockAnswer] = {}
    notices: list[ChannelNotice] = []
    try:
        for entry in entries:
            if isinstance(command := entry.envelope.command, OwnBlock):
                answer = answers[entry.key] = _carry_out(entry, command)
                if isinstance(answer, BlockUserAnswer | UnblockUserAnswer):
                    is_blocked = isinstance(answer, BlockUserAnswer)
                    notices.append((entry.envelope.user, Blocked(answer.user, is_blocked)))
    except (DatabaseError, InterfaceError) as error:
        return Blocks(answers, notices, error)
    return Blocks(answers, notices) if answers else NONE


def _carry_out(entry: Entry, command: OwnBlock) -> BlockAnswer:
    user = entry.envelope.user
    try:
        if isinstance(command, BlockUser):
            return BlockUserAnswer(uuid=command.uuid, user=block(user, command.user))
        return UnblockUserAnswer(uuid=command.uuid, user=unblock(user, command.user))
    except RefusedCommand as refusal:
        return error_answer(entry, refusal.code, refusal.message, refusal.retry_after_ms)
