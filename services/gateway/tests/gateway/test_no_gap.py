"""Whatever is lost, late or repeated: a client that obeys the protocol has the whole log in the end.

A model of clients, worker and Redis in one room; hypothesis chooses the order of everything.
"""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from roomlog_contract import limits
from roomlog_contract.envelope import Selected
from roomlog_gateway.rooms.pending_requests import Request
from roomlog_gateway.sockets.session import Session
from tests.gateway.insides import Stage, read

CLIENTS = st.integers(0, 2)


@dataclass
class Reader:
    """A client that does its duty and nothing else."""

    session: Session
    cursor: int = 0
    must_ask: bool = False
    asked: list[Request] = field(default_factory=list)

    def receive(self, frames: list[dict[str, Any]]) -> None:
        for frame in frames:
            match frame["action"]:
                case "new_message" if frame["seq"] > self.cursor:
                    assert frame["seq"] == self.cursor + 1, "a silent gap"
                    self.cursor = frame["seq"]
                case "select_room":
                    seqs = [event["seq"] for event in frame["events"] if event["seq"] > self.cursor]
                    assert seqs == list(range(self.cursor + 1, self.cursor + 1 + len(seqs))), "a torn page"
                    self.cursor = max(self.cursor, frame["seq"])
                    self.must_ask = frame["more"]
                case "sync_required":
                    self.must_ask = True
                case _:
                    pass


class OneRoom(RuleBasedStateMachine):
    """Events are committed; notices, pages and answers come in any order or not at all."""

    @initialize()
    def begin(self) -> None:
        self.stage = Stage()
        self.readers = [Reader(self.stage.session()) for _ in range(3)]
        self.answers: list[tuple[Reader, Request, Selected]] = []

    @rule(number=st.sampled_from([1, 2, 5, 40, limits.HELD_EVENTS + 1]), is_published=st.booleans())
    def commit(self, number: int, is_published: bool) -> None:
        for _ in range(number):
            notice = self.stage.append()
            if is_published:
                self.stage.publish(notice.seq)

    @rule(place=st.floats(0, 1))
    def publish_again(self, place: float) -> None:
        if self.stage.log.head:
            self.stage.publish(1 + int(place * (self.stage.log.head - 1)))

    @rule(limit=st.integers(1, 200))
    def fetch(self, limit: int) -> None:
        self.stage.fetch(limit)

    @rule()
    def compare_heads(self) -> None:
        self.stage.compare_head()

    @rule(client=CLIENTS, limit=st.integers(1, 200))
    def select(self, client: int, limit: int) -> None:
        """The worker answers at once, and its answer takes its time to come."""
        reader = self.readers[client]
        request = self.stage.select(reader.session)
        self.answers.append((reader, request, self.stage.snapshot(reader.cursor, limit)))

    @rule()
    def answer(self) -> None:
        if self.answers:
            _, request, selected = self.answers.pop(0)
            self.stage.selection.answer(request, selected)

    @rule()
    def lose_answer(self) -> None:
        if self.answers:
            _, request, _ = self.answers.pop(0)
            self.stage.selection.release(request)

    @rule(client=CLIENTS)
    def read(self, client: int) -> None:
        reader = self.readers[client]
        reader.receive(read(reader.session))

    @invariant()
    def queues_are_bounded(self) -> None:
        for reader in getattr(self, "readers", ()):
            assert len(reader.session.outbox) <= limits.OUTBOX_EVENTS + 64

    def teardown(self) -> None:
        """Let everything come to rest: then everybody has the whole log."""
        if not hasattr(self, "stage"):
            return
        while self.answers:
            self.answer()
        while self.stage.room.seq < self.stage.log.head:
            for reader in self.readers:
                reader.receive(read(reader.session))
            self.stage.fetch()
        for reader in self.readers:
            reader.receive(read(reader.session))
            while reader.must_ask:
                request = self.stage.select(reader.session)
                self.stage.selection.answer(request, self.stage.snapshot(reader.cursor))
                reader.receive(read(reader.session))
            assert reader.cursor == self.stage.log.head
            assert reader.session in self.stage.room.live


TestOneRoom = OneRoom.TestCase
TestOneRoom.settings = settings(stateful_step_count=40)
