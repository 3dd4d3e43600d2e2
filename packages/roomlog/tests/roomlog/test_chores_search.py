"""How `roomlog chores` finds its work: which process, which rooms, and when."""

from threading import Thread
from typing import Final
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from roomlog.chores import news
from roomlog.chores.lease import DEAD_SECONDS, Lease
from roomlog.chores.news import PAGE_SECONDS, News, begin, not_told
from roomlog.chores.schedule import Schedule
from roomlog.models import ChatMessage, ChatRoom, RoomEvent, RoomHead, RoomTold
from tests.harness.databases import EPOCH, plan_of
from tests.harness.people import People, make_room, message, written

SECONDS: Final = 20.0
ROOM: Final = UUID(int=1)


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def many_rooms(people: People) -> UUID:
    """3,000 rooms with a message each, all told of; returns one of them."""
    rooms = [ChatRoom(id=UUID(int=number)) for number in range(1, 3_001)]
    ChatRoom.objects.bulk_create(rooms)
    RoomHead.objects.bulk_create(RoomHead(room=room, epoch=EPOCH, last_seq=1, messages=1) for room in rooms)
    now, first = timezone.now(), {"seq": 1, "number": 1, "kind": "new_message", "uuid": "u"}
    RoomEvent.objects.bulk_create(
        RoomEvent(room=room, user_id=people.alice, date_created=now, **first) for room in rooms
    )
    begin(lambda: None)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return rooms[1234].pk


def test_news_are_found_without_a_scan_of_the_rooms(many_rooms: UUID, people: People) -> None:
    """Of 3,000: by one descent of the events' ids; now and then a page of heads finds what that misses."""
    clock = Clock()
    looks = News(ChatMessage.objects.all(), not_told, clock)
    for _ in range(4):  # the first round: a page with each look
        assert look(looks) == set()
    with CaptureQueriesContext(connection) as captured:
        assert look(looks) == set()
        written(message(many_rooms), people.alice, staff=True)
        assert look(looks) == {many_rooms}
        clock.now += PAGE_SECONDS
        assert look(looks) == set()
    by_id, pages = (
        [query["sql"] for query in captured.captured_queries if f'FROM "roomlog_{table}"' in query["sql"]]
        for table in ("roomevent", "chatroom")
    )
    assert (len(by_id), len(pages)) == (3, 1)
    assert "roomlog_roomevent_pkey" in plan_of(by_id[1]) or "INTEGER PRIMARY KEY" in plan_of(by_id[1])
    assert f"LIMIT {news.PAGE}" in pages[0]
    RoomTold.objects.filter(room=many_rooms).update(seq=2)
    # An id that was reserved long ago is below the highest: the round through the heads finds the event.
    written(message(many_rooms), people.alice, staff=True)
    RoomEvent.objects.filter(room=many_rooms, seq=3).update(id=0)
    assert look(looks) == set()
    found = set()
    for _ in range(4):
        clock.now += PAGE_SECONDS
        found |= look(looks)
    assert found == {many_rooms}


def look(looks: News[UUID]) -> set[UUID]:
    """Return what both ways of looking find."""
    return looks.fresh() | looks.missed()


def test_one_process_works_and_another_takes_over(database: str) -> None:
    """At once where the first has ended; after ten seconds of a beat that stands still where it has died."""
    clock = Clock()
    first, second = Lease(clock), Lease(clock)
    assert first.keep()
    for _ in range(30):
        clock.now += 1
        assert first.keep()
        assert not second.keep()
    first.release()
    assert second.keep()
    assert not first.keep()
    clock.now += DEAD_SECONDS - 1
    assert not first.keep(), "perhaps it is only slow"
    clock.now += 1
    assert first.keep()
    assert not second.keep()


def test_an_outage_makes_nobody_dead(database: str) -> None:
    """A process that saw nothing meanwhile begins to watch anew."""
    clock = Clock()
    first, second = Lease(clock), Lease(clock)
    assert first.keep()
    assert not second.keep()
    clock.now += DEAD_SECONDS
    second.forget()
    assert not second.keep()
    assert first.keep()


def test_a_long_first_look_is_alive(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says so after each page of rooms."""
    for _ in range(3):
        make_room(people.alice, [people.bob])
    monkeypatch.setattr(news, "PAGE", 2)
    pages: list[int] = []
    begin(lambda: pages.append(RoomTold.objects.count()))
    assert pages == [2, 3]


def test_a_room_that_waits_keeps_its_time() -> None:
    """News don't put it off, and don't shorten the pause after a failure; a busy room is given back first."""
    clock = Clock()
    rooms = Schedule[UUID](clock)
    rooms.add([ROOM], 5)
    clock.now += 4
    rooms.add([ROOM], 5)
    clock.now += 1
    assert rooms.take() == ROOM
    rooms.add([ROOM], 0)
    rooms.done(ROOM, 60)
    assert rooms.take() == ROOM, "news came meanwhile"
    rooms.add([ROOM], 0)
    pause = rooms.failed(ROOM)
    rooms.add([ROOM], 0)
    late = Thread(target=lambda: seen.append(rooms.take()))
    seen: list[UUID | None] = []
    late.start()
    assert seen == []
    clock.now += pause
    rooms.add([UUID(int=2)], 60)
    late.join(SECONDS)
    assert seen == [ROOM]
    rooms.close()
    assert rooms.take() is None


def test_a_lane_keeps_no_more_threads_than_it_is_wide() -> None:
    """What is due while its lane is full waits for a place in it, and holds up no other lane."""
    keys = Schedule[str](Clock(), lane_of=lambda key: key[0], lane_width=2)
    keys.add(["a1", "a2", "a3"], 0)
    keys.add(["b1"], 0)
    assert [keys.take() for _ in range(3)] == ["a1", "a2", "b1"]
    keys.done("b1", None)
    keys.done("a1", None)
    assert keys.take() == "a3"
    keys.failed("a2", 5)
    keys.done("a3", None)
    keys.add(["b2"], 0)
    assert keys.take() == "b2", "a failed key waits"
