"""A worker of a few lines for the gateway's tests: reads the streams of a real Valkey, keeps rooms in memory.

It speaks the contract's envelopes and nothing more. Tests stop it, make it forget and let it publish by hand.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import msgspec
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from roomlog_contract.codec import encode_frame
from roomlog_contract.commands import LeaveRoom, NewMessage, SelectRoom
from roomlog_contract.envelope import (
    ENTRY_FIELD,
    Answered,
    Beacon,
    Envelope,
    FetchEvents,
    HaveRead,
    HeadsRead,
    Identified,
    Identify,
    Joined,
    LoginsCompared,
    MarksRead,
    Notice,
    ReadHeads,
    ReadMarks,
    Reply,
    RoomMarks,
    Selected,
    UserNotice,
    decode_envelope,
    encode,
)
from roomlog_contract.errors import ERROR_MESSAGES, ErrorCode
from roomlog_contract.events import ErrorAnswer, RoomSummary, SelectRoomAnswer, SelectRoomPage
from roomlog_contract.fingerprint import MUTED, READER, fingerprint, membership_with_head
from roomlog_contract.keyspace import Keyspace
from roomlog_contract.shards import DEFAULT_SHARDS
from tests.gateway.room_log import RoomLog, person

KEYSPACE = Keyspace("stub")
BEACON_SECONDS = 0.05


@dataclass(kw_only=True)
class StubRoom(RoomLog):
    """A room of a stub worker, and what happens in it without a command."""

    worker: "StubWorker"
    members: set[int]
    name: str = "room"
    readers: set[int] = field(default_factory=set)
    muted: set[int] = field(default_factory=set)
    marks: dict[int, int] | None = None
    """How far its members have read, if the room shows that."""

    @property
    def hex(self) -> str:
        return self.id.hex

    @property
    def summary(self) -> RoomSummary:
        shows_receipts = self.marks is not None
        return RoomSummary(self.id, self.name, "group", self.epoch, self.head, 0, 0, receipts=shows_receipts)

    async def say(self, user: int, text: str) -> Notice:
        """Append a message that no gateway asked for, and publish it."""
        return await self.publish(self.append(user, f"said-{self.head + 1}", text))

    async def read(self, user: int, seq: int) -> None:
        """Move a mark; the room's channel hears of it."""
        moved = HaveRead(self.epoch, self.head, {user: seq})
        await self.worker.publish(KEYSPACE.room_channel(self.id), moved)

    async def join(self, user: int) -> None:
        """Begin a membership; only the notice tells of it."""
        self.members.add(user)
        await self.worker.tell_user(user, Joined(self.summary))

    async def remove(self, user: int) -> None:
        """End a membership by an event of the log."""
        self.members.discard(user)
        await self.publish(self.leave(user, "removed"))

    async def publish(self, notice: Notice) -> Notice:
        if self.worker.publishes:
            await self.worker.publish(KEYSPACE.room_channel(self.id), notice)
        return notice


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
        self.lasts_ms: dict[str, int] = {}
        """How long tokens still last; those left out have no end."""
        self.unseeing: set[int] = set()
        """Users whom the project may not let know who is connected."""
        self.rooms: dict[UUID, StubRoom] = {}
        self.seen: list[Envelope] = []
        self.is_deaf_to: set[type] = set()
        """Commands that are taken and never answered."""
        self.is_old = False
        """True: it is of the release before questions that only want what has changed."""
        self.publishes = True
        """False: events are stored and nobody is told, as by a worker that dies after its commit."""
        self.between: Callable[[], Awaitable[None]] | None = None
        """Happens once, after the second read of an authenticate and before its reply."""
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

    def add_room(self, *members: int) -> StubRoom:
        room = StubRoom(id=uuid4(), worker=self, members=set(members))
        self.rooms[room.id] = room
        return room

    def asked_of(self, secret: str) -> int:
        """Return how often a gateway asked whose this token or ticket is."""
        return sum(command.secret == secret for command in self.asked_alone())

    def asked_alone(self) -> list[Identify]:
        """Return the questions about one connection each."""
        asked = [entry.command for entry in self.seen if isinstance(entry.command, Identify)]
        return [command for command in asked if not command.logins]

    def asked_together(self) -> list[Identify]:
        """Return the questions about many connections."""
        asked = [entry.command for entry in self.seen if isinstance(entry.command, Identify)]
        return [command for command in asked if command.logins]

    async def tell_user(self, user: int, notice: UserNotice) -> None:
        await self.publish(KEYSPACE.user_channel(user), notice)

    async def publish(self, channel: str, said: Any) -> None:
        await self._redis.publish(channel, encode(said))

    async def command(self, *words: str) -> None:
        """Tell Valkey something that is none of a worker's business."""
        await self._redis.execute_command(*words)  # type: ignore[no-untyped-call]

    async def _run(self) -> None:
        while self._is_wanted:
            with contextlib.suppress(RedisError):
                await self._take_all()

    async def _shine(self) -> None:
        """Say that all shards are worked on, a few times a second."""
        now = asyncio.get_running_loop().time()
        if now - self._shone_at >= BEACON_SECONDS:
            self._shone_at = now
            everything = Beacon("stub", list(range(DEFAULT_SHARDS)), {}, 0.0, 0, database=True)
            await self.publish(KEYSPACE.beacon_channel, everything)

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
                    await self.publish(KEYSPACE.gateway_channel(gateway), bundle)

    async def _carry_out(self, envelope: Envelope) -> Reply | None:  # noqa: PLR0911 - one for each command
        command, request = envelope.command, envelope.request
        match command:
            case Identify(logins=[_, *_]) if not self.is_old:
                compared = self._compare(request, command)
                if command.has_heads:
                    await self._happen()
                return compared
            case Identify():
                identified = self._identify(request, command)
                if command.is_recheck:
                    await self._happen()
                return identified
            case ReadHeads():
                rooms = [self.rooms[key] for key in command.rooms if key in self.rooms]
                heads = {room.id: room.head for room in rooms}
                if command.seqs and not self.is_old and command.epoch == self._epoch():
                    known = dict(zip(command.rooms, command.seqs, strict=True))
                    heads = {key: head for key, head in heads.items() if head != known[key]}
                return HeadsRead(request, self._epoch(), heads)
            case ReadMarks():
                shown = [self.rooms[key] for key in command.rooms if key in self.rooms]
                marks = {one.id: RoomMarks(one.epoch, one.head, dict(one.marks or {})) for one in shown}
                return MarksRead(request, marks)
            case FetchEvents():
                return self.rooms[command.room].fetched(request, command.after, command.limit)
            case NewMessage() | SelectRoom() | LeaveRoom():
                return await self._in_room(envelope, command)
            case _:
                return None

    async def _happen(self) -> None:
        if self.between is not None:
            between, self.between = self.between, None
            await between()

    async def _in_room(
        self, envelope: Envelope, command: NewMessage | SelectRoom | LeaveRoom
    ) -> Reply | None:
        room = self.rooms.get(command.room)
        request, user = envelope.request, envelope.user
        if room is None or user not in room.members:
            code, action = ErrorCode.NOT_MEMBER, str(command.__struct_config__.tag)
            refusal = ErrorAnswer(
                uuid=command.uuid, action=action, error_code=code, error_message=ERROR_MESSAGES[code]
            )
            return Answered(request, encode_frame(refusal))
        if isinstance(command, SelectRoom):
            return _select(room, command, request)
        if isinstance(command, NewMessage):
            waiting = ("", 0) if envelope.wants_reply else (envelope.gateway, request)
            notice = _once(room, user, command, *waiting)
            await room.publish(notice)
            return Answered(request, notice.frame) if envelope.wants_reply else None
        if isinstance(command, LeaveRoom):
            room.members.discard(user)
            await room.publish(room.leave(user, command.uuid, envelope.gateway, request))
        return None

    def _identify(self, request: int, command: Identify) -> Identified:
        secret = command.secret
        user = self.users.get(secret)
        if secret in self.good_once:
            self.good_once.discard(secret)
            del self.users[secret]
        if user is None or (secret in self.expired and not command.is_recheck):
            return Identified(request, None, [])
        mine = [room for room in self.rooms.values() if user in room.members]
        rooms = [room.summary for room in mine]
        readers = [room.id for room in mine if user in room.readers]
        muted = [room.id for room in mine if user in room.muted]
        lasts_ms, sees = self.lasts_ms.get(secret), user not in self.unseeing
        return Identified(request, person(user), rooms, lasts_ms, readers, muted, sees)

    def _compare(self, request: int, command: Identify) -> LoginsCompared:
        unchanged: dict[int, int | None] = {}
        for place, login in enumerate(command.logins):
            alone = Identify(uuid="", token=login.token, ticket=login.ticket, is_recheck=True)
            found = self._identify(request, alone)
            letters = {
                room.id: (READER if room.id in found.readers else "")
                + (MUTED if room.id in found.muted else "")
                for room in found.rooms
            }
            words = [
                membership_with_head(room, letters[room.id])
                if command.has_heads
                else room.id.hex + letters[room.id]
                for room in found.rooms
            ]
            if found.user is not None and fingerprint(found.user, words) == login.fingerprint:
                unchanged[place] = found.expires_in_ms
        return LoginsCompared(request, unchanged)

    def _epoch(self) -> str:
        return next((room.epoch for room in self.rooms.values()), "")


def _select(room: StubRoom, command: SelectRoom, request: int) -> Selected:
    place: dict[str, Any] = {"uuid": command.uuid, "room": room.id, "epoch": room.epoch}
    if command.since is None:
        answer = SelectRoomAnswer(**place, seq=room.head, room_messages=[])
        return Selected(request, encode_frame(answer), room.id, room.epoch, room.head, more=False)
    if command.since.epoch != room.epoch:
        page = SelectRoomPage(**place, seq=0, events=[], more=False, reset=True)
        return Selected(request, encode_frame(page), room.id, room.epoch, 0, more=True)
    return room.page(command.uuid, request, command.since.seq)


def _once(room: StubRoom, user: int, command: NewMessage, gateway: str, request: int) -> Notice:
    """Store a message, or answer again where its uuid is known."""
    for known in room.events:
        if msgspec.json.decode(known.frame)["uuid"] == command.uuid:
            return Notice(known.epoch, known.seq, known.frame, user, gateway, request)
    return room.append(user, command.uuid, command.text, gateway, request)
