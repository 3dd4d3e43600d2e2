"""What a client says, repeats, hands on and gives up, at given times and without sockets."""

from typing import Any

import pytest

from roomlog_client.errors import NotMember
from roomlog_client.events import Degraded, RoomJoined, RoomLeft, Sent
from roomlog_client.outbox import ANSWER_SECONDS, Command
from roomlog_client.pace import COMMANDS_BURST
from roomlog_client.state import Phase

from .bench import EPOCH, ROOM, Bench, message


@pytest.fixture
def bench(online: Bench) -> Bench:
    """A client that has authenticated."""
    return online


def test_nothing_is_sent_before_authentication() -> None:
    """Commands given while there is no connection wait for it and then leave in order."""
    bench = Bench()
    bench.submit("u-1")
    bench.state.opened(0.0, "t")
    bench.submit("u-2")
    assert bench.uuids() == ["authenticate"]
    bench.hear_rooms()
    assert bench.uuids() == ["u-1", "u-2"]


def test_the_answer_to_authenticate_may_take_several_frames(bench: Bench) -> None:
    """Nothing is sent, joined or left before the last; what a lost connection began to say is forgotten."""
    bench.close(None)
    bench.submit("u-1")
    for _ in range(2):
        bench.state.opened(0.0, "t")
        bench.frames()
        bench.hear_rooms("b" * 32, more=True)
        assert (bench.uuids(), bench.items(), bench.state.phase) == ([], [], Phase.AUTHENTICATING)
        bench.close(None)
    bench.state.opened(0.0, "t")
    bench.frames()
    bench.hear_rooms("c" * 32, more=True)
    bench.hear_rooms(ROOM, more=False)
    assert bench.uuids() == ["u-1"]
    assert [(type(item), item.room.id) for item in bench.items()] == [(RoomJoined, "c" * 32)]


def test_own_event_is_the_answer(bench: Bench) -> None:
    """It settles its command and is handed on; somebody else's of the same uuid settles nothing."""
    bench.submit("u-1")
    bench.hear(**message(11, "u-1", user=2))
    assert bench.results() == []
    bench.hear(**message(12, "u-1"))
    assert bench.results() == [Sent(ROOM, EPOCH, 12, "u-1", False)]
    assert [item.seq for item in bench.items()] == [11, 12]


def test_answer_of_a_repeat_resolves_and_is_not_handed_on(bench: Bench) -> None:
    """`duplicate` tells the sender the first result; the application gets the event once, from the log."""
    bench.hear(**message(11, "u-1"))
    bench.items()
    bench.submit("u-1")
    bench.hear(**message(11, "u-1", duplicate=True))
    assert bench.results() == [Sent(ROOM, EPOCH, 11, "u-1", True)]
    assert bench.items() == []


def test_direct_room_that_somebody_else_made_is_the_answer(bench: Bench) -> None:
    """A direct room exists once: whoever asks second is answered with the first one's event."""
    bench.state.submit(Command("u-1", "create_room", "", b"{}"), 0.0)
    place: dict[str, Any] = {"room": "b" * 32, "epoch": EPOCH, "seq": 1}
    bench.hear(action="create_room", uuid="u-1", **place, user={"id": 2, "username": "bob"}, duplicate=True)
    assert bench.results() == [Sent("b" * 32, EPOCH, 1, "u-1", True)]


def test_event_within_a_page_is_the_answer_too(bench: Bench) -> None:
    """A command whose answer was lost is resolved when its event is read after the reconnect."""
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


def test_unanswered_commands_are_repeated_on_the_next_connection(bench: Bench) -> None:
    """The outbox survives the connection: same uuids, oldest first."""
    bench.submit("u-1")
    bench.submit("u-2")
    assert bench.uuids() == ["u-1", "u-2"]
    bench.close(None)
    bench.state.opened(1.0, "t")
    assert bench.uuids() == ["authenticate"]
    bench.hear_rooms()
    assert bench.uuids() == ["u-1", "u-2"]
    assert bench.results() == []


def test_silent_command_is_repeated_on_the_same_connection(bench: Bench) -> None:
    """Without an answer in time the same uuid goes out again."""
    bench.submit("u-1")
    bench.uuids()
    bench.pass_time(ANSWER_SECONDS - 0.1)
    assert bench.uuids() == []
    bench.pass_time(0.2)
    assert bench.uuids() == ["u-1"]


def test_busy_is_repeated_after_the_named_time(bench: Bench) -> None:
    """`busy` is no result: the command is repeated when the server says so, the next of its room after it."""
    bench.submit("u-1")
    bench.uuids()
    bench.refuse("busy", retry_after_ms=2000)
    bench.submit("u-2")
    bench.pass_time(1.9)
    assert bench.uuids() == []
    bench.pass_time(0.2)
    assert bench.uuids() == ["u-1"]
    assert bench.results() == []
    bench.hear(**message(11, "u-1"))
    assert bench.uuids() == ["u-2"]


def test_definite_error_reaches_the_application_with_its_type(bench: Bench) -> None:
    """An error that does not pass by itself fails the command, once, and it is not repeated."""
    bench.submit("u-1")
    bench.refuse("not_member", error_message="No.", room=ROOM)
    (error,) = bench.results()
    assert isinstance(error, NotMember)
    assert (error.code, error.uuid, error.room) == ("not_member", "u-1", ROOM)
    bench.close(None)
    bench.online()
    assert bench.uuids() == []


def test_other_answers_resolve_with_their_frame(bench: Bench) -> None:
    """A command that makes no event is resolved with its answer as it came."""
    bench.submit("u-1", "get_history")
    bench.hear(action="get_history", uuid="u-1", room=ROOM, room_messages=[])
    (answer,) = bench.results()
    assert answer["room_messages"] == []


def test_rate_stays_below_the_servers(bench: Bench) -> None:
    """A flood leaves as one burst and then at the rate, all in order."""
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


def test_refused_question_is_asked_again_and_a_lost_membership_ends_the_room(bench: Bench) -> None:
    """`busy` delays the reading of a room; `not_member` ends it."""
    bench.hear(None, action="sync_required", rooms=[ROOM])
    assert bench.uuids() == [f"select-{ROOM}"]
    bench.refuse("busy", f"select-{ROOM}", "select_room", retry_after_ms=500)
    bench.pass_time(0.6)
    assert bench.uuids() == [f"select-{ROOM}"]
    bench.refuse("not_member", f"select-{ROOM}", "select_room")
    assert bench.items() == [RoomLeft(ROOM)]


def test_server_events_reach_the_application(bench: Bench) -> None:
    """Joined and left rooms and the carrier's state are handed on in the order in which they came."""
    other = {"id": "b" * 32, "name": "", "kind": "direct", "epoch": EPOCH, "seq": 1}
    bench.hear(None, action="degraded", since_ms=10_000)
    bench.hear(None, action="room_joined", room=other)
    bench.hear(None, action="room_left", room=ROOM)
    degraded, joined, left = bench.items()
    assert degraded == Degraded(10_000)
    assert isinstance(joined, RoomJoined)
    assert left == RoomLeft(ROOM)


def test_unknown_frames_are_ignored_and_unknown_events_are_events(bench: Bench) -> None:
    """What a later release says does no harm; what has a place in the log is handed on in order."""
    bench.hear(None, action="weather", sky="blue")
    bench.hear(
        action="new_topic", uuid="x", room=ROOM, epoch=EPOCH, seq=11, user={"id": 2, "username": "bob"}
    )
    bench.hear(**message(12, "y", user=2))
    assert [(item.seq, item.action) for item in bench.items()] == [(11, "new_topic"), (12, "new_message")]


def test_withdrawn_command_is_not_repeated(bench: Bench) -> None:
    """What the application no longer waits for is not sent again."""
    bench.submit("u-1")
    bench.uuids()
    command = bench.state.withdraw("u-1")
    assert command is not None
    assert command.attempts == 1
    bench.close(None)
    bench.online()
    assert bench.uuids() == []
