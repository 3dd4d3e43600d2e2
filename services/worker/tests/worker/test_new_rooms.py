"""Rooms made and people invited by the dozen: none of them holds up those who chat."""

from unittest.mock import patch

import pytest
from django.conf import settings

from roomlog.models import ChatRoom, RoomEvent
from roomlog_contract.commands import CreateRoom, InviteUser, RemoveUser
from roomlog_contract.shards import created_room_id
from roomlog_worker import decisions, parking
from roomlog_worker.log.batch import open_batch
from tests.harness.people import People, make_room, message
from tests.worker.bench import Bench
from tests.worker.test_consumer import texts_of

pytestmark = pytest.mark.usefixtures("dozens_of_rooms")


def test_many_new_rooms_hold_up_no_message(bench: Bench, people: People) -> None:
    """A transaction makes few rooms."""
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
    for number in range(30):
        bench.send(CreateRoom(uuid=str(number), members=[people.bob]), people.alice)
    with patch("roomlog_worker.writer.open_batch", wraps=open_batch) as opened:
        bench.turn()
    assert opened.call_args_list
    assert all(len(call.args[0]) <= 2 for call in opened.call_args_list)


def test_invitations_hold_up_nothing(bench: Bench, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """A turn carries out some of a crowd's changes and what others say behind it; the next turn goes on."""
    for pause in ("PARKED_SECONDS", "PASS_SECONDS"):
        monkeypatch.setattr(parking, pause, 3600.0)
    restless, room = make_room(people.alice), make_room(people.bob)
    changes = [InviteUser(uuid="i", room=restless, user=people.carol)] + [
        command
        for number in range(20)
        for command in (
            RemoveUser(uuid=f"r{number}", room=restless, user=people.carol),
            InviteUser(uuid=f"i{number}", room=restless, user=people.carol),
        )
    ]
    for command in changes:
        bench.send(command, people.alice)
    bench.send(message(restless, "after all of them"), people.alice)
    bench.send(message(room, "behind"), people.bob)
    bench.turn()
    assert texts_of(room) == ["behind"]
    assert texts_of(restless) == []
    written = RoomEvent.objects.filter(room_id=restless, kind__in=("invite_user", "remove_user")).count
    assert 0 < written() <= decisions.MEMBER_CHANGES_AT_ONCE
    bench.drain()
    assert written() == len(changes)
    assert texts_of(restless) == ["after all of them"]


def test_a_room_over_the_rate_is_refused_until_then(
    bench: Bench, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the time after which the same uuid may be repeated; what is refused is gone, others go on."""
    monkeypatch.setitem(settings.ROOMLOG, "ROOM_CREATIONS_PER_MINUTE", 3)
    asked = [bench.send(CreateRoom(uuid=str(number)), people.alice) for number in range(5)]
    other = bench.send(CreateRoom(uuid="of another"), people.bob)
    heard = bench.drain()
    assert heard.error(other) is None
    frames = [heard.frame(request) for request in asked]
    refused = [frame for frame in frames if frame["status"] == "error"]
    assert [frame["error_code"] for frame in refused] == ["rate_limited"] * 2
    assert all(0 < frame["retry_after_ms"] <= 60_000 for frame in refused)
    assert ChatRoom.objects.count() == 4
