"""Pages, admin and REST in the language that a browser asks for."""

from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from roomlog.models import Membership, PendingCommand
from tests.harness.accounts import GERMAN, language  # noqa: F401 - a fixture, used by its name
from tests.harness.people import id_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("language")]


def test_the_login_is_in_the_browsers_language(client: Client, alice: User, settings: Any) -> None:
    """A language that a project adds is not called English."""
    page = client.get("/login/", headers=GERMAN)
    assert '<html lang="de">' in page.content.decode()
    assert "Melden Sie sich an" in page.content.decode()
    assert "Accept-Language" in page.headers["vary"]
    wrong = client.post("/login/", {"username": "alice", "password": "x"}, headers=GERMAN)
    assert "Name oder Passwort ist falsch." in wrong.content.decode()
    for other in ("fr", "en-GB"):
        page = client.get("/login/", headers={"accept-language": other})
        assert '<html lang="en">' in page.content.decode()
        assert "Log in to chat." in page.content.decode()
    settings.LANGUAGES = [("fr", "Français")]
    settings.LANGUAGE_CODE = "fr"
    assert '<html lang="en">' in client.get("/login/").content.decode()


@pytest.mark.parametrize("headers", [{}, GERMAN])
def test_the_admin_lists_machinery_behind_the_rest(admin_client: Client, headers: dict[str, str]) -> None:
    """Django sorts an app's tables by their names, in each language."""
    apps = admin_client.get("/admin/", headers=headers).context["app_list"]
    tables = next(app["models"] for app in apps if app["app_label"] == "roomlog")
    assert ["Worker" in table["name"] for table in tables] == [False] * 13 + [True] * 5


def test_the_page_and_rest_speak_german(
    admin_client: Client, lobby: UUID, alice: User, bob: User, settings: Any, as_alice: Client
) -> None:
    """REST explains in it, and codes stay; so does the admin."""
    index = admin_client.get("/admin/", headers=GERMAN).content.decode()
    for name in ("Räume", "Mitgliedschaften", "Worker: wartende Befehle"):
        assert name in index
    rooms = admin_client.get("/admin/roomlog/chatroom/", headers=GERMAN).content.decode()
    for word in ("Angelegt am", "Art", "Ein Teil des Namens oder die ganze ID."):
        assert word in rooms
    room = {"name": "", "kind": "direct", "owner": id_of(alice), "uuid": "0" * 32}
    form = admin_client.post("/admin/roomlog/chatroom/add/", room, headers=GERMAN).content.decode()
    assert "Ein Direktchat hat neben dem Besitzer genau ein Mitglied." in form
    listing = reverse("admin:roomlog_membership_changelist")
    assert "Aus dem Raum entfernen" in admin_client.get(listing, headers=GERMAN).content.decode()
    members = list(Membership.objects.filter(room=lobby).values_list("pk", flat=True))
    action = {"action": "ask_to_remove", "_selected_action": members, "confirmed": "yes"}
    told = admin_client.post(listing, action, headers=GERMAN, follow=True).content.decode()
    assert "2 Änderungen angefordert. Meist führt ein Worker" in told
    assert PendingCommand.objects.count() == 2
    nowhere = as_alice.get("/api/v1/nowhere/", headers=GERMAN).json()
    assert (nowhere["detail"][:24], nowhere["error_code"]) == ("Diesen Pfad gibt es nich", "not_found")
    missing = as_alice.get("/api/v1/messages/none/", headers=GERMAN).json()
    assert missing["detail"] == "Das gibt es nicht, oder Sie dürfen es nicht sehen."
    message = reverse("roomlog:messages", args=[lobby])
    body = {"uuid": "1", "text": " "}
    refused = as_alice.post(message, body, content_type="application/json", headers=GERMAN).json()
    assert (refused["detail"], refused["error_code"]) == ("The text is empty.", "empty_text")
