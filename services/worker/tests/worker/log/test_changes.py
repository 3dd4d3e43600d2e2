"""Edits and deletions of messages: what they write, whom they refuse, and what is left of a text."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from roomlog import selectors
from roomlog.body_hash import ERASED
from roomlog.models import ChatMessage, Membership, RoomEvent
from roomlog_contract.commands import DeleteMessage, EditMessage
from roomlog_contract.envelope import EraseMessages
from roomlog_contract.errors import ErrorCode
from roomlog_worker.log import rules
from roomlog_worker.log.batch import Batch, open_batch
from roomlog_worker.log.erasure import erase_messages
from roomlog_worker.log.errors import HeldElsewhere, RefusedWrite
from roomlog_worker.log.room_cache import RoomCache
from roomlog_worker.log.rules import Recorded
from tests.harness.databases import ON_PARTITIONS_TOO
from tests.harness.people import People, make_room, message, write, write_one, written

pytestmark = ON_PARTITIONS_TOO


def edit(room: UUID, number: int, text: str = "better", *, uuid: str = "") -> EditMessage:
    """Return a command."""
    return EditMessage(uuid=uuid or uuid4().hex, room=room, message=number, text=text)


def delete(room: UUID, number: int, *, uuid: str = "") -> DeleteMessage:
    """Return a command."""
    return DeleteMessage(uuid=uuid or uuid4().hex, room=room, message=number)


def said(room: UUID, user: int, text: str = "first", data: str = "") -> int:
    """Return the id of a new message."""
    return written(message(room, text), user, data=data).event.id


def shown(room: UUID) -> list[tuple[str, bool]]:
    """Return text and whether it is deleted of each message of a room as it is now."""
    rows = selectors.last_messages(room, 999, 99)
    return [(one.text, one.deleted) for one in selectors.in_present_state(rows)]


def opened(room: UUID, user: int, *numbers: int) -> Batch:
    """Return a batch for changes of these messages."""
    return open_batch([rules.wanted_by(edit(room, number), user) for number in numbers], timezone.now())


class TestEdits:
    """Another text."""

    def test_the_last_text_is_the_present_one(self, people: People) -> None:
        """Also of two edits in one batch; the log keeps what was said before."""
        room = make_room(people.alice)
        number, other = said(room, people.alice), said(room, people.alice, "other")
        write(*((edit(room, number, text), people.alice) for text in ("second", "third")))
        assert shown(room) == [("third", False), ("other", False)]
        log = (
            RoomEvent.objects.filter(room=room)
            .order_by("seq")
            .values_list("seq", "text", "target", "edited_seq")
        )
        assert list(log) == [
            *((1, "", None, None), (2, "first", None, 5), (3, "other", None, None)),
            *((4, "second", 2, None), (5, "third", 2, None)),
        ]
        assert ChatMessage.objects.get(pk=other).edited_seq is None

    def test_a_message_of_another_room_is_none(self, people: People) -> None:
        """Nor is an event of another kind, nor what was never said."""
        room, other = make_room(people.alice), make_room(people.alice)
        number = said(other, people.alice)
        made = RoomEvent.objects.get(room=room, seq=1).pk
        for wrong in (number, made, 999_999):
            assert write_one(edit(room, wrong), people.alice) == ErrorCode.NOT_FOUND
            assert write_one(delete(room, wrong), people.alice) == ErrorCode.NOT_FOUND

    def test_who_has_left_may_not_and_the_muted_may_only_delete(self, people: People) -> None:
        """Muted comes before what is found; an author who is no member any more is a stranger."""
        room = make_room(people.alice, [people.bob])
        number = said(room, people.bob)
        Membership.objects.filter(user=people.bob).delete()
        for command in (edit(room, number), delete(room, number)):
            assert write_one(command, people.bob) == ErrorCode.NOT_MEMBER
        room = make_room(people.alice)
        number = said(room, people.alice)
        Membership.objects.update(muted_until=timezone.now() + timedelta(hours=1))
        assert write_one(edit(room, number), people.alice) == ErrorCode.MUTED
        assert write_one(edit(room, 999_999), people.alice) == ErrorCode.MUTED
        assert isinstance(write_one(delete(room, number), people.alice), Recorded)

    def test_only_within_the_window(self, people: People, monkeypatch: pytest.MonkeyPatch) -> None:
        """If the project sets one; deletions know none, and neither does code."""
        room = make_room(people.alice)
        number = said(room, people.alice)
        RoomEvent.objects.filter(pk=number).update(date_created=timezone.now() - timedelta(seconds=61))
        monkeypatch.setitem(settings.ROOMLOG, "EDIT_WINDOW_SECONDS", 60)
        assert write_one(edit(room, number), people.alice) == ErrorCode.FORBIDDEN
        monkeypatch.setitem(settings.ROOMLOG, "EDIT_WINDOW_SECONDS", 600)
        assert isinstance(write_one(edit(room, number), people.alice), Recorded)
        monkeypatch.setitem(settings.ROOMLOG, "EDIT_WINDOW_SECONDS", 60)
        assert isinstance(write_one(edit(room, number), people.alice, staff=True), Recorded)
        assert isinstance(write_one(delete(room, number), people.alice), Recorded)

    def test_a_repeat_is_the_same_event(self, people: People) -> None:
        """And it does not bring an earlier text back."""
        room = make_room(people.alice)
        number = said(room, people.alice)
        first = written(edit(room, number, "second", uuid="u"), people.alice)
        written(edit(room, number, "third"), people.alice)
        again = written(edit(room, number, "second", uuid="u"), people.alice)
        assert (again.event.seq, again.duplicate) == (first.event.seq, True)
        assert write_one(edit(room, number, "other", uuid="u"), people.alice) == ErrorCode.UUID_CONFLICT
        assert shown(room) == [("third", False)]


class TestDeletions:
    """No text any more."""

    def test_nothing_is_left_of_what_was_said(self, people: People) -> None:
        """Neither of the message nor of its edits, nor the hashes; others' stay, and each place does."""
        room = make_room(people.alice)
        number = said(room, people.alice, "secret", data='{"card":"secret"}')
        other = said(room, people.alice, "other")
        for one in (number, other):
            written(edit(room, one, "secret too" if one == number else "better"), people.alice)
        written(delete(room, number), people.alice)
        assert shown(room) == [("", True), ("better", False)]
        rows = RoomEvent.objects.filter(room=room).order_by("seq")
        assert [row.text for row in rows] == ["", "", "other", "", "better", ""]
        assert [row.body_hash == ERASED for row in rows] == [False, True, False, True, False, False]
        assert "secret" not in str(list(rows.values()))
        assert [row.seq for row in rows] == [1, 2, 3, 4, 5, 6]

    def test_it_is_not_found_again(self, people: People) -> None:
        """Neither to edit nor to delete, in the same batch or later; no repeat brings a text back."""
        room = make_room(people.alice)
        number = said(room, people.alice)
        first, *later = write(
            (delete(room, number, uuid="d"), people.alice),
            (edit(room, number), people.alice),
            (delete(room, number), people.alice),
        )
        assert isinstance(first, Recorded)
        assert later == [ErrorCode.NOT_FOUND] * 2
        assert write_one(edit(room, number), people.alice) == ErrorCode.NOT_FOUND
        assert written(delete(room, number, uuid="d"), people.alice).duplicate
        assert shown(room) == [("", True)]
        room = make_room(people.alice)
        number = said(room, people.alice)
        written(edit(room, number, "second", uuid="e"), people.alice)
        written(delete(room, number), people.alice)
        again = written(edit(room, number, "a guess", uuid="e"), people.alice)
        assert (again.duplicate, again.event.text) == (True, "")
        assert shown(room) == [("", True)]

    def test_a_batch_erases_before_it_edits_and_edits_before_it_deletes(self, people: People) -> None:
        """An edit of the same batch is no row yet; what is erased is not found."""
        room = make_room(people.alice)
        number, other = said(room, people.alice), said(room, people.alice)
        with transaction.atomic():
            batch = opened(room, people.alice, number, other)
            rules.carry_out(batch, edit(room, number), people.alice)
            with pytest.raises(HeldElsewhere):
                rules.carry_out(batch, delete(room, number), people.alice)
            rules.carry_out(batch, delete(room, other), people.alice)
        assert [event.kind for event in batch.events] == ["edit_message", "delete_message"]
        room = make_room(people.alice)
        number = written(message(room, uuid="m"), people.alice).event.id
        with transaction.atomic():
            batch = opened(room, people.alice, number)
            asked = EraseMessages(uuid="e", room=room, sender=people.alice, uuids=["m"])
            assert erase_messages(batch, asked).messages == 1
            with pytest.raises(RefusedWrite) as refused:
                rules.carry_out(batch, edit(room, number), people.alice)
        assert refused.value.code == ErrorCode.NOT_FOUND


class TestQueries:
    """What edits cost."""

    def test_edits_cost_one_query_more(self, people: People) -> None:
        """However many there are; the targets of a batch are read and marked at once."""
        room = make_room(people.alice)
        numbers = [said(room, people.alice) for _ in range(5)]
        assert self._queries(room) == 1
        for number in numbers:
            written(edit(room, number), people.alice)
        assert self._queries(room) == 2
        room = make_room(people.alice)
        numbers = [said(room, people.alice) for _ in range(6)]

        def queries(*some: int) -> int:
            with CaptureQueriesContext(connection) as captured:
                write(*((edit(room, number), people.alice) for number in some))
            return len(captured)

        assert queries(*numbers[:1]) == queries(*numbers)

    def test_members_stay_in_the_cache(self, people: People) -> None:
        """An edit changes nobody's rights: others' next messages take one statement as before."""
        room, cache = make_room(people.alice, [people.bob]), RoomCache()
        number = said(room, people.alice)
        cache.update(opened(room, people.bob, number))
        batch = opened(room, people.alice, number)
        rules.carry_out(batch, edit(room, number), people.alice)
        cache.update(batch)
        assert cache.batch(room, people.bob, batch.now) is not None

    def _queries(self, room: UUID) -> int:
        rows = selectors.last_messages(room, 99, 99)
        with CaptureQueriesContext(connection) as captured:
            selectors.in_present_state(rows)
        return len(captured)
