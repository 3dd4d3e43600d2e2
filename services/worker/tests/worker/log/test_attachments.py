"""Attachments: which files a message may claim, how often, and what is left of them."""

from uuid import UUID, uuid4

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from roomlog import selectors
from roomlog.attachment import drop
from roomlog.frames import frame_of
from roomlog.models import Attachment, RoomEvent
from roomlog_contract.commands import DeleteMessage, EditMessage, NewMessage
from roomlog_contract.envelope import EraseMessages
from roomlog_contract.errors import ErrorCode
from roomlog_contract.events import NewMessageEvent
from roomlog_worker.log.batch import open_batch
from roomlog_worker.log.erasure import erase_messages
from tests.harness.files import uploaded
from tests.harness.people import People, make_room, message, write, write_one, written


def bringing(room: UUID, *files: UUID, text: str = "", uuid: str = "") -> NewMessage:
    """Return a command."""
    return NewMessage(uuid=uuid or uuid4().hex, room=room, text=text, attachments=list(files))


def claims() -> dict[UUID, int | None]:
    """Return the seq of the message that has each file."""
    return dict(Attachment.objects.values_list("pk", "seq"))


def shown(room: UUID) -> list[list[UUID]]:
    """Return the files of each message of a room as it is now."""
    now = selectors.in_present_state(selectors.last_messages(room, 999, 99))
    return [[file.id for file in one.attachments] for one in now]


def told(room: UUID) -> list[list[str]]:
    """Return the names of the files of each message of a room, as clients that resume read them."""
    events = RoomEvent.objects.filter(room=room).order_by("seq")
    frames = [frame_of(event, "e", selectors.users_of(events)) for event in events]
    said = [one.message for one in frames if isinstance(one, NewMessageEvent)]
    return [[file.name for file in one.attachments] for one in said]


class TestClaiming:
    """What becomes of the files that a message brings."""

    def test_a_message_claims_its_files_and_shows_them_in_its_order(self, people: People) -> None:
        """Without a text too; frames say what each is, without a look at another table."""
        room = make_room(people.alice)
        picture, list_ = (uploaded(room, people.alice, name) for name in ("a.png", "b.txt"))
        event = written(bringing(room, list_, picture), people.alice).event
        assert claims() == {picture: event.seq, list_: event.seq}
        assert shown(room) == [[list_, picture]]
        assert told(room) == [["b.txt", "a.png"]]

    @pytest.mark.parametrize("case", ["another's", "of another room", "dropped", "claimed", "none"])
    def test_what_one_may_not_claim_refuses_the_whole_message(self, people: People, case: str) -> None:
        """Nothing is said, and the sender's own file beside it stays free."""
        room, other = make_room(people.alice, [people.bob]), make_room(people.alice)
        own = uploaded(room, people.alice)
        wrong = {
            "another's": lambda: uploaded(room, people.bob),
            "of another room": lambda: uploaded(other, people.alice),
            "dropped": lambda: uploaded(room, people.alice, dropped_at=timezone.now()),
            "claimed": lambda: uploaded(room, people.alice, seq=1),
            "none": uuid4,
        }[case]()
        assert write_one(bringing(room, own, wrong, text="hi"), people.alice) == ErrorCode.NOT_FOUND
        assert claims()[own] is None
        assert shown(room) == []

    def test_a_file_is_claimed_once(self, people: People) -> None:
        """A repeat is the same message, another file a conflict; two of one batch share none."""
        room = make_room(people.alice)
        file, other = uploaded(room, people.alice), uploaded(room, people.alice)
        first = written(bringing(room, file, uuid="u"), people.alice)
        again = written(bringing(room, file, uuid="u"), people.alice)
        assert again.duplicate
        assert again.event.seq == first.event.seq
        assert write_one(bringing(room, other, uuid="u"), people.alice) == ErrorCode.UUID_CONFLICT
        assert claims() == {file: first.event.seq, other: None}
        room = make_room(people.alice)
        file = uploaded(room, people.alice)
        _, second = write(
            (bringing(room, file), people.alice), (bringing(room, file, text="again"), people.alice)
        )
        assert second == ErrorCode.NOT_FOUND
        assert shown(room) == [[file]]

    def test_files_cost_two_statements_and_a_plain_message_none(self, people: People) -> None:
        """One reads them under a lock, one claims them all; the frame needs none."""
        room = make_room(people.alice)
        files = [uploaded(room, people.alice) for _ in range(3)]
        with CaptureQueriesContext(connection) as plain:
            write_one(message(room), people.alice)
        with CaptureQueriesContext(connection) as rich:
            written(bringing(room, *files), people.alice)
        assert not [one for one in plain if "roomlog_attachment" in one["sql"]]
        assert len(rich) == len(plain) + 2

    def test_what_a_collector_holds_is_not_waited_for(self, postgres: str) -> None:
        """Only what drops a file locks it: the message is refused at once, and no shard stops."""
        people = People.make()
        room = make_room(people.alice)
        file = uploaded(room, people.alice)
        other = connections.create_connection("default")
        try:
            other.set_autocommit(False)
            with other.cursor() as cursor:
                cursor.execute("UPDATE roomlog_attachment SET dropped_at = now()")
            assert write_one(bringing(room, file), people.alice) == ErrorCode.NOT_FOUND
        finally:
            other.close()


class TestLeaving:
    """What is left of the files of a message that changes."""

    def test_an_edit_keeps_them(self, people: People) -> None:
        """In the message's present state too."""
        room = make_room(people.alice)
        file = uploaded(room, people.alice)
        event = written(bringing(room, file), people.alice).event
        written(EditMessage(uuid="e", room=room, message=event.id, text="look"), people.alice)
        assert shown(room) == [[file]]
        assert claims() == {file: event.seq}

    @pytest.mark.parametrize("is_erased", [False, True])
    def test_a_deletion_and_an_erasure_drop_them(self, people: People, is_erased: bool) -> None:
        """Their names are nowhere any more, and those of other messages stay."""
        room = make_room(people.alice)
        file, other = uploaded(room, people.alice), uploaded(room, people.alice, "kept.txt")
        event = written(bringing(room, file, uuid="u"), people.alice).event
        written(bringing(room, other), people.alice)
        if is_erased:
            with transaction.atomic():
                batch = open_batch([], timezone.now())
                erase_messages(batch, EraseMessages(uuid="x", room=room, sender=people.alice, uuids=["u"]))
        else:
            written(DeleteMessage(uuid="d", room=room, message=event.id), people.alice)
        assert shown(room) == [[], [other]]
        assert told(room) == [[], ["kept.txt"]]
        gone = Attachment.objects.get(pk=file)
        assert gone.dropped_at is not None
        assert gone.name == ""
        assert Attachment.objects.get(pk=other).dropped_at is None

    def test_dropping_twice_counts_once(self, people: People) -> None:
        """The first moment stays."""
        uploaded(make_room(people.alice), people.alice)
        assert drop(Attachment.objects.all(), timezone.now()) == 1
        assert drop(Attachment.objects.all(), timezone.now()) == 0
