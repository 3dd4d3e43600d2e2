"""Erases what somebody said: asks the rooms' workers to, and cleans what is no log.

Beside the message's way, for an operator. The log's rows are the workers': a worker that answers a repeat or
writes a batch has rows of its room in memory, and no other transaction may change them under it. Commands of
the same room come first, so a message that still waits is one when it is erased, and so is an edit.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid4

import msgspec
from django.db import transaction
from django.utils import timezone
from msgspec.structs import replace

from roomlog_contract.commands import EditMessage, NewMessage, ReportMessage
from roomlog_contract.envelope import Envelope, EraseMessages, decode_envelope, encode

from .attachment import drop
from .log_scan import Progress, messages_of
from .models import Attachment, Ban, DeadLetter, MessageReport, PendingCommand
from .pending import store
from .people import system_person

AT_ONCE: Final = 100
"""Messages in one command: a worker's transaction must stay short."""


@dataclass(slots=True)
class Erasure:
    """What was found."""

    messages: int = 0
    """In logs, or waiting to be."""
    letters: int = 0
    """Dead letters with texts of theirs."""
    unreadable: int = 0
    """Dead letters of which nobody can say whose they are."""
    bans: int = 0
    """Rooms that the person was banned from, and is no more."""
    comments: int = 0
    """Reports of theirs that had a comment."""


def erase(person: int, progress: Progress) -> Erasure:
    """Ask for all that somebody has said until now to lose its text, and end the bans. Again is harmless."""
    found = Erasure()
    waiting = [_place(row) for row in PendingCommand.objects.filter(user=person).iterator()]
    found.messages += _ask(person, (place for place in waiting if place))
    for messages in messages_of(person, progress):
        found.messages += _ask(person, ((message.room_id, message.uuid) for message in messages))
    _clean_letters(person, found)
    found.bans, _ = Ban.objects.filter(user=person).delete()
    found.comments = MessageReport.objects.filter(user=person).exclude(comment="").update(comment="")
    drop(Attachment.objects.filter(user=person, seq=None), timezone.now())
    return found


def _place(row: PendingCommand) -> tuple[UUID, str] | None:
    envelope = _readable(bytes(row.envelope))
    return (row.room, row.uuid) if envelope and isinstance(envelope.command, NewMessage) else None


@transaction.atomic
def _ask(person: int, places: Iterable[tuple[UUID, str]]) -> int:
    """Store the commands for messages in these rooms, by the uuids of theirs; return how many these are."""
    by_room: defaultdict[UUID, list[str]] = defaultdict(list)
    for room, uuid in places:
        by_room[room].append(uuid)
    code = system_person().pk
    for room, uuids in by_room.items():
        for some in _pieces(uuids):
            command = EraseMessages(uuid=uuid4().hex, room=room, sender=person, uuids=some)
            store(room, Envelope(command=command, user=code, staff=True))
    return sum(map(len, by_room.values()))


def _pieces(uuids: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(uuids), AT_ONCE):
        yield uuids[start : start + AT_ONCE]


def _clean_letters(person: int, found: Erasure) -> None:
    """Leave of the person's dead letters whose they are and where they belong, not what they say."""
    for letter in DeadLetter.objects.iterator():
        envelope = _readable(bytes(letter.envelope))
        if envelope is None:
            found.unreadable += 1
        elif envelope.user == person and (blank := _blank(envelope)) != envelope:
            DeadLetter.objects.filter(pk=letter.pk).update(envelope=encode(blank))
            found.letters += 1


def _blank(envelope: Envelope) -> Envelope:
    """Return the envelope without what a message, an edit or a report says."""
    command = envelope.command
    if isinstance(command, NewMessage | EditMessage):
        return replace(envelope, command=replace(command, text=""), data="")
    if isinstance(command, ReportMessage):
        return replace(envelope, command=replace(command, comment=""))
    return envelope


def _readable(value: bytes) -> Envelope | None:
    try:
        return decode_envelope(value)
    except msgspec.DecodeError:
        return None
