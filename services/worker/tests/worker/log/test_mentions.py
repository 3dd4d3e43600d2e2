"""Mentions: whom a message may mention, who has a row for it, and what is left of it."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from roomlog import selectors
from roomlog.frames import frame_of
from roomlog.models import Mention, RoomEvent, RoomMention
from roomlog_contract.commands import (
    CreateRoom,
    DeleteMessage,
    EditMessage,
    InviteUser,
    LeaveRoom,
    NewMessage,
)
from roomlog_contract.envelope import EraseMessages
from roomlog_contract.errors import ErrorCode
from roomlog_contract.events import EditMessageEvent, NewMessageEvent
from roomlog_contract.limits import ROOM_MENTION_MEMBERS
from roomlog_worker.log import rules
from roomlog_worker.log.batch import open_batch
from roomlog_worker.log.erasure import erase_messages
from tests.harness.people import People, add_user, make_room, message, write, write_one, written


def saying(room: UUID, *mentions: int, text: str = "hi", uuid: str = "") -> NewMessage:
    """Return a command."""
    return NewMessage(uuid=uuid or uuid4().hex, room=room, text=text, mentions=list(mentions))


def edit(room: UUID, number: int, *mentions: int) -> EditMessage:
    """Return a command."""
    return EditMessage(uuid=uuid4().hex, room=room, message=number, text="better", mentions=list(mentions))


def delete(room: UUID, number: int) -> DeleteMessage:
    """Return a command."""
    return DeleteMessage(uuid=uuid4().hex, room=room, message=number)


def calling(room: UUID, *mentions: int) -> NewMessage:
    """Return a command that mentions everybody."""
    return NewMessage(uuid=uuid4().hex, room=room, text="hi", mentions=list(mentions), mentions_room=True)


def calls() -> list[tuple[int, int]]:
    """Return author and seq of each message that mentions everybody."""
    return list(RoomMention.objects.order_by("target").values_list("user__pk", "target"))


def rows() -> set[tuple[int, int]]:
    """Return who has a row, with the seq of the message."""
    return set(Mention.objects.values_list("user__pk", "target"))


def shown(room: UUID) -> list[Sequence[int]]:
    """Return the mentions of each message of a room as it is now."""
    return [one.mentions for one in selectors.in_present_state(selectors.last_messages(room, 999, 99))]


def told(room: UUID) -> list[Sequence[int]]:
    """Return the mentions of each event of a room that has some, as clients that resume read them."""
    events = RoomEvent.objects.filter(room=room).order_by("seq")
    frames = [frame_of(event, "e", selectors.users_of(events)) for event in events]
    changes = [one for one in frames if isinstance(one, EditMessageEvent)]
    said = [one.message for one in frames if hasattr(one, "message") and hasattr(one.message, "mentions")]
    return [one.mentions for one in (*said, *changes)]


def unread(user: int) -> list[int]:
    """Return the unread mentions in each room of the user."""
    return [room.unread_mentions for room in selectors.summaries_by_user([user])[user]]


def queries_of(*commands: tuple[NewMessage | EditMessage, int]) -> int:
    """Return how many queries a batch takes."""
    with CaptureQueriesContext(connection) as captured:
        write(*commands)
    return len(captured)


class TestMentioning:
    """A message that mentions members."""

    def test_others_have_a_row_and_the_author_has_none(self, people: People) -> None:
        """The message names all whom it mentions, also in the event."""
        room = make_room(people.alice, [people.bob, people.carol])
        write((saying(room, people.alice, people.bob), people.alice), (message(room), people.alice))
        assert rows() == {(people.bob, 2)}
        assert shown(room) == told(room) == [[people.alice, people.bob], []]
        assert [unread(one) for one in (people.alice, people.bob, people.carol)] == [[0], [1], [0]]

    def test_who_is_no_member_is_refused(self, people: People) -> None:
        """Of a message and of an edit, also where nobody of that number is; nothing is said."""
        room = make_room(people.alice, [people.bob])
        number = written(message(room), people.alice).event.id
        for stranger in (people.carol, 999_999):
            for command in (saying(room, people.bob, stranger), edit(room, number, stranger)):
                assert write_one(command, people.alice) == ErrorCode.NOT_FOUND
        assert (rows(), shown(room)) == (set(), [[]])

    def test_membership_counts_as_of_the_messages_place_in_the_log(self, people: People) -> None:
        """In one batch with the leaving; a repeat is the same message, other mentions a conflict."""
        room = make_room(people.alice, [people.bob])
        before, _, after = write(
            (saying(room, people.bob), people.alice),
            (LeaveRoom(uuid="l", room=room), people.bob),
            (saying(room, people.bob), people.alice),
        )
        assert isinstance(before, rules.Recorded)
        assert after == ErrorCode.NOT_FOUND
        assert rows() == {(people.bob, 2)}
        room = make_room(people.alice, [people.bob])
        written(saying(room, people.bob, uuid="u"), people.alice)
        written(LeaveRoom(uuid="l", room=room), people.bob)
        assert written(saying(room, people.bob, uuid="u"), people.alice).duplicate
        assert write_one(saying(room, uuid="u"), people.alice) == ErrorCode.UUID_CONFLICT

    def test_plain_messages_take_no_further_statement(self, people: People) -> None:
        """One with mentions takes one, however many these are, and an edit without any none."""
        room = make_room(people.alice, [people.bob, people.carol])
        number = written(message(room), people.alice).event.id
        plain = queries_of((message(room), people.alice))
        assert queries_of((saying(room, people.bob, people.carol), people.alice)) - plain <= 1
        first = queries_of((edit(room, number), people.alice))
        assert first == queries_of((edit(room, number), people.alice))
        assert not Mention.objects.filter(target=2).exists()


class TestChanges:
    """Mentions of a message that is edited or deleted."""

    def test_an_edit_replaces_them(self, people: People) -> None:
        """The last of a batch counts; without mentions none are left."""
        room = make_room(people.alice, [people.bob, people.carol])
        number = written(saying(room, people.bob), people.alice).event.id
        written(edit(room, number, people.carol), people.alice)
        assert (rows(), shown(room)) == ({(people.carol, 2)}, [[people.carol]])
        assert told(room) == [[people.bob], [people.carol]]
        write((edit(room, number), people.alice), (edit(room, number, people.bob), people.alice))
        assert (rows(), shown(room)) == ({(people.bob, 2)}, [[people.bob]])
        write((edit(room, number, people.carol), people.alice), (edit(room, number), people.alice))
        assert (rows(), shown(room)) == (set(), [[]])

    @pytest.mark.parametrize("is_edited", [False, True])
    def test_a_deletion_leaves_none(self, people: People, is_edited: bool) -> None:
        """In the log, of an edit and in what is counted."""
        room = make_room(people.alice, [people.bob, people.carol])
        number = written(saying(room, people.bob), people.alice).event.id
        other = written(saying(room, people.bob), people.alice).event.id
        if is_edited:
            written(edit(room, number, people.carol), people.alice)
        written(delete(room, number), people.alice)
        assert rows() == {(people.bob, 3)}
        assert [one for one in told(room) if one] == [[people.bob]]
        assert (shown(room), unread(people.carol)) == ([[], [people.bob]], [0])
        written(edit(room, other), people.alice)
        assert unread(people.bob) == [0]

    def test_an_erasure_leaves_none(self, people: People) -> None:
        """As a deletion, but without an event."""
        room = make_room(people.alice, [people.bob])
        written(saying(room, people.bob, uuid="u"), people.alice)
        command = EraseMessages(uuid="e", room=room, sender=people.alice, uuids=["u"])
        with transaction.atomic():
            batch = open_batch([rules.wanted_by(saying(room), people.alice)], timezone.now())
            erase_messages(batch, command)
        assert (rows(), told(room)) == (set(), [[]])


class TestRoomsBeginning:
    """A room that is made in the batch."""

    def test_its_first_members_can_be_mentioned(self, people: People) -> None:
        """They were never read, but made."""
        made = CreateRoom(uuid="c", members=[people.bob])
        room = rules.wanted_by(made, people.alice).room
        write((made, people.alice), (saying(room, people.bob), people.alice))
        assert rows() == {(people.bob, 2)}


class TestTheWholeRoom:
    """A message that mentions everybody."""

    def test_all_but_its_author_are_mentioned_by_one_row(self, people: People) -> None:
        """Whoever is named besides counts it once; who comes later was not meant."""
        room = make_room(people.alice, [people.bob])
        written(calling(room, people.bob), people.alice)
        write((InviteUser(uuid="i", room=room, user=people.carol), people.alice))
        assert (rows(), calls()) == (set(), [(people.alice, 2)])
        assert [unread(one) for one in (people.alice, people.bob, people.carol)] == [[0], [1], [0]]
        (shown_now,) = selectors.in_present_state(selectors.last_messages(room, 999, 99))
        event = frame_of(RoomEvent.objects.get(seq=2), "e", selectors.users_by_id([people.alice]))
        assert isinstance(event, NewMessageEvent)
        assert [one.mentions_room for one in (shown_now, event.message)] == [True, True]

    def test_an_edit_and_a_deletion_take_it_back(self, people: People) -> None:
        """Whatever it names then; an edit may begin to, and the last one of a batch counts."""
        room = make_room(people.alice, [people.bob])
        number = written(calling(room), people.alice).event.id
        written(edit(room, number, people.bob), people.alice)
        assert (rows(), calls(), unread(people.bob)) == ({(people.bob, 2)}, [], [1])
        again = EditMessage(uuid="a", room=room, message=number, text="all", mentions_room=True)
        write((edit(room, number), people.alice), (again, people.alice))
        assert (rows(), calls(), unread(people.bob)) == (set(), [(people.alice, 2)], [1])
        written(delete(room, number), people.alice)
        assert (calls(), unread(people.bob)) == ([], [0])
        assert not RoomEvent.objects.filter(data__has_key="mentions_room").exists()

    def test_in_large_rooms_it_is_for_those_who_may_pin(self, people: People) -> None:
        """In those of up to 50 members everybody may who writes there; newcomers of the batch count."""
        crowd = [add_user(f"guest {number}") for number in range(ROOM_MENTION_MEMBERS - 2)]
        room = make_room(people.alice, [people.bob, *crowd])
        number = written(calling(room), people.bob).event.id
        outcomes = write(
            (calling(room), people.bob),
            (InviteUser(uuid="i", room=room, user=people.carol), people.alice),
            (calling(room), people.bob),
            (EditMessage(uuid="e", room=room, message=number, text="x", mentions_room=True), people.bob),
            (saying(room, people.carol), people.bob),
            (calling(room), people.alice),
        )
        forbidden = [one for one in outcomes if one == ErrorCode.FORBIDDEN]
        assert [outcomes.index(ErrorCode.FORBIDDEN), len(forbidden)] == [2, 2]
        assert [author for author, _ in calls()] == [people.bob, people.bob, people.alice]
