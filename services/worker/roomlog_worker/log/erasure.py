"""Takes the texts of messages and of their edits out of a room's log, the only texts that a log ever loses.

Beside the rules, under the same locks. An erasure appends no event: clients that read the room afresh find
the messages deleted, and every seq stays where it is. `delete_message` calls `scrub` too and is an event.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import Q

from roomlog.attachment import drop
from roomlog.body_hash import ERASED
from roomlog.kinds import EDIT, MESSAGE
from roomlog.models import Attachment, Mention, Reaction, RoomEvent, RoomMention
from roomlog.search.index import forget
from roomlog_contract.envelope import EraseMessages

from .batch import Batch
from .errors import HeldElsewhere

SAID: Final = ("data", "mentions", "mentions_room", "attachments")
"""What belongs to a text among an event's data."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What an EraseMessages became: nothing that anybody is told of."""

    messages: int


def erase_messages(batch: Batch, command: EraseMessages) -> Erased:
    """Leave nothing of what these commands said, not even the hash of it, which would confirm a guess.

    Those that are erased already, or never became messages, are passed over: again is harmless.

    Raises:
        HeldElsewhere: this very batch writes to the room; its events are no rows yet.
    """
    if any(event.room_id == command.room for event in batch.events):
        raise HeldElsewhere
    messages = RoomEvent.objects.filter(
        uuid__in=command.uuids, room=command.room, user=command.sender, kind=MESSAGE, deleted_at=None
    )
    return Erased(scrub(batch, command.room, messages.values_list("seq", flat=True)))


def scrub(batch: Batch, room: UUID, seqs: Collection[int]) -> int:
    """Take texts, data, mentions and hashes out of these messages and out of their edits; return how many.

    Their files are dropped, reactions to them and their pins end, and no search finds them.

    Raises:
        HeldElsewhere: this very batch writes one of these events; it is no row yet.
    """
    seqs = set(seqs)
    if any(event.room_id == room and {event.seq, event.target} & seqs for event in batch.events):
        raise HeldElsewhere
    forget(room, seqs)
    events = RoomEvent.objects.filter(room=room)
    messages = events.filter(seq__in=seqs, kind=MESSAGE, deleted_at=None)
    mentioning = bringing = False
    said = events.filter(Q(seq__in=seqs) | Q(target__in=seqs, kind=EDIT), data__has_any_keys=SAID)
    for row in said.order_by():  # else rooms are joined, by which events are ordered
        mentioning = mentioning or not {"mentions", "mentions_room"}.isdisjoint(row.data or {})
        bringing = bringing or "attachments" in (row.data or {})
        row.data = {name: value for name, value in (row.data or {}).items() if name not in SAID}
        row.save(update_fields=["data"])
    if mentioning:
        for rows in (Mention, RoomMention):
            rows.objects.filter(room=room, target__in=seqs).delete()
    if bringing:
        drop(Attachment.objects.filter(room=room, seq__in=seqs), batch.now)
    events.filter(target__in=seqs, kind=EDIT).exclude(body_hash=ERASED).update(text="", body_hash=ERASED)
    Reaction.objects.filter(room=room, target__in=seqs).delete()
    if (locked := batch.rooms.get(room)) is not None and locked.pins:
        locked.pins -= messages.filter(pinned_seq__isnull=False).count()
    for (target_room, _), target in batch.targets.items():
        if target_room == room and target.seq in seqs:
            target.is_deleted = True
    return messages.update(text="", body_hash=ERASED, deleted_at=batch.now, pinned_seq=None)
