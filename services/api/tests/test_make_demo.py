"""The sample users and rooms."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from rest_framework.authtoken.models import Token

from roomlog.models import ChatRoom, Membership, PendingCommand
from roomlog_api.management.commands import make_demo

pytestmark = pytest.mark.django_db


@pytest.fixture
def working(monkeypatch: pytest.MonkeyPatch, work: Callable[[], list[str]]) -> None:
    """A worker that comes by whenever the command waits."""
    monkeypatch.setattr("time.sleep", lambda seconds: work())


def test_the_demo_is_printed_as_one_object(working: None, capsys: pytest.CaptureFixture[str]) -> None:
    """Names, passwords and tokens that work; making it again finds everything."""
    call_command("make_demo")
    facts = json.loads(capsys.readouterr().out)
    assert [user["name"] for user in facts["users"]] == ["alice", "bob", "carol", "admin"]
    for user in facts["users"]:
        found = authenticate(username=user["name"], password=user["password"])
        assert found == Token.objects.get(key=user["token"]).user
    members = {room["name"]: room["members"] for room in facts["rooms"]}
    assert members == {"lobby": ["alice", "bob", "carol"], "team": ["alice", "bob"]}
    for room in facts["rooms"]:
        names = Membership.objects.filter(room_id=room["id"]).values_list("user__name", flat=True)
        assert sorted(names) == room["members"]
    printed = set()
    for _ in range(2):
        call_command("make_demo")
        printed.add(capsys.readouterr().out)
    assert len(printed) == 1
    assert (User.objects.count(), ChatRoom.objects.count(), PendingCommand.objects.count()) == (4, 2, 0)


def test_rooms_that_wait_are_not_asked_for_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a worker it says so in the end, and a second try leaves what the first asked for."""
    monkeypatch.setattr(make_demo, "ROOMS_SECONDS", 0.0)
    for _ in range(2):
        with pytest.raises(CommandError, match="No worker created the rooms"):
            call_command("make_demo")
    assert PendingCommand.objects.count() == 2


def test_passwords_differ_between_installs(settings: Any) -> None:
    """They follow from the secret key: nobody can log in to a forgotten demo with a known password."""
    first = make_demo._password("admin")
    settings.SECRET_KEY = "another"
    assert make_demo._password("admin") != first
