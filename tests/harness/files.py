"""Uploaded files: rows without a request around them."""

from typing import Any
from uuid import UUID, uuid4

from roomlog.models import Attachment


def uploaded(room: UUID, person: int, name: str = "notes.txt", **facts: Any) -> UUID:
    """Return the id of a file that the person has uploaded to the room; no storage has its bytes."""
    defaults = {
        "uuid": uuid4().hex,
        "digest": "",
        "size": 5,
        "type": "text/plain",
        "file": uuid4().hex,
        "is_stored": True,
    }
    return Attachment.objects.create(room_id=room, user_id=person, name=name, **{**defaults, **facts}).pk
