"""Decides commands on an open batch, in order. Nothing is stored here."""

from collections.abc import Iterable
from typing import Final, get_args
from uuid import UUID

from msgspec import Struct

from roomlog_contract.commands import (
    CreateRoom,
    DeleteMessage,
    EditMessage,
    InviteUser,
    JoinRoom,
    LeaveRoom,
    Moderation,
    NewMessage,
    RemoveUser,
)
from roomlog_contract.envelope import EraseMessages

from .entries import Entry
from .log import rules
from .log.batch import Batch
from .log.erasure import Erased, erase_messages
from .log.errors import HeldElsewhere, RefusedWrite
from .log.rules import Recorded

MEMBER_CHANGES_AT_ONCE: Final = 16
"""Members who come or go in a transaction: each takes as long as some ten messages."""
ROOM_CHANGES: Final = 8
"""A new room counts as so many: with a hundred members it takes as long as hundreds of messages.

So do a hundred messages that are erased.
"""
_MANY_CHANGES: Final = (CreateRoom, EraseMessages)
_ALLOWS_NOTHING: Final = (NewMessage, EditMessage, DeleteMessage)
_ONE_CHANGE: Final = (InviteUser, JoinRoom, RemoveUser, LeaveRoom, *get_args(Moderation), DeleteMessage)


class Outcome(Struct, frozen=True):
    """An entry with what it became: an event of the log, a refusal, or messages without texts."""

    entry: Entry
    result: Recorded | RefusedWrite | Erased


def few_changes(entries: Iterable[Entry]) -> list[Entry]:
    """Return what one transaction takes: few changes of members, and nothing behind one that is left out.

    One person's crowd of rooms or invitations must not hold up what others say.
    """
    left_out: set[UUID] = set()
    taken: list[Entry] = []
    changes = 0
    for entry in entries:
        count = _changes(entry)
        if count and changes and changes + count > MEMBER_CHANGES_AT_ONCE:
            left_out.add(entry.room)
        if not left_out or entry.room not in left_out:
            changes += count
            taken.append(entry)
    return taken


def _changes(entry: Entry) -> int:
    command = entry.envelope.command
    if isinstance(command, _MANY_CHANGES):
        return ROOM_CHANGES
    return int(isinstance(command, _ONE_CHANGE))


def decide_all(batch: Batch, entries: Iterable[Entry]) -> list[Outcome]:
    """Decide in order. Entries wait if others hold their room, or to change a room after a refusal there.

    What is said, edited or deleted makes nothing allowed that was refused.

    A refusal leaves no row. If this process died before it deletes the entry, the entry would be decided
    again: in a room that has changed since it could be stored, behind what was sent after it.
    """
    waiting = set(batch.held_by_others)
    refused: set[UUID] = set()
    outcomes: list[Outcome] = []
    for entry in entries:
        if refused and entry.room in refused and not isinstance(entry.write, _ALLOWS_NOTHING):
            waiting.add(entry.room)
        if waiting and entry.room in waiting:
            continue
        try:
            outcome = decide(batch, entry)
        except HeldElsewhere:
            waiting.add(entry.room)
            continue
        if isinstance(outcome.result, RefusedWrite):
            refused.add(entry.room)
        outcomes.append(outcome)
    return outcomes


def decide(batch: Batch, entry: Entry) -> Outcome:
    """Make one command an event of the batch, or refuse it; or erase what was asked for.

    Raises:
        HeldElsewhere: it can't be decided just now.
    """
    envelope = entry.envelope
    if isinstance(envelope.command, EraseMessages):
        return Outcome(entry, erase_messages(batch, envelope.command))
    try:
        recorded = rules.carry_out(
            batch, entry.write, envelope.user, staff=envelope.staff, data=envelope.data
        )
    except RefusedWrite as refused:
        return Outcome(entry, refused)
    return Outcome(entry, recorded)
