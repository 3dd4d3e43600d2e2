"""Who may what over REST: each cell of the contract's table that an operation exists for."""

from typing import Any, Final

import msgspec
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from rest_framework.authtoken.models import Token

from roomlog.models import ChatRoom
from roomlog_contract.commands import RoomWrite
from roomlog_contract.shards import room_of
from tests.harness.accounts import Work
from tests.harness.people import People, add_user
from tests.harness.permissions import STAFF, STRANGER, action_in, cells, command_for, place_for

pytestmark = pytest.mark.django_db
OPERATIONS: Final = {
    "new_message": "POST messages/",
    "edit_message": "PATCH messages/{message}/",
    "delete_message": "DELETE messages/{message}/",
    "add_reaction": "POST messages/{message}/reactions/",
    "remove_reaction": "DELETE messages/{message}/reactions/",
    "pin_message": "PUT messages/{message}/pin/",
    "unpin_message": "DELETE messages/{message}/pin/",
    "rename_room": "PATCH ",
    "set_topic": "PUT topic/",
    "set_receipts": "PUT receipts/",
    "set_discoverable": "PUT discoverable/",
    "join_room": "POST join/",
    "archive_room": "POST archive/",
    "restore_room": "DELETE archive/",
    "invite_user": "POST members/",
    "remove_user": "DELETE members/{user}/",
    "set_role": "PATCH members/{user}/",
    "mute_user": "POST members/{user}/mute/",
    "unmute_user": "DELETE members/{user}/mute/",
    "ban_user": "POST bans/",
    "unban_user": "DELETE bans/{user}/",
    "leave_room": "DELETE members/{asker}/",
}
"""Method, and path below the room's own."""
ROWS: Final = {
    row: {who: expected for what, who, expected in cells() if what == row and who != STAFF}
    for row in dict.fromkeys(what for what, *_ in cells())
}
"""By the first cell. Staff has no more rights over REST than others: that column is the admin's."""


def said_over_rest(command: RoomWrite, asker: int, work: Work) -> str:
    """Ask for a command in somebody's name; return `yes`, or why not: at once or from the worker."""
    body: dict[str, Any] = {"asker": asker, **msgspec.to_builtins(command)}
    method, _, path = OPERATIONS[str(body.pop("action"))].partition(" ")
    token, _ = Token.objects.get_or_create(user=User.objects.get(roomlog_person=asker))
    client = Client(headers={"authorization": f"Token {token.key}"})
    address = f"/api/v1/rooms/{room_of(command, asker).hex}/{path.format(**body)}"
    answer = client.generic(method, address, msgspec.json.encode(body), "application/json")
    if answer.status_code != 202:
        return str(answer.json()["error_code"])
    return next(iter(work()), "yes")


def test_each_row_has_an_operation() -> None:
    """A new action of the table comes to REST too, or is left out here by name."""
    assert {action_in(what) for what, *_ in cells()} == OPERATIONS.keys()


@pytest.mark.parametrize("what", ROWS)
def test_a_row(code: None, work: Work, what: str) -> None:
    """In each cell `yes` is an event; all else is the code of the refusal. Strangers hear of no room."""
    said = dict[int, str]()
    for who in ROWS[what]:
        people = People(*(add_user(f"{name}-{who}") for name in ("alice", "bob", "carol")))
        room, asker, other = place_for(people, what, who)
        command = command_for(what, room, asker, other)
        if "archived" in what:
            ChatRoom.objects.filter(pk=room).update(archived_at=timezone.now())
        said[who] = said_over_rest(command, asker, work)
    hidden = {STRANGER: "not_found"} if ROWS[what][STRANGER] == "not_member" else {}
    assert said == ROWS[what] | hidden
