"""Who of a room is connected: asked and told between gateways while somebody watches it, and told to those.

Outside the log: through Redis alone, kept nowhere, rebuilt by the next question. Stage: session → Redis →
sessions, beside the message's way. Rooms that nobody watches cost nothing, and it must not delay an event.
"""

from collections.abc import Callable
from typing import Final
from uuid import UUID

from roomlog_contract import limits
from roomlog_contract.codec import encode_frame
from roomlog_contract.envelope import ArePresent, IsWatched, encode
from roomlog_contract.keyspace import Keyspace
from roomlog_contract.server_events import RoomPresence

from .. import metrics
from ..sockets.outbox import Frame
from ..sockets.session import Session
from ..sockets.websocket_frames import text_frame
from .attendance import Attendance, Crowd, crowd_of
from .room import Room

FEW_WATCHERS: Final = 200
"""Up to so many are told each second; more at the pace of the questions, because somebody always moves."""


class Presence:
    """The watched rooms, of whichever gateway's connections, that have connections here."""

    def __init__(
        self,
        gateway: str,
        rooms: dict[UUID, Room],
        keyspace: Keyspace,
        publish: Callable[[str, bytes], bool],
        hint: Callable[[Session, Frame], bool],
        clock: Callable[[], float],
        sees: Callable[[int], bool],
    ) -> None:
        """`publish(channel, payload)` and `hint(session, frame)` return whether it was written.

        `sees(user)` says whether the project lets a user know who is connected.
        """
        self._gateway = gateway
        self._rooms = rooms
        self._keyspace = keyspace
        self._publish = publish
        self._hint = hint
        self._clock = clock
        self._sees = sees
        self._watched: dict[Room, None] = {}

    def begin(self, session: Session, room: Room) -> None:
        """Let a connection watch a room, unless the project has a rule about who sees whom."""
        if self._sees(session.user):
            attendance = self._attend(room)
            attendance.watchers[session] = None
            self._ask_if_due(room, attendance, self._clock())

    def hear(self, room: Room, notice: IsWatched | ArePresent) -> None:
        """Take one publication of a gateway."""
        if notice.gateway == self._gateway:
            return
        now = self._clock()
        if isinstance(notice, IsWatched):
            attendance = self._attend(room)
            attendance.asked_at, attendance.wanted_until = now, now + limits.PRESENCE_KEPT_SECONDS
            attendance.is_changed = True
            self._announce_if_due(room, attendance, now)
        elif room.attendance is not None:
            room.attendance.hear(notice, now)

    def tick(self, now: float) -> None:
        """Ask, announce and tell what is due; call it once a second."""
        for room in list(self._watched):
            attendance = room.attendance
            assert attendance is not None
            if self._rooms.get(room.id) is not room:
                self._end(room, attendance)
                continue
            attendance.expire(now)
            if attendance.watchers:
                self._ask_if_due(room, attendance, now)
            elif now >= attendance.wanted_until:
                self._forget(room)
                continue
            self._announce_if_due(room, attendance, now)
            self._tell(room, attendance, now)
        metrics.WATCHED_ROOMS.set(len(self._watched))

    def _attend(self, room: Room) -> Attendance:
        if room.attendance is None:
            room.attendance = Attendance(self._clock())
            self._watched[room] = None
        return room.attendance

    def _forget(self, room: Room) -> None:
        room.attendance = None
        del self._watched[room]

    def _ask_if_due(self, room: Room, attendance: Attendance, now: float) -> None:
        is_due = now >= attendance.asked_at + limits.PRESENCE_ASK_SECONDS
        if is_due and self._say(room, IsWatched(self._gateway)):
            attendance.asked_at, attendance.wanted_until = now, now + limits.PRESENCE_KEPT_SECONDS
            attendance.is_changed = True  # the others count those here too

    def _announce_if_due(self, room: Room, attendance: Attendance, now: float) -> None:
        is_due = attendance.is_changed and now >= attendance.announced_at + limits.PRESENCE_FRAME_SECONDS
        if is_due and now < attendance.wanted_until and self._announce(room, _here(room)):
            attendance.is_changed, attendance.announced_at = False, now

    def _announce(self, room: Room, crowd: Crowd) -> bool:
        users = None if crowd.users is None else list(crowd.users)
        return self._say(room, ArePresent(self._gateway, room.epoch, room.seq, users, crowd.number))

    def _say(self, room: Room, notice: IsWatched | ArePresent) -> bool:
        is_said = self._publish(self._keyspace.room_channel(room.id), encode(notice))
        if is_said:
            metrics.PRESENCE_NOTICES.inc()
        return is_said

    def _end(self, room: Room, attendance: Attendance) -> None:
        """Say that nobody is left, or go on with the room that has taken its place."""
        self._forget(room)
        successor = self._rooms.get(room.id)
        if successor is None:
            self._announce(room, crowd_of(()))
        elif successor.attendance is None:
            successor.attendance = attendance
            self._watched[successor] = None
            attendance.change()

    def _tell(self, room: Room, attendance: Attendance, now: float) -> None:
        if not attendance.watchers or now < attendance.tell_from:
            return
        if attendance.seen is None:
            attendance.seen = _everywhere(room, attendance)
        crowd = attendance.seen
        is_due = now >= attendance.told_at + limits.PRESENCE_ASK_SECONDS
        if len(attendance.watchers) <= FEW_WATCHERS:
            is_due = True
        elif is_due:
            attendance.told_at = now
        late = [
            session
            for session, told in attendance.watchers.items()
            if told != crowd and (is_due or told is None) and session in room.live
        ]
        if late:
            frame = _frame_of(room, crowd)
            attendance.watchers.update((session, crowd) for session in late if self._hint(session, frame))


def _here(room: Room) -> Crowd:
    return crowd_of(session.user for session in room.present())


def _everywhere(room: Room, attendance: Attendance) -> Crowd:
    """Return who is connected to any gateway, but for those who may have left since that gateway said so."""
    users, uncounted = {session.user for session in room.present()}, 0
    for said in attendance.said_elsewhere():
        if said.epoch != room.epoch:
            continue
        if said.users is None:
            uncounted += said.count
        else:
            users.update(user for user in said.users if not room.may_have_departed(user, said.seq))
    return crowd_of(users, uncounted)


def _frame_of(room: Room, crowd: Crowd) -> Frame:
    users = None if crowd.users is None else list(crowd.users)
    return Frame(text_frame(encode_frame(RoomPresence(room=room.id, users=users, count=crowd.number))))
