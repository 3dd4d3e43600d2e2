"""Stores the reports that a lane's entries bring, and says what becomes of each.

Between a `browse` stream and its answers. A report is no event: it needs no lease, no head's lock and no seq.
One that can't be written now is given up, as a mark is: its client repeats it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.db import DatabaseError, InterfaceError
from msgspec import UNSET

from roomlog.reporting import store_report
from roomlog_contract.commands import ReportMessage
from roomlog_contract.errors import RefusedCommand
from roomlog_contract.events import ErrorAnswer, ReportMessageAnswer

from .entries import Entry
from .publications import error_answer

ReportAnswer = ReportMessageAnswer | ErrorAnswer


@dataclass(frozen=True, slots=True)
class Reports:
    """What became of a batch's reports."""

    answers: Mapping[tuple[int, str], ReportAnswer] = field(default_factory=dict)
    """By the entry's key."""
    error: Exception | None = None
    """Why not all were written: the database is read-only or full."""


NONE: Final = Reports()


def is_report(entry: Entry) -> bool:
    """Tell whether the entry reports a message."""
    return isinstance(entry.envelope.command, ReportMessage)


def store(entries: Sequence[Entry]) -> Reports:
    """Store the reports among the entries, each committed by itself."""
    answers: dict[tuple[int, str], ReportAnswer] = {}
    try:
        for entry in entries:
            if isinstance(command := entry.envelope.command, ReportMessage):
                answers[entry.key] = _answer(entry, command)
    except (DatabaseError, InterfaceError) as error:
        return Reports(error=error)
    return Reports(answers) if answers else NONE


def _answer(entry: Entry, command: ReportMessage) -> ReportAnswer:
    try:
        is_new = store_report(command, entry.envelope.user)
    except RefusedCommand as refusal:
        return error_answer(entry, refusal.code, refusal.message, refusal.retry_after_ms)
    return ReportMessageAnswer(uuid=command.uuid, duplicate=UNSET if is_new else True)
