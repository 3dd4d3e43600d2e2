"""Who is here: which rooms and users this gateway is subscribed to, and which connections are in them.

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
import structlog

from roomlog_contract import limits
from roomlog_contract.envelope import Identified, Identify, Joined, decode_user_notice
from roomlog_contract.events import RoomJoined, RoomLeft, RoomSummary
from roomlog_contract.keyspace import Keyspace
from roomlog_contract.shards import shard_of_token

from .. import metrics
from ..errors import NoReply
from ..redis.subscriber import Handler, Subscriber
from ..sockets.session import Session, SessionState
from ..sockets.token_bucket import TokenBucket
from .incoming_events import Intake
from .room import Room
from .router import Router

log = structlog.get_logger()

IDENTIFY_TRY_SECONDS: Final = 4.0
"""For one question; it is repeated, because its worker may just have died."""


@dataclass(frozen=True, slots=True)
class _User:
    """A user who has connections here."""

    connections: dict[Session, None]
    bucket: TokenBucket
    """The commands of all of them."""


class Members:
    """The users and rooms of this gateway's connections."""

    def __init__(
        self,
        rooms: dict[UUID, Room],
        keyspace: Keyspace,
        router: Router,
        subscriber: Subscriber,
        intake: Intake,
        on_user_changed: Callable[[Session], None],
        spread: Callable[[Room], None],
    ) -> None:
        self._rooms = rooms
        self._keyspace = keyspace
        self._users: dict[int, _User] = {}
        self._router = router
        self._subscriber = subscriber
        self._intake = intake
        self._on_user_changed = on_user_changed
        self._spread = spread

    async def identify(self, session: Session) -> Identified:
        """Returns what the database says of the connection's token now.

        Raises:
            NotAccepted, NoReply: it could not be asked.
        """
        question = Identify(
            uuid="identify", token=session.token, ticket=session.ticket, is_recheck=session.is_accepted
        )
        reply = await self._router.ask(shard_of_token(session.secret), question, IDENTIFY_TRY_SECONDS)
        if not isinstance(reply, Identified):
            raise NoReply
        return reply

    async def pin(self, user: int, rooms: Iterable[UUID]) -> list[Room]:
        """Subscribes to a user and to rooms; returns the rooms, kept until `unpin`, when confirmed."""
        handlers: dict[str, Handler] = {
            self._keyspace.user_channel(user): partial(self._on_user_payload, user)
        }
        pinned = []
        for key in rooms:
            room = self._rooms.get(key)
            if room is None:
                room = self._rooms[key] = Room(key, self._spread)
                metrics.ROOMS.set(len(self._rooms))
            room.pins += 1
            pinned.append(room)
            handlers[self._keyspace.room_channel(key)] = partial(self._intake.on_payload, room)
        try:
            await self._subscriber.subscribe(handlers)
        except BaseException:
            self.unpin(pinned)
            raise
        return pinned

    def unpin(self, rooms: Collection[Room]) -> None:
        """Gives rooms back; those that nobody needs are unsubscribed."""
        for room in rooms:
            room.pins -= 1
        self._drop_unused(rooms)

    def attach(self, session: Session, user: int) -> bool:
        """Counts a connection to its user, so that notices reach it; False where the user has ten already."""
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

    def begin(self, session: Session, summary: RoomSummary) -> Room | None:
        """Brings a held room up to a head that was just read; None where the membership ended since."""
        room = self._rooms.get(summary.id)
        if room is None or room.has_departed(session.user, summary.seq):
            return None
        self._intake.head(room, summary.epoch, summary.seq, is_certain=True)
        return room

    def enter(self, session: Session, room: Room, cursor: int) -> None:
        """Begins to deliver a room to a connection that was told everything up to `cursor`."""
        if session.state is SessionState.ENDED:
            return  # it ended while it was told of its rooms
        session.enter(room.id)
        room.admit(session, cursor)

    def apply(self, session: Session, identified: Identified) -> None:
        """Makes the connection's rooms those that were read, and tells it of each difference."""
        wanted = {summary.id: summary for summary in identified.rooms}
        for key in [key for key in session.rooms if key not in wanted]:
            self._leave(session, self._rooms[key])
        for summary in identified.rooms:
            room = self.begin(session, summary)
            if room is not None and session not in room:
                joined = summary_at(summary, room)
                session.tell(RoomJoined(room=joined))
                self.enter(session, room, joined.seq)

    def on_left(self, room: Room, user: int) -> None:
        """An event of the room's log ended a user's membership."""
        for session in self.connections(user):
            if session in room:
                self._leave(session, room)

    def leave(self, session: Session) -> None:
        """Forgets a connection that has ended, or whose token was rejected: it is nobody's from here on."""
        rooms = [self._rooms[key] for key in session.leave_all()]
        for room in rooms:
            room.leave(session)
        self._drop_unused(rooms)
        here = self._users.get(session.user)
        if here is not None:
            here.connections.pop(session, None)
            if not here.connections:
                del self._users[session.user]
                self._subscriber.unsubscribe([self._keyspace.user_channel(session.user)])
        session.detach()

    def _leave(self, session: Session, room: Room) -> None:
        room.leave(session)
        session.leave(room.id)
        session.tell(RoomLeft(room=room.id))
        self._drop_unused([room])

    def _drop_unused(self, rooms: Iterable[Room]) -> None:
        unused = [room.id for room in rooms if room.is_unused() and self._rooms.get(room.id) is room]
        for key in unused:
            self._rooms.pop(key, None)
        metrics.ROOMS.set(len(self._rooms))
        self._subscriber.unsubscribe(map(self._keyspace.room_channel, unused))

    def _on_user_payload(self, user: int, payload: bytes) -> None:
        notice = decode_user_notice(payload)
        for session in self.connections(user):
            if isinstance(notice, Joined):
                if notice.room.id in session.rooms:
                    continue
                session.announce(notice.room.id)
            self._on_user_changed(session)


def summary_at(summary: RoomSummary, room: Room) -> RoomSummary:
    """Returns the summary with the head that the room's events go on from, maybe later than its read."""
    return msgspec.structs.replace(summary, seq=max(summary.seq, room.seq))
