"""A worker of a few lines for the gateway's tests: reads the streams of a real Valkey, keeps rooms in memory.

It speaks the contract's envelopes and nothing more. Tests stop it, make it forget and let it publish by hand.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import msgspec
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from roomlog_contract.codec import encode_frame
from roomlog_contract.commands import GetHistory, LeaveRoom, ListRooms, NewMessage, SelectRoom
from roomlog_contract.envelope import (
    ENTRY_FIELD,
    Answered,
    Beacon,
    Envelope,
    EventsFetched,
    FetchEvents,
    HeadsRead,
    Identified,
    Identify,
    Joined,
    Notice,
    ReadHeads,
    Recheck,
    Reply,
    Selected,
    decode_envelope,
    encode,
)
from roomlog_contract.errors import ERROR_MESSAGES, ErrorCode
from roomlog_contract.events import (
    ErrorAnswer,
    LeaveRoomEvent,
    ListRoomsAnswer,
    Member,
    Message,
    NewMessageEvent,
    RoomSummary,
    SelectRoomAnswer,
    SelectRoomPage,
    User,
)
from roomlog_contract.keyspace import Keyspace
from roomlog_contract.shards import SHARDS

EPOCH = "00000000000000e1"
KEYSPACE = Keyspace("stub")
BEACON_SECONDS = 0.25


@dataclass
class StubRoom:
    """A room's log in memory."""

    id: UUID
    members: set[int]
    epoch: str = EPOCH
    name: str = "room"
    events: list[Notice] = field(default_factory=list)

    @property
    def head(self) -> int:
        return len(self.events)


class StubWorker:
    """Answers everything of all shards; `users` maps tokens to user ids."""

    def __init__(self, url: str, users: dict[str, int]) -> None:
        self._redis = Redis.from_url(
            url, retry=Retry(NoBackoff(), 0), protocol=2, socket_timeout=2.0, socket_connect_timeout=2.0
        )
        self.users = users
        self.expired: set[str] = set()
        """Tickets older than a minute: a recheck accepts them, nothing else does."""
        self.good_once: set[str] = set()
        """Tokens that are revoked right after their next read."""
        self.rooms: dict[UUID, StubRoom] = {}
        self.seen: list[Envelope] = []
        self.is_deaf_to: set[type] = set()
        """Commands that are taken and never answered."""
        self.publishes = True
        """False: events are stored and nobody is told, as by a worker that dies after its commit."""
        self.between: Callable[[], Awaitable[None]] | None = None
        """Happens after the second read of an authenticate and before its reply."""
        self._task: asyncio.Task[None] | None = None
        self._is_wanted = False
        self._shone_at = 0.0

    def start(self) -> None:
        self._is_wanted = True
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """End the reading; what is in the streams stays there."""
        self._is_wanted = False
        if self._task is not None:
            await asyncio.wait_for(self._task, 5)
            self._task = None

    async def close(self) -> None:
        await self.stop()
        await self._redis.aclose()

    def add_room(self, room: UUID, *members: int) -> StubRoom:
        self.rooms[room] = StubRoom(room, set(members))
        return self.rooms[room]

    async def say(self, room: UUID, user: int, text: str) -> Notice:
        """Append a message that no gateway asked for, and publish it."""
        notice = self._append(self.rooms[room], user, f"said-{self.rooms[room].head + 1}", text)
        await self.publish(room, notice)
        return notice

    async def publish(self, room: UUID, notice: Notice) -> None:
        if self.publishes:
            await self._redis.publish(KEYSPACE.room_channel(room), encode(notice))

    async def tell_user(self, user: int, notice: Joined | Recheck) -> None:
        await self._redis.publish(KEYSPACE.user_channel(user), encode(notice))

    async def command(self, *words: str) -> None:
        """Tell Valkey something that is none of a worker's business."""
        await self._redis.execute_command(*words)  # type: ignore[no-untyped-call]

    async def join(self, room: UUID, user: int) -> None:
        self.rooms[room].members.add(user)
        await self.tell_user(user, Joined(self._summary(self.rooms[room])))

    async def remove(self, room: UUID, user: int) -> Notice:
        """End a membership by an event of the log."""
        target = self.rooms[room]
        target.members.discard(user)
        notice = self._leave(target, user, "removed", "", 0)
        await self.publish(room, notice)
        return notice

    async def _run(self) -> None:
        while self._is_wanted:
            with contextlib.suppress(RedisError):
                await self._take_all()

    async def _shine(self) -> None:
        """Say that all shards are worked on, a few times a second."""
        now = asyncio.get_running_loop().time()
        if now - self._shone_at >= BEACON_SECONDS:
            self._shone_at = now
            everything = Beacon("stub", list(range(SHARDS)), {}, 0.0, 0, database=True)
            await self._redis.publish(KEYSPACE.beacon_channel, encode(everything))

    async def _take_all(self) -> None:
        while self._is_wanted:
            await self._shine()
            found: Any = await self._redis.xread(dict.fromkeys(KEYSPACE.streams(), "0"), count=256, block=20)
            for stream, entries in found or ():
                replies: dict[str, list[Reply]] = {}
                for _, fields in entries:
                    envelope = decode_envelope(fields[ENTRY_FIELD])
                    self.seen.append(envelope)
                    if type(envelope.command) not in self.is_deaf_to:
                        reply = await self._carry_out(envelope)
                        if reply is not None:
                            replies.setdefault(envelope.gateway, []).append(reply)
                await self._redis.xdel(stream, *[entry_id for entry_id, _ in entries])
                for gateway, bundle in replies.items():
                    await self._redis.publish(KEYSPACE.gateway_channel(gateway), encode(bundle))

    async def _carry_out(self, envelope: Envelope) -> Reply | None:
        command, request, user = envelope.command, envelope.request, envelope.user
        match command:
            case Identify():
                identified = self._identify(request, command)
                if command.is_recheck and self.between is not None:
                    await self.between()
                return identified
            case ReadHeads():
                heads = {key: self.rooms[key].head for key in command.rooms if key in self.rooms}
                return HeadsRead(request, self._epoch(), heads)
            case FetchEvents():
                room = self.rooms[command.room]
                page = room.events[command.after : command.after + command.limit]
                bare = [Notice(n.epoch, n.seq, n.frame, n.user, left=n.left) for n in page]
                return EventsFetched(request, room.id, room.epoch, room.head, bare)
            case ListRooms():
                rooms = [self._summary(room) for room in self.rooms.values() if user in room.members]
                return Answered(request, encode_frame(ListRoomsAnswer(uuid=command.uuid, rooms=rooms)))
            case NewMessage() | SelectRoom() | GetHistory() | LeaveRoom():
                return await self._in_room(envelope, command)
            case _:
                return None

    async def _in_room(
        self, envelope: Envelope, command: NewMessage | SelectRoom | GetHistory | LeaveRoom
    ) -> Reply | None:
        room = self.rooms.get(command.room)
        request, user = envelope.request, envelope.user
        if room is None or user not in room.members:
            code = ErrorCode.NOT_MEMBER
            return Answered(request, error(command.uuid, str(command.__struct_config__.tag), code))
        if isinstance(command, SelectRoom):
            return self._select(room, command, request)
        if isinstance(command, NewMessage):
            waiting = ("", 0) if envelope.wants_reply else (envelope.gateway, request)
            notice = self._append(room, user, command.uuid, command.text, *waiting)
            await self.publish(room.id, notice)
            return Answered(request, notice.frame) if envelope.wants_reply else None
        if isinstance(command, LeaveRoom):
            room.members.discard(user)
            await self.publish(room.id, self._leave(room, user, command.uuid, envelope.gateway, request))
        return None

    def _identify(self, request: int, command: Identify) -> Identified:
        secret = command.token or command.ticket or ""
        user = self.users.get(secret)
        if secret in self.good_once:
            self.good_once.discard(secret)
            del self.users[secret]
        if user is None or (secret in self.expired and not command.is_recheck):
            return Identified(request, None, [])
        rooms = [self._summary(room) for room in self.rooms.values() if user in room.members]
        return Identified(request, User(user, f"user{user}"), rooms)

    def _select(self, room: StubRoom, command: SelectRoom, request: int) -> Selected:
        if command.since is None:
            answer = SelectRoomAnswer(
                uuid=command.uuid, room=room.id, epoch=room.epoch, seq=room.head, room_messages=[]
            )
            return Selected(request, encode_frame(answer), room.id, room.epoch, room.head, more=False)
        is_other = command.since.epoch != room.epoch
        events = [] if is_other else room.events[command.since.seq : command.since.seq + 200]
        reached = 0 if is_other else events[-1].seq if events else command.since.seq
        more = reached < room.head
        page = SelectRoomPage(
            uuid=command.uuid,
            room=room.id,
            epoch=room.epoch,
            seq=reached,
            events=[msgspec.Raw(notice.frame) for notice in events],
            more=more and not is_other,
            reset=True if is_other else msgspec.UNSET,
        )
        return Selected(request, encode_frame(page), room.id, room.epoch, reached, more or is_other)

    def _append(
        self, room: StubRoom, user: int, uuid: str, text: str, gateway: str = "", request: int = 0
    ) -> Notice:
        for known in room.events:
            if msgspec.json.decode(known.frame)["uuid"] == uuid:
                return Notice(known.epoch, known.seq, known.frame, user, gateway, request)
        seq = room.head + 1
        frame = encode_frame(
            NewMessageEvent(
                uuid=uuid, room=room.id, epoch=room.epoch, seq=seq, message=message(room.id, seq, user, text)
            )
        )
        notice = Notice(room.epoch, seq, frame, user, gateway, request)
        room.events.append(notice)
        return notice

    def _leave(self, room: StubRoom, user: int, uuid: str, gateway: str, request: int) -> Notice:
        seq = room.head + 1
        frame = encode_frame(
            LeaveRoomEvent(
                uuid=uuid,
                room=room.id,
                epoch=room.epoch,
                seq=seq,
                user=User(user, f"user{user}"),
                member=Member(user, f"user{user}", "member"),
            )
        )
        notice = Notice(room.epoch, seq, frame, user, gateway, request, left=user)
        room.events.append(notice)
        return notice

    def _summary(self, room: StubRoom) -> RoomSummary:
        return RoomSummary(room.id, room.name, "group", room.epoch, room.head, 0, 0)

    def _epoch(self) -> str:
        return next((room.epoch for room in self.rooms.values()), "")


def message(room: UUID, seq: int, user: int, text: str) -> Message:
    """Return a message as a worker would store it."""
    return Message(
        id=seq,
        seq=seq,
        number=seq,
        user=User(user, f"user{user}"),
        room=room,
        timestamp=0,
        timestamp_ms=0,
        text=text,
        edited_at=None,
        deleted=False,
        reply_to=None,
        reactions={},
    )


def error(uuid: str, action: str, code: ErrorCode) -> bytes:
    """Return an error answer as a worker would send it."""
    return encode_frame(
        ErrorAnswer(uuid=uuid, action=action, error_code=code, error_message=ERROR_MESSAGES[code])
    )
