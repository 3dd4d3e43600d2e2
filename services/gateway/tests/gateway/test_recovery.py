"""What is lost comes back: notices, Redis, workers, slow sockets."""

import asyncio
import time

import pytest

from roomlog_contract import limits
from roomlog_contract.envelope import FetchEvents, HeadMoved, Identify
from roomlog_gateway.sockets.outbox import ANSWER_BYTES, UNREAD_BYTES, Frame, unread_bound
from roomlog_gateway.sockets.websocket_frames import text_frame
from tests.gateway.running import Connect, Running, Server
from tests.gateway.stub_worker import KEYSPACE, StubRoom, StubWorker
from tests.harness.waiting import eventually


async def test_a_lost_notice_is_fetched_when_the_next_one_comes(
    worker: StubWorker, room: StubRoom, enter: Connect
) -> None:
    """seq jumps, the gap is asked for, everything arrives in order."""
    client = await enter(1)
    worker.publishes = False
    await room.say(1, "lost")
    await room.say(1, "lost too")
    worker.publishes = True
    await room.say(1, "heard")
    assert [(await client.event("new_message"))["seq"] for _ in range(3)] == [1, 2, 3]


@pytest.mark.parametrize("is_old", [False, True], ids=["one release", "an older worker"])
async def test_the_last_notice_that_was_lost_is_found_by_the_heads(
    worker: StubWorker, room: StubRoom, enter: Connect, gateway: Running, is_old: bool
) -> None:
    """Nothing follows it, but the database knows."""
    worker.is_old = is_old
    client = await enter(1)
    worker.publishes = False
    await room.say(1, "lost")
    gateway.gateway._heads.at_once()
    assert (await client.event("new_message"))["seq"] == 1


async def test_a_reminder_of_the_head_is_enough(worker: StubWorker, room: StubRoom, enter: Connect) -> None:
    """HeadMoved on the room's channel makes the gateway fetch."""
    client = await enter(1)
    worker.publishes = False
    notice = await room.say(1, "lost")
    await worker.publish(KEYSPACE.room_channel(room.id), HeadMoved(notice.epoch, notice.seq))
    assert (await client.event("new_message"))["seq"] == 1


async def test_a_long_gap_is_fetched_page_by_page(
    worker: StubWorker, room: StubRoom, enter: Connect, gateway: Running
) -> None:
    """More events than a page has; the client reads them as they come."""
    client = await enter(1)
    worker.publishes = False
    number = limits.PAGE_EVENTS + 30
    for count in range(number):
        await room.say(1, str(count))
    gateway.gateway._heads.at_once()
    assert [(await client.event("new_message"))["seq"] for _ in range(number)] == list(range(1, number + 1))


async def test_a_gap_that_is_kept_no_longer_begins_the_room_anew(
    worker: StubWorker, room: StubRoom, enter: Connect, gateway: Running
) -> None:
    """A gateway that was cut off for so long can't have it; members are told, and go on from the head."""
    client = await enter(1)
    worker.publishes = False
    await room.say(1, "lost and pruned")
    await room.say(1, "lost")
    room.first_seq = 2
    gateway.gateway._heads.at_once()
    assert (await client.event("reset"))["room"] == room.hex
    await client.send("select_room", room=room.hex)
    assert (await client.event("select_room"))["seq"] == 2
    worker.publishes = True
    await room.say(1, "heard")
    assert (await client.event("new_message"))["seq"] == 3


async def test_a_gap_is_asked_for_until_somebody_answers(
    worker: StubWorker, room: StubRoom, enter: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker that was asked may be dead; the next one answers."""
    monkeypatch.setattr("roomlog_gateway.rooms.gap_fetcher.FETCH_SECONDS", 0.1)
    client = await enter(1)
    worker.is_deaf_to.add(FetchEvents)
    worker.publishes = False
    await room.say(1, "lost")
    worker.publishes = True
    await room.say(1, "heard")
    await eventually(
        lambda: sum(isinstance(entry.command, FetchEvents) for entry in worker.seen) > 1, 5, "asked again"
    )
    worker.is_deaf_to.clear()
    assert [(await client.event("new_message"))["seq"] for _ in range(2)] == [1, 2]


async def test_who_is_behind_is_reminded(room: StubRoom, enter: Connect, gateway: Running) -> None:
    """heads name the rooms that a client was told to ask for and has not."""
    client = await enter(1)
    session = next(iter(gateway.gateway.connections)).session
    gateway.rooms[room.id].fall_behind(session)
    await room.say(1, "unsent")
    gateway.gateway._heads.at_once()
    heads = await client.event("heads")
    assert list(heads["rooms"]) == [room.hex]


async def test_a_lost_redis_loses_no_event(
    worker: StubWorker, room: StubRoom, enter: Connect, gateway: Running, server: Server
) -> None:
    """Valkey dies and comes back empty; what was committed meanwhile arrives without a question."""
    client = await enter(1)
    await worker.stop()
    server.kill()
    await eventually(lambda: not gateway.gateway.is_connected, 20, "the gateway notices")
    assert (await client.ask("new_message", room=room.hex, text="x"))["error_code"] == "busy"
    worker.publishes = False
    await room.say(1, "committed meanwhile")
    worker.publishes = True
    server.start()
    worker.start()
    assert (await client.event("new_message", 10))["seq"] == 1
    assert (await client.ask("new_message", room=room.hex, text="y"))["seq"] == 2


async def test_a_redis_that_is_away_for_long_is_announced(
    room: StubRoom, enter: Connect, gateway: Running, server: Server
) -> None:
    """degraded after 10 s, recovered when it is back; readiness does not follow."""
    client = await enter(1)
    server.kill()
    inside = gateway.gateway
    await eventually(lambda: not inside.is_connected, 20, "the gateway notices")
    inside.tick(inside.clock(), 1)
    inside.tick(inside.clock() + 10.1, 2)
    await client.event("degraded")
    assert inside.was_connected
    server.start()
    await client.event("recovered", 10)


async def test_a_redis_that_stands_still_is_left_and_nothing_is_claimed(
    room: StubRoom, worker: StubWorker, enter: Connect, gateway: Running, server: Server
) -> None:
    """Written into a stopped Redis is unknown: no answer; the link is cut and made anew."""
    client = await enter(1)
    await worker.stop()
    assert server.process is not None
    server.process.send_signal(19)
    try:
        await client.send("new_message", room=room.hex, text="perhaps", uuid="perhaps")
        inside, cut = gateway.gateway, []
        await client.ask("ping")
        for ahead in (4, 8):
            inside._writer.link.tick(inside.clock() + ahead)
            cut.append(inside._writer.is_up)
        await eventually(lambda: not inside._writer.is_up, 20, "the link is cut")
        await client.ask("ping")
        assert [frame["action"] for frame in client.received].count("new_message") == 0
    finally:
        server.process.send_signal(18)
    worker.start()
    assert (await client.event("new_message", 10))["uuid"] == "perhaps"


async def test_a_full_stream_is_busy_and_opens_again(
    room: StubRoom, worker: StubWorker, enter: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gate shuts on the stream's length, and samples open it when the worker has caught up."""
    monkeypatch.setattr(limits, "STREAM_ENTRIES", 5)
    client = await enter(1)
    await worker.stop()
    refused = None
    for number in range(30):
        await client.send("new_message", room=room.hex, text="x", uuid=str(number))
        await client.ask("ping")
        errors = [frame for frame in client.received if frame.get("error_code") == "busy"]
        if errors:
            refused = errors[0]
            break
        await asyncio.sleep(0.03)  # longer than the time between two samples
    assert refused is not None
    assert refused["retry_after_ms"] > 0
    worker.start()
    await eventually(lambda: len(room.events) >= 5, 20, "the worker catches up")

    deadline = time.monotonic() + 5
    while (await client.ask("new_message", room=room.hex, text="y"))["status"] != "success":
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)  # as the answer asks for


async def test_redis_out_of_memory_is_busy(room: StubRoom, worker: StubWorker, enter: Connect) -> None:
    """-OOM means that the command was not executed: a definite answer."""
    client = await enter(1)
    await worker.command("CONFIG", "SET", "maxmemory", "1")
    try:
        assert (await client.ask("new_message", room=room.hex, text="x"))["error_code"] == "busy"
    finally:
        await worker.command("CONFIG", "SET", "maxmemory", "0")
    assert (await client.ask("new_message", room=room.hex, text="x"))["status"] == "success"


async def test_a_redis_that_became_a_replica_is_left(
    room: StubRoom, worker: StubWorker, enter: Connect, gateway: Running
) -> None:
    """-READONLY is a definite refusal, and both links are made anew: the primary may be elsewhere now."""
    client = await enter(1)
    lost = gateway.gateway._subscriber.link._lost
    await worker.command("REPLICAOF", "127.0.0.1", "1")
    try:
        assert (await client.ask("new_message", room=room.hex, text="x"))["error_code"] == "busy"
        assert lost is not None
        await eventually(lost.done, 20, "the link for notices is made anew too")
    finally:
        await worker.command("REPLICAOF", "NO", "ONE")
    await eventually(lambda: gateway.gateway.is_connected, 20, "connected again")
    assert (await client.ask("new_message", room=room.hex, text="x"))["status"] == "success"


async def test_a_redis_that_refuses_subscriptions_is_asked_again(
    room: StubRoom, worker: StubWorker, enter: Connect, gateway: Running
) -> None:
    """Rights that were taken and given back: everything is subscribed in the end."""
    await worker.command("ACL", "SETUSER", "default", "resetchannels")
    gateway.gateway._subscriber.link.cut()
    await eventually(lambda: not gateway.gateway.is_connected, 20, "refused")
    await worker.command("ACL", "SETUSER", "default", "allchannels")
    client = await enter(1)
    await room.say(1, "x")
    assert (await client.event("new_message"))["seq"] == 1


async def test_who_reads_no_pages_gets_no_more(room: StubRoom, enter: Connect, gateway: Running) -> None:
    """Reads are refused while a mebibyte of answers waits; sending is not."""
    client = await enter(1)
    connection = next(iter(gateway.gateway.connections))
    outbox = connection.session.outbox
    outbox.is_scheduled = True  # as with a socket that takes nothing
    page = text_frame(b'{"action":"page","text":"%b"}' % (b"x" * 60_000))
    outbox.push_answer(Frame(page * 20))
    await client.send("new_message", room=room.hex, text="x")
    await client.send("get_history", room=room.hex)
    await eventually(lambda: len(outbox) >= 3, 20, "refusal and event wait behind the page")
    connection.flush()
    refused = await client.until(lambda frame: frame.get("error_code"))
    assert (refused["action"], refused["error_code"]) == ("get_history", "busy")
    assert (await client.event("new_message"))["status"] == "success"


async def test_without_a_worker_authenticate_is_1013(
    worker: StubWorker, guest: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who can't be identified within 10 s is sent away, to come back."""
    monkeypatch.setattr(limits, "IDENTIFY_SECONDS", 0.2)
    worker.is_deaf_to.add(Identify)
    client = await guest()
    await client.send("authenticate", token="token-1")
    assert await client.close_code() == 1013


async def test_a_socket_that_reads_nothing_is_asked_to_sync_and_then_closed(
    room: StubRoom, enter: Connect, gateway: Running
) -> None:
    """Its outbox stays bounded, the neighbours get everything, and after 10 s without progress it is 4408."""
    slow, quick = await enter(1), await enter(2)
    slow_session = next(iter(gateway.gateway.connections)).session
    assert slow.socket.get_extra_info("socket") is not None
    slow.socket._conn.transport.pause_reading()  # type: ignore[union-attr]
    text = "\N{GRINNING FACE}" * 4000
    number = 0
    inside = gateway.rooms[room.id]
    while slow_session in inside.live:
        number += 1
        await room.say(2, text)
        await quick.event("new_message")
        assert number < 5000
    assert quick.seqs() == list(range(1, number + 1))
    assert len(slow_session.outbox) <= limits.OUTBOX_EVENTS + 1
    [stalled] = gateway.gateway.connections._stalled
    stalled.retry(gateway.gateway.clock())
    stalled.retry(gateway.gateway.clock() + limits.STALLED_SECONDS + 1)
    slow.socket._conn.transport.resume_reading()  # type: ignore[union-attr]
    assert await slow.close_code() == 4408


async def test_answers_that_many_do_not_read_are_bounded_together(
    room: StubRoom, enter: Connect, gateway: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one for whom most waits is cut, and only that; it comes back and repeats."""
    greedy, modest = await enter(1), await enter(2)
    most, less = gateway.gateway.connections
    answer = Frame(text_frame(b"x" * 60_000))
    for connection, count in ((most, 40), (less, 3)):
        connection.session.outbox.is_scheduled = connection.is_paused = True  # sockets that take nothing
        for _ in range(count):
            connection.session.outbox.push_answer(answer)
        gateway.gateway.connections._stalled[connection] = None
    monkeypatch.setattr(gateway.gateway.connections, "_unread_bound", 1_000_000)
    gateway.gateway.connections._bound_answers()
    assert most.close_deadline is not None
    assert most.unread_bytes == 0
    assert less.close_deadline is None
    await eventually(lambda: list(gateway.gateway.connections) == [less], 20, "the greedy one is gone")
    assert greedy.socket is not modest.socket


def test_a_gateway_allows_more_unread_answers_for_more_connections() -> None:
    """A small one allows what two connections may have each, a large one an average a connection."""
    assert unread_bound(1) == 2 * ANSWER_BYTES
    assert unread_bound(10_000) == 10_000 * UNREAD_BYTES
