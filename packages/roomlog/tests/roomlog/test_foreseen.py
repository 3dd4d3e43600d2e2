"""What is sure to be refused is refused at once, and a crowd of waiting commands has a bound."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client

from roomlog import foreseen
from roomlog.models import ChatMessage, PendingCommand
from roomlog.pending import request_command
from roomlog.rooms import post
from roomlog_contract.commands import CreateRoom
from roomlog_contract.errors import ErrorCode, RefusedCommand
from roomlog_contract.shards import created_room_id
from tests.harness.people import id_of

pytestmark = pytest.mark.django_db
JSON = "application/json"


def say(client: Client, room: UUID, **fields: Any) -> tuple[int, str]:
    """Say something and return status and code."""
    answer = client.post(f"/api/v1/rooms/{room.hex}/messages/", fields, content_type=JSON)
    return answer.status_code, answer.json().get("error_code", "")


def test_a_uuid_with_another_content_is_a_conflict(as_alice: Client, lobby: UUID) -> None:
    """Whether the first is in the log or waits; the same content is a repeat, and no conflict."""
    assert say(as_alice, lobby, uuid="hello-1", text="other") == (409, "uuid_conflict")
    assert say(as_alice, lobby, uuid="hello-1", text="hello") == (202, "")
    assert say(as_alice, lobby, uuid="new", text="one") == (202, "")
    assert say(as_alice, lobby, uuid="new", text="two") == (409, "uuid_conflict")
    assert say(as_alice, lobby, uuid="new", text="one") == (202, "")


def test_an_answer_to_nothing_is_refused_with_its_field(as_alice: Client, lobby: UUID) -> None:
    """Before it waits, not after."""
    first = ChatMessage.objects.get(uuid="hello-1").pk
    assert say(as_alice, lobby, text="yes", reply_to=first) == (202, "")
    assert say(as_alice, lobby, text="yes", reply_to=first + 999) == (404, "not_found")
    assert PendingCommand.objects.count() == 1


def test_a_post_to_no_room_raises(alice: User) -> None:
    """Unless its room waits to be made in the same transaction."""
    with pytest.raises(RefusedCommand) as refused:
        post(uuid4(), alice, "anybody?")
    assert refused.value.code is ErrorCode.NOT_MEMBER
    request_command(CreateRoom(uuid="mine", name="mine"), id_of(alice))
    post(created_room_id(id_of(alice), "mine"), alice, "first")
    assert PendingCommand.objects.count() == 2


def test_a_crowd_is_told_to_come_back(
    as_alice: Client, lobby: UUID, admin_user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """REST and the admin; code of one's own is not, for its transaction would fail with it."""
    monkeypatch.setattr(foreseen, "PENDING_IN_A_SHARD", 2)
    assert [say(as_alice, lobby, text="hi") for _ in range(3)] == [(202, ""), (202, ""), (503, "busy")]
    answer = as_alice.post(f"/api/v1/rooms/{lobby.hex}/messages/", {"text": "hi"}, content_type=JSON)
    assert int(answer.headers["retry-after"]) > 0
    post(lobby, User.objects.get(username="alice"), "paid")
    assert PendingCommand.objects.count() == 3
