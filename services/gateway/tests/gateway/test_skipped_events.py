"""Events that a gateway never hears, or hears late: the memberships that they changed are found at once."""

from functools import partial

import pytest

from roomlog_contract.envelope import Identify
from roomlog_gateway.rooms.recheck_queue import RecheckQueue
from roomlog_gateway.sockets.session import Session
from tests.gateway.client import Client
from tests.gateway.room_log import EPOCH, RESTORED
from tests.gateway.running import Connect, Running
from tests.gateway.stub_worker import StubRoom, StubWorker
from tests.harness.waiting import eventually


@pytest.fixture(autouse=True)
def no_sweep(gateway: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what these tests are about compares a connection, not the turn of all."""
    monkeypatch.setattr("roomlog_gateway.gateway.RECHECK_SLOTS", 1_000_000)
    gateway.gateway._hurried_seconds = 0


@pytest.fixture
async def member(worker: StubWorker, room: StubRoom, enter: Connect) -> Client:
    """A connection of user 3, who is in the room."""
    return await enter(3)


async def restore_without(worker: StubWorker, room: StubRoom, gateway: Running, user: int) -> None:
    """Begin a new epoch whose log ends the user's membership, and let the gateway read the heads."""
    room.epoch = RESTORED
    worker.publishes = False
    await room.remove(user)
    worker.publishes = True
    gateway.gateway._heads.at_once()


async def test_who_was_removed_in_a_skipped_event_loses_the_room(
    worker: StubWorker, room: StubRoom, gateway: Running, member: Client
) -> None:
    """The room starts over behind the event that would have said so."""
    await restore_without(worker, room, gateway, 3)
    await member.event("reset")
    assert (await member.event("room_left"))["room"] == room.hex
    assert room.id not in gateway.rooms


async def test_who_is_invited_again_after_a_skipped_removal_is_told(
    worker: StubWorker, room: StubRoom, gateway: Running, member: Client
) -> None:
    """The invitation is news again, because the gateway knows that the membership had ended."""
    await restore_without(worker, room, gateway, 3)
    await member.event("room_left")
    await room.join(3)
    joined = await member.event("room_joined")
    assert (joined["room"]["id"], joined["room"]["epoch"]) == (room.hex, RESTORED)
    await room.say(1, "welcome back")
    assert (await member.event("new_message"))["seq"] == 2


async def test_an_invitation_that_overtakes_the_comparison_is_told(
    worker: StubWorker, room: StubRoom, gateway: Running, member: Client
) -> None:
    """The read says no member, and the notice comes before the answer, while all looks as before."""
    worker.between = partial(room.join, 3)
    await restore_without(worker, room, gateway, 3)
    await member.event("room_left")
    assert (await member.event("room_joined"))["room"]["id"] == room.hex


async def test_an_invitation_before_the_comparison_is_told(
    worker: StubWorker, room: StubRoom, gateway: Running, member: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client was refused the room meanwhile and has dropped it; the read finds a member all the same."""
    monkeypatch.setattr("roomlog_gateway.rooms.members.IDENTIFY_TRY_SECONDS", 0.2)
    worker.is_deaf_to.add(Identify)
    await restore_without(worker, room, gateway, 3)
    await member.event("reset")
    assert (await member.ask("select_room", room=room.hex))["error_code"] == "not_member"
    await room.join(3)
    worker.is_deaf_to.clear()
    await member.event("room_left")
    assert (await member.event("room_joined"))["room"]["id"] == room.hex


async def test_an_invitation_that_is_repeated_leaves_who_has_read_the_new_log_alone(
    worker: StubWorker, room: StubRoom, gateway: Running, member: Client
) -> None:
    """Workers repeat notices after a crash and with each repeat of a command: nothing is read for them."""
    asked = _questions(worker) + 1
    room.epoch = RESTORED
    gateway.gateway._heads.at_once()
    await member.event("reset")
    await member.ask("select_room", room=room.hex)
    comparing = gateway.gateway._authentication._comparing
    await eventually(
        lambda: _questions(worker) == asked and not comparing, 20, "the comparison after the reset has ended"
    )
    await room.join(3)
    await room.say(1, "on we go")
    assert (await member.event("new_message"))["seq"] == 1
    await eventually(lambda: not comparing, 20, "no comparison is under way")
    assert _questions(worker) == asked
    assert "room_left" not in [frame["action"] for frame in member.received]


async def test_an_invitation_of_before_the_reset_is_no_news_after_it(
    room: StubRoom, gateway: Running, member: Client
) -> None:
    """The comparison that a notice asked for is the one that reads the new epoch: the client never left."""
    (session,) = gateway.members.connections(3)
    session.announce(room.id)
    room.epoch = RESTORED
    gateway.gateway._authentication.recheck(session)
    await member.event("reset")
    await member.ask("select_room", room=room.hex)
    await room.say(1, "on we go")
    await member.event("new_message")
    assert "room_left" not in [frame["action"] for frame in member.received]


async def test_an_invitation_that_overtakes_a_lost_removal_is_told(
    worker: StubWorker, room: StubRoom, member: Client
) -> None:
    """The removal is fetched after the notice of the invitation that followed it."""
    worker.publishes = False
    await room.remove(3)
    await room.say(1, "the invitation's place in the log")
    worker.publishes = True
    await room.join(3)
    await member.event("room_left")
    joined = await member.event("room_joined")
    assert (joined["room"]["id"], joined["room"]["seq"]) == (room.hex, 2)


async def test_a_membership_that_was_read_before_the_room_began_here_is_read_again(
    worker: StubWorker, room: StubRoom, gateway: Running, enter: Connect
) -> None:
    """Another connection's read opened the room behind the event that ended this one's membership."""

    async def be_overtaken() -> None:
        worker.publishes = False
        await room.remove(3)
        worker.publishes = True
        gateway.members._incoming.compare_head(gateway.rooms[room.id], EPOCH, 1, is_certain=True)

    worker.between = be_overtaken
    assert (await enter(3)).received[0]["rooms"] == []
    assert room.id not in gateway.rooms


async def test_a_room_that_starts_over_does_not_ask_for_all_at_once(
    worker: StubWorker, room: StubRoom, gateway: Running, enter: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connections are compared a few at a time, each once."""
    taken: list[int] = []

    def take(queue: RecheckQueue, number: int) -> list[Session]:
        taken.append(len(sessions := real_take(queue, number)))
        return sessions

    real_take = RecheckQueue.take
    monkeypatch.setattr(RecheckQueue, "take", take)
    monkeypatch.setattr("roomlog_gateway.gateway.RECHECKS_PER_TICK", 1)
    for user in (1, 2, 3):
        await enter(user)
    asked = _questions(worker)
    room.epoch = RESTORED
    gateway.gateway._heads.at_once()
    await eventually(lambda: sum(taken) == 3, 20, "all are compared")
    await eventually(lambda: _questions(worker) == asked + 3, 20, "each is asked for once")
    assert max(taken) == 1


def _questions(worker: StubWorker) -> int:
    return len(worker.asked_alone())
