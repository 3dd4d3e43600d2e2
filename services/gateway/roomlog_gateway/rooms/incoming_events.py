"""A room's notices into its order, and from there to its members. Stage: channel → fan-out.

An event is delivered once and in order; an answer is delivered whenever it comes, because a worker that
repeats a publication after a crash can't know whether the sender heard the first one.
"""

from collections.abc import Callable

import structlog

from roomlog_contract.envelope import (
    ArePresent,
    EventsFetched,
    HaveRead,
    HeadMoved,
    IsTyping,
    IsWatched,
    Notice,
    decode_room_notice,
)
from roomlog_contract.server_events import Reset

from .. import metrics
from ..sockets.session import Session
from .fanout import Fanout
from .gap_fetcher import GapFetcher
from .recheck_queue import RecheckQueue
from .room import Arrival, Room

log = structlog.get_logger()


class IncomingEvents:
    """Takes in what is published or fetched for the rooms of this gateway."""

    def __init__(
        self,
        fanout: Fanout,
        gaps: GapFetcher,
        take_answered: Callable[[Notice], Session | None],
        on_left: Callable[[Room, int], list[Session]],
        rechecks: RecheckQueue,
        clock: Callable[[], float],
        on_typing: Callable[[Room, IsTyping], None],
        on_presence: Callable[[Room, IsWatched | ArePresent], None],
        on_read: Callable[[Room, HaveRead], None],
    ) -> None:
        """`take_answered` says whose command an event answers.

        `on_left(room, user)` takes out of the room who left, and returns those connections.
        """
        self._fanout = fanout
        self._gaps = gaps
        self._take_answered = take_answered
        self._on_left = on_left
        self._rechecks = rechecks
        self._clock = clock
        self._on_typing = on_typing
        self._on_presence = on_presence
        self._on_read = on_read

    def on_payload(self, room: Room, payload: bytes) -> None:
        """Take one publication on the room's channel."""
        notice = decode_room_notice(payload)
        if isinstance(notice, Notice):
            self.take_event(room, notice)
        elif isinstance(notice, HeadMoved):
            self.compare_head(room, notice.epoch, notice.seq, is_certain=False)
        elif isinstance(notice, IsTyping):
            self._on_typing(room, notice)
        elif isinstance(notice, HaveRead):
            self._on_read(room, notice)
        else:
            self._on_presence(room, notice)

    def take_event(self, room: Room, notice: Notice) -> None:
        """Take one event, new or not."""
        arrival = room.arrive(notice, self._clock())
        if arrival is Arrival.NEXT:
            self._deliver(room, notice)
            self.deliver_waiting(room)
            return
        sender = self._take_answered(notice)
        if sender is not None:
            sender.answer(notice.frame)
        if arrival is Arrival.EARLY:
            self._gaps.watch(room, self.take_page)
        elif arrival is Arrival.FOREIGN:
            self._gaps.doubt(room, self.take_page)
        else:
            metrics.REPEATED_EVENTS.inc()

    def deliver_waiting(self, room: Room) -> None:
        """Deliver the events that waited for the one before them."""
        while (notice := room.take_ready()) is not None:
            self._deliver(room, notice)
        if room.gap_since is not None and not room.close_gap():
            self._gaps.watch(room, self.take_page)

    def take_page(self, room: Room, page: EventsFetched) -> None:
        """Take a fetched page of the log."""
        if page.epoch == room.epoch:
            metrics.GAP_EVENTS.inc(len(page.events))
            for notice in page.events:
                self.take_event(room, notice)
            if page.is_cut:
                self._start_over(room, page.epoch, page.head)
        self.compare_head(room, page.epoch, page.head, is_certain=True)

    def compare_head(self, room: Room, epoch: str, seq: int, *, is_certain: bool) -> None:
        """Compare the room with a head; `is_certain` where it was read from the database just now."""
        if not epoch:
            return  # the database knows no such room
        if epoch == room.epoch:
            room.expect(seq, self._clock())
            if room.gap_since is not None:
                self._gaps.watch(room, self.take_page)
        elif is_certain:
            self._start_over(room, epoch, seq)
        elif room.epoch:
            self._gaps.doubt(room, self.take_page)

    def _start_over(self, room: Room, epoch: str, head: int) -> None:
        is_known = bool(room.epoch)
        strangers = room.start_over(epoch, head, self._clock())
        if is_known:
            metrics.RESETS.inc()
            log.warning("room_reset", room=room.id.hex)
        for session in strangers:
            session.tell(Reset(room=room.id, epoch=epoch))
        # One of the events between may have ended a membership, and nobody here will hear of it.
        self._rechecks.add(strangers)
        self.deliver_waiting(room)

    def _deliver(self, room: Room, notice: Notice) -> None:
        sender = self._take_answered(notice)
        was_live = sender is not None and sender in room.live
        self._fanout.deliver(room, notice)
        # A live sender gets its answer as the event. One that is held, behind or no member does not, and one
        # whose outbox was full has just dropped it.
        if sender is not None and not (was_live and sender in room.live):
            sender.answer(notice.frame)
        if room.typists is not None:
            room.typists.discard(notice.user)
            room.typists.discard(notice.left)
        if notice.mentions or notice.mentions_room:
            room.mention(notice)
        if notice.rights is not None:
            room.restrictions.hear(room.members(), notice.rights, notice.seq)
        if notice.receipts is not None:
            room.hear_receipts(notice.receipts, notice.seq)
        # After the delivery: who leaves is sent the event that says so.
        if notice.left:
            room.depart(notice.left, notice.seq)
            removed = self._on_left(room, notice.left)
            if notice.seq < room.target:
                # It came late: an invitation that followed it may have been compared before it.
                self._rechecks.add(removed)
