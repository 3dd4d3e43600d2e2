"""Tells those who watch a room how far its members have read: all at first, then what moves, once a second.

Outside the log: workers say on the room's channel which marks have moved and are committed, and are asked for
all of them when somebody begins to watch, and every 20 s, because that may be lost. Stage: Redis → sessions,
beside the message's way: it must not delay an event.
"""

from collections.abc import Callable, Coroutine
from typing import Any, Final
from uuid import UUID

from roomlog_contract import limits
from roomlog_contract.codec import encode_frame
from roomlog_contract.envelope import HaveRead, MarksRead, ReadMarks
from roomlog_contract.server_events import RoomReceipts

from ..errors import NoReply, NotAccepted
from ..sockets.outbox import Frame
from ..sockets.session import Session
from ..sockets.websocket_frames import text_frame
from .receipts import NEVER, NOTHING, News, Receipts
from .room import Room
from .worker_questions import WorkerQuestions

REPLY_SECONDS: Final = 5.0
ROOMS_AT_ONCE: Final = 200
"""Rooms in one question: with 50 members each its answer is about 150 KB, and one indexed query."""


class ReceiptsTeller:
    """The watched rooms of this gateway's connections, as far as they show receipts."""

    def __init__(
        self,
        rooms: dict[UUID, Room],
        questions: WorkerQuestions,
        hint: Callable[[Session, Frame], bool],
        spawn: Callable[[Coroutine[Any, Any, None]], object],
        clock: Callable[[], float],
    ) -> None:
        """`hint(session, frame)` returns whether it was written."""
        self._rooms = rooms
        self._questions = questions
        self._hint = hint
        self._spawn = spawn
        self._clock = clock
        self._watched: dict[Room, None] = {}

    def begin(self, session: Session, room: Room) -> None:
        """Let a connection watch: it is told all that is known, soon."""
        if room.receipts is None:
            room.receipts = Receipts()
            self._watched[room] = None
        room.receipts.watchers[session] = NOTHING

    def hear(self, room: Room, notice: HaveRead) -> None:
        """Take what a worker says of marks that have moved."""
        if room.receipts is None or not room.shows_receipts or notice.epoch != room.epoch:
            return
        if room.receipts.is_known:
            self._take(room, room.receipts, notice.seq, notice.marks)
        else:
            room.receipts.asked_at = NEVER  # perhaps the room was too large until now

    def tick(self, now: float) -> None:
        """Ask and tell what is due; call it once a second."""
        due: list[UUID] = []
        for room in list(self._watched):
            receipts = room.receipts
            assert receipts is not None
            if not receipts.watchers:
                room.receipts = None
                del self._watched[room]
                continue
            if room.shows_receipts and now >= receipts.asked_at + limits.RECEIPTS_ASK_SECONDS:
                receipts.asked_at = now
                due.append(room.id)
            self._tell(room, receipts, now)
        for start in range(0, len(due), ROOMS_AT_ONCE):
            self._spawn(self._ask(due[start : start + ROOMS_AT_ONCE]))

    async def _ask(self, keys: list[UUID]) -> None:
        try:
            question = ReadMarks(uuid="marks", rooms=keys)
            reply = await self._questions.ask_any(question, REPLY_SECONDS)
        except (NoReply, NotAccepted):
            reply = None
        for room in filter(None, map(self._rooms.get, keys)):
            if room.receipts is None or not room.shows_receipts:
                continue
            if isinstance(reply, MarksRead):
                self._answered(room, room.receipts, reply)
            else:
                room.receipts.asked_at = NEVER

    def _answered(self, room: Room, receipts: Receipts, reply: MarksRead) -> None:
        read = reply.rooms.get(room.id)
        if read is None:
            receipts.hide()
        elif read.epoch == room.epoch:
            receipts.is_known = True
            self._take(room, receipts, read.seq, read.marks)
        self._tell(room, receipts, self._clock())

    def _take(self, room: Room, receipts: Receipts, seq: int, marks: dict[int, int]) -> None:
        receipts.hear({user: mark for user, mark in marks.items() if not room.may_have_departed(user, seq)})

    def _tell(self, room: Room, receipts: Receipts, now: float) -> None:
        if now < receipts.told_at + limits.RECEIPTS_FRAME_SECONDS:
            return
        frames: dict[int, Frame | None] = {}
        for session, told in receipts.watchers.items():
            if told not in frames:
                frames[told] = _frame_of(room, receipts.news(told))
            frame = frames[told]
            if frame is not None and session in room.live and self._hint(session, frame):
                receipts.tell(session)
                receipts.told_at = now


def _frame_of(room: Room, news: News | None) -> Frame | None:
    if news is None:
        return None
    whole, marks = news
    told = RoomReceipts(room=room.id, epoch=room.epoch, whole=whole, marks=marks)
    return Frame(text_frame(encode_frame(told)))
