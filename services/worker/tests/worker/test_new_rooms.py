"""Rooms made by the dozen: none of them holds up those who chat."""

from unittest.mock import patch

import pytest
from django.conf import settings

from roomlog_contract.commands import CreateRoom
from roomlog_contract.shards import created_room_id
from roomlog_store.batch import open_batch
from roomlog_store.models import ChatRoom
from roomlog_worker import decisions
from tests.store.people import People, make_room, message
from tests.worker.bench import Bench
from tests.worker.test_consumer import texts_of


def test_many_new_rooms_hold_up_no_message(bench: Bench, people: People) -> None:
    """A turn makes a few and goes on; a message behind them is written in the same turn."""
    room = make_room(people.alice)
    for number in range(7):
        bench.send(CreateRoom(uuid=str(number)), people.alice)
    last = created_room_id(people.alice, "6")
    bench.send(message(last, "in the last of them"), people.alice)
    bench.send(message(room, "behind"), people.alice)
    bench.turn()
    assert texts_of(room) == ["behind"]
    assert ChatRoom.objects.count() < 8
    bench.drain()
    assert ChatRoom.objects.count() == 8
    assert texts_of(last) == ["in the last of them"]


def test_members_of_rooms_that_wait_are_not_read(bench: Bench, people: People) -> None:
    """A crowd of rooms costs its transaction what a few cost."""
    for number in range(30):
        bench.send(CreateRoom(uuid=str(number), members=[people.bob]), people.alice)
    with patch("roomlog_worker.writer.open_batch", wraps=open_batch) as opened:
        bench.turn()
    assert opened.call_args_list
    assert all(len(call.args[0]) <= decisions.ROOMS_AT_ONCE for call in opened.call_args_list)


def test_a_room_over_the_rate_is_refused_until_then(
    bench: Bench, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the time after which the same uuid may be repeated; what is refused is gone."""
    monkeypatch.setattr(settings, "ROOMLOG_ROOM_CREATIONS_PER_MINUTE", 3, raising=False)
    asked = [bench.send(CreateRoom(uuid=str(number)), people.alice) for number in range(5)]
    heard = bench.drain()
    frames = [heard.frame(request) for request in asked]
    refused = [frame for frame in frames if frame["status"] == "error"]
    assert [frame["error_code"] for frame in refused] == ["rate_limited"] * 2
    assert all(0 < frame["retry_after_ms"] <= 60_000 for frame in refused)
    assert ChatRoom.objects.count() == 3
