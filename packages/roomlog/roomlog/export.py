"""Writes a room's log, or what one person said, as JSON: one object for each line.

Beside the message's way; reads only, a page at a time, so that memory stays small however long the log is.
Events look as on the wire.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from roomlog_contract.codec import encode_frame

from . import selectors
from .frames import frame_of
from .log_scan import Progress, messages_of
from .models import Block, ChatRoom, Membership, Person

PAGE: Final = 500
"""Events in memory at once."""
_encoder: Final = msgspec.json.Encoder(uuid_format="hex")


def lines_of_room(room: ChatRoom, progress: Progress) -> Iterator[str]:
    """Yield the room with its members, then each event of its log up to the present head, in order."""
    head = selectors.heads_of([room.pk])[room.pk]
    yield _line(
        {
            "room": room.pk,
            "name": room.name,
            "topic": room.topic,
            "receipts": room.receipts,
            "kind": room.kind,
            "discoverable": room.is_discoverable,
            "created": room.date_created,
            "members": list(room.memberships.order_by("id").values("user", "role", "muted_until")),
            "bans": list(room.bans.order_by("id").values("user", "until")),
        }
    )
    after = 0
    while events := selectors.events_after(room.pk, after, head.last_seq, PAGE):
        users = selectors.users_of(events)
        yield from (encode_frame(frame_of(event, head.epoch, users)).decode() for event in events)
        after = events[-1].seq
        progress(after, head.last_seq)


def lines_of_person(person: Person, progress: Progress) -> Iterator[str]:
    """Yield the person with its rooms, then each message of theirs, about in the order of time."""
    rooms = Membership.objects.filter(user=person).order_by("id")
    yield _line(
        {
            "person": person.pk,
            "account": None if person.user_id is None else str(person.user_id),
            "name": person.name,
            "avatar": person.avatar,
            "rooms": list(rooms.values("room", "role", "muted_until")),
            "bans": list(person.bans.order_by("id").values("room", "until")),
            "blocks": list(
                Block.objects.filter(blocker=person).order_by("id").values_list("blocked", flat=True)
            ),
            "attachments": list(
                person.attachments.filter(dropped_at=None)
                .order_by("date_created")
                .values("id", "room", "seq", "name", "size", "type", "date_created")
            ),
            "reports": list(
                person.reports.order_by("id").values("room", "target", "reason", "comment", "date_created")
            ),
        }
    )
    for messages in messages_of(person.pk, progress):
        present = selectors.in_present_state(messages)
        yield from (encode_frame(message).decode() for message in present)


def _line(facts: dict[str, Any]) -> str:
    return _encoder.encode(facts).decode()
