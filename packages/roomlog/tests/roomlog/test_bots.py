"""Bots' tokens: named, with an end, stored as hashes, and good for sockets and REST alike."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from roomlog import bots, notices
from roomlog.authenticators import BotTokens, own_authenticators, rest_classes, signed_in
from roomlog.bots import signed_in_bots
from roomlog.models import BotToken, Person

ROOMS = "/api/v1/rooms/"


def make(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return the token that the command prints."""
    capsys.readouterr()
    call_command("roomlog", "bot", *arguments)
    return capsys.readouterr().out.strip()


def status(token: str) -> int:
    """Return what REST answers to a token."""
    return Client(headers={"authorization": f"Bearer {token}"}).get(ROOMS).status_code


def test_a_bot_signs_in_until_its_token_ends(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One account has several tokens; the database holds none of them."""
    first, second = make(capsys, "robot", "ci"), make(capsys, "robot", "cron", "--days", "1")
    assert not User.objects.get(username="robot").has_usable_password()
    assert first not in str(list(BotToken.objects.values_list()))
    found = signed_in_bots([first, second, "other", f"{bots.PREFIX}other"])
    assert {one.user.username for one in found.values()} == {"robot"}
    assert 0 < (found[second].expires_in_ms or 0) <= 86_400_000 < (found[first].expires_in_ms or 0)
    assert status(first) == status(second) == 200
    BotToken.objects.filter(name="cron").update(expires_at=timezone.now())
    BotToken.objects.get(name="ci").delete()
    assert status(first) == status(second) == 401
    assert signed_in_bots([first, second]) == {}


def test_who_may_not_take_part_has_no_tokens(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Whether it is inactive or deleted."""
    token = make(capsys, "robot", "ci")
    User.objects.update(is_active=False)
    assert (status(token), signed_in_bots([token])) == (401, {})
    User.objects.all().delete()
    assert (status(token), signed_in_bots([token])) == (401, {})


def test_a_use_is_noted_once_an_hour(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    """All other requests only read; other people's tokens cost nothing."""
    token = make(capsys, "robot", "ci")
    signed_in_bots([token])
    with CaptureQueriesContext(connection) as captured:
        signed_in_bots([token])
        signed_in_bots(["other"])
    assert [query["sql"][:6] for query in captured.captured_queries] == ["SELECT"]
    an_hour_ago = timezone.now() - timedelta(hours=1)
    BotToken.objects.update(last_used_at=an_hour_ago)
    signed_in_bots([token])
    assert BotToken.objects.filter(last_used_at__gt=an_hour_ago).exists()


def test_a_bots_token_works_beside_the_projects_own(
    database: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever `bots` stands in the list: those who refuse what they don't know come after it."""
    token = make(capsys, "robot", "ci")
    monkeypatch.setitem(settings.ROOMLOG, "AUTHENTICATORS", ["simplejwt", "bots"])
    found = signed_in(token, own_authenticators())
    assert found is not None
    assert found.user.username == "robot"
    assert found.expires_in_ms is not None
    assert rest_classes()[0] is BotTokens


def test_sockets_are_told_of_a_revoked_token(
    database: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the notice that every other kind of token sends."""
    make(capsys, "robot", "ci")
    told: list[int] = []
    monkeypatch.setattr(notices, "_send_recheck", told.append)
    BotToken.objects.get().delete()
    assert told == [Person.objects.get(user__username="robot").pk]


def test_the_command_says_what_is_wrong(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A name that is taken, an end that is none, an account that can't be made."""
    make(capsys, "robot", "ci")
    with pytest.raises(CommandError, match="token of this name"):
        make(capsys, "robot", "ci")
    with pytest.raises(CommandError, match="days from 1"):
        make(capsys, "robot", "other", "--days", "0")
    with pytest.raises(CommandError, match="Make the account yourself"):
        make(capsys, "no such name", "ci")
