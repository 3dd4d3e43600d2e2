"""Who may what in the admin: the column of staff in the contract's table, where the admin can ask for it."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from roomlog.models import Ban, ChatRoom, Membership, RoomEvent
from roomlog_contract.commands import RoomWrite
from tests.harness.accounts import Work
from tests.harness.people import People, id_of
from tests.harness.permissions import DIRECT, STAFF, action_in, cells, command_for, place_for

pytestmark = pytest.mark.django_db
ACTIONS: Final[Mapping[str, tuple[str, str]]] = {
    "delete_message": ("chatmessage", "delete_selected"),
    "archive_room": ("chatroom", "ask_to_archive"),
    "restore_room": ("chatroom", "ask_to_restore"),
    "remove_user": ("membership", "ask_to_remove"),
    "mute_user": ("membership", "ask_to_mute"),
    "unmute_user": ("membership", "ask_to_unmute"),
    "ban_user": ("membership", "ask_to_ban"),
    "unban_user": ("ban", "ask_to_unban"),
}
"""List and action that ask for a command; an invitation has the form of its room."""
ELSEWHERE: Final = "`ban_user` of somebody outside"
"""The admin bans members, and authors of messages and of what was reported."""
CELLS: Final = [
    (what, who)
    for what, who, expected in cells()
    if action_in(what) in (*ACTIONS, "invite_user") and what != ELSEWHERE
    if who == STAFF or (who == DIRECT and expected == "forbidden" and action_in(what) != "delete_message")
]


def ask(client: Client, command: RoomWrite, action: str) -> None:
    """Ask for a command as staff does, and confirm it."""
    facts: Any = command
    if action == "invite_user":
        page = reverse("admin:roomlog_chatroom_change", args=(facts.room,))
        client.post(page, {"invite": [facts.user], "role": facts.role, "uuid": "0" * 32})
        return
    of_list, choice = ACTIONS[action]
    form = {"action": choice, "_selected_action": [row_of(of_list, facts)], "confirmed": "yes", "post": "yes"}
    client.post(reverse(f"admin:roomlog_{of_list}_changelist"), form | {"seconds": ""})


def row_of(of_list: str, command: Any) -> Any:
    """Return the key of the row that is selected."""
    if of_list == "chatroom":
        return command.room
    if of_list == "chatmessage":
        return command.message
    rows: Any = Membership if of_list == "membership" else Ban
    return rows.objects.get(room=command.room, user=command.user).pk


def events_of(room: UUID, action: str) -> int:
    """Return how often it was done."""
    return RoomEvent.objects.filter(room=room, kind=action).count()


@pytest.mark.parametrize(("what", "who"), CELLS)
def test_a_cell(admin_client: Client, admin_user: User, work: Work, what: str, who: int) -> None:
    """Staff may do what its column says, without being in the room; in a direct room it only deletes."""
    room, asker, other = place_for(People.make(), what, who)
    action = action_in(what)
    command = command_for(what, room, id_of(admin_user) if who == STAFF else asker, other)
    if "archived" in what:
        ChatRoom.objects.filter(pk=room).update(archived_at=timezone.now())
    before = events_of(room, action)
    ask(admin_client, command, action)
    refused = work()
    assert events_of(room, action) - before == int(who == STAFF), refused
