"""Users and tokens in the admin."""

from uuid import UUID

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from redis.exceptions import RedisError
from rest_framework.authtoken.models import Token

from roomlog import pagination
from roomlog.admin import people
from roomlog.models import ChatMessage
from tests.harness.people import id_of

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


def test_users_are_made_and_found(admin_client: Client, code: None) -> None:
    """The pages of Django's own user admin work in this theme, and so does the search of the room form."""
    words = "a long pass phrase"
    form = {"username": "dora", "password1": words, "password2": words, "usable_password": "true"}
    assert admin_client.post("/admin/auth/user/add/", form, follow=True).status_code == 200
    dora = User.objects.get(username="dora")
    for path in ("", f"{dora.pk}/change/", f"{dora.pk}/password/"):
        assert admin_client.get(f"/admin/auth/user/{path}").status_code == 200
    query = {"app_label": "roomlog", "model_name": "membership", "field_name": "user", "term": "dor"}
    found = admin_client.get("/admin/autocomplete/", query).json()
    assert found["results"] == [{"id": str(id_of(dora)), "text": "dora"}]


@pytest.mark.parametrize("is_action", [False, True])
def test_an_account_is_deleted_and_what_it_said_stays(
    admin_client: Client,
    alice: User,
    lobby: UUID,
    is_action: bool,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    """By its page or the list's action, without a look at the log."""
    page, form = f"/admin/auth/user/{alice.pk}/delete/", {"post": "yes"}
    if is_action:
        page = "/admin/auth/user/"
        form |= {"action": "delete_selected", "_selected_action": str(alice.pk)}
    person = id_of(alice)
    with django_assert_max_num_queries(25) as asked:
        assert admin_client.post(page, form).status_code == 302
    assert "roomevent" not in " ".join(one["sql"] for one in asked.captured_queries)
    assert not User.objects.filter(username="alice").exists()
    assert ChatMessage.objects.filter(room=lobby, user=person).count() == 2
    assert "deleted account" in admin_client.get("/admin/roomlog/person/").content.decode()


def test_large_tables_open_as_fast_as_short_ones(
    admin_client: Client,
    alice: User,
    monkeypatch: pytest.MonkeyPatch,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    """A million people are not counted, a large group is deleted without a look at its people."""
    monkeypatch.setattr(pagination, "MAX_COUNTED", 1)
    for table in ("auth/user", "auth/group", "roomlog_api/accesstoken", "roomlog/person"):
        page = admin_client.get(f"/admin/{table}/")
        assert page.context["cl"].result_count <= 1
        assert page.context["cl"].full_result_count is None
    group = Group.objects.create(name="everybody")
    group.user_set.set(User.objects.bulk_create(User(username=f"p{n}", password="!") for n in range(50)))
    address = f"/admin/auth/group/{group.pk}/delete/"
    with django_assert_max_num_queries(8) as asked:
        assert "p49" not in admin_client.get(address).content.decode()
    assert "auth_user_groups" not in " ".join(one["sql"] for one in asked.captured_queries)
    admin_client.post(address, {"post": "yes"})
    assert not Group.objects.exists()
    assert User.objects.filter(username="p49").exists()


def test_the_tokens_of_people_are_revoked(admin_client: Client, alice: User, bob: User) -> None:
    """After a question; the history says of whom."""
    for user in (alice, bob):
        Token.objects.create(user=user)
    address, form = "/admin/roomlog/person/", {"action": "ask_to_revoke", "_selected_action": [id_of(alice)]}
    assert "<li>alice</li>" in admin_client.post(address, form).content.decode()
    assert Token.objects.count() == 2
    page = admin_client.post(address, form | {"confirmed": "yes"}, follow=True).content.decode()
    assert "1 token revoked." in page
    assert list(Token.objects.values_list("user", flat=True)) == [bob.pk]
    assert [(entry.object_repr, entry.change_message) for entry in LogEntry.objects.all()] == [
        ("alice", "Revoked the token.")
    ]


def test_who_is_connected_is_listed(
    admin_client: Client, alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many people at a time; without Redis there is a sentence."""
    first, second = sorted((id_of(alice), id_of(bob)))
    monkeypatch.setattr(people, "ASKED_ABOUT", 1)
    monkeypatch.setattr(people, "present", lambda asked: {second} & set(asked))
    address = "/admin/roomlog/person/connected/"
    page = admin_client.get(address, {"after": first - 1})
    assert (list(page.context["people"]), page.context["after"]) == ([], first)
    page = admin_client.get(address, {"after": first})
    assert [person.pk for person in page.context["people"]] == [second]
    assert "Connected: 1 of 1 people." in page.content.decode()

    def fail(_: object) -> None:
        raise RedisError

    monkeypatch.setattr(people, "present", fail)
    page = admin_client.get(address, {"after": "nonsense"})
    assert page.status_code == 200
    assert "tell right now who is online" in page.content.decode()
    assert "Connected people" in admin_client.get("/admin/roomlog/person/").content.decode()
