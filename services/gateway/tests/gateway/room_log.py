"""A room's log in memory: the frames, notices and pages that a worker would make of it.

Behind the stub worker, and behind the event stage of `insides.py` that has no worker at all.
"""

from dataclasses import dataclass, field
from uuid import UUID

import msgspec

from roomlog_contract.codec import encode_frame
from roomlog_contract.envelope import EventsFetched, Notice, Selected
from roomlog_contract.events import LeaveRoomEvent, Member, Message, NewMessageEvent, SelectRoomPage, User

EPOCH = "00000000000000e1"
RESTORED = "00000000000000e2"
"""The epoch after a restored database."""


@dataclass
class RoomLog:
    """The durable events of one room."""

    id: UUID
    epoch: str = EPOCH
    events: list[Notice] = field(default_factory=list)
    first_seq: int = 1
    """What was below is kept no longer."""

    @property
    def head(self) -> int:
        return len(self.events)

    def append(
        self, user: int, uuid: str, text: str = "", gateway: str = "", request: int = 0, left: int = 0
    ) -> Notice:
        """Store a message and return its notice; `left` is whose membership it ends."""
        seq = self.head + 1
        message = Message(
            id=seq,
            seq=seq,
            number=seq,
            user=person(user),
            room=self.id,
            timestamp=0,
            timestamp_ms=0,
            text=text,
            edited_at=None,
            deleted=False,
            reply_to=None,
            mentions=[],
            attachments=[],
            reactions={},
            reacted_seq=None,
            pinned=None,
        )
        event = NewMessageEvent(uuid=uuid, room=self.id, epoch=self.epoch, seq=seq, message=message)
        return self._store(event, user, gateway, request, left)

    def leave(self, user: int, uuid: str, gateway: str = "", request: int = 0) -> Notice:
        """Store the end of a membership."""
        event = LeaveRoomEvent(
            uuid=uuid,
            room=self.id,
            epoch=self.epoch,
            seq=self.head + 1,
            user=person(user),
            member=Member(user, f"user{user}", "member"),
        )
        return self._store(event, user, gateway, request, user)

    def fetched(self, request: int, after: int, limit: int) -> EventsFetched:
        """Return the answer to a gateway that misses events."""
        if after + 1 < self.first_seq:
            return EventsFetched(request, self.id, self.epoch, self.head, [], is_cut=True)
        events = self.events[after : after + limit]
        bare = [Notice(n.epoch, n.seq, n.frame, n.user, left=n.left) for n in events]
        return EventsFetched(request, self.id, self.epoch, self.head, bare)

    def page(self, uuid: str, request: int, since: int, limit: int = 200) -> Selected:
        """Return the answer to a select_room with a cursor of this log."""
        events = self.events[since : since + limit]
        reached = events[-1].seq if events else since
        more = reached < self.head
        page = SelectRoomPage(
            uuid=uuid,
            room=self.id,
            epoch=self.epoch,
            seq=reached,
            events=[msgspec.Raw(notice.frame) for notice in events],
            more=more,
        )
        return Selected(request, encode_frame(page), self.id, self.epoch, reached, more)

    def _store(self, event: msgspec.Struct, user: int, gateway: str, request: int, left: int) -> Notice:
        frame = encode_frame(event)
        self.events.append(Notice(self.epoch, self.head + 1, frame, user, gateway, request, left))
        return self.events[-1]


def person(user: int) -> User:
    """Return the user of this number."""
    return User(user, f"user{user}")
