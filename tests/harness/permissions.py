"""The table of permissions in the contract's README, and the situation that each of its cells speaks of.

Beside the message's way, for the tests of every door that a command comes through.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

from roomlog.ban import FOREVER
from roomlog.models import Ban, ChatRoom, Membership
from roomlog_contract.actions import COMMANDS
from roomlog_contract.codec import command_of
from roomlog_contract.commands import AddReaction, CreateRoom, InviteUser, PinMessage, Role, RoomWrite
from roomlog_contract.shards import room_of

from .people import People, add_user, make_room, message, written

README: Final = Path(__file__).resolve().parents[2] / "packages" / "contract" / "README.md"
STRANGER, READER, MEMBER, ADMIN, OWNER, STAFF, DIRECT = range(7)
ROLES: Final[Mapping[int, Role]] = {READER: "reader", MEMBER: "member", ADMIN: "admin"}


def cells() -> Iterator[tuple[str, int, str]]:
    """Yield the first cell of a row, the place of another one, and what it says."""
    table = README.read_text(encoding="utf-8").partition("| action | stranger |")[2].partition("\n\n")[0]
    for row in table.splitlines()[2:]:
        what, *said = (cell.strip() for cell in row.strip("| ").split(" | "))
        assert len(said) == DIRECT + 1, row
        yield from ((what, who, cell.strip("`")) for who, cell in enumerate(said))


def action_in(what: str) -> str:
    """Return the action that a row speaks of."""
    action: str = re.findall(r"`(\w+)`", what)[0]
    return action


def place_for(people: People, what: str, who: int) -> tuple[UUID, int, int]:
    """Return a room, who asks, and somebody in it besides."""
    other = add_user(f"other-{uuid4().hex[:8]}")
    if who == DIRECT:
        command = CreateRoom(uuid="pair", kind="direct", members=[other])
        written(command, people.alice)
        return room_of(command, people.alice), people.alice, other
    room = make_room(people.alice)
    is_about_an_owner = re.search("of an? (muted )?owner", what) is not None
    written(
        InviteUser(uuid="o", room=room, user=other, role="owner" if is_about_an_owner else "member"),
        people.alice,
    )
    if (role := ROLES.get(who)) is not None:
        written(InviteUser(uuid="b", room=room, user=people.bob, role=role), people.alice)
    return room, people.alice if who == OWNER else people.bob, other


def command_for(what: str, room: UUID, asker: int, other: int) -> RoomWrite:
    """Return the command that a row speaks of; a message that it names is there."""
    action = action_in(what)
    is_new = action == "invite_user" or "somebody" in what
    user = add_user(f"new-{uuid4().hex[:8]}") if is_new else other
    if "banned" in what:
        Ban.objects.create(room_id=room, user_id=user, seq=1)
    if "a discoverable room" in what:
        ChatRoom.objects.filter(pk=room).update(is_discoverable=True)
    if "muted" in what:
        Membership.objects.filter(room=room, user=user).update(muted_until=FOREVER)
    role = re.split(" as | to ", what)[-1]
    facts: dict[str, Any] = {
        "room": room.hex,
        "text": "x",
        "emoji": "👍",
        "name": "n",
        "topic": "t",
        "discoverable": True,
        "receipts": True,
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
