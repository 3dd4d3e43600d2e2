"""Takes the texts of messages out of a room's log: the one change that a log knows.

Beside the rules, under the same locks. It appends nothing: who reads the room afresh finds the messages
deleted, and every seq stays where it is.
"""

from dataclasses import dataclass

from roomlog.body_hash import ERASED
from roomlog.models import MESSAGE, RoomEvent
from roomlog_contract.envelope import EraseMessages

from .batch import Batch
from .errors import HeldElsewhere


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
    for row in messages.filter(data__has_key="data"):
        (row.data or {}).pop("data")
        row.save(update_fields=["data"])
    return Erased(messages.update(text="", body_hash=ERASED, deleted_at=batch.now))
