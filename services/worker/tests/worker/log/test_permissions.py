"""Who may what: each cell of the specification's table, against the rules."""

from uuid import UUID

import pytest
from django.utils import timezone

from roomlog.models import ChatRoom
from roomlog_contract.commands import ArchiveRoom, RestoreRoom
from roomlog_worker.log.rules import Recorded
from tests.harness.people import People, make_room, message, write, write_one
from tests.harness.permissions import MEMBER, OWNER, READER, STAFF, cells, command_for, place_for


@pytest.mark.parametrize(("what", "who", "expected"), list(cells()))
def test_a_cell(people: People, what: str, who: int, expected: str) -> None:
    """`yes` is an event; all else is the code of the refusal."""
    room, asker, other = place_for(people, what, who)
    command = command_for(what, room, asker, other)
    if "archived" in what:
        archive(room)
    result = write_one(command, asker, staff=who == STAFF)
    assert ("yes" if isinstance(result, Recorded) else str(result)) == expected


@pytest.mark.parametrize("what", sorted({what for what, _, _ in cells() if "archived" not in what}))
@pytest.mark.parametrize("who", [READER, MEMBER, OWNER, STAFF])
def test_an_archived_room_refuses_all(people: People, what: str, who: int) -> None:
    """Also whoever may do everything else."""
    room, asker, other = place_for(people, what, who)
    command = command_for(what, room, asker, other)
    archive(room)
    assert str(write_one(command, asker, staff=who == STAFF)) == "archived"


def test_a_room_is_archived_between_two_commands(people: People) -> None:
    """In one batch too: what comes before is stored, what comes after is refused, until it is restored."""
    room = make_room(people.alice)
    restore, end = RestoreRoom(uuid="r", room=room), ArchiveRoom(uuid="a", room=room)
    commands = (restore, message(room), end, message(room), end, restore, message(room))
    results = write(*((command, people.alice) for command in commands))
    assert [str(one.event.seq if isinstance(one, Recorded) else one) for one in results] == [
        *("bad_value", "2", "3", "archived", "3", "4", "5"),
    ]
    assert ChatRoom.objects.get(pk=room).archived_at is None


def archive(room: UUID) -> None:
    """Let a room be archived already."""
    ChatRoom.objects.filter(pk=room).update(archived_at=timezone.now())
