"""A token that ends: told ahead once, renewed on the open socket, closed at its end."""

import asyncio

import pytest

from roomlog_contract import limits
from roomlog_contract.envelope import Identify, Recheck
from roomlog_gateway.sockets.expiry import SAME_SECONDS, Expiry
from roomlog_gateway.sockets.session import Session
from tests.gateway.insides import NO_SERVICES, ROOM, Clock, NoConnection, read
from tests.gateway.running import Connect, Running
from tests.gateway.stub_worker import StubRoom, StubWorker
from tests.harness.waiting import eventually

LIFE_MS = 3_600_000


@pytest.fixture
def clock() -> Clock:
    """A clock that stands."""
    return Clock()


@pytest.fixture
def member(clock: Clock) -> Session:
    """A session that has authenticated, on no socket."""
    session = Session(NoConnection(), NO_SERVICES, clock)
    session.activate()
    return session


def closed_with(session: Session) -> int | None:
    assert isinstance(session.connection, NoConnection)
    return session.connection.closed_with


def tick(session: Session, clock: Clock, seconds: float) -> list[int]:
    """Let time pass, and return what the client was told of its end."""
    clock.now += seconds
    session.tell_expiry()
    return [frame["expires_in_ms"] for frame in read(session) if frame["action"] == "expiring"]


def test_a_short_life_is_told_at_its_half(member: Session, clock: Clock) -> None:
    """A token of four seconds is not renewed without a pause."""
    member.expiry.hear(4_000)
    assert [tick(member, clock, 1) for _ in range(3)] == [[], [2_000], []]


def test_the_end_is_told_once_60_s_ahead_and_closes(member: Session, clock: Clock) -> None:
    """The code is that after which clients come back; what has no end is told nothing."""
    member.expiry.hear(None)
    assert tick(member, clock, 1e9) == []
    assert closed_with(member) is None
    assert not member.expiry.is_near()
    member.expiry.hear(LIFE_MS)
    assert tick(member, clock, 3_539) == []
    assert tick(member, clock, 1) == [60_000]
    assert tick(member, clock, 59) == []
    assert closed_with(member) is None
    assert tick(member, clock, 1) == []
    assert closed_with(member) == 4402


def test_the_same_end_by_another_clock_is_told_once(member: Session, clock: Clock) -> None:
    """A recheck that hears of the end from a worker whose clock differs changes nothing."""
    member.expiry.hear(LIFE_MS)
    assert tick(member, clock, 3_541) == [59_000]
    member.expiry.hear(int(59_000 + SAME_SECONDS * 1000))
    member.expiry.hear(None)
    assert tick(member, clock, 1) == []
    assert tick(member, clock, 58) == []
    assert closed_with(member) == 4402


def test_an_end_that_was_put_off_is_told_anew(member: Session, clock: Clock) -> None:
    """A session that its use prolongs ends later, and its client hears of that end."""
    member.expiry.hear(120_000)
    assert tick(member, clock, 61) == [59_000]
    member.expiry.hear(LIFE_MS)
    assert tick(member, clock, 60) == []
    assert closed_with(member) is None
    assert tick(member, clock, 3_480) == [60_000]


def test_a_renewal_begins_another_life(member: Session, clock: Clock) -> None:
    """However near the two ends are."""
    member.expiry.hear(4_000)
    assert tick(member, clock, 2) == [2_000]
    member.renew(Identify(uuid="i", token="next"), 4_000)
    assert (member.login.token, member.login.is_recheck) == ("next", True)
    assert tick(member, clock, 1) == []
    assert tick(member, clock, 1) == [2_000]
    member.renew(Identify(uuid="i", ticket="last"), None)
    assert tick(member, clock, 1e6) == []
    assert closed_with(member) is None


def test_near_its_end_a_token_may_have_ended_by_a_workers_clock(clock: Clock) -> None:
    """Then it has expired, and was not revoked."""
    expiry, began = Expiry(clock), clock.now
    expiry.hear(60_000)
    seen = []
    for seconds in (54.9, 55.0, 59.9, 60.0):
        clock.now = began + seconds
        seen.append((expiry.is_near(), expiry.is_past()))
    assert seen == [(False, False), (True, False), (True, False), (True, True)]


def test_renewals_keep_their_pace(member: Session, clock: Clock) -> None:
    """One at a time, and the next a second after the last; each makes a worker look."""
    renewal = '{"uuid": "r", "action": "authenticate", "token": "next"}'
    member.receive(renewal)
    clock.now += 9
    member.receive(renewal)
    member.end_renewal()
    clock.now += limits.RENEWAL_SECONDS / 2
    member.receive(renewal)
    refusals = read(member)
    assert [frame["error_code"] for frame in refusals] == ["rate_limited"] * 2
    assert all(frame["retry_after_ms"] >= 1_000 for frame in refusals)
    clock.now += limits.RENEWAL_SECONDS
    member.receive(renewal)
    assert read(member) == []


def test_a_renewal_with_cursors_is_refused(member: Session) -> None:
    """Its client would wait for what is not sent again."""
    cursors = {ROOM.hex: {"epoch": "e", "seq": 1}}
    text = '{"uuid": "r", "action": "authenticate", "token": "next", "cursors": %s}'
    member.receive(text % str(cursors).replace("'", '"'))
    assert [frame["error_code"] for frame in read(member)] == ["bad_value"]


# -- over a socket ---------------------------------------------------------------------------------


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Renewals need no pause."""
    monkeypatch.setattr(limits, "RENEWAL_SECONDS", 0.0)


def let_pass(gateway: Running, user: int, seconds: float) -> None:
    """Let so much time have passed for the tokens of a user's connections."""
    for session in gateway.members.connections(user):
        session.expiry._clock = lambda: gateway.gateway.clock() + seconds


async def test_a_connection_is_told_renewed_and_goes_on(
    room: StubRoom, worker: StubWorker, enter: Connect, gateway: Running
) -> None:
    """Nothing is delivered twice, nothing is lost, and the end of the first token is nobody's any more."""
    worker.users["next"] = 1
    worker.lasts_ms["token-1"] = LIFE_MS
    client = await enter(1)
    await room.say(2, "one")
    let_pass(gateway, 1, 3_541)
    assert 0 < (await client.event("expiring"))["expires_in_ms"] <= 59_000
    answer = await client.ask("authenticate", token="next")
    assert (answer["status"], answer["user"]["id"], answer["rooms"]) == ("success", 1, [])
    del worker.users["token-1"]
    await worker.tell_user(1, Recheck())
    await room.say(2, "two")
    assert (await client.event("new_message"))["seq"] == 2
    assert client.seqs() == [1, 2]
    assert (await client.ask("ping"))["status"] == "success"


async def test_whoever_does_not_renew_is_4402(worker: StubWorker, enter: Connect, gateway: Running) -> None:
    """Told once, and closed at the end."""
    worker.lasts_ms["token-1"] = LIFE_MS
    client, other = await enter(1), await enter(2)
    let_pass(gateway, 1, 3_541)
    await client.event("expiring")
    let_pass(gateway, 1, 3_600)
    assert await client.close_code() == 4402
    assert [frame["action"] for frame in client.received].count("expiring") == 1
    assert (await other.ask("ping"))["status"] == "success"


@pytest.mark.parametrize(
    ("passed", "lasts_ms", "code"),
    [
        pytest.param(3_596, None, 4402, id="the end comes first, because a worker's clock is ahead"),
        pytest.param(0, 500, 4402, id="a session that was cut short ends its socket in time"),
        pytest.param(0, None, 4403, id="what was revoked before its end has not expired"),
    ],
)
async def test_a_recheck_says_how_a_token_ends(
    worker: StubWorker, enter: Connect, gateway: Running, passed: int, lasts_ms: int | None, code: int
) -> None:
    """Ended, shortened or revoked."""
    worker.lasts_ms["token-1"] = LIFE_MS
    client = await enter(1)
    let_pass(gateway, 1, passed)
    if lasts_ms is None:
        del worker.users["token-1"]
    else:
        worker.lasts_ms["token-1"] = lasts_ms
    await worker.tell_user(1, Recheck())
    assert await client.close_code() == code


@pytest.mark.usefixtures("at_once")
async def test_no_renewal_makes_another_user(room: StubRoom, worker: StubWorker, enter: Connect) -> None:
    """Neither does one with a token of nobody's; the connection goes on with its own until the third."""
    client = await enter(1)
    assert (await client.ask("authenticate", token="token-2"))["error_code"] == "forbidden"
    for _ in range(2):
        assert (await client.ask("authenticate", token="nobody's"))["error_code"] == "invalid_token"
    await room.say(1, "one")
    assert (await client.event("new_message"))["seq"] == 1
    await worker.tell_user(1, Recheck())
    assert (await client.ask("ping"))["status"] == "success"
    await client.send("authenticate", token="nobody's")
    assert await client.close_code() == 4401


async def test_a_tickets_minute_counts_at_a_renewal(worker: StubWorker, enter: Connect) -> None:
    """That the connection was accepted before says nothing of this ticket."""
    worker.users["ticket"] = 1
    worker.expired.add("ticket")
    client = await enter(1)
    assert (await client.ask("authenticate", ticket="ticket"))["error_code"] == "invalid_token"


async def test_what_was_said_of_the_token_before_closes_nothing(
    room: StubRoom, worker: StubWorker, enter: Connect, gateway: Running
) -> None:
    """A recheck of the old token was under way when the new one took its place."""
    client = await enter(1)
    await eventually(lambda: not gateway.gateway._authentication._comparing, 20, "no recheck is under way")
    worker.users["next"] = 1
    replies = asyncio.Event()

    async def renew() -> None:
        [connection] = gateway.gateway.connections
        connection.session.renew(Identify(uuid="identify", token="next"), None)
        replies.set()

    del worker.users["token-1"]
    worker.between = renew
    await worker.tell_user(1, Recheck())
    await asyncio.wait_for(replies.wait(), 20)
    await eventually(
        lambda: worker.asked_of("next") > 0, 20, "the new token is compared in the old one's place"
    )
    assert (await client.ask("ping"))["status"] == "success"


@pytest.mark.usefixtures("at_once")
async def test_a_token_that_ends_while_it_is_taken_is_noticed(worker: StubWorker, enter: Connect) -> None:
    """Its notice made the gateway ask about the one before: the new one is compared once more."""
    worker.users["next"] = 1
    worker.good_once.add("next")
    client = await enter(1)
    assert (await client.ask("authenticate", token="next"))["status"] == "success"
    assert await client.close_code() == 4403


async def test_a_renewal_that_nobody_answers_is_busy(
    room: StubRoom, worker: StubWorker, enter: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection keeps its token, and its client tries again."""
    client = await enter(1)
    worker.users["next"] = 1
    monkeypatch.setattr(limits, "IDENTIFY_SECONDS", 0.2)
    worker.is_deaf_to.add(Identify)
    refused = await client.ask("authenticate", token="next")
    assert (refused["error_code"], refused["retry_after_ms"] >= 1_000) == ("busy", True)
    assert (await client.ask("ping"))["status"] == "success"
    monkeypatch.undo()
    worker.is_deaf_to.clear()
    await asyncio.sleep(limits.RENEWAL_SECONDS)
    assert (await client.ask("authenticate", token="next"))["status"] == "success"


def test_two_at_once_before_the_first_answer_are_refused(clock: Clock) -> None:
    """Who it is must be known before anybody renews."""
    session = Session(NoConnection(), NO_SERVICES, clock)
    for uuid in ("first", "second"):
        session.receive(f'{{"uuid": "{uuid}", "action": "authenticate", "token": "t"}}')
    [refused] = read(session)
    assert (refused["uuid"], refused["error_code"]) == ("second", "bad_value")
    assert session.login == Identify(uuid="identify", token="t")


async def test_whoever_leaves_while_renewing_is_forgotten(
    room: StubRoom, worker: StubWorker, enter: Connect, gateway: Running
) -> None:
    """The answer has nobody to go to."""
    client = await enter(1)
    worker.is_deaf_to.add(Identify)
    await client.send("authenticate", token="token-1")
    await client.socket.close()
    await eventually(lambda: not gateway.gateway.connections, 20, "the connection is gone")
    worker.is_deaf_to.clear()
    assert not gateway.members._users
