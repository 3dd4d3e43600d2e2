"""What a project with Roomlog does with its users: signs them in, writes for them, lets them go.

A program of its own, in the project's process: `python -m tests.host.trial` with the project's settings. A
failed assertion ends it.
"""

from typing import Any
from uuid import UUID

import django


def main() -> None:
    """Do it all."""
    django.setup()
    from django.contrib.auth import get_user_model

    from roomlog import notices
    from roomlog.pending import command_pending

    told: list[int] = []
    notices._send_recheck = told.append  # type: ignore[assignment] # what Redis would be told
    notices._bus = lambda: None  # type: ignore[assignment] # nor is anybody woken
    command_pending.disconnect(dispatch_uid="roomlog.command_pending")
    alice, bob = (make_user(name, is_staff=name == "alice@x") for name in ("alice@x", "bob@x"))
    sign_in(alice)
    room = write(alice, bob)
    look(alice)
    leave(alice, bob, room, told)
    assert get_user_model()._default_manager.count() == 2
    go_with_the_company(make_user("carol@x", is_staff=False))


def make_user(name: str, *, is_staff: bool) -> Any:
    """Return a new user, found by how the project's people sign in."""
    from django.contrib.auth import get_user_model
    from django.contrib.auth.models import PermissionsMixin

    model = get_user_model()
    may = {
        "is_staff": is_staff,
        **({"is_superuser": is_staff} if issubclass(model, PermissionsMixin) else {}),
    }
    user = model(**{model.USERNAME_FIELD: name}, **may)
    user.set_password("correct horse")
    user.save()
    return model._default_manager.get_by_natural_key(name)


def sign_in(alice: Any) -> None:
    """Token, ticket and session name the person; people and programs find it."""
    from django.contrib.sessions.models import Session
    from django.test import Client
    from rest_framework.authtoken.models import Token

    from roomlog.people import as_user, person_of, users_by_token
    from roomlog.signed_in import SignedIn
    from roomlog.tickets import signed_in_by_ticket

    shown = as_user(person_of(alice))
    assert shown.username == "alice@x"
    key = Token.objects.create(user=alice).key
    assert users_by_token([key]) == {key: shown}
    browser = Client()
    assert browser.get("/chat/").headers["location"] == "/chat/login/?next=/chat/"
    words = {"username": "alice@x", "password": "correct horse", "next": "/chat/"}
    assert browser.post("/chat/login/", words).headers["location"] == "/chat/"
    assert f'data-user-id="{shown.id}"' in browser.get("/chat/").content.decode()
    program = Client(headers={"authorization": f"Token {key}"})
    for client in (browser, program):
        ticket = client.post("/chat/api/v1/ticket/").json()["ticket"]
        (found,) = signed_in_by_ticket({(ticket, False)}).values()
        assert found.user == shown
        assert (found.expires_in_ms is None) == (client is program), "as long as the session"
        people = client.get("/chat/api/v1/users/", {"account": alice.pk}).json()
        assert people == [{"id": shown.id, "username": "alice@x"}]
        assert client.get("/chat/api/v1/users/", {"account": "nobody"}).json() == []
    Session.objects.all().delete()
    assert signed_in_by_ticket({(ticket, False)}) == {(ticket, False): SignedIn(shown)}, (
        "bound to the token alone"
    )
    assert Client().get("/chat/api/v1/users/", {"search": "al"}).status_code == 401


def write(alice: Any, bob: Any) -> UUID:
    """What a project's transaction says is said once, and what is rolled back never."""
    from django.db import transaction

    from roomlog.models import ChatMessage, PendingCommand
    from roomlog.people import person_of
    from roomlog.rooms import post
    from tests.harness.people import make_room, work_off

    room = make_room(person_of(alice).pk, [person_of(bob).pk])
    for _ in range(2):
        with transaction.atomic():
            post(room, bob, "It is paid.", uuid="paid-1")
    with transaction.atomic():
        post(room, bob, "It is lost.")
        transaction.set_rollback(True)
    work_off()
    assert list(ChatMessage.objects.values_list("text", "user__user")) == [("It is paid.", bob.pk)]
    assert not PendingCommand.objects.exists()
    return room


def look(alice: Any) -> None:
    """Every page of the admin opens, the project's own too."""
    from django.contrib import admin
    from django.test import Client
    from django.urls import reverse

    browser = Client()
    browser.force_login(alice)
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        assert browser.get(reverse(f"{name}_changelist")).status_code == 200, name
        if row := model._default_manager.first():
            assert browser.get(reverse(f"{name}_change", args=[row.pk])).status_code == 200, name
    assert browser.get(reverse("admin:roomlog_chatroom_add")).status_code == 200
    assert (
        browser.get(reverse("admin:roomlog_roomevent_changelist"), {"of_room": "0" * 32}).status_code == 200
    )


def leave(alice: Any, bob: Any, room: UUID, told: list[int]) -> None:
    """An account is deleted in the project's admin: its log stays, without it as a member.

    Who gets its key is somebody else.
    """
    from django.test import Client
    from django.urls import reverse

    from roomlog.models import Membership, Person, RoomEvent
    from roomlog.people import person_of
    from roomlog.selectors import active_user_ids, summaries_by_user
    from tests.harness.people import work_off

    key, number, model = bob.pk, person_of(bob).pk, type(bob)
    assert active_user_ids([number]) == {number}
    browser = Client()
    browser.force_login(alice)
    told.clear()
    page = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_delete", args=[bob.pk])
    assert browser.post(page, {"post": "yes"}).status_code == 302
    assert number in told
    assert not model._default_manager.filter(pk=key).exists()
    assert Person.objects.get(pk=number).name == "deleted account"
    work_off()
    assert RoomEvent.objects.filter(room=room, user=number).count() == 1
    assert RoomEvent.objects.filter(room=room, kind="remove_user", data__member=number).count() == 1
    assert not Membership.objects.filter(user=number).exists()
    heir = model(
        **{"pk": key, **({} if model.USERNAME_FIELD == "login" else {model.USERNAME_FIELD: "heir@x"})}
    )
    heir.save()
    assert heir.pk == key
    assert summaries_by_user([person_of(heir).pk]) == {person_of(heir).pk: []}
    assert active_user_ids([number]) == set()


def go_with_the_company(carol: Any) -> None:
    """An account that is part of something goes with it, and leaves its rooms as if deleted by itself."""
    from roomlog.models import Membership, Person
    from roomlog.people import person_of
    from tests.harness.people import make_room, work_off

    number = person_of(carol).pk
    make_room(number)
    if hasattr(carol, "company"):
        carol.company = type(carol).company.field.related_model.objects.create()
        carol.save()
        carol.company.delete()
    else:
        type(carol)._default_manager.filter(pk=carol.pk).delete()
    work_off()
    assert Person.objects.get(pk=number).user is None
    assert not Membership.objects.filter(user=number).exists()


if __name__ == "__main__":
    main()
