"""Carries typing from a client to the room's channel, and from there to the others who watch the room.

Outside the log: through Redis alone, kept nowhere, lost without harm. Stage: session → Redis → session,
beside the message's way. It must not delay an event: what does not fit is dropped, here first of all.
"""

from collections.abc import Callable
from typing import Final
from uuid import UUID

from roomlog_contract import limits
from roomlog_contract.codec import encode_frame
from roomlog_contract.commands import Typing
from roomlog_contract.envelope import IsTyping, encode
from roomlog_contract.errors import ErrorCode
from roomlog_contract.events import TypingAnswer, User
from roomlog_contract.keyspace import Keyspace
from roomlog_contract.server_events import RoomTyping

from ..sockets.outbox import Frame
from ..sockets.session import Session
from ..sockets.websocket_frames import text_frame
from .room import Room
from .typists import Typists

ANNOUNCED_SECONDS: Final = limits.TYPING_SECONDS
"""For so long a sender's announcement is remembered; those of a room are at most five a second."""


class TypingAnnouncer:
    """Publishes that somebody is typing, rarely and only for those who may write."""

    def __init__(
        self,
        rooms: dict[UUID, Room],
        keyspace: Keyspace,
        publish: Callable[[str, bytes], bool],
        name_of: Callable[[int], str],
        clock: Callable[[], float],
    ) -> None:
        """`publish(channel, payload)` returns whether Redis was written to; `name_of` knows users here."""
        self._rooms = rooms
        self._keyspace = keyspace
        self._publish = publish
        self._name_of = name_of
        self._clock = clock
        self._announced: dict[UUID, dict[int, float]] = {}
        """When somebody was announced last, by room and user, oldest first; of the last 3 s."""

    def take(self, session: Session, command: Typing) -> None:
        """Answer a command at once, and pass it on if it is due."""
        room = self._rooms.get(command.room)
        if room is None or session not in room:
            session.refuse(ErrorCode.NOT_MEMBER, command.uuid, "typing", room=command.room)
            return
        refusal = room.restrictions.refusal(session)
        if refusal is not None:
            session.refuse(refusal, command.uuid, "typing", room=command.room)
            return
        session.tell(TypingAnswer(uuid=command.uuid))
        if not room.is_reset(session):  # else it may have left before the log began anew
            self._announce(room, session.user)

    def tick(self, now: float) -> None:
        """Forget announcements that hold back no other; call it once a second."""
        for key in list(self._announced):
            announced = self._announced[key]
            for user in [user for user, at in announced.items() if at <= now - ANNOUNCED_SECONDS]:
                del announced[user]
            if not announced:
                del self._announced[key]

    def _announce(self, room: Room, user: int) -> None:
        now = self._clock()
        announced = self._announced.get(room.id, {})
        if now < announced.get(user, -ANNOUNCED_SECONDS) + ANNOUNCED_SECONDS:
            return
        lately = sum(at > now - limits.TYPING_FRAME_SECONDS for at in announced.values())
        if lately >= limits.TYPING_NAMES:
            return
        notice = IsTyping(user, self._name_of(user), room.seq)
        if self._publish(self._keyspace.room_channel(room.id), encode(notice)):
            announced[user] = now
            self._announced[room.id] = announced


class TypingTeller:
    """Tells those who watch rooms who is typing, once a second and room."""

    def __init__(self, hint: Callable[[Session, Frame], bool]) -> None:
        """`hint` gives a frame to a connection for which nothing waits."""
        self._hint = hint
        self._typed: dict[Room, None] = {}
        """Rooms in which somebody typed in the last second."""

    def hear(self, room: Room, notice: IsTyping) -> None:
        """Take one publication."""
        if not 0 < len(room.watchers) <= limits.TYPING_CONNECTIONS:
            return
        if room.may_have_departed(notice.user, notice.seq):
            return  # the gateway of the sender has not heard of it yet
        if room.typists is None:
            room.typists = Typists()
            self._typed[room] = None
        room.typists.add(notice)

    def tick(self, now: float) -> None:
        """Tell the rooms that are due; call it ten times a second."""
        for room in list(self._typed):
            typists = room.typists
            if typists is not None and now < typists.next_at:
                continue
            users = typists.take() if typists is not None else []
            if typists is not None and users:
                typists.next_at = now + limits.TYPING_FRAME_SECONDS
                self._tell(room, users)
            else:
                room.typists = None
                del self._typed[room]

    def _tell(self, room: Room, users: list[User]) -> None:
        frame = _frame_of(room, users)
        theirs = {own.id: _frame_of(room, [user for user in users if user is not own]) for own in users}
        for session in room.watchers:
            told = theirs.get(session.user, frame)
            if told is not None and session in room.live:
                self._hint(session, told)


def _frame_of(room: Room, users: list[User]) -> Frame | None:
    return Frame(text_frame(encode_frame(RoomTyping(room=room.id, users=users)))) if users else None
