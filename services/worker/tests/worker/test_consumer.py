"""What one turn of a worker makes of its streams: events, notices, answers, deletions, in this order."""

import json
from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError
from prometheus_client import REGISTRY
from redis import Redis
from redis.exceptions import ReadOnlyError

from roomlog import selectors
from roomlog.models import DeadLetter, PendingCommand, RoomEvent
from roomlog.pending import request_command
from roomlog_contract.commands import CreateRoom, InviteUser, ListRooms, NewMessage, RemoveUser
from roomlog_contract.envelope import Envelope, Joined, encode
from roomlog_contract.events import RoomSummary
from roomlog_contract.keyspace import Keyspace
from roomlog_contract.limits import STREAM_BATCH
from roomlog_contract.shards import DEFAULT_SHARDS, SHARD_NUMBERS, created_room_id
from roomlog_worker import decisions, head_reminders
from roomlog_worker.bus import Bus
from roomlog_worker.leases import LeaseKeeper
from tests.harness.people import People, make_room, message, post_as
from tests.worker.bench import GATEWAY, KEYSPACE, Bench


def texts_of(room: UUID) -> list[str]:
    """Return the room's messages in the order of its log."""
    rows = RoomEvent.objects.filter(room_id=room, kind="new_message").order_by("seq")
    return list(rows.values_list("text", flat=True))


class TestEvents:
    """A command becomes an event that everybody hears of."""

    def test_a_message_is_stored_published_and_deleted(self, bench: Bench, people: People) -> None:
        """One notice with the frame and who waits for it; no answer besides; nothing is left to do."""
        room = make_room(people.alice, [people.bob])
        request = bench.send(message(room, "hello"), people.alice)
        heard = bench.turn()
        (notice,) = heard.notices
        facts = (notice.seq, notice.user, notice.gateway, notice.request)
        assert facts == (2, people.alice, GATEWAY, request)
        assert b'"text":"hello"' in notice.frame
        assert heard.replies == {}
        assert texts_of(room) == ["hello"]
        assert bench.waiting() == 0

    def test_events_leave_in_the_order_of_the_stream(self, bench: Bench, people: People) -> None:
        """A room's notices have ascending seqs, whatever else is in the batch."""
        rooms = [make_room(people.alice) for _ in range(3)]
        for number in range(30):
            bench.send(message(rooms[number % 3], str(number)), people.alice)
        notices = bench.drain().notices
        for room in rooms:
            mine = [notice.seq for notice in notices if room.hex.encode() in notice.frame]
            assert mine == list(range(2, 12))

    def test_a_repeat_is_published_and_answered(self, bench: Bench, people: People) -> None:
        """Its first owner may have died before publishing; `duplicate` stands in the answer alone."""
        room = make_room(people.alice)
        said = message(room)
        first = bench.send(said, people.alice)
        assert bench.turn().notices[0].request == first
        again = bench.send(said, people.alice)
        heard = bench.turn()
        assert (heard.seqs(), heard.notices[0].gateway) == ([2], "")
        assert b"duplicate" not in heard.notices[0].frame
        assert (heard.frame(again)["seq"], heard.frame(again)["duplicate"]) == (2, True)

    def test_a_sender_whose_gateway_does_not_hear_the_room_is_answered(
        self, bench: Bench, people: People
    ) -> None:
        """Everybody gets the event, and the sender the same frame as a reply of its own."""
        room = make_room(people.alice)
        request = bench.send(message(room, "hello"), people.alice, wants_reply=True)
        heard = bench.turn()
        assert (heard.seqs(), heard.notices[0].gateway, heard.notices[0].request) == ([2], "", 0)
        assert heard.frame(request) == json.loads(heard.notices[0].frame)

    @pytest.mark.usefixtures("dozens_of_rooms")
    def test_a_new_room_reads_no_other_room_of_its_members(
        self, bench: Bench, people: People, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Who is in thousands of rooms costs a new one no more than who is in none."""
        for _ in range(20):
            make_room(people.alice, [people.bob])
        read: list[UUID] = []

        def summary(room: UUID, *columns: Any) -> RoomSummary:
            read.append(room)
            return RoomSummary(room, *columns)

        monkeypatch.setattr(selectors, "RoomSummary", summary)
        bench.send(CreateRoom(uuid="new", members=[people.bob, people.carol]), people.alice)
        heard = bench.turn()
        assert len(heard.users) == 3
        assert read == [created_room_id(people.alice, "new")] * 3

    def test_who_comes_in_is_told(self, bench: Bench, people: People) -> None:
        """Members of a new room, and the invited, hear of it on their own channels with the head."""
        room = created_room_id(people.alice, "make")
        request = bench.send(CreateRoom(uuid="make", name="lobby", members=[people.bob]), people.alice)
        heard = bench.turn()
        assert heard.frame(request)["members"][0]["role"] == "owner"
        assert {user for user, _ in heard.users} == {people.alice, people.bob}
        bench.send(InviteUser(uuid="i", room=room, user=people.carol), people.alice)
        ((user, notice),) = bench.turn().users
        assert isinstance(notice, Joined)
        assert (user, notice.room.id, notice.room.seq) == (people.carol, room, 2)

    @pytest.mark.usefixtures("dozens_of_rooms")
    def test_rooms_made_in_one_batch_are_told_apart(
        self, bench: Bench, people: People, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Entries of two streams may have one id: everybody still hears of the own room."""
        monkeypatch.setattr(decisions, "ROOM_CHANGES", 2)
        commands = [
            CreateRoom(uuid=f"make-{n}", members=[(people.bob, people.carol)[n % 2]]) for n in range(8)
        ]
        for command in commands:
            stream = KEYSPACE.in_stream(KEYSPACE.shard_of_room(created_room_id(people.alice, command.uuid)))
            envelope = Envelope(command=command, gateway=GATEWAY, request=1, user=people.alice)
            bench.redis.xadd(stream, {"e": encode(envelope)}, id="7-*")
        heard = bench.turn()
        invited = {
            notice.room.id: user
            for user, notice in heard.users
            if isinstance(notice, Joined) and user != people.alice
        }
        assert invited == {
            created_room_id(people.alice, command.uuid): command.members[0] for command in commands
        }

    def test_who_is_put_out_is_named(self, bench: Bench, people: People) -> None:
        """The notice says whose membership ended, so that gateways stop delivering."""
        room = make_room(people.alice, [people.bob])
        bench.send(RemoveUser(uuid="r", room=room, user=people.bob), people.alice)
        assert bench.turn().notices[0].left == people.bob

    def test_a_refused_message_stays_behind_nothing(
        self, bench: Bench, people: People, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Refused, invited, heard: trouble before the deletions doesn't store the first one last."""
        room = make_room(people.alice)
        refused = bench.send(message(room, "too early"), people.bob)
        bench.send(InviteUser(uuid="i", room=room, user=people.bob), people.alice)
        bench.send(message(room, "welcome"), people.bob)
        with monkeypatch.context() as patch:
            patch.setattr(bench.bus, "finish", _find_a_replica)
            bench.worker.turn()
        heard = bench.drain()
        assert heard.error(refused) == "not_member"
        assert texts_of(room) == ["welcome"]

    def test_a_refusal_goes_to_the_sender_alone(self, bench: Bench, people: People) -> None:
        """An error answer with uuid, action, room and code; no notice, no event."""
        room = make_room(people.alice)
        request = bench.send(NewMessage(uuid="u", room=room, text="hi"), people.bob)
        heard = bench.turn()
        frame = heard.frame(request)
        assert (frame["uuid"], frame["action"], frame["room"]) == ("u", "new_message", room.hex)
        assert (frame["status"], frame["error_code"]) == ("error", "not_member")
        assert heard.notices == []
        assert bench.waiting() == 0

    def test_an_answer_comes_after_its_deletion(
        self, bench: Bench, people: People, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An XDEL that fails leaves the sender without an answer: the entry may yet be carried out."""
        room = make_room(people.alice)
        request = bench.send(message(room), people.bob)
        finish = bench.bus.finish

        monkeypatch.setattr(bench.bus, "finish", _find_a_replica)
        assert bench.turn(2).replies == {}
        monkeypatch.setattr(bench.bus, "finish", finish)
        assert bench.turn().error(request) == "not_member"

    def test_reads_see_the_writes_of_their_batch(self, bench: Bench, people: People) -> None:
        """What was committed in a turn is in the answers of the same turn."""
        room = make_room(people.alice)
        asked = bench.ask(ListRooms(uuid="l"), people.alice)
        bench.send(message(room), people.alice)
        assert bench.turn().frame(asked)["rooms"][0]["seq"] == 2

    def test_heads_of_rooms_that_moved_are_published(
        self, bench: Bench, people: People, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A reminder for whoever missed the notice, once for each move."""
        monkeypatch.setattr(head_reminders, "REMIND_SECONDS", 0.0)
        room = make_room(people.alice)
        bench.send(message(room), people.alice)
        bench.send(message(room), people.alice)
        assert [head.seq for head in bench.turn().heads] == [3]
        assert bench.turn().heads == []


class TestBounds:
    """What one turn takes at most."""

    def test_a_deep_backlog_comes_in_order_and_in_pieces(self, bench: Bench, people: People) -> None:
        """No entry overtakes another of its room, and no turn takes much more than a batch."""
        rooms = [make_room(people.alice) for _ in range(20)]
        for number in range(1_000):
            bench.send(message(rooms[number % 20], str(number)), people.alice)
        while bench.waiting():
            before = bench.waiting()
            bench.turn()
            assert 0 < before - bench.waiting() <= STREAM_BATCH
        for place, room in enumerate(rooms):
            assert texts_of(room) == [str(number) for number in range(place, 1_000, 20)]

    def test_the_first_read_of_new_shards_is_small(self, bench: Bench, people: People) -> None:
        """Whoever takes over full streams does not load all of them: 64 times 256 entries at once."""
        successor = bench.another()
        for shard in range(DEFAULT_SHARDS):
            for _ in range(20):
                bench.add_raw(KEYSPACE.in_stream(shard), b"x")
        assert len(successor.bus.read(set(range(DEFAULT_SHARDS)))) <= STREAM_BATCH
        assert len(successor.bus.read(set(range(DEFAULT_SHARDS)))) <= STREAM_BATCH
        assert len(successor.bus.read({1})) > 2

    def test_a_burst_after_a_quiet_time_comes_in_pieces(self, bench: Bench, people: People) -> None:
        """One stream was deep, now all are, of long entries: one read brings no more than two batches."""
        every = set(range(DEFAULT_SHARDS))
        for _ in range(10):
            bench.add_raw(KEYSPACE.in_stream(0), b"x")
        assert len(bench.bus.read(every)) == STREAM_BATCH // DEFAULT_SHARDS
        long = b"x" * 20_000
        pipeline = bench.redis.pipeline()
        for shard in range(DEFAULT_SHARDS):
            for _ in range(30):
                pipeline.xadd(KEYSPACE.in_stream(shard), {"e": long})
        pipeline.execute()
        for _ in range(3):
            sent = _bytes_sent(bench)
            assert 0 < len(bench.bus.read(every)) <= bench.bus.most_entries
            assert _bytes_sent(bench) - sent < bench.bus.most_entries * 2 * len(long)


def test_one_read_of_many_streams_is_bounded(redis_url: str) -> None:
    """Of 1,024 full streams it brings one entry each, and a batch of what is deep beside that."""
    keyspace = Keyspace("many", max(SHARD_NUMBERS))
    bus = Bus(redis_url, keyspace)
    with Redis.from_url(redis_url) as redis, redis.pipeline() as pipeline:
        for shard in range(keyspace.shards):
            for _ in range(3 if shard else 3 * STREAM_BATCH):
                pipeline.xadd(keyspace.in_stream(shard), {"e": b"x"})
        pipeline.execute()
    every = set(range(keyspace.shards))
    for _ in range(3):
        found = bus.read(every)
        assert {stream for stream, *_ in found} == {keyspace.in_stream(shard) for shard in every}
        assert len(found) <= bus.most_entries == STREAM_BATCH + keyspace.shards
    bus.disconnect()


def _bytes_sent(bench: Bench) -> int:
    """Return what the server has sent to anybody."""
    return int(bench.redis.info("stats")["total_net_output_bytes"])


class TestWakeUps:
    """The api's rows."""

    def test_a_lost_wake_up_costs_a_second(
        self, bench: Bench, people: People, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Rows are swept whether or not anybody calls."""
        room = make_room(people.alice)
        post_as(room, people.alice, "unannounced")
        monkeypatch.setattr(bench.worker.consumer, "_next_sweep", 0.0)
        bench.turn()
        assert texts_of(room) == ["unannounced"]

    def test_rows_go_before_the_entries_of_their_room(self, bench: Bench, people: People) -> None:
        """What the api wrote before a message was sent stands before it in the log; nothing is left."""
        room = make_room(people.alice)
        post_as(room, people.alice, "first")
        bench.wake(room)
        bench.send(message(room, "second"), people.alice)
        assert bench.turn().seqs() == [2, 3]
        assert texts_of(room) == ["first", "second"]
        assert not PendingCommand.objects.exists()
        assert bench.waiting() == 0

    def test_a_refused_row_is_gone(self, bench: Bench, people: People) -> None:
        """Nobody waits for an answer, and nothing tries for ever."""
        room = make_room(people.alice)
        post_as(room, people.bob, "no member")
        bench.wake(room)
        assert bench.turn().replies == {}
        assert not PendingCommand.objects.exists()

    def test_a_row_may_bring_its_own_rights(self, bench: Bench, people: People) -> None:
        """`staff`: the api has checked."""
        room = make_room(people.alice)
        request_command(InviteUser(uuid="i", room=room, user=people.bob), people.carol, staff=True)
        bench.wake(room)
        assert bench.turn().notices[0].user == people.carol

    def test_a_row_that_nobody_can_read_is_kept_and_passed(self, bench: Bench, people: People) -> None:
        """A newer api's command during a rollout: a dead letter, and the rows behind it go on."""
        room = make_room(people.alice)
        shard = KEYSPACE.shard_of_room(room)
        PendingCommand.objects.create(
            shard=shard, room=room, user_id=people.alice, uuid="n", envelope=b"\xc1"
        )
        post_as(room, people.alice, "behind it")
        bench.add_raw(KEYSPACE.in_stream(shard), b"")
        bench.turn()
        letter = DeadLetter.objects.get()
        assert (letter.error, bytes(letter.envelope)) == ("undecodable", b"\xc1")
        assert texts_of(room) == ["behind it"]
        assert not PendingCommand.objects.exists()


@pytest.mark.parametrize(
    ("stream", "value"),
    [
        pytest.param(KEYSPACE.in_stream(5), b"\xc1 nonsense", id="write"),
        pytest.param(KEYSPACE.read_stream(5), b"\xc1 nonsense", id="read"),
        pytest.param(KEYSPACE.in_stream(5), encode(Envelope(command=ListRooms(uuid="l"))), id="stray"),
    ],
)
def test_an_undecodable_entry_is_kept(bench: Bench, stream: str, value: bytes) -> None:
    """What no known release wrote, or a read among writes, is found byte for byte, and blocks nobody."""
    bench.add_raw(stream, value)
    assert bench.turn().order == []
    letter = DeadLetter.objects.get()
    assert (letter.shard, letter.error, bytes(letter.envelope)) == (5, "undecodable", value)
    assert bench.waiting() == 0


def test_a_write_in_a_read_stream_is_refused(bench: Bench, people: People) -> None:
    """Nothing is written from there."""
    room = make_room(people.alice)
    request = bench.ask(message(room), people.alice)
    assert bench.turn().error(request) == "invalid_action"
    assert texts_of(room) == []


def test_a_worker_without_shards_waits(bench: Bench) -> None:
    """It looks for leases four times a second, and whether Redis is there."""
    idle = bench.another(ordinal=7)
    idle.leases.redis_answered()
    idle.leases.keep()
    for shard in list(idle.leases.epochs):
        del idle.leases.epochs[shard]
    idle.consumer.turn()
    assert idle.shutdown.pauses == [0.25]
    assert idle.consumer.trouble() is None


def test_shards_are_shown_by_the_gauge(bench: Bench) -> None:
    """1 for each owned shard, 0 for one that was lost."""
    assert [_gauge(shard) for shard in range(DEFAULT_SHARDS)] == [1.0] * DEFAULT_SHARDS
    bench.worker.leases.lose([5])
    bench.worker.consumer.turn()
    assert _gauge(5) == 0.0


def test_no_shard_is_shown_while_the_database_is_away(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gauge that stays at 1 would say that all is well; it comes back with the database."""

    def fail(*_: object) -> None:
        raise OperationalError

    with monkeypatch.context() as patched:
        patched.setattr(LeaseKeeper, "keep", fail)
        bench.worker.turn()
        assert {_gauge(shard) for shard in range(DEFAULT_SHARDS)} == {0.0}
    bench.worker.turn()
    assert {_gauge(shard) for shard in range(DEFAULT_SHARDS)} == {1.0}


def _gauge(shard: int) -> float | None:
    return REGISTRY.get_sample_value("roomlog_worker_shard_owned", {"shard": f"{shard:02d}"})


def test_a_stop_hands_the_shards_over(bench: Bench, people: People) -> None:
    """Asked to stop, a worker frees its leases; another has them at its next look and suspects nobody."""
    bench.worker.shutdown.request()
    bench.worker.consumer.run()
    assert bench.worker.leases.epochs == {}
    other = bench.another(ordinal=1)
    other.turn()
    assert len(other.leases.epochs) == DEFAULT_SHARDS
    room = make_room(people.alice)
    bench.send(message(room), people.alice)
    other.turn()
    assert bench.hear().seqs() == [2]


def _find_a_replica(*_: object) -> None:
    raise ReadOnlyError("You can't write against a read only replica.")
