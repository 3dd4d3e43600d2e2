"""When a client connects again and when it does not, at given times and without sockets."""

import pytest

from roomlog_client.errors import CutOff, Disconnected
from roomlog_client.pace import BACKOFF_SECONDS, STEADY_SECONDS
from roomlog_client.state import CLOSED_BY_SERVER_SECONDS, IDENTIFY_SECONDS, Phase

from .bench import EPOCH, ROOM, Bench, message


def test_first_frame_authenticates_with_all_cursors(bench: Bench) -> None:
    """Its token and how far it is in each room; unsent commands fail definitely at the end."""
    bench.submit("u-1")
    bench.close(4403)
    (error,) = bench.results()
    assert isinstance(error, CutOff)
    assert error.code == 4403
    bench = Bench()
    bench.state.opened(0.0, "t")
    assert bench.frames() == [{"uuid": "authenticate", "action": "authenticate", "token": "t", "cursors": {}}]
    bench.online()
    bench.hear(**message(11, "x", user=2))
    bench.close(1012)
    bench.state.opened(1.0, "t")
    (frame,) = bench.frames()
    assert frame["cursors"] == {ROOM: {"epoch": EPOCH, "seq": 11}}


def test_invalid_token_ends_at_once(bench: Bench) -> None:
    """It is not tried again and again, unless the application can be asked for another."""
    bench.state.opened(0.0, "t")
    bench.refuse("invalid_token", "authenticate", "authenticate", error_message="No.")
    assert bench.state.phase is Phase.ENDED
    assert isinstance(bench.state.ended_by, Disconnected)
    assert bench.disconnects() == 1
    bench = Bench(has_new_tokens=True)
    bench.state.opened(0.0, "old")
    bench.refuse("invalid_token", "authenticate", "authenticate", error_message="No.")
    assert bench.disconnects() == 1
    bench.close(None)
    assert bench.state.phase is Phase.AWAY
    bench.state.opened(1.0, "new")
    assert [frame["token"] for frame in bench.frames()] == ["old", "new"]


def test_a_token_that_ends_is_renewed_on_the_connection() -> None:
    """The application is asked; the answer, or a refusal, changes nothing else."""
    bench = Bench(has_new_tokens=True).online()
    bench.items()
    bench.hear(None, action="expiring", expires_in_ms=60_000)
    assert bench.asked_tokens() == 1
    bench.state.renew(bench.now, "new")
    assert bench.frames() == [{"uuid": "renew", "action": "authenticate", "token": "new"}]
    bench.hear(action="authenticate", uuid="renew", user={"id": 1, "username": "alice"}, rooms=[])
    bench.hear(**message(11, "x", user=2))
    assert [item.seq for item in bench.items()] == [11]
    for code in ("invalid_token", "forbidden", "busy", "rate_limited"):
        bench.refuse(code, "renew", "authenticate", error_message="No.")
    assert (bench.state.phase, bench.disconnects(), bench.frames()) == (Phase.READY, 0, [])
    assert [summary.id for summary in bench.state.rooms.summaries()] == [ROOM]


def test_the_one_token_of_a_client_is_not_renewed(bench: Bench) -> None:
    """There is nobody to ask; a token that comes too late is dropped."""
    bench.online()
    bench.hear(None, action="expiring", expires_in_ms=60_000)
    assert bench.asked_tokens() == 0
    bench.close(4402)
    bench.state.renew(bench.now, "late")
    assert bench.frames() == []


@pytest.mark.parametrize("code", [1001, 1008, 1009, 1012, 1013, 4402, 4408, None])
def test_other_closes_are_followed_by_growing_pauses(bench: Bench, code: int | None) -> None:
    """After any other end the client comes back, each time after a longer range of pauses."""
    pauses = []
    for _ in range(7):
        bench.state.opened(bench.now, "t")
        bench.close(code)
        pauses.append(bench.state.reconnect_at - bench.now)
    assert pauses[:3] == [BACKOFF_SECONDS / 2, BACKOFF_SECONDS, 2 * BACKOFF_SECONDS]
    assert pauses[-1] == 5.0


def test_steady_connection_forgets_earlier_failures(bench: Bench) -> None:
    """After a connection that lasted, the next pause is short again; after one that did not, it is not."""
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


def test_announced_reconnect_is_kept(online: Bench) -> None:
    """`reconnect` names the time to come back; until its close the socket is used as before."""
    online.hear(None, action="reconnect", after_ms=3000, reason="restart")
    online.submit("u-1")
    assert online.uuids() == ["u-1"]
    online.pass_time(2.0)
    online.close(1012)
    assert online.state.reconnect_at == 3.0
    online.now = 3.0
    online.online()
    online.close(1012)
    assert online.state.reconnect_at == 3.0 + BACKOFF_SECONDS, "an announcement counts once"


def test_socket_that_is_not_closed_as_announced_is_given_up(online: Bench) -> None:
    """If the server forgets to close, the client does, some seconds after the announced time."""
    online.hear(None, action="reconnect", after_ms=3000, reason="restart")
    online.pass_time(3.0 + CLOSED_BY_SERVER_SECONDS - 0.1)
    assert online.disconnects() == 0
    online.pass_time(0.2)
    assert online.disconnects() == 1


def test_socket_that_says_nothing_or_no_is_left(bench: Bench) -> None:
    """Unanswered authenticates are given up once; a refused one waits as long as named."""
    bench.state.opened(0.0, "t")
    bench.pass_time(IDENTIFY_SECONDS + 10)
    assert bench.disconnects() == 1
    bench = Bench()
    bench.state.opened(0.0, "t")
    bench.refuse("busy", "authenticate", "authenticate", retry_after_ms=7000)
    assert bench.disconnects() == 1
    bench.close(1000)
    assert bench.state.reconnect_at == 7.0
