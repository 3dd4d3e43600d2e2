"""Users and tokens in the admin."""

from uuid import UUID

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.authtoken.models import Token

from roomlog_contract.commands import NewMessage
from roomlog_store.pending import request_command

pytestmark = pytest.mark.django_db
TOKENS = "/admin/roomlog_api/accesstoken/"


def test_a_token_is_made_and_shown_once(admin_client: Client, alice: User) -> None:
    """The key stands on the page after its creation, and on no later one, in no address and in no log."""
    page = admin_client.post(f"{TOKENS}add/", {"user": alice.pk}, follow=True)
    key = Token.objects.get(user=alice).key
    assert page.content.decode().count(key) == 1
    pages = [
        admin_client.get(f"{TOKENS}{path}") for path in ("", f"{alice.pk}/change/", f"{alice.pk}/delete/")
    ]
    assert [page.status_code for page in pages] == [200, 200, 200]
    assert not any(key in page.content.decode() for page in pages)
    assert [entry.object_repr for entry in LogEntry.objects.all()] == ["token of alice"]


def test_a_token_is_revoked(admin_client: Client, alice: User, bob: User) -> None:
    """Deleting takes that one token."""
    for user in (alice, bob):
        Token.objects.create(user=user)
    admin_client.post(f"{TOKENS}{alice.pk}/delete/", {"post": "yes"})
    assert list(Token.objects.values_list("user", flat=True)) == [bob.pk]


def test_a_user_has_one_token(admin_client: Client, alice: User) -> None:
    """A second is refused in the form; revoke the first."""
    Token.objects.create(user=alice)
    assert admin_client.post(f"{TOKENS}add/", {"user": alice.pk}).status_code == 200
    assert Token.objects.count() == 1


def test_users_are_made_and_found(admin_client: Client) -> None:
    """The pages of Django's own user admin work in this theme, and so does the search of the room form."""
    words = "a long pass phrase"
    form = {"username": "dora", "password1": words, "password2": words, "usable_password": "true"}
    assert admin_client.post("/admin/auth/user/add/", form, follow=True).status_code == 200
    dora = User.objects.get(username="dora")
    for path in ("", f"{dora.pk}/change/", f"{dora.pk}/password/"):
        assert admin_client.get(f"/admin/auth/user/{path}").status_code == 200
    query = {"app_label": "roomlog_store", "model_name": "membership", "field_name": "user", "term": "dor"}
    found = admin_client.get("/admin/autocomplete/", query).json()
    assert found["results"] == [{"id": str(dora.pk), "text": "dora"}]


def test_who_said_something_stays(admin_client: Client, alice: User) -> None:
    """Deleting somebody whose words stand in a log is refused with the reason, not with an error."""
    request_command(NewMessage(uuid="u", room=UUID(int=1), text="hi"), alice.pk)
    page = admin_client.post(f"/admin/auth/user/{alice.pk}/delete/", {"post": "yes"})
    assert page.status_code == 200
    assert User.objects.filter(pk=alice.pk).exists()
