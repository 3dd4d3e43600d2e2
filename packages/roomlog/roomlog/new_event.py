"""An event that is about to be a row of the log.

Has the names of `RoomEvent`'s columns, so that frames are made of either. A model's instance takes ten times
as long to make, and every message makes one. Knows no database.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(slots=True)
class NewEvent:
    """One event of the batch that is being written."""

    room_id: UUID
    seq: int
    number: int | None
    kind: str
    user_id: int
    uuid: str
    body_hash: str
    text: str = field(repr=False)
    data: dict[str, Any] | None = field(repr=False)
    date_created: datetime
    id: int = 0
    """0 until it is stored, or an id was reserved for it."""
    target: int | None = None
    """The seq of the message that it concerns."""
    edited_seq: None = None
    reacted_seq: None = None
    pinned_seq: None = None
    deleted_at: None = None
