"""Reactions to messages: who may, what is counted, and what a page of messages costs with them."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from roomlog import selectors
from roomlog.models import Membership, Reaction, RoomEvent
from roomlog_contract.commands import AddReaction, DeleteMessage, RemoveReaction, RoomWrite
from roomlog_contract.envelope import EraseMessages
from roomlog_contract.errors import ErrorCode
from roomlog_contract.events import Message, Reactions, User
from roomlog_contract.limits import REACTIONS_PER_MESSAGE, REACTORS_NAMED
from roomlog_worker.log import rules
from roomlog_worker.log.batch import open_batch
from roomlog_worker.log.erasure import erase_messages
from roomlog_worker.log.errors import HeldElsewhere
from tests.harness.people import People, add_user, make_room, message, write, write_one, written

THUMB, HEART = "👍", "❤️"


def add(room: UUID, number: int, emoji: str = THUMB) -> AddReaction:
    """Return a command."""
    return AddReaction(uuid=uuid4().hex, room=room, message=number, emoji=emoji)


def remove(room: UUID, number: int, emoji: str = THUMB) -> RemoveReaction:
    """Return a command."""
    return RemoveReaction(uuid=uuid4().hex, room=room, message=number, emoji=emoji)


def said(room: UUID, user: int) -> int:
    """Return the id of a new message."""
    return written(message(room), user).event.id


def by(user: int, *commands: RoomWrite) -> None:
    """Write them in one transaction."""
    write(*((command, user) for command in commands))


def shown(room: UUID, asker: int = 0) -> Message:
    """Return the room's only message as somebody sees it."""
    (one,) = selectors.in_present_state(selectors.last_messages(room, 9_999, 9), asker)
    return one


@pytest.fixture
def room(people: People) -> UUID:
    """Return a room of two with one message."""
    room = make_room(people.alice, [people.bob])
    said(room, people.alice)
    return room


@pytest.fixture
def number(room: UUID) -> int:
    """Return the message's id."""
    return RoomEvent.objects.get(room=room, number=1).pk


class TestPresentState:
    """What is below a message."""

    def test_they_are_counted_and_the_first_are_named(self, people: People, room: UUID, number: int) -> None:
        """In the order of each emoji's first that stands; one's own is told, though many were before."""
        crowd = [add_user(f"fan-{place}") for place in range(REACTORS_NAMED)]
        write(*((add(room, number, THUMB), user) for user in crowd), staff=True)
        written(add(room, number, HEART), people.alice)
        last = written(add(room, number, THUMB), people.bob).event.seq
        names = [User(user, f"fan-{place}") for place, user in enumerate(crowd)]
        for asker in (people.alice, people.bob):
            assert shown(room, asker).reactions == {
                THUMB: Reactions(REACTORS_NAMED + 1, names, mine=asker == people.bob),
                HEART: Reactions(1, [User(people.alice, "alice")], mine=asker == people.alice),
            }
            assert list(shown(room, asker).reactions) == [THUMB, HEART]
            assert shown(room, asker).reacted_seq == last

    def test_what_was_removed_may_come_again(self, people: People, room: UUID, number: int) -> None:
        """By the log's order, also within one batch."""
        for command in (add(room, number), remove(room, number), add(room, number), remove(room, number)):
            by(people.alice, command)
        assert (shown(room).reactions, shown(room).reacted_seq) == ({}, 6)
        by(people.alice, add(room, number), remove(room, number), add(room, number))
        assert shown(room).reactions[THUMB].count == 1
        by(people.alice, remove(room, number), add(room, number))
        assert Reaction.objects.get().seq == shown(room).reacted_seq == 11
        by(people.alice, remove(room, number), add(room, number), remove(room, number))
        assert not Reaction.objects.exists()

    def test_an_event_says_what_it_concerns(self, people: People, room: UUID, number: int) -> None:
        """The message's seq, id and author, and the emoji; no text."""
        event = written(add(room, number), people.bob).event
        row = RoomEvent.objects.get(room=room, seq=event.seq)
        assert (row.target, row.text) == (2, "")
        assert row.data == {"message_id": number, "author": people.alice, "emoji": THUMB}

    def test_reactions_cost_a_page_one_query_more(self, people: People, room: UUID, number: int) -> None:
        """And none without; it reads by an index."""
        before = self._queries(room)
        write(*((add(room, number, emoji), people.alice) for emoji in (THUMB, HEART)))
        assert len(self._queries(room)) == len(before) + 1

    def test_a_batch_costs_the_same_for_many(self, people: People, room: UUID, number: int) -> None:
        """However many messages are reacted to."""
        numbers = [number, *(said(room, people.alice) for _ in range(5))]

        def queries(emoji: str, *some: int) -> int:
            with CaptureQueriesContext(connection) as captured:
                write(*((add(room, number, emoji), people.alice) for number in some))
            return len(captured)

        assert queries(THUMB, number) == queries(HEART, *numbers)

    def _queries(self, room: UUID) -> list[dict[str, str]]:
        rows = selectors.last_messages(room, 99, 99)
        with CaptureQueriesContext(connection) as captured:
            selectors.in_present_state(rows)
        return captured.captured_queries


class TestRefusals:
    """What makes no event."""

    def test_nobody_reacts_twice_with_the_same(self, people: People, room: UUID, number: int) -> None:
        """In one batch neither; with another emoji, or as another person, all is well."""
        (first, second) = write((add(room, number), people.alice), (add(room, number), people.alice))
        assert (isinstance(first, rules.Recorded), second) == (True, ErrorCode.BAD_VALUE)
        assert write_one(add(room, number), people.alice) == ErrorCode.BAD_VALUE
        written(add(room, number, HEART), people.alice)
        written(add(room, number), people.bob)

    def test_only_ones_own_is_removed(self, people: People, room: UUID, number: int) -> None:
        """And only while it stands."""
        written(add(room, number), people.alice)
        assert write_one(remove(room, number), people.bob) == ErrorCode.NOT_FOUND
        assert write_one(remove(room, number, HEART), people.alice) == ErrorCode.NOT_FOUND
        written(remove(room, number), people.alice)
        assert write_one(remove(room, number), people.alice) == ErrorCode.NOT_FOUND

    def test_a_message_has_room_for_so_many_emoji(self, people: People, room: UUID, number: int) -> None:
        """One that is there may be joined; one that is removed makes room."""
        emoji = [chr(0x1F600 + place) for place in range(REACTIONS_PER_MESSAGE + 1)]
        results = write(*((add(room, number, one), people.alice) for one in emoji))
        assert [one for one in results if not isinstance(one, rules.Recorded)] == [
            ErrorCode.TOO_MANY_REACTIONS
        ]
        assert write_one(add(room, number, emoji[-1]), people.bob) == ErrorCode.TOO_MANY_REACTIONS
        written(add(room, number, emoji[0]), people.bob)
        written(remove(room, number, emoji[1]), people.alice)
        written(add(room, number, emoji[-1]), people.bob)

    def test_the_muted_may_only_take_away(self, people: People, room: UUID, number: int) -> None:
        """As they may delete and not edit; muted comes before what is found."""
        written(add(room, number), people.alice)
        Membership.objects.update(muted_until=timezone.now() + timedelta(hours=1))
        assert write_one(add(room, number, HEART), people.alice) == ErrorCode.MUTED
        assert write_one(add(room, 999_999), people.alice) == ErrorCode.MUTED
        written(remove(room, number), people.alice)

    def test_what_is_no_message_of_the_room_has_none(self, people: People, room: UUID) -> None:
        """Another room's message, another kind of event, what was never said."""
        other = said(make_room(people.alice), people.alice)
        made = RoomEvent.objects.get(room=room, seq=1).pk
        for wrong in (other, made, 999_999):
            assert write_one(add(room, wrong), people.alice) == ErrorCode.NOT_FOUND


class TestDeletions:
    """The end of a message."""

    def test_a_deletion_ends_them(self, people: People, room: UUID, number: int) -> None:
        """Only those to that message; nobody reacts to it any more."""
        other = said(room, people.bob)
        for one in (number, other):
            written(add(room, one), people.bob)
        written(DeleteMessage(uuid="d", room=room, message=number), people.alice)
        assert [
            one.reactions.keys() for one in selectors.in_present_state(selectors.last_messages(room, 99, 9))
        ] == [
            set(),
            {THUMB},
        ]
        assert Reaction.objects.count() == 1
        for command in (add(room, number, HEART), remove(room, number)):
            assert write_one(command, people.bob) == ErrorCode.NOT_FOUND

    def test_an_erasure_ends_them_too(self, people: People, room: UUID, number: int) -> None:
        """Without an event."""
        uuid = RoomEvent.objects.get(pk=number).uuid
        written(add(room, number), people.bob)
        wanted = rules.wanted_by(add(room, number), people.bob)
        with transaction.atomic():
            erase_messages(
                open_batch([wanted], timezone.now()),
                EraseMessages(uuid="e", room=room, sender=people.alice, uuids=[uuid]),
            )
        assert not Reaction.objects.exists()
        assert shown(room).reactions == {}

    def test_a_reaction_of_the_same_batch_comes_first(self, people: People, room: UUID, number: int) -> None:
        """The deletion waits for the next batch: the reaction is no row yet."""
        reaction, deletion = add(room, number), DeleteMessage(uuid="d", room=room, message=number)
        batch = open_batch(
            [rules.wanted_by(one, people.alice) for one in (reaction, deletion)], timezone.now()
        )
        rules.carry_out(batch, reaction, people.alice)
        with pytest.raises(HeldElsewhere):
            rules.carry_out(batch, deletion, people.alice)
