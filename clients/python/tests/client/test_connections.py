"""When a client connects again and when it does not, at given times and without sockets."""

import pytest

from roomlog_client.errors import CutOff, Disconnected, OutcomeUnknown
from roomlog_client.pace import BACKOFF_SECONDS, STEADY_SECONDS
from roomlog_client.state import CLOSED_BY_SERVER_SECONDS, IDENTIFY_SECONDS, Phase

from .bench import EPOCH, ROOM, Bench, message


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
