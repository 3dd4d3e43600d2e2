"""Who gets what: joins, leaves, revocation, cursors at authenticate."""

from functools import partial

import pytest

from roomlog_contract import limits
from roomlog_contract.envelope import Identify, Recheck
from roomlog_gateway import metrics
from roomlog_gateway.rooms import authentication
from tests.gateway.client import Client
from tests.gateway.room_log import EPOCH
from tests.gateway.running import Connect, Running
from tests.gateway.stub_worker import StubRoom, StubWorker
from tests.harness.waiting import eventually


async def test_who_joins_is_told_and_gets_what_follows(room: StubRoom, enter: Connect) -> None:
    """room_joined names the head; the next event is the first one that is sent."""
    newcomer, member = await enter(4), await enter(1)
    await member.ask("new_message", room=room.hex, text="before")
    await room.join(4)
    joined = await newcomer.event("room_joined")
    assert (joined["room"]["id"], joined["room"]["seq"]) == (room.hex, 1)
    await member.ask("new_message", room=room.hex, text="after")
    assert (await newcomer.event("new_message"))["seq"] == 2


async def test_who_sends_before_it_has_entered_is_answered_all_the_same(
    room: StubRoom, worker: StubWorker, enter: Connect
) -> None:
    """A room that was just made: nobody here hears its channel yet, so the event can't be the answer."""
    maker = await enter(4)
    fresh = worker.add_room(4)
    answer = await maker.ask("new_message", room=fresh.hex, text="first")
    assert (answer["status"], answer["seq"]) == ("success", 1)
    await fresh.join(4)
    assert (await maker.event("room_joined"))["room"]["seq"] == 1
    assert (await maker.ask("new_message", room=fresh.hex, text="second"))["seq"] == 2
    await maker.ask("ping")
    assert maker.seqs() == [1, 2]


async def test_a_join_that_is_told_twice_counts_once(room: StubRoom, enter: Connect) -> None:
    """Workers repeat notices after a crash."""
    newcomer = await enter(4)
    await room.join(4)
    await newcomer.event("room_joined")
    await room.join(4)
    await room.say(1, "x")
    await newcomer.event("new_message")
    assert [frame["action"] for frame in newcomer.received].count("room_joined") == 1


async def test_a_join_costs_one_read_of_the_rooms(worker: StubWorker, room: StubRoom, enter: Connect) -> None:
    """The notice names the room, which is subscribed to first."""
    worker.add_room(4)
    newcomer = await enter(4)
    before = len(_rechecks(worker))
    await room.join(4)
    await newcomer.event("room_joined")
    assert len(_rechecks(worker)) == before + 1


async def test_joins_in_a_burst_are_compared_together(
    worker: StubWorker, enter: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is in many rooms can't have all of them read for each room more; all are told in the end."""
    monkeypatch.setattr(authentication, "RECHECK_PAUSE_SECONDS_A_ROOM", authentication.RECHECK_PAUSE_SECONDS)
    worker.add_room(4)
    newcomer = await enter(4)
    before = len(_rechecks(worker))
    rooms = [worker.add_room() for _ in range(15)]
    for room in rooms:
        await room.join(4)
        for _ in range(5):  # time enough for a comparison of its own
            await newcomer.ask("ping")
    while len(joined := _joined(newcomer)) < len(rooms):
        await newcomer.next()
    assert joined == {room.hex for room in rooms}
    assert len(_rechecks(worker)) - before < len(rooms), "not two reads for each room"


async def test_who_leaves_gets_its_leave_and_nothing_more(room: StubRoom, enter: Connect) -> None:
    """All connections of the user get the event, then room_left, then nothing of the room."""
    leaver, other_tab, member = await enter(2), await enter(2), await enter(1)
    assert (await leaver.ask("leave_room", room=room.hex))["status"] == "success"
    await other_tab.event("leave_room")
    for client in (leaver, other_tab):
        assert (await client.event("room_left"))["room"] == room.hex
    await member.ask("new_message", room=room.hex, text="without them")
    await leaver.ask("ping")
    await other_tab.ask("ping")
    assert leaver.seqs() == other_tab.seqs() == []


async def test_who_is_removed_is_cut_off(room: StubRoom, enter: Connect) -> None:
    """The event of the removal is the last one, on every gateway."""
    removed = await enter(3)
    await room.remove(3)
    await removed.event("room_left")
    await room.say(1, "secret")
    await removed.ask("ping")
    assert removed.seqs() == []


async def test_a_removal_that_overtakes_the_read_of_the_membership_holds(
    worker: StubWorker, room: StubRoom, enter: Connect
) -> None:
    """The read says member, its reply is late, and the log has ended the membership meanwhile."""
    witness = await enter(1)
    worker.between = partial(room.remove, 3)
    removed = await enter(3)
    assert removed.received[0]["rooms"] == []
    await room.say(1, "secret")
    await witness.event("new_message")
    await removed.ask("ping")
    assert removed.seqs() == []


async def test_a_join_that_overtakes_the_read_of_the_rooms_is_not_lost(
    worker: StubWorker, room: StubRoom, enter: Connect
) -> None:
    """The read says no member, and the notice comes before the answer: it is looked at afterwards."""
    worker.between = partial(room.join, 4)
    newcomer = await enter(4)
    assert newcomer.received[0]["rooms"] == []
    assert (await newcomer.event("room_joined"))["room"]["id"] == room.hex


async def test_a_revoked_token_is_4403_at_once(room: StubRoom, worker: StubWorker, enter: Connect) -> None:
    """The notice makes the gateway ask again, and the socket is closed."""
    revoked, other = await enter(1), await enter(2)
    del worker.users["token-1"]
    await worker.tell_user(1, Recheck())
    assert await revoked.close_code(1.0) == 4403
    assert (await other.ask("ping"))["status"] == "success"


@pytest.mark.parametrize("is_old", [False, True], ids=["one release", "an older worker"])
async def test_a_revocation_without_a_notice_is_found_by_the_recheck(
    room: StubRoom,
    worker: StubWorker,
    enter: Connect,
    gateway: Running,
    monkeypatch: pytest.MonkeyPatch,
    is_old: bool,
) -> None:
    """Raw SQL sends no notice; each connection is compared once in 60 s."""
    worker.is_old = is_old
    monkeypatch.setattr("roomlog_gateway.sockets.connections.PING_SLOTS", 1_000_000)
    revoked = await enter(1)
    del worker.users["token-1"]
    for second in range(1, 61):
        gateway.gateway.tick(gateway.gateway.clock(), second)
    assert await revoked.close_code() == 4403


async def test_a_membership_that_ended_silently_is_found_by_the_recheck(
    worker: StubWorker, room: StubRoom, enter: Connect, gateway: Running
) -> None:
    """The room list is compared too, in both directions."""
    client = await enter(1)
    other = worker.add_room(1)
    room.members.discard(1)
    gateway.gateway._authentication.recheck(next(iter(gateway.gateway.connections)).session)
    left, joined = await client.event("room_left"), await client.event("room_joined")
    assert (left["room"], joined["room"]["id"]) == (room.hex, other.hex)


async def test_a_join_whose_notice_was_lost_with_the_link_is_found_in_20_s(
    worker: StubWorker, room: StubRoom, enter: Connect, gateway: Running
) -> None:
    """Nobody heard that somebody joined while Redis was away: after it all are compared sooner, once."""
    client = await enter(1)
    room.members.discard(1)
    gateway.gateway._resubscribed()
    for second in range(1, 21):
        gateway.gateway.tick(gateway.gateway.clock(), second)
    assert (await client.event("room_left"))["room"] == room.hex
    asked = len(worker.asked_together())
    for second in range(21, 41):
        gateway.gateway.tick(gateway.gateway.clock(), second)
    await client.ask("ping")
    assert len(worker.asked_together()) == asked


async def test_only_what_was_accepted_on_this_connection_is_asked_for_as_a_recheck(
    room: StubRoom, worker: StubWorker, enter: Connect, gateway: Running
) -> None:
    """Tickets are short-lived: the worker must know that this one was good when it came."""
    await enter(2)
    gateway.gateway._authentication.recheck(next(iter(gateway.gateway.connections)).session)
    await eventually(lambda: len(_rechecks(worker)) == 2, 20, "the recheck is asked")
    assert _rechecks(worker) == [False, True]


async def test_a_revoked_token_opens_no_door_for_an_expired_ticket(
    worker: StubWorker, room: StubRoom, guest: Connect
) -> None:
    """The ticket was never accepted here: what another credential was worth before it does not count."""
    worker.users["ticket"] = 3
    worker.expired.add("ticket")
    worker.good_once.add("token-1")
    intruder = await guest()
    assert (await intruder.ask("authenticate", token="token-1"))["error_code"] == "invalid_token"
    assert (await intruder.ask("authenticate", ticket="ticket"))["error_code"] == "invalid_token"
    assert _rechecks(worker) == [False, True, False]


async def test_a_rejected_connection_gets_nothing_of_the_user_that_it_was_counted_to(
    worker: StubWorker, room: StubRoom, guest: Connect, gateway: Running
) -> None:
    """Between the two reads of its token it belonged to somebody; afterwards to nobody."""
    worker.good_once.add("token-1")
    intruder = await guest()
    await intruder.ask("authenticate", token="token-1")
    [connection] = gateway.gateway.connections
    assert connection.session.user == 0
    assert not gateway.members._users


async def test_a_connection_never_becomes_another_user(worker: StubWorker, enter: Connect) -> None:
    """A credential that names somebody else at the recheck is no longer the one that was accepted."""
    client = await enter(1)
    worker.users["token-1"] = 2
    await worker.tell_user(1, Recheck())
    assert await client.close_code() == 4403


def _joined(client: Client) -> set[str]:
    return {frame["room"]["id"] for frame in client.received if frame["action"] == "room_joined"}


def _rechecks(worker: StubWorker) -> list[bool]:
    return [command.is_recheck for command in worker.asked_alone()]


async def test_a_cursor_at_the_head_goes_on_without_a_word(room: StubRoom, enter: Connect) -> None:
    """Nothing was missed: the next event follows."""
    await room.say(1, "one")
    client = await enter(1, cursors={room.hex: {"epoch": EPOCH, "seq": 1}})
    await room.say(1, "two")
    assert (await client.event("new_message"))["seq"] == 2
    assert [frame["action"] for frame in client.received] == ["authenticate", "new_message"]


async def test_a_cursor_behind_must_ask_first(room: StubRoom, enter: Connect) -> None:
    """sync_required right after the answer; events follow the last page."""
    await room.say(1, "one")
    await room.say(1, "two")
    client = await enter(1, cursors={room.hex: {"epoch": EPOCH, "seq": 1}})
    assert (await client.event("sync_required"))["rooms"] == [room.hex]
    await room.say(1, "three")
    page = await client.ask("select_room", room=room.hex, since={"epoch": EPOCH, "seq": 1})
    assert [event["seq"] for event in page["events"]] == [2, 3]
    await room.say(1, "four")
    assert (await client.event("new_message"))["seq"] == 4
    assert client.seqs() == [4]


async def test_a_cursor_of_another_log_is_reset(worker: StubWorker, room: StubRoom, enter: Connect) -> None:
    """So is one that is ahead of the log: nothing in the client's hands can be continued."""
    other = worker.add_room(1)
    cursors = {room.hex: {"epoch": "0ld", "seq": 0}, other.hex: {"epoch": EPOCH, "seq": 7}}
    client = await enter(1, cursors=cursors)
    resets = [await client.event("reset") for _ in range(2)]
    assert {(reset["room"], reset["epoch"]) for reset in resets} == {(room.hex, EPOCH), (other.hex, EPOCH)}


async def test_unconnected_rooms_are_unsubscribed(room: StubRoom, enter: Connect, gateway: Running) -> None:
    """A gateway receives only what it must deliver, and what concerns all: its replies and the beacons."""
    client = await enter(1)
    await client.socket.close()
    await eventually(lambda: not gateway.gateway.connections, 20, "the connection is gone")
    assert not gateway.rooms
    assert not gateway.members._users
    assert len(gateway.gateway._subscriber._handlers) == 2


async def test_an_unanswered_recheck_is_repeated_soon(
    room: StubRoom, worker: StubWorker, enter: Connect, gateway: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever was revoked while no worker answered is not served for another minute."""
    client = await enter(1)
    gateway.gateway._hurried_seconds = 0
    monkeypatch.setattr(limits, "IDENTIFY_SECONDS", 0.2)
    monkeypatch.setattr("roomlog_gateway.rooms.authentication.RECHECK_RETRY_SECONDS", 0.1, raising=False)
    worker.is_deaf_to.add(Identify)
    asked = len(_rechecks(worker))
    await worker.tell_user(1, Recheck())
    await eventually(lambda: len(_rechecks(worker)) > asked, 20, "the recheck is asked")
    unanswered = metrics.RECHECKS_UNANSWERED._value.get()
    await eventually(
        lambda: metrics.RECHECKS_UNANSWERED._value.get() > unanswered, 20, "the recheck is not answered"
    )
    del worker.users["token-1"]
    monkeypatch.undo()
    worker.is_deaf_to.clear()
    assert await client.close_code(10) == 4403
