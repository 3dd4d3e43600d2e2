"""Whatever happens on the way: a client that is served at last gets every answer and every event."""

from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from roomlog_client.outbox import ANSWER_SECONDS
from roomlog_client.pace import STEADY_SECONDS
from roomlog_client.state import IDENTIFY_SECONDS, Phase

from .bench import EPOCH, ROOM, Bench, message

SERVED_SECONDS = 3 * (ANSWER_SECONDS + IDENTIFY_SECONDS)
"""Of virtual time: enough for every timer to fire more than once."""


class Server:
    """One room's log behind whatever connections the client makes."""

    def __init__(self) -> None:
        self.bench = Bench()
        self.log: list[dict[str, Any]] = []
        self.unanswered: list[dict[str, Any]] = []
        self.submitted = 0

    def submit(self) -> None:
        """Let the application say something."""
        self.submitted += 1
        self.bench.submit(f"u-{self.submitted}")

    def open(self) -> None:
        """Let the client connect, if it wants to."""
        if self.bench.state.phase is Phase.AWAY:
            self.bench.now = max(self.bench.now, self.bench.state.reconnect_at)
            self.unanswered = []
            self.bench.state.opened(self.bench.now, "t")

    def close(self) -> None:
        """Lose the socket with all that is on it."""
        if self.bench.state.phase is not Phase.AWAY:
            self.unanswered = []
            self.bench.frames()
            self.bench.close(None)

    def take(self) -> None:
        """Receive what the client sent."""
        self.unanswered += self.bench.frames()
        if self.bench.disconnects():
            self.close()

    def answer(self) -> None:
        """Carry out the oldest command that was received."""
        self.take()
        if self.unanswered:
            self._carry_out(self.unanswered.pop(0))

    def answer_all(self) -> None:
        """Carry out everything that was received, and what the answers lead to."""
        self.take()
        while self.unanswered:
            self.answer()
            self.take()

    def store_silently(self) -> None:
        """Carry out the oldest message without a word: its event is lost."""
        self.take()
        if self.unanswered and self.unanswered[0]["action"] == "new_message":
            self._store(self.unanswered.pop(0)["uuid"])

    def ignore(self) -> None:
        """Lose the oldest command."""
        self.take()
        del self.unanswered[:1]

    def refuse(self) -> None:
        """Answer the oldest command with busy."""
        self.take()
        if self.unanswered:
            command = self.unanswered.pop(0)
            self.bench.refuse("busy", command["uuid"], command["action"], retry_after_ms=700)

    def demand(self) -> None:
        """Ask the client to ask."""
        if self.bench.state.phase is Phase.READY:
            self.bench.hear(None, action="sync_required", rooms=[ROOM])

    def announce(self) -> None:
        """Ask the client to come back later."""
        if self.bench.state.phase is Phase.READY:
            self.bench.hear(None, action="reconnect", after_ms=1500, reason="restart")

    def wait(self) -> None:
        """Let some time pass."""
        self.bench.pass_time(2.5)

    def oversleep(self) -> None:
        """Let much time pass unseen; the next thing that is seen is a frame."""
        self.bench.oversleep(20.0)
        self.bench.hear(None, action="weather")

    def post(self) -> None:
        """Let somebody else say something."""
        self.post_silently()
        self._publish(self.log[-1])

    def post_silently(self) -> None:
        """Let somebody else say something; its event is lost."""
        self._store(f"other-{len(self.log)}", user=2)

    def _store(self, uuid: str, user: int = 1) -> dict[str, Any]:
        for event in self.log:
            if event["uuid"] == uuid:
                return {**event, "duplicate": True}
        self.log.append({**message(len(self.log) + 1, uuid, user), "status": "success"})
        return self.log[-1]

    def _publish(self, event: dict[str, Any]) -> None:
        if self.bench.state.phase is Phase.READY:
            self.bench.hear(**event)

    def _carry_out(self, command: dict[str, Any]) -> None:
        match command["action"]:
            case "authenticate":
                self.bench.hear_rooms(seq=len(self.log))
            case "select_room":
                since = command["since"]["seq"]
                events = self.log[since : since + 3]
                end = since + len(events)
                place = {"room": ROOM, "epoch": EPOCH, "seq": end, "more": end < len(self.log)}
                self.bench.hear(action="select_room", uuid=command["uuid"], events=events, **place)
            case _:
                self._publish(self._store(command["uuid"]))


HAPPENINGS = [
    *(Server.submit, Server.submit, Server.open, Server.open, Server.answer, Server.answer, Server.close),
    *(Server.ignore, Server.ignore, Server.store_silently, Server.refuse, Server.demand, Server.announce),
    *(Server.wait, Server.oversleep, Server.post, Server.post_silently),
]
"""What is needed for the others to mean something comes more often."""


@settings(deadline=None)
@example([Server.submit, Server.ignore])
@example([Server.submit, Server.store_silently])
@example([Server.post_silently, Server.post, Server.ignore])
@example([Server.submit, Server.ignore, Server.oversleep])
@example([Server.post_silently, Server.post, Server.ignore, Server.oversleep])
@given(st.lists(st.sampled_from(HAPPENINGS), max_size=40))
def test_served_client_is_never_stuck(happenings: list[Any]) -> None:
    """After any history a server that answers is told every message once and tells every event in order."""
    server = Server()
    server.open()
    server.answer()
    server.bench.pass_time(STEADY_SECONDS)
    for happening in happenings:
        happening(server)
    end = server.bench.now + SERVED_SECONDS
    while server.bench.now < end:
        server.open()
        server.answer_all()
        server.bench.pass_time(1.0)
    server.post()
    server.answer_all()
    results = server.bench.results()
    assert sorted(result.uuid for result in results) == sorted(f"u-{n + 1}" for n in range(server.submitted))
    assert len({event["uuid"] for event in server.log}) == len(server.log)
    seqs = [item.seq for item in server.bench.items() if hasattr(item, "seq")]
    assert seqs == list(range(1, len(server.log) + 1))
