"""Webhooks and bots' tokens in the admin: made by whoever may, each secret shown once."""

import re
from uuid import UUID

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from roomlog.bots import signed_in_bots
from roomlog.models import BotToken, IncomingHook, Webhook, WebhookCursor
from tests.harness.people import id_of

pytestmark = pytest.mark.django_db
ADMIN = "/admin/roomlog/"


def shown(client: Client, page: str, **said: object) -> str:
    """Return the page behind a form that was sent."""
    answer = client.post(f"{ADMIN}{page}", said, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def found(pattern: str, text: str) -> str:
    """Return the first match."""
    match = re.search(pattern, text)
    assert match, text
    return match.group()


def test_a_token_and_an_address_are_shown_once(admin_client: Client, alice: User, lobby: UUID) -> None:
    """A token signs in as its account; an address posts, never under the project's own name."""
    page = shown(admin_client, "bottoken/add/", person=id_of(alice), name="ci", days=30)
    token = found("roomlog_bot_[0-9A-Za-z_-]{43}", page)
    assert signed_in_bots([token])[token].user.username == "alice"
    assert token not in admin_client.get(f"{ADMIN}bottoken/").content.decode()
    row = BotToken.objects.get()
    assert row.digest not in admin_client.get(f"{ADMIN}bottoken/{row.pk}/change/").content.decode()
    shown(admin_client, "bottoken/", action="delete_selected", _selected_action=row.pk, post="yes")
    assert signed_in_bots([token]) == {}
    page = shown(admin_client, "incominghook/add/", room=lobby, name="builds")
    path = found("/api/v1/hooks/[0-9a-f]{32}/[0-9A-Za-z_-]{43}/", page)
    assert Client().post(path, {"text": "hello"}, content_type="application/json").status_code == 202
    assert path not in admin_client.get(f"{ADMIN}incominghook/").content.decode()
    shown(admin_client, "incominghook/add/", room=lobby, name="system")
    assert IncomingHook.objects.count() == 1


@pytest.mark.parametrize(
    ("url", "setting", "is_taken"),
    [
        ("https://example.org/hook", "public", True),
        ("http://example.org/hook", "public", False),
        ("http://10.0.0.1/hook", "private", True),
        ("https://name:word@example.org/", "private", False),
        ("ftp://example.org/", "private", False),
    ],
)
def test_only_addresses_that_are_delivered_to_are_stored(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch, url: str, setting: str, is_taken: bool
) -> None:
    """By the settings of this moment."""
    monkeypatch.setitem(settings.ROOMLOG, "WEBHOOKS", setting)
    page = shown(admin_client, "webhook/add/", name="ci", url=url, kinds=["new_message"])
    assert Webhook.objects.exists() is is_taken
    assert ("whsec_" in page) is is_taken


def test_a_webhook_shows_how_it_fares_and_is_stopped_and_started(
    admin_client: Client, lobby: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its list says so where nothing is delivered at all, and leads to the rooms that fail."""
    webhook = Webhook.objects.create(name="ci", url="https://example.org/")
    facts = {"failing_since": timezone.now(), "attempts": 3, "last_error": "503"}
    WebhookCursor.objects.create(webhook=webhook, room_id=lobby, **facts)
    page = admin_client.get(f"{ADMIN}webhook/").content.decode()
    assert "Nothing is delivered" in page
    assert webhook.secret not in page
    address = found(r"webhookcursor/\?webhook__id__exact=\d+", page)
    assert "503" in admin_client.get(f"{ADMIN}{address}").content.decode()
    monkeypatch.setitem(settings.ROOMLOG, "WEBHOOKS", "public")
    assert "Nothing is delivered" not in shown(
        admin_client, "webhook/", action="stop", _selected_action=webhook.pk
    )
    webhook.refresh_from_db()
    assert webhook.stopped == "admin"
    shown(admin_client, "webhook/", action="start", _selected_action=webhook.pk)
    webhook.refresh_from_db()
    assert webhook.stopped == ""
    assert WebhookCursor.objects.filter(attempts=0, failing_since=None).exists()
    page = shown(admin_client, "webhook/", action="replace_secret", _selected_action=webhook.pk)
    assert webhook.secret not in page
    webhook.refresh_from_db()
    assert webhook.secret in page.replace("&#x2B;", "+").replace("&#43;", "+")


def test_who_may_not_make_them_does_not(alice: User) -> None:
    """Each page needs its own right."""
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    client = Client()
    client.force_login(User.objects.get(pk=alice.pk))
    for table in ("bottoken", "incominghook", "invitation", "webhook", "webhookcursor"):
        assert client.get(f"{ADMIN}{table}/").status_code == 403
        assert client.post(f"{ADMIN}{table}/add/", {}).status_code == 403
