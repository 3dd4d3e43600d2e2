"""Pinned messages: what ends a pin, how many a room has, and what a page of messages costs with them."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from roomlog import selectors
from roomlog.frames import milliseconds
from roomlog.models import ChatMessage, Membership, RoomEvent
from roomlog_contract.commands import DeleteMessage, EditMessage, PinMessage, RoomWrite, UnpinMessage
from roomlog_contract.envelope import EraseMessages
from roomlog_contract.errors import ErrorCode
from roomlog_contract.limits import PINS_PER_ROOM
from roomlog_worker.log import rules
from roomlog_worker.log.batch import Batch, open_batch
from roomlog_worker.log.erasure import erase_messages
from roomlog_worker.log.errors import HeldElsewhere, RefusedWrite
from tests.harness.people import People, make_room, message, write, write_one, written


def pin(room: UUID, number: int) -> PinMessage:
    """Return a command."""
    return PinMessage(uuid=uuid4().hex, room=room, message=number)


def unpin(room: UUID, number: int) -> UnpinMessage:
    """Return a command."""
    return UnpinMessage(uuid=uuid4().hex, room=room, message=number)


def delete(room: UUID, number: int) -> DeleteMessage:
    """Return a command."""
    return DeleteMessage(uuid=uuid4().hex, room=room, message=number)


def said(room: UUID, user: int, times: int) -> list[int]:
    """Return the ids of new messages."""
    results = write(*((message(room), user) for _ in range(times)))
    return [one.event.id for one in results if isinstance(one, rules.Recorded)]


def opened(user: int, *commands: RoomWrite) -> Batch:
    """Return the batch in which they are to be carried out."""
    return open_batch([rules.wanted_by(one, user) for one in commands], timezone.now())


def erase(batch: Batch, room: UUID, user: int, number: int) -> None:
    """Erase a message of the user's in the batch."""
    uuid = RoomEvent.objects.get(pk=number).uuid
    erase_messages(batch, EraseMessages(uuid="e", room=room, sender=user, uuids=[uuid]))


def pins(room: UUID) -> list[int]:
    """Return the ids of the room's pinned messages, the last pin first."""
    return [row.pk for row in selectors.pinned_messages(room, 99)]


def shown(room: UUID) -> list[int | None]:
    """Return `pinned` of the room's messages, oldest first."""
    rows = selectors.last_messages(room, 9_999, 99)
    return [one.pinned for one in selectors.in_present_state(rows)]


@pytest.fixture
def room(people: People) -> UUID:
    """Return Alice's room with Bob in it and three messages of his."""
    room = make_room(people.alice, [people.bob])
    said(room, people.bob, 3)
    return room


@pytest.fixture
def numbers(room: UUID) -> list[int]:
    """Return the messages' ids."""
    return list(ChatMessage.objects.filter(room=room).order_by("seq").values_list("pk", flat=True))


class TestPresentState:
    """What is shown of pins."""

    def test_a_message_says_when_it_was_pinned(self, people: People, room: UUID, numbers: list[int]) -> None:
        """By the event of the pin that stands; an edit leaves it."""
        event = written(pin(room, numbers[1]), people.alice).event
        assert shown(room) == [None, milliseconds(event.date_created), None]
        written(EditMessage(uuid="e", room=room, message=numbers[1], text="better"), people.bob)
        assert shown(room) == [None, milliseconds(event.date_created), None]
        written(unpin(room, numbers[1]), people.alice)
        assert shown(room) == [None, None, None]
        again = written(pin(room, numbers[1]), people.alice).event
        assert shown(room)[1] == milliseconds(again.date_created)

    def test_the_last_pin_is_first(self, people: People, room: UUID, numbers: list[int]) -> None:
        """In one batch too, whose events are of one moment."""
        first, second, third = numbers
        write(*((pin(room, one), people.alice) for one in (second, third, first)))
        assert pins(room) == [first, third, second]
        write((unpin(room, second), people.alice), (pin(room, second), people.alice))
        assert pins(room) == [second, first, third]
        write((unpin(room, third), people.alice), (pin(room, third), people.alice))
        assert pins(room) == [third, second, first]

    def test_a_pin_and_its_end(self, people: People, room: UUID, numbers: list[int]) -> None:
        """In one batch too, whose last command counts; its event has no text."""
        for command in (pin(room, numbers[0]), unpin(room, numbers[0])):
            row = RoomEvent.objects.get(pk=written(command, people.alice).event.id)
            assert (row.target, row.text, row.number) == (2, "", None)
            assert row.data == {"message_id": numbers[0], "author": people.bob}
        write((pin(room, numbers[0]), people.alice), (unpin(room, numbers[0]), people.alice))
        assert (pins(room), shown(room)) == ([], [None, None, None])

    def test_pins_cost_no_more(self, people: People, room: UUID, numbers: list[int]) -> None:
        """A page takes the one query of edits; only a batch that pins counts pins, once."""
        assert self._queries(room) == 1
        write(*((pin(room, one), people.alice) for one in numbers))
        assert self._queries(room) == 2
        written(EditMessage(uuid="e", room=room, message=numbers[1], text="better"), people.bob)
        assert self._queries(room) == 2
        write(*((unpin(room, one), people.alice) for one in numbers))
        assert self._queries(room) == 2
        other = make_room(people.alice)
        (number,) = said(other, people.alice, 1)
        deletion, others = delete(room, numbers[0]), [pin(room, one) for one in numbers]
        assert self._counts(people.alice, deletion, message(room), unpin(room, numbers[0])) == 0
        assert self._counts(people.alice, *others, pin(other, number)) == 1

    def _queries(self, room: UUID) -> int:
        rows = selectors.last_messages(room, 99, 99)
        with CaptureQueriesContext(connection) as captured:
            selectors.in_present_state(rows)
        return len(captured)

    def _counts(self, user: int, *commands: RoomWrite) -> int:
        with CaptureQueriesContext(connection) as captured:
            opened(user, *commands)
        return sum('"pinned_seq" IS NOT NULL' in query["sql"] for query in captured.captured_queries)


class TestRefusals:
    """What makes no event."""

    def test_a_message_is_pinned_once(self, people: People, room: UUID, numbers: list[int]) -> None:
        """By whomever, in one batch neither; what is not pinned is not unpinned."""
        first, second, _ = numbers
        results = write((pin(room, first), people.alice), (pin(room, first), people.alice))
        assert (isinstance(results[0], rules.Recorded), results[1]) == (True, ErrorCode.BAD_VALUE)
        assert write_one(pin(room, first), people.alice) == ErrorCode.BAD_VALUE
        assert write_one(unpin(room, second), people.alice) == ErrorCode.NOT_FOUND
        results = write((unpin(room, first), people.alice), (unpin(room, first), people.alice))
        assert (isinstance(results[0], rules.Recorded), results[1]) == (True, ErrorCode.NOT_FOUND)
        assert write_one(unpin(room, first), people.alice) == ErrorCode.NOT_FOUND

    def test_a_room_has_so_many_pins(self, people: People, room: UUID) -> None:
        """Counted over batches and within one; a pin that goes makes room, another room's are its own."""
        numbers = said(room, people.bob, PINS_PER_ROOM + 1)
        write(*((pin(room, one), people.alice) for one in numbers[:2]))
        results = write(*((pin(room, one), people.alice) for one in numbers[2:]))
        assert [one for one in results if not isinstance(one, rules.Recorded)] == [ErrorCode.TOO_MANY_PINS]
        assert len(pins(room)) == PINS_PER_ROOM
        assert write_one(pin(room, numbers[-1]), people.alice) == ErrorCode.TOO_MANY_PINS
        assert write_one(pin(room, numbers[0]), people.alice) == ErrorCode.BAD_VALUE
        results = write((unpin(room, numbers[0]), people.alice), (pin(room, numbers[-1]), people.alice))
        assert all(isinstance(one, rules.Recorded) for one in results)
        assert len(pins(room)) == PINS_PER_ROOM
        other = make_room(people.alice)
        written(pin(other, *said(other, people.alice, 1)), people.alice)

    def test_a_role_comes_before_what_is_found(self, people: People, room: UUID, numbers: list[int]) -> None:
        """What is no message of the room is not pinned."""
        for command in (pin(room, 999_999), unpin(room, numbers[0])):
            assert write_one(command, people.bob) == ErrorCode.FORBIDDEN
        Membership.objects.update(muted_until=timezone.now() + timedelta(hours=1))
        written(pin(room, numbers[0]), people.alice)
        written(unpin(room, numbers[0]), people.alice)
        (other,) = said(make_room(people.alice), people.alice, 1)
        made = RoomEvent.objects.get(room=room, seq=1).pk
        for wrong in (other, made, 999_999):
            for command in (pin(room, wrong), unpin(room, wrong)):
                assert write_one(command, people.alice) == ErrorCode.NOT_FOUND


class TestDeletions:
    """The end of a message."""

    def test_a_deletion_ends_the_pin(self, people: People, room: UUID, numbers: list[int]) -> None:
        """Of that message alone; it is not pinned again, nor unpinned."""
        first, second, _ = numbers
        write(*((pin(room, one), people.alice) for one in (first, second)))
        written(delete(room, first), people.bob)
        assert pins(room) == [second]
        assert shown(room)[0] is None
        for command in (pin(room, first), unpin(room, first)):
            assert write_one(command, people.alice) == ErrorCode.NOT_FOUND

    def test_a_message_deleted_meanwhile_is_not_shown_as_pinned(
        self, people: People, room: UUID, numbers: list[int]
    ) -> None:
        """Between the reader's statements: its emptied edit tells."""
        written(EditMessage(uuid="e", room=room, message=numbers[0], text="better"), people.bob)
        written(pin(room, numbers[0]), people.alice)
        rows = selectors.pinned_messages(room, 9)
        written(delete(room, numbers[0]), people.bob)
        (gone,) = selectors.in_present_state(rows)
        assert (gone.deleted, gone.pinned) == (True, None)

    def test_an_erasure_ends_it_too(self, people: People, room: UUID, numbers: list[int]) -> None:
        """Without an event."""
        written(pin(room, numbers[0]), people.alice)
        with transaction.atomic():
            erase(opened(people.alice, pin(room, numbers[0])), room, people.bob, numbers[0])
        assert (pins(room), shown(room)) == ([], [None, None, None])

    @pytest.mark.parametrize("is_deletion", [True, False])
    def test_it_makes_room_within_a_batch(self, people: People, room: UUID, is_deletion: bool) -> None:
        """For one more pin, and for no more than one."""
        numbers = said(room, people.bob, PINS_PER_ROOM + 2)
        write(*((pin(room, one), people.alice) for one in numbers[:PINS_PER_ROOM]))
        deletion, more = delete(room, numbers[0]), [pin(room, one) for one in numbers[PINS_PER_ROOM:]]
        with transaction.atomic():
            batch = opened(people.alice, deletion, *more)
            if is_deletion:
                rules.carry_out(batch, deletion, people.alice)
            else:
                erase(batch, room, people.bob, numbers[0])
            rules.carry_out(batch, more[0], people.alice)
            with pytest.raises(RefusedWrite) as refused:
                rules.carry_out(batch, more[1], people.alice)
        assert refused.value.code is ErrorCode.TOO_MANY_PINS

    def test_a_pin_of_its_batch_comes_first(self, people: People, room: UUID, numbers: list[int]) -> None:
        """The deletion waits for the next batch: the pin is no row yet."""
        one, deletion = pin(room, numbers[0]), delete(room, numbers[0])
        batch = opened(people.alice, one, deletion)
        rules.carry_out(batch, one, people.alice)
        with pytest.raises(HeldElsewhere):
            rules.carry_out(batch, deletion, people.alice)
