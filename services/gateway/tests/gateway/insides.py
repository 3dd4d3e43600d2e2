"""The event stage without sockets, Redis or a worker: rooms, fan-out, selection, and a log in memory."""

import json
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import msgspec

from roomlog_contract.envelope import (
    ArePresent,
    Beacon,
    IsWatched,
    MarksRead,
    Notice,
    ReadMarks,
    RoomMarks,
    Selected,
    decode_room_notice,
)
from roomlog_contract.keyspace import Keyspace
from roomlog_contract.trail import Note, ignore
from roomlog_gateway.errors import NoReply
from roomlog_gateway.redis.admission import Admission
from roomlog_gateway.redis.command_writer import CommandWriter
from roomlog_gateway.rooms.envelope_sender import EnvelopeSender
from roomlog_gateway.rooms.fanout import Fanout
from roomlog_gateway.rooms.gap_fetcher import GapFetcher, OnPage
from roomlog_gateway.rooms.incoming_events import IncomingEvents
from roomlog_gateway.rooms.pending_requests import PendingRequests, Request
from roomlog_gateway.rooms.presence import Presence
from roomlog_gateway.rooms.receipts_teller import ReceiptsTeller
from roomlog_gateway.rooms.recheck_queue import RecheckQueue
from roomlog_gateway.rooms.room import Room
from roomlog_gateway.rooms.router import Begin, Router, untraced
from roomlog_gateway.rooms.selection import Selection
from roomlog_gateway.rooms.typing import TypingTeller
from roomlog_gateway.rooms.watching import Watching
from roomlog_gateway.sockets.session import Services, Session
from tests.gateway.room_log import EPOCH, RESTORED, RoomLog
from tests.harness.raw import frames_of

ROOM = UUID(int=7)
GATEWAY = "this"
AGREED = Beacon("w", [0], {}, 0.0, 0, database=True)
"""A worker counts as many shards as these gateways."""


def _nothing(*_: object) -> None:
    """Do nothing: tests read outboxes themselves."""


NO_SERVICES = Services(
    authenticate=_nothing,
    forward=_nothing,
    schedule=_nothing,
    collect=_nothing,
    leave=_nothing,
    time_ms=lambda: 0,
)
"""A gateway that does nothing for its sessions."""


@dataclass
class NoConnection:
    """A socket that remembers how it was closed."""

    closed_with: int | None = None
    heard_at: float = 0.0
    number = 0
    asked_at: float | None = None
    is_silent: bool = False

    def ask(self) -> None:
        """It is always heard."""

    def flush(self) -> None:
        """Tests read outboxes themselves."""

    def admit(self) -> None:
        """There is nothing to read more of."""

    def close(self, code: int, reason: str) -> None:
        self.closed_with = int(code)

    def abort(self) -> None:
        """There is nothing to cut."""


def make_router(
    stage: "Stage", requests: PendingRequests, note: Note = ignore, begin: Begin = untraced
) -> Router:
    """Return a router whose commands wait for a Redis that never comes."""

    def clock() -> float:
        return stage.now

    admission = Admission(Keyspace(), clock)
    admission.heard(AGREED)
    writer = CommandWriter("redis://127.0.0.1:1/0", clock, requests.refuse, admission)
    sender = EnvelopeSender(GATEWAY, writer, clock)
    return Router(Keyspace(), requests, sender, stage.selection, clock, {}, note, begin)


class Clock:
    """Seconds that pass when the test says so."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


class CountedGaps(GapFetcher):
    """Fetches nothing, and counts what it would have fetched."""

    def __init__(self) -> None:
        self.watched = self.doubted = 0

    def watch(self, room: Room, on_page: OnPage) -> None:
        self.watched += 1

    def doubt(self, room: Room, on_page: OnPage) -> None:
        self.doubted += 1


@dataclass
class StoredMarks:
    """What a worker answers that is asked for read marks."""

    marks: dict[int, int] | None = field(default_factory=dict)
    """Of the stage's room; None: it has too many members."""
    epoch: str = EPOCH
    seq: int = 0
    is_there: bool = True
    asked: int = 0

    async def ask_any(self, question: ReadMarks, seconds: float) -> MarksRead:
        self.asked += 1
        if not self.is_there:
            raise NoReply
        rooms = {} if self.marks is None else {ROOM: RoomMarks(self.epoch, self.seq, dict(self.marks))}
        return MarksRead(0, rooms)


@dataclass
class Stage:
    """One room of this gateway and the log behind it."""

    log: RoomLog = field(default_factory=lambda: RoomLog(ROOM))
    gaps: CountedGaps = field(default_factory=CountedGaps)
    rechecks: RecheckQueue = field(default_factory=RecheckQueue)
    answered: dict[int, Session] = field(default_factory=dict)
    now: float = 0.0

    def __post_init__(self) -> None:
        rooms: dict[UUID, Room] = {}
        self.fanout = Fanout(rooms)
        self.fanout._wake = lambda: None  # type: ignore[method-assign]
        self.typing = TypingTeller(self.fanout.hint)
        self.said: list[IsWatched | ArePresent] = []
        self.is_writable = True
        self.presence = Presence(
            GATEWAY,
            rooms,
            Keyspace(),
            self._publish,
            self.fanout.hint,
            lambda: self.now,
            lambda user: True,
        )
        self.questions = StoredMarks()
        self.asking: list[Coroutine[Any, Any, None]] = []
        self.receipts = ReceiptsTeller(
            rooms,
            self.questions,  # type: ignore[arg-type]
            self.fanout.hint,
            self.asking.append,
            lambda: self.now,
        )
        self.watching = Watching(rooms, self.presence, self.receipts)
        self.room = rooms[ROOM] = Room(ROOM, self.fanout.spread)
        self.incoming = IncomingEvents(
            self.fanout,
            self.gaps,
            self._take_answered,
            self._on_left,
            self.rechecks,
            lambda: self.now,
            self.typing.hear,
            self.presence.hear,
            self.receipts.hear,
        )
        self.selection = Selection(rooms, self.fanout, self.incoming)
        self.compare_head()

    def session(self, cursor: int | None = None) -> Session:
        """Return a connection that is a member from `cursor` (the room's seq) on."""
        services = replace(NO_SERVICES, collect=self.fanout.collect)
        session = Session(NoConnection(), services, lambda: self.now)
        session.activate()
        session.enter(ROOM)
        self.room.admit(session, self.room.seq if cursor is None else cursor)
        return session

    def append(self, request: int = 0, left: int = 0, receipts: bool | None = None) -> Notice:
        """Commit one event and return its notice, unpublished."""
        uuid, gateway = f"u{self.log.head + 1}", GATEWAY if request else ""
        notice = self.log.append(1, uuid, gateway=gateway, request=request, left=left)
        return msgspec.structs.replace(notice, receipts=receipts)

    def commit(self, number: int = 1) -> None:
        """Commit events; the notice of each arrives at once."""
        for _ in range(number):
            self.publish(self.append().seq)

    def publish(self, *seqs: int) -> None:
        """Let notices of the log arrive, in this order and in one loop turn."""
        for seq in seqs:
            self.incoming.take_event(self.room, self.log.events[seq - 1])

    def fetch(self, limit: int = 200) -> None:
        """Let a page after the room's last event arrive."""
        self.incoming.take_page(self.room, self.log.fetched(0, self.room.seq, limit))

    def compare_head(self, seq: int | None = None) -> None:
        """Let the database name the head: the log's, or this seq."""
        head = self.log.head if seq is None else seq
        self.incoming.compare_head(self.room, self.log.epoch, head, is_certain=True)

    def begin_anew(self) -> None:
        """Let the database begin a new log, and this gateway hear of it."""
        self.log = RoomLog(ROOM, RESTORED)
        self.compare_head()

    def select(self, session: Session, *, is_afresh: bool = False) -> Request:
        """Forward a select_room."""
        request = Request(session, "s", "select_room", ROOM, 0, self.now)
        session.sent()
        self.selection.hold(request, is_afresh=is_afresh)
        return request

    def snapshot(self, since: int, limit: int = 200) -> Selected:
        """Return the worker's answer to a select_room since, as of now."""
        return self.log.page("s", 0, since, limit)

    def _publish(self, channel: str, payload: bytes) -> bool:
        if self.is_writable:
            notice = decode_room_notice(payload)
            assert isinstance(notice, IsWatched | ArePresent)
            self.said.append(notice)
        return self.is_writable

    def _take_answered(self, notice: Notice) -> Session | None:
        return self.answered.pop(notice.request, None) if notice.gateway == GATEWAY else None

    def _on_left(self, room: Room, user: int) -> list[Session]:
        removed = [session for session in room.members() if session.user == user]
        for session in removed:
            room.leave(session)
        return removed


def read(session: Session) -> list[dict[str, Any]]:
    """End the loop turn, take everything out of an outbox, as a socket would, and return the frames."""
    session.collect()
    return read_outbox(session)


def read_outbox(session: Session) -> list[dict[str, Any]]:
    """Take everything out of an outbox within a loop turn, as a socket would, and return the frames."""
    data = b""
    while session.outbox:
        data += session.outbox.take()
    session.outbox.is_scheduled = False
    return [json.loads(payload) for _, payload in frames_of(data)]


def seqs(frames: list[dict[str, Any]]) -> list[int]:
    """Return the seqs of events among frames."""
    return [frame["seq"] for frame in frames if frame["action"] == "new_message"]
