"""Incoming hooks: whoever knows the address posts into its room, once for each uuid, and nobody else does."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.utils import timezone

from roomlog.hooks.incoming import make_hook
from roomlog.models import ChatMessage, ChatRoom, IncomingHook, PendingCommand
from roomlog.rest.hooks import HookThrottle
from tests.harness.accounts import Work

pytestmark = pytest.mark.django_db


@pytest.fixture
def hook(lobby: UUID) -> str:
    """The address of a hook of the lobby."""
    return new_hook(lobby)


def new_hook(room: UUID, name: str = "builds") -> str:
    """Return the address of a new hook."""
    row = IncomingHook(room=ChatRoom.objects.get(pk=room))
    secret = make_hook(row, name)
    assert secret not in str(vars(row))
    return f"/api/v1/hooks/{row.pk.hex}/{secret}/"


def post(path: str, said: object) -> Any:
    """Post as a program without any rights."""
    return Client().post(path, json.dumps(said), content_type="application/json")


def said_by(name: str) -> list[str]:
    """Return what was said under a name."""
    return list(ChatMessage.objects.filter(user__name=name).values_list("text", flat=True))


def test_a_hook_posts_under_its_name_once_for_each_uuid(hook: str, lobby: UUID, work: Work) -> None:
    """Two hooks of one name know nothing of each other's uuids; without one each post is a message."""
    for path in (hook, hook, new_hook(lobby)):
        assert post(path, {"text": "red", "uuid": "build-1"}).status_code == 202
        assert work() == []
    assert said_by("builds") == ["red", "red"]
    for _ in range(2):
        post(hook, {"text": "green"})
    assert work() == []
    assert said_by("builds")[2:] == ["green", "green"]
    assert post(hook, {"text": "other", "uuid": "build-1"}).status_code == 409


def test_whoever_does_not_know_the_whole_address_learns_nothing(hook: str, lobby: UUID) -> None:
    """Not even whether there is such a hook; a revoked one is as unknown."""
    unknown = hook.replace(hook.split("/")[4], uuid4().hex)
    wrong = f"{hook[:-5]}{'aaaa' if hook[-5:-1] != 'aaaa' else 'bbbb'}/"
    answers = {path: post(path, {"text": "hello"}) for path in (unknown, wrong)}
    IncomingHook.objects.all().delete()
    answers[hook] = post(hook, {"text": "hello"})
    assert {answer.status_code for answer in answers.values()} == {404}
    assert len({answer.content for answer in answers.values()}) == 1
    assert Client().get(hook).status_code == 405
    assert PendingCommand.objects.count() == 0


@pytest.mark.parametrize(
    ("said", "status"), [({}, 400), ({"text": ""}, 400), ({"text": "x" * 70_000}, 413), ({"text": 1}, 400)]
)
def test_what_no_socket_could_say_no_hook_can(hook: str, said: object, status: int) -> None:
    """With a problem that does not repeat the address."""
    answer = post(hook, said)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert hook.split("/")[5] not in answer.content.decode()


def test_an_archived_room_takes_nothing(hook: str, lobby: UUID) -> None:
    """And says so at once."""
    ChatRoom.objects.filter(pk=lobby).update(archived_at=timezone.now())
    assert post(hook, {"text": "hello"}).status_code == 409


def test_a_hook_has_a_pace_that_strangers_can_not_use_up(
    hook: str, lobby: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is counted by the whole address."""
    monkeypatch.setattr(HookThrottle, "rate", "2/min")
    wrong = f"{hook[:-5]}aaaa/"
    assert [post(wrong, {"text": "guess"}).status_code for _ in range(3)] == [404, 404, 429]
    assert [post(hook, {"text": "hello"}).status_code for _ in range(3)] == [202, 202, 429]
