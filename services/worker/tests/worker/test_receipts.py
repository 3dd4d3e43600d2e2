"""Who has read what: told on the channels of rooms that show it, once a batch, and asked for by gateways."""

from uuid import UUID

import pytest

from roomlog_contract.commands import MarkRead, SetReceipts
from roomlog_contract.envelope import (
    EventsFetched,
    FetchEvents,
    HaveRead,
    Marked,
    MarksRead,
    ReadMarks,
    RoomMarks,
)
from tests.harness.databases import EPOCH
from tests.harness.people import People, written
from tests.worker.bench import Bench
from tests.worker.test_reader import room, say

__all__ = ["room"]


@pytest.fixture
def shown(people: People, room: UUID) -> UUID:
    """The room, which shows who has read."""
    written(SetReceipts(uuid="r", room=room, receipts=True), people.alice)
    return room


def test_marks_that_move_together_are_told_by_one_notice(bench: Bench, people: People, shown: UUID) -> None:
    """The greatest of each, beside what each user's own sockets hear."""
    say(shown, people.alice, 3)
    for user, seq in ((people.bob, 2), (people.bob, 4), (people.alice, 3)):
        bench.ask(MarkRead(uuid="m", room=shown, seq=seq), user)
    heard = bench.turn()
    assert sorted(user for user, notice in heard.users if isinstance(notice, Marked)) == sorted(
        (people.alice, people.bob)
    )
    ((where, notice),) = heard.receipts
    assert (where, notice) == (shown, HaveRead(notice.epoch, 5, {people.bob: 4, people.alice: 3}))


def test_a_room_that_shows_nothing_hears_of_no_mark(bench: Bench, people: People, room: UUID) -> None:
    """The user's own sockets alone do."""
    bench.ask(MarkRead(uuid="m", room=room, seq=1), people.bob)
    heard = bench.turn()
    assert (len(heard.users), heard.receipts) == (1, [])


def test_a_gateway_asks_for_all_marks(bench: Bench, people: People, shown: UUID) -> None:
    """Of rooms of whatever shards; those that show nothing, or are not there, are missing."""
    bench.ask(MarkRead(uuid="m", room=shown, seq=1), people.bob)
    bench.turn()
    request = bench.ask(ReadMarks(uuid="marks", rooms=[shown, UUID(int=9)]), 0)
    told = bench.turn().reply(request, MarksRead)
    assert told.rooms == {shown: RoomMarks(EPOCH, 2, {people.alice: 0, people.bob: 1})}


def test_the_event_says_what_holds_from_then_on(bench: Bench, people: People, shown: UUID) -> None:
    """Also where it is fetched from the log; other events say nothing of it."""
    for receipts in (False, True):
        bench.send(SetReceipts(uuid=f"r{receipts}", room=shown, receipts=receipts), people.alice)
    notices = bench.turn().notices
    say(shown, people.alice, 1)
    request = bench.ask(FetchEvents(uuid="f", room=shown, after=1, limit=9), 0)
    fetched = bench.turn().reply(request, EventsFetched).events
    assert [notice.receipts for notice in notices] == [False, True]
    assert [notice.receipts for notice in fetched] == [True, False, True, None]
