"""The client's protocol without sockets: what it says, repeats, hands on and gives up, at given times."""

import json
from typing import Any

import pytest

from roomlog_client.errors import CutOff, Disconnected, NotMember, OutcomeUnknown
from roomlog_client.events import Degraded, RoomJoined, RoomLeft, Sent
from roomlog_client.incoming import parse
from roomlog_client.outbox import ANSWER_SECONDS, Command
from roomlog_client.pace import BACKOFF_SECONDS, COMMANDS_BURST, STEADY_SECONDS
from roomlog_client.state import (
    CLOSED_BY_SERVER_SECONDS,
    IDENTIFY_SECONDS,
    Action,
    ClientState,
    Disconnect,
    Fail,
    HandOn,
    Options,
    Phase,
    Resolve,
    SendFrame,
)

ROOM = "a" * 32
EPOCH = "e1"


class Bench:
    """A state with its actions, sorted by kind, as a server and an application would see them."""

    def __init__(self, **options: Any) -> None:
        self.state = ClientState(Options(token="t", **options), lambda: 0.5)
        self.now = 0.0
        self.actions: list[Action] = []

    def online(self, seq: int = 10) -> "Bench":
        """Open a socket and authenticate with one room whose head is `seq`."""
        self.state.opened(self.now)
        room = {"id": ROOM, "name": "Kitchen", "kind": "group", "epoch": EPOCH, "seq": seq}
        self.hear(
            action="authenticate", uuid="authenticate", user={"id": 1, "username": "alice"}, rooms=[room]
        )
        self.frames()
        return self

    def hear(self, status: str | None = "success", **facts: Any) -> None:
        """Let the server say something."""
        self.state.received(parse(json.dumps({**facts, **({"status": status} if status else {})})), self.now)
        self._collect()

    def submit(self, uuid: str, action: str = "new_message") -> None:
        """Let the application give a command."""
        self.state.submit(Command(uuid, action, ROOM, json.dumps({"uuid": uuid}).encode()), self.now)
        self._collect()

    def pass_time(self, seconds: float) -> None:
        """Move the clock, ticking whenever the state wants it."""
        end = self.now + seconds
        while (at := self.state.next_tick_at(self.now)) is not None and at <= end:
            assert at > self.now, "the state would spin"
            self.now = at
            self.state.tick(self.now)
            self._collect()
        self.now = end

    def close(self, code: int | None) -> None:
        """Lose the socket."""
        self.state.closed(code, self.now)
        self._collect()

    def frames(self) -> list[dict[str, Any]]:
        """Take what was sent."""
        return [json.loads(action.frame) for action in self._take(SendFrame)]

    def uuids(self) -> list[str]:
        """Take what was sent and return the uuids."""
        return [frame["uuid"] for frame in self.frames()]

    def items(self) -> list[Any]:
        """Take what was handed on."""
        return [action.item for action in self._take(HandOn)]

    def results(self) -> list[Any]:
        """Take what commands came to: results and errors."""
        settled = self._take(Resolve, Fail)
        return [action.result if isinstance(action, Resolve) else action.error for action in settled]

    def disconnects(self) -> int:
        """Take and count the wishes to close the socket."""
        return len(self._take(Disconnect))

    def _take(self, *kinds: type) -> list[Any]:
        self._collect()
        taken = [action for action in self.actions if isinstance(action, kinds)]
        self.actions = [action for action in self.actions if not isinstance(action, kinds)]
        return taken

    def _collect(self) -> None:
        self.actions += self.state.take_actions()


def message(seq: int, uuid: str, user: int = 1, **facts: Any) -> dict[str, Any]:
    """Return the frame of a message without its status."""
    return {
        "action": "new_message",
        "uuid": uuid,
        "room": ROOM,
        "epoch": EPOCH,
        "seq": seq,
        "message": {"user": {"id": user, "username": "someone"}, "text": f"text {seq}"},
        **facts,
    }


def test_first_frame_authenticates_with_all_cursors() -> None:
    """On every new socket the client says its token and how far it is in each room."""
    bench = Bench()
    bench.state.opened(0.0)
    assert bench.frames() == [{"uuid": "authenticate", "action": "authenticate", "token": "t", "cursors": {}}]
    bench.online()
    bench.hear(**message(11, "x", user=2))
    bench.close(1012)
    bench.state.opened(1.0)
    (frame,) = bench.frames()
    assert frame["cursors"] == {ROOM: {"epoch": EPOCH, "seq": 11}}


def test_nothing_is_sent_before_authentication() -> None:
    """Commands given while there is no connection wait for it and then leave in order."""
    bench = Bench()
    bench.submit("u-1")
    bench.state.opened(0.0)
    bench.submit("u-2")
    assert bench.uuids() == ["authenticate"]
    room = {"id": ROOM, "name": "", "kind": "group", "epoch": EPOCH, "seq": 0}
    bench.hear(action="authenticate", uuid="authenticate", user={"id": 1, "username": "alice"}, rooms=[room])
    assert bench.uuids() == ["u-1", "u-2"]


def test_own_event_is_the_answer() -> None:
    """The event of an own message resolves its command and is handed on like any other."""
    bench = Bench().online()
    bench.items()
    bench.submit("u-1")
    bench.hear(**message(11, "u-1"))
    assert bench.results() == [Sent(ROOM, EPOCH, 11, "u-1", False)]
    assert [item.seq for item in bench.items()] == [11]


def test_event_of_another_user_with_the_same_uuid_is_no_answer() -> None:
    """A uuid is unique per sender: somebody else's event settles nothing."""
    bench = Bench().online()
    bench.submit("u-1")
    bench.hear(**message(11, "u-1", user=2))
    assert bench.results() == []


def test_answer_of_a_repeat_resolves_and_is_not_handed_on() -> None:
    """`duplicate` tells the sender the first result; the application gets the event once, from the log."""
    bench = Bench().online()
    bench.hear(**message(11, "u-1"))
    bench.items()
    bench.submit("u-1")
    bench.hear(**message(11, "u-1", duplicate=True))
    assert bench.results() == [Sent(ROOM, EPOCH, 11, "u-1", True)]
    assert bench.items() == []


def test_event_within_a_page_is_the_answer_too() -> None:
    """A command whose answer was lost is resolved when its event is read after the reconnect."""
    bench = Bench().online()
    bench.submit("u-1")
    bench.close(None)
    bench.online(seq=11)
    bench.hear(
        action="select_room",
        uuid=f"select-{ROOM}",
        room=ROOM,
        epoch=EPOCH,
        seq=11,
        events=[{**message(11, "u-1"), "status": "success"}],
        more=False,
    )
    assert bench.results() == [Sent(ROOM, EPOCH, 11, "u-1", False)]


def test_unanswered_commands_are_repeated_on_the_next_connection() -> None:
    """The outbox survives the connection: same uuids, oldest first."""
    bench = Bench().online()
    bench.submit("u-1")
    bench.submit("u-2")
    assert bench.uuids() == ["u-1", "u-2"]
    bench.close(None)
    bench.state.opened(1.0)
    assert bench.uuids() == ["authenticate"]
    room = {"id": ROOM, "name": "", "kind": "group", "epoch": EPOCH, "seq": 10}
    bench.hear(action="authenticate", uuid="authenticate", user={"id": 1, "username": "alice"}, rooms=[room])
    assert bench.uuids() == ["u-1", "u-2"]
    assert bench.results() == []


def test_silent_command_is_repeated_on_the_same_connection() -> None:
    """Without an answer in time the same uuid goes out again."""
    bench = Bench().online()
    bench.submit("u-1")
    bench.uuids()
    bench.pass_time(ANSWER_SECONDS - 0.1)
    assert bench.uuids() == []
    bench.pass_time(0.2)
    assert bench.uuids() == ["u-1"]


def test_busy_is_repeated_after_the_named_time() -> None:
    """`busy` is no result: the command is repeated when the server says so, the next of its room after it."""
    bench = Bench().online()
    bench.submit("u-1")
    bench.uuids()
    bench.hear(
        "error", action="new_message", uuid="u-1", error_code="busy", error_message="", retry_after_ms=2000
    )
    bench.submit("u-2")
    bench.pass_time(1.9)
    assert bench.uuids() == []
    bench.pass_time(0.2)
    assert bench.uuids() == ["u-1", "u-2"]
    assert bench.results() == []


def test_definite_error_reaches_the_application_with_its_type() -> None:
    """An error that does not pass by itself fails the command, once, and it is not repeated."""
    bench = Bench().online()
    bench.submit("u-1")
    bench.hear(
        "error", action="new_message", uuid="u-1", error_code="not_member", error_message="No.", room=ROOM
    )
    (error,) = bench.results()
    assert isinstance(error, NotMember)
    assert (error.code, error.uuid, error.room) == ("not_member", "u-1", ROOM)
    bench.close(None)
    bench.online()
    assert bench.uuids() == []


def test_other_answers_resolve_with_their_frame() -> None:
    """A command that makes no event is resolved with its answer as it came."""
    bench = Bench().online()
    bench.submit("u-1", "get_history")
    bench.hear(action="get_history", uuid="u-1", room=ROOM, room_messages=[])
    (answer,) = bench.results()
    assert answer["room_messages"] == []


def test_rate_stays_below_the_servers() -> None:
    """A flood leaves as one burst and then at the rate, all in order."""
    bench = Bench().online()
    sent: list[str] = []
    for number in range(100):
        bench.submit(f"u-{number}")
        sent += bench.uuids()
        for uuid in sent[-1:]:
            bench.hear(**message(11 + number, uuid))
    assert len(sent) == COMMANDS_BURST - 1  # authenticate was one of the burst
    for _ in range(300):
        bench.pass_time(0.05)
        for uuid in bench.uuids():
            sent.append(uuid)
            bench.hear(**message(10 + len(sent), uuid))
    assert sent == [f"u-{number}" for number in range(100)]
    assert bench.now >= (100 - COMMANDS_BURST) / 20


@pytest.mark.parametrize("code", [4401, 4403])
def test_cut_off_client_does_not_come_back(code: int) -> None:
    """After 4401 and 4403 the client ends; what was sent is unknown, what was not fails."""
    bench = Bench().online()
    bench.submit("u-1")
    bench.uuids()
    bench.close(code)
    assert bench.state.phase is Phase.ENDED
    (unknown,) = bench.results()
    assert isinstance(unknown, OutcomeUnknown)
    with pytest.raises(CutOff):
        bench.submit("u-2")


def test_unsent_command_fails_definitely_at_the_end() -> None:
    """A command that never left fails with the reason of the end, not as unknown."""
    bench = Bench()
    bench.submit("u-1")
    bench.close(4403)
    (error,) = bench.results()
    assert isinstance(error, CutOff)
    assert error.code == 4403


def test_invalid_token_ends_at_once() -> None:
    """A wrong token is not tried again and again."""
    bench = Bench()
    bench.state.opened(0.0)
    bench.hear(
        "error", action="authenticate", uuid="authenticate", error_code="invalid_token", error_message="No."
    )
    assert bench.state.phase is Phase.ENDED
    assert isinstance(bench.state.ended_by, Disconnected)
    assert bench.disconnects() == 1


@pytest.mark.parametrize("code", [1001, 1008, 1009, 1012, 1013, 4408, None])
def test_other_closes_are_followed_by_growing_pauses(code: int | None) -> None:
    """After any other end the client comes back, each time after a longer range of pauses."""
    bench = Bench()
    pauses = []
    for _ in range(7):
        bench.state.opened(bench.now)
        bench.close(code)
        pauses.append(bench.state.reconnect_at - bench.now)
    assert pauses[:3] == [BACKOFF_SECONDS / 2, BACKOFF_SECONDS, 2 * BACKOFF_SECONDS]
    assert pauses[-1] == 5.0


def test_steady_connection_forgets_earlier_failures() -> None:
    """After a connection that lasted, the next pause is short again; after one that did not, it is not."""
    bench = Bench()
    for _ in range(5):
        bench.close(None)
    bench.online()
    bench.pass_time(STEADY_SECONDS - 1)
    bench.close(None)
    assert bench.state.reconnect_at - bench.now > BACKOFF_SECONDS
    bench.online()
    bench.pass_time(STEADY_SECONDS + 1)
    bench.close(None)
    assert bench.state.reconnect_at - bench.now == BACKOFF_SECONDS / 2


def test_announced_reconnect_is_kept() -> None:
    """`reconnect` names the time to come back; until its close the socket is used as before."""
    bench = Bench().online()
    bench.hear(None, action="reconnect", after_ms=3000, reason="restart")
    bench.submit("u-1")
    assert bench.uuids() == ["u-1"]
    bench.pass_time(2.0)
    bench.close(1012)
    assert bench.state.reconnect_at == 3.0
    bench.now = 3.0
    bench.online()
    bench.close(1012)
    assert bench.state.reconnect_at == 3.0 + BACKOFF_SECONDS, "an announcement counts once"


def test_socket_that_is_not_closed_as_announced_is_given_up() -> None:
    """If the server forgets to close, the client does, some seconds after the announced time."""
    bench = Bench().online()
    bench.hear(None, action="reconnect", after_ms=3000, reason="restart")
    bench.pass_time(3.0 + CLOSED_BY_SERVER_SECONDS - 0.1)
    assert bench.disconnects() == 0
    bench.pass_time(0.2)
    assert bench.disconnects() == 1


def test_unanswered_authenticate_is_given_up_once() -> None:
    """Without an answer to authenticate the socket is closed after its time, and nothing spins meanwhile."""
    bench = Bench()
    bench.state.opened(0.0)
    bench.pass_time(IDENTIFY_SECONDS + 10)
    assert bench.disconnects() == 1


def test_refused_connection_waits_as_long_as_named() -> None:
    """A gateway that has too much to do says for how long to stay away."""
    bench = Bench()
    bench.state.opened(0.0)
    bench.hear("error", action="authenticate", uuid="authenticate", error_code="busy", retry_after_ms=7000)
    assert bench.disconnects() == 1
    bench.close(1000)
    assert bench.state.reconnect_at == 7.0


def test_refused_question_is_asked_again_and_a_lost_membership_ends_the_room() -> None:
    """`busy` delays the reading of a room; `not_member` ends it."""
    bench = Bench().online()
    bench.items()
    bench.hear(None, action="sync_required", rooms=[ROOM])
    assert bench.uuids() == [f"select-{ROOM}"]
    refusal = {"action": "select_room", "uuid": f"select-{ROOM}"}
    bench.hear("error", **refusal, error_code="busy", retry_after_ms=500)
    bench.pass_time(0.6)
    assert bench.uuids() == [f"select-{ROOM}"]
    bench.hear("error", **refusal, error_code="not_member")
    assert bench.items() == [RoomLeft(ROOM)]


def test_server_events_reach_the_application() -> None:
    """Joined and left rooms and the carrier's state are handed on in the order in which they came."""
    bench = Bench().online()
    bench.items()
    other = {"id": "b" * 32, "name": "", "kind": "direct", "epoch": EPOCH, "seq": 1}
    bench.hear(None, action="degraded", since_ms=10_000)
    bench.hear(None, action="room_joined", room=other)
    bench.hear(None, action="room_left", room=ROOM)
    degraded, joined, left = bench.items()
    assert degraded == Degraded(10_000)
    assert isinstance(joined, RoomJoined)
    assert left == RoomLeft(ROOM)


def test_unknown_frames_are_ignored_and_unknown_events_are_events() -> None:
    """What a later release says does no harm; what has a place in the log is handed on in order."""
    bench = Bench().online()
    bench.items()
    bench.hear(None, action="weather", sky="blue")
    bench.hear(
        action="new_topic", uuid="x", room=ROOM, epoch=EPOCH, seq=11, user={"id": 2, "username": "bob"}
    )
    bench.hear(**message(12, "y", user=2))
    assert [(item.seq, item.action) for item in bench.items()] == [(11, "new_topic"), (12, "new_message")]


def test_withdrawn_command_is_not_repeated() -> None:
    """What the application no longer waits for is not sent again."""
    bench = Bench().online()
    bench.submit("u-1")
    bench.uuids()
    command = bench.state.withdraw("u-1")
    assert command is not None
    assert command.attempts == 1
    bench.close(None)
    bench.online()
    assert bench.uuids() == []
