"""Who may what: each cell of the specification's table, against the rules."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from roomlog.ban import FOREVER
from roomlog.models import Ban, ChatRoom, Membership
from roomlog_contract.actions import COMMANDS
from roomlog_contract.codec import command_of
from roomlog_contract.commands import (
    AddReaction,
    ArchiveRoom,
    CreateRoom,
    InviteUser,
    PinMessage,
    RestoreRoom,
    Role,
    RoomWrite,
)
from roomlog_contract.shards import room_of
from roomlog_worker.log.rules import Recorded
from tests.harness.people import People, add_user, make_room, message, write, write_one, written

README = Path(__file__).resolve().parents[5] / "packages" / "contract" / "README.md"
STRANGER, READER, MEMBER, ADMIN, OWNER, STAFF, DIRECT = range(7)
ROLES: Mapping[int, Role] = {READER: "reader", MEMBER: "member", ADMIN: "admin"}


def cells() -> Iterator[tuple[str, int, str]]:
    """Yield the first cell of a row, the place of another one, and what it says."""
    table = README.read_text(encoding="utf-8").partition("| action | stranger |")[2].partition("\n\n")[0]
    for row in table.splitlines()[2:]:
        what, *said = (cell.strip() for cell in row.strip("| ").split(" | "))
        assert len(said) == DIRECT + 1, row
        yield from ((what, who, cell.strip("`")) for who, cell in enumerate(said))


@pytest.mark.parametrize(("what", "who", "expected"), list(cells()))
def test_a_cell(people: People, what: str, who: int, expected: str) -> None:
    """`yes` is an event; all else is the code of the refusal."""
    room, asker, other = _place(
        people, who, is_about_an_owner=re.search("of an? (muted )?owner", what) is not None
    )
    command = _command(what, room, asker, other)
    if "archived" in what:
        archive(room)
    result = write_one(command, asker, staff=who == STAFF)
    assert ("yes" if isinstance(result, Recorded) else str(result)) == expected


@pytest.mark.parametrize("what", sorted({what for what, _, _ in cells() if "archived" not in what}))
@pytest.mark.parametrize("who", [READER, MEMBER, OWNER, STAFF])
def test_an_archived_room_refuses_all(people: People, what: str, who: int) -> None:
    """Also whoever may do everything else."""
    room, asker, other = _place(people, who, is_about_an_owner=False)
    command = _command(what, room, asker, other)
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


def _place(people: People, who: int, *, is_about_an_owner: bool) -> tuple[UUID, int, int]:
    """Return a room, who asks, and somebody in it besides."""
    other = add_user(f"other-{uuid4().hex[:8]}")
    if who == DIRECT:
        command = CreateRoom(uuid="pair", kind="direct", members=[other])
        written(command, people.alice)
        return room_of(command, people.alice), people.alice, other
    room = make_room(people.alice)
    written(
        InviteUser(uuid="o", room=room, user=other, role="owner" if is_about_an_owner else "member"),
        people.alice,
    )
    if (role := ROLES.get(who)) is not None:
        written(InviteUser(uuid="b", room=room, user=people.bob, role=role), people.alice)
    return room, people.alice if who == OWNER else people.bob, other


def _command(what: str, room: UUID, asker: int, other: int) -> RoomWrite:
    """Return the command that a row speaks of; a message that it names is there."""
    action = re.findall(r"`(\w+)`", what)[0]
    is_new = action == "invite_user" or "somebody" in what
    user = add_user(f"new-{uuid4().hex[:8]}") if is_new else other
    if "banned" in what:
        Ban.objects.create(room_id=room, user_id=user, seq=1)
    if "muted" in what:
        Membership.objects.filter(room=room, user=user).update(muted_until=FOREVER)
    role = re.split(" as | to ", what)[-1]
    facts: dict[str, Any] = {
        "room": room.hex,
        "text": "x",
        "emoji": "👍",
        "name": "n",
        "topic": "t",
        "user": user,
        "role": role,
    }
    if " message" in what:
        author = asker if "an own" in what else other
        facts["message"] = written(message(room), author, staff=True).event.id
    if action == "remove_reaction":
        written(AddReaction(uuid="r", room=room, message=facts["message"], emoji="👍"), asker, staff=True)
    if action == "unpin_message":
        written(PinMessage(uuid="p", room=room, message=facts["message"]), asker, staff=True)
    fields = COMMANDS[action].__struct_fields__
    keys = {key: value for key, value in facts.items() if key in fields}
    command = command_of({"uuid": uuid4().hex, "action": action, **keys})
    assert isinstance(command, RoomWrite)
    return command
