"""One rule for each field, whichever door a command comes through."""

import json
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.test import Client

from roomlog.models import PendingCommand
from roomlog_contract.codec import decode_command
from roomlog_contract.envelope import decode_envelope
from roomlog_contract.errors import RefusedCommand

pytestmark = pytest.mark.django_db
JSON = "application/json"
DECOMPOSED = "Jose\N{COMBINING ACUTE ACCENT}"
COMPOSED = "Jos\N{LATIN SMALL LETTER E WITH ACUTE}"
MESSAGES: tuple[dict[str, Any], ...] = (
    {"uuid": " u ", "text": " hi "},
    {"uuid": "u" * 64, "text": "x"},
    {"uuid": "u" * 65, "text": "x"},
    {"uuid": "", "text": "x"},
    {"uuid": "u"},
    {"uuid": "u", "text": ""},
    {"uuid": "u", "text": "\n"},
    {"uuid": "u", "text": "x" * 4_000},
    {"uuid": "u", "text": "x" * 4_001},
    {"uuid": "u", "text": "a\0b"},
    {"uuid": "u", "text": "a\ud800"},
    {"uuid": "u", "text": 5},
    {"uuid": 5, "text": "x"},
    {"uuid": "u", "text": "x", "reply_to": None},
    {"uuid": "u", "text": "x", "reply_to": "1"},
    {"uuid": "u", "text": "x", "reply_to": 0},
    {"uuid": "u", "text": "x", "reply_to": 2**53},
    {"uuid": "u", "text": "x", "reply_to": 1.0},
    {"uuid": "u", "text": "x", "mentions": [3, 1, 3]},
    {"uuid": "u", "text": "x", "mentions": []},
    {"uuid": "u", "text": "x", "mentions_room": True},
    {"uuid": "u", "text": "x", "mentions_room": 1},
    {"uuid": "u", "text": "x", "mentions": None},
    {"uuid": "u", "text": "x", "mentions": [0]},
    {"uuid": "u", "text": "x", "mentions": list(range(1, 22))},
    {"uuid": "u", "text": "x", "attachments": []},
    {"uuid": "u", "text": "x", "attachments": [1]},
    {"uuid": "u", "text": "", "attachments": []},
    {"uuid": "u", "text": "x", "attachments": ["0" * 32] * 2},
    {"uuid": "u", "text": "x", "more": [1]},
    {"uuid": "u", "text": DECOMPOSED},
    {"uuid": DECOMPOSED, "text": "x"},
)
ROOMS: tuple[dict[str, Any], ...] = (
    {"uuid": "u", "name": f" {DECOMPOSED} "},
    {"uuid": "u", "name": "x" * 201},
    {"uuid": "u", "name": "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 20},
    {"uuid": "u", "name": None},
    {"uuid": "u", "kind": "secret"},
    {"uuid": "u", "members": ["1"]},
    {"uuid": "u", "members": list(range(1, 102))},
    {"uuid": "u", "members": [True]},
    {"uuid": "u", "members": []},
)


def said_by_socket(keys: dict[str, Any]) -> Any:
    """Return the command, or the code of its refusal."""
    try:
        return decode_command(json.dumps(keys))
    except RefusedCommand as refused:
        return refused.code.value


def said_by_request(client: Client, path: str, body: dict[str, Any]) -> Any:
    """Return the command that waits, or the code of its refusal."""
    answer = client.post(path, body, content_type=JSON)
    if answer.status_code != 202:
        assert (answer.status_code, PendingCommand.objects.count()) == (400, 0)
        return answer.json()["error_code"]
    return decode_envelope(bytes(PendingCommand.objects.get().envelope)).command


@pytest.mark.parametrize("body", MESSAGES)
def test_a_message_is_read_alike(as_alice: Client, lobby: UUID, body: dict[str, Any]) -> None:
    """Nothing is trimmed, converted or let through at one door alone."""
    by_request = said_by_request(as_alice, f"/api/v1/rooms/{lobby.hex}/messages/", body)
    assert by_request == said_by_socket({"action": "new_message", "room": lobby.hex, **body})


@pytest.mark.parametrize("body", ROOMS)
def test_a_room_is_read_alike(as_alice: Client, body: dict[str, Any]) -> None:
    """Names in one form, within their bound in that form."""
    assert said_by_request(as_alice, "/api/v1/rooms/", body) == said_by_socket(
        {"action": "create_room", **body}
    )


def test_a_rooms_name_has_one_form() -> None:
    """Decomposed as some keyboards write it, it is the same name; the text of a message stays as it was."""
    assert said_by_socket({"uuid": "u", "action": "create_room", "name": DECOMPOSED}).name == COMPOSED


@pytest.mark.parametrize("name", [COMPOSED, DECOMPOSED])
def test_a_name_opens_every_door_in_every_form(client: Client, name: str) -> None:
    """The page and REST."""
    User.objects.create_user(COMPOSED, password="correct horse")
    body = {"username": name, "password": "correct horse"}
    assert client.post("/api/v1/token/", body, content_type=JSON).status_code == 200
    assert client.post("/login/", body).status_code == 302


@pytest.mark.parametrize("prefix", ["jos", "JOS", COMPOSED, DECOMPOSED, COMPOSED.upper(), DECOMPOSED.lower()])
def test_people_are_found_in_every_form(as_alice: Client, settings: Any, prefix: str) -> None:
    """In whatever case, on both databases."""
    settings.ROOMLOG = {**settings.ROOMLOG, "FIND_PEOPLE": "all"}
    User.objects.create_user(COMPOSED)
    found = as_alice.get("/api/v1/users/", {"search": prefix}).json()
    assert [person["username"] for person in found] == [COMPOSED]
