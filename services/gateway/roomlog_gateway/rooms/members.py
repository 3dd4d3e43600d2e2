"""The rooms and users that this gateway is subscribed to, and the connections in them.

Stage: authenticate, joins, leaves and rechecks. One routine serves all: read the user's rooms, subscribe to
what is new, read again, apply what differs. What was read before a subscription is never trusted (GUARANTEES
G5, G10).
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Final
from uuid import UUID

import msgspec

from roomlog_contract import limits
from roomlog_contract.envelope import (
    Blocked,
    Identified,
    Identify,
    Joined,
    KnownLogin,
    Marked,
    decode_user_notice,
)
from roomlog_contract.events import RoomSummary, User
from roomlog_contract.fingerprint import fingerprint
from roomlog_contract.keyspace import Keyspace
from roomlog_contract.server_events import RoomJoined, RoomMarked, UserBlocked

from ..errors import NoReply
from ..redis.subscriber import PayloadHandler, Subscriber
from ..sockets.session import Session, SessionState
from ..sockets.token_bucket import TokenBucket
from .incoming_events import IncomingEvents
from .restrictions import Silence
from .room import Room
from .room_registry import RoomRegistry
from .worker_questions import WorkerQuestions

IDENTIFY_TRY_SECONDS: Final = 4.0
"""For one question; it is repeated, because its worker may just have died."""


@dataclass(slots=True)
class _User:
    """A user who has connections here."""

    connections: dict[Session, None]
    bucket: TokenBucket
    """The commands of all of them."""
    name: str = ""
    sees_presence: bool = False


class Members:
    """The users and rooms of this gateway's connections."""

    def __init__(
        self,
        registry: RoomRegistry,
        keyspace: Keyspace,
        questions: WorkerQuestions,
        subscriber: Subscriber,
        incoming: IncomingEvents,
    ) -> None:
        self._registry = registry
        self._keyspace = keyspace
        self._questions = questions
        self._subscriber = subscriber
        self._incoming = incoming
        self._users: dict[int, _User] = {}

    async def identify(self, login: Identify) -> Identified:
        """Return whose token or ticket this is now.

        Raises:
            NotAccepted, NoReply: it could not be asked.
        """
        shard = self._keyspace.shard_of_token(login.secret)
        reply = await self._questions.ask(shard, login, IDENTIFY_TRY_SECONDS)
        if not isinstance(reply, Identified):
            raise NoReply
        return reply

    async def pin(self, user: int, rooms: Iterable[UUID], on_notice: Callable[[Session], None]) -> list[Room]:
        """Subscribe to a user and to rooms; return the rooms, kept until `unpin`, when confirmed.

        `on_notice` hears of each connection of the user that a notice wants to be compared.
        """
        handlers: dict[str, PayloadHandler] = {
            self._keyspace.user_channel(user): partial(self._on_user_payload, user, on_notice)
        }
        pinned = [self._registry.pin(key) for key in rooms]
        for room in pinned:
            handlers[self._keyspace.room_channel(room.id)] = partial(self._incoming.on_payload, room)
        try:
            await self._subscriber.subscribe(handlers)
        except BaseException:
            self.unpin(pinned)
            raise
        return pinned

    def unpin(self, rooms: Collection[Room]) -> None:
        """Give rooms back; those that nobody needs are unsubscribed."""
        self._registry.unpin(rooms)

    def attach(self, session: Session, user: int) -> bool:
        """Count a connection to its user, so that notices reach it; False where the user has ten already."""
        here = self._users.get(user)
        if here is None:
            # Full from the beginning: when that was makes no difference.
            bucket = TokenBucket(limits.USER_COMMANDS_PER_SECOND, limits.USER_COMMANDS_BURST, now=0.0)
            here = self._users[user] = _User({}, bucket)
        if session not in here.connections and len(here.connections) >= limits.CONNECTIONS_PER_USER:
            return False
        here.connections[session] = None
        session.attach(user, here.bucket)
        return True

    def connections(self, user: int) -> list[Session]:
        """Return those that have a place of the user."""
        here = self._users.get(user)
        return list(here.connections) if here else []

    def name_of(self, user: int) -> str:
        """Return the name of a user who has connections here, as it was read last."""
        here = self._users.get(user)
        return here.name if here else ""

    def sees_presence(self, user: int) -> bool:
        """Return whether a user may be told who is connected."""
        here = self._users.get(user)
        return here is not None and here.sees_presence

    def known_login(self, session: Session) -> KnownLogin:
        """Return a connection's token or ticket with the fingerprint of what is known by it."""
        rooms = (self._registry.get(key) for key in session.rooms)
        known = [room.id.hex + room.restrictions.letters(session) for room in rooms if room is not None]
        user = User(session.user, self.name_of(session.user))
        return KnownLogin(fingerprint(user, known), session.login.token, session.login.ticket)

    def note(self, session: Session, identified: Identified) -> None:
        """Remember what was read of the user beside the rooms: the name, and where writing is not allowed."""
        here = self._users.get(session.user)
        if here is not None and identified.user is not None:
            here.name, here.sees_presence = identified.user.username, identified.sees_presence
        readers, muted = set(identified.readers), set(identified.muted)
        for summary in identified.rooms:
            room = self._registry.get(summary.id)
            if room is None or session not in room or room.epoch != summary.epoch:
                continue
            silence = Silence(0)
            if summary.id in readers:
                silence |= Silence.READER
            if summary.id in muted:
                silence |= Silence.MUTED
            room.restrictions.read(session, summary.seq, silence, is_archived=summary.archived)
            room.read_receipts(summary.receipts, summary.seq)

    def update_room(self, session: Session, summary: RoomSummary) -> Room | None:
        """Bring a held room up to a head that was just read; None where the membership ended since."""
        room = self._registry.get(summary.id)
        if room is None or room.has_departed(session.user, summary.seq):
            return None
        self._incoming.compare_head(room, summary.epoch, summary.seq, is_certain=True)
        return room

    def enter(self, session: Session, room: Room, told: RoomSummary) -> None:
        """Begin to deliver a room to a connection that was told of it by this summary."""
        if session.state is SessionState.ENDED:
            return  # it ended while it was told of its rooms
        session.enter(room.id)
        room.admit(session, told.seq)
        mark = session.take_mark(room.id)
        if mark is None or mark.epoch != told.epoch or mark.read_seq < told.read_seq:
            return
        if (mark.read_seq, mark.notify) != (told.read_seq, told.notify):
            session.tell(RoomMarked(room=mark))

    def is_outdated(self, identified: Identified) -> bool:
        """Return True if a room began here at a later head: leaves in between were heard by nobody."""
        for summary in identified.rooms:
            room = self._registry.get(summary.id)
            if room is not None and room.epoch == summary.epoch and summary.seq < room.start:
                return True
        return False

    def apply(self, session: Session, identified: Identified, announced: Collection[UUID]) -> None:
        """Make the connection's rooms those that were read, and tell it of each difference.

        `announced` are the rooms that notices brought it into. A client that has not caught up with a room
        since its reset may have been refused it meanwhile and dropped it: an invitation there is news too.
        """
        wanted = {summary.id: summary for summary in identified.rooms}
        for key in [key for key in session.rooms if key not in wanted]:
            self._registry.remove(session, key)
        for summary in identified.rooms:
            known = self._registry.get(summary.id)
            was_reset = known is not None and known.is_reset(session)  # before this read, which may reset it
            room = self.update_room(session, summary)
            if room is None:
                continue
            if room.id in announced and was_reset:
                self._registry.remove(session, room.id)
            if session not in room:
                joined = summary_at(summary, room, session.user)
                session.tell(RoomJoined(room=joined))
                self.enter(session, room, joined)
        self.note(session, identified)

    def leave(self, session: Session) -> None:
        """Forget a connection that has ended, or whose token was rejected: it is nobody's from here on."""
        self._registry.remove_from_all(session)
        here = self._users.get(session.user)
        if here is not None:
            here.connections.pop(session, None)
            if not here.connections:
                del self._users[session.user]
                self._subscriber.unsubscribe([self._keyspace.user_channel(session.user)])
        session.detach()

    def _on_user_payload(self, user: int, on_notice: Callable[[Session], None], payload: bytes) -> None:
        notice = decode_user_notice(payload)
        for session in self.connections(user):
            if isinstance(notice, Marked):
                _tell_mark(session, notice.room)
                continue
            if isinstance(notice, Blocked):
                session.hint(UserBlocked(user=notice.user, blocked=notice.is_blocked))
                continue
            if isinstance(notice, Joined):
                room = self._settled_room(session, notice.room.id)
                if room is not None:  # workers repeat notices, and anybody may repeat a command
                    head = notice.room
                    self._incoming.compare_head(room, head.epoch, head.seq, is_certain=False)
                    continue
                session.announce(notice.room.id)
            on_notice(session)

    def _settled_room(self, session: Session, room_id: UUID) -> Room | None:
        """Return the room if the connection is sent its events and knows of its last reset."""
        room = self._registry.get(room_id) if room_id in session.rooms else None
        return None if room is None or room.is_reset(session) else room


def _tell_mark(session: Session, room: RoomSummary) -> None:
    if room.id in session.rooms:
        session.hint(RoomMarked(room=room))
    else:
        session.remember_mark(room)


def summary_at(summary: RoomSummary, room: Room, user: int) -> RoomSummary:
    """Return the user's summary with the head that the room's events go on from, maybe later than its read.

    What came meanwhile counts as unread: whose it is is not known here, and one too many ends with a look.
    Whom it mentions is known.
    """
    later = room.seq - summary.seq
    if later <= 0:
        return summary
    mentions = summary.unread_mentions + room.mentions_since(user, summary.seq)
    return msgspec.structs.replace(
        summary,
        seq=room.seq,
        unread=min(limits.UNREAD_COUNTED, summary.unread + later),
        unread_mentions=min(limits.UNREAD_COUNTED, mentions),
    )
