"""What waits for one socket: bounded, in order, joined into few writes. Last stage of the message's way.

Pure: it decides what is kept and what is dropped; the connection writes. An event's frame is one object that
all outboxes share, so a room of 500 costs 500 references.
"""

from enum import Enum, auto
from typing import Final
from uuid import UUID

from roomlog_contract import limits

WRITE_BYTES: Final = 128 * 1024
"""Most bytes in one write: what was handed to the socket can't be replaced by sync_required any more."""
ANSWER_BYTES: Final = 32 * 1024 * 1024
"""Bytes of waiting answers: the pages that 32 commands in flight may bring. A single larger one passes."""
KEPT_BYTES: Final = 256
"""What a waiting answer takes beside its bytes. Answers have no bound in number: all rooms of a user may be
reset, joined or left in one turn of the loop."""
READ_BYTES: Final = 1024 * 1024
"""With more bytes of answers waiting, a connection may ask for no further pages just now."""
UNREAD_BYTES: Final = 32 * 1024
"""Of answers that wait, on the average of all connections that a gateway may have: few wait at one time."""
LEAST_UNREAD_BYTES: Final = 2 * ANSWER_BYTES
"""A small gateway allows this for all, so that one connection may still use its own bound."""


def unread_bound(max_connections: int) -> int:
    """Return how many bytes of answers may wait for all connections together."""
    return max(LEAST_UNREAD_BYTES, max_connections * UNREAD_BYTES)


class Frame:
    """A finished server frame; `room` is set for durable events, which can be read again."""

    __slots__ = ("data", "events", "room", "size")

    def __init__(self, data: bytes, room: UUID | None = None, events: int = 1) -> None:
        self.data = data
        self.size = len(data)
        self.room = room
        self.events = events
        """How many events are joined in it."""


class Push(Enum):
    """What became of a pushed frame."""

    FIRST = auto()
    """It waits, and somebody must flush."""
    QUEUED = auto()
    """It waits; a flush is under way."""
    FULL = auto()
    """It was refused; the bound is reached."""


class Outbox:
    """The frames of one connection between two writes."""

    __slots__ = ("_answer_bytes", "_event_bytes", "_events", "_frames", "is_scheduled")

    def __init__(self) -> None:
        self._frames: list[Frame] = []
        self._events = 0
        self._event_bytes = 0
        self._answer_bytes = 0
        self.is_scheduled = False
        """True from the first frame on until all are with the socket."""

    def __len__(self) -> int:
        return len(self._frames)

    @property
    def is_backed_up(self) -> bool:
        """Return True while so much waits to be read that asking for more makes no sense."""
        return self._answer_bytes > READ_BYTES

    @property
    def is_crowded(self) -> bool:
        """Return True while more waits than the next write takes: what a client can do without is dropped."""
        return self._event_bytes + self._answer_bytes > WRITE_BYTES

    @property
    def answer_bytes(self) -> int:
        """Return the bytes that wait for this connection alone; events are shared with others."""
        return self._answer_bytes

    def push_event(self, frame: Frame) -> Push:
        """Add a room's event, if the 256 events and 1 MiB of the bound allow it."""
        size = self._event_bytes + frame.size
        events = self._events + frame.events
        if size > limits.OUTBOX_BYTES or events > limits.OUTBOX_EVENTS:
            return Push.FULL
        self._event_bytes = size
        self._events = events
        self._frames.append(frame)
        if self.is_scheduled:
            return Push.QUEUED
        self.is_scheduled = True
        return Push.FIRST

    def push_answer(self, frame: Frame) -> Push:
        """Add what only this connection is told; it is never dropped, so FULL means 4408."""
        size = frame.size + KEPT_BYTES
        if self._answer_bytes and self._answer_bytes + size > ANSWER_BYTES:
            return Push.FULL
        self._answer_bytes += size
        self._frames.append(Frame(frame.data) if frame.room is not None else frame)
        if self.is_scheduled:
            return Push.QUEUED
        self.is_scheduled = True
        return Push.FIRST

    def drop_events(self, room: UUID) -> set[UUID]:
        """Free space after FULL and return the rooms of which waiting events were dropped.

        The events of `room` go first; where those of other rooms are the most, everything that can be read
        again goes.
        """
        dropped = {room}
        if sum(frame.events for frame in self._frames if frame.room == room) * 2 < self._events:
            dropped |= {frame.room for frame in self._frames if frame.room is not None}
        self._frames = [frame for frame in self._frames if frame.room not in dropped]
        kept = [frame for frame in self._frames if frame.room is not None]
        self._event_bytes = sum(frame.size for frame in kept)
        self._events = sum(frame.events for frame in kept)
        return dropped

    def take(self) -> bytes:
        """Remove and return the oldest frames as one string of at most WRITE_BYTES (or one frame)."""
        frames = self._frames
        if self._event_bytes + self._answer_bytes <= WRITE_BYTES or len(frames) == 1:
            self._frames = []
            self._events = self._event_bytes = self._answer_bytes = 0
            return frames[0].data if len(frames) == 1 else b"".join([frame.data for frame in frames])
        return self._take_some()

    def clear(self) -> None:
        """Forget everything, for a connection that ends."""
        self._frames = []
        self._events = self._event_bytes = self._answer_bytes = 0

    def _take_some(self) -> bytes:
        taken = size = 0
        for frame in self._frames:
            if taken and size + frame.size > WRITE_BYTES:
                break
            taken += 1
            size += frame.size
            self._count_out(frame)
        data = b"".join([frame.data for frame in self._frames[:taken]])
        del self._frames[:taken]
        return data

    def _count_out(self, frame: Frame) -> None:
        if frame.room is None:
            self._answer_bytes -= frame.size + KEPT_BYTES
        else:
            self._events -= frame.events
            self._event_bytes -= frame.size
