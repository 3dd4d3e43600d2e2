"""The project's policy: what it is asked, what its answers mean, and that it changes nothing by itself."""

from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from roomlog import policy
from roomlog.discovery import rooms_found
from roomlog.finding import people_found
from roomlog.inviting import Terms, invite
from roomlog.models import ChatRoom, PendingCommand
from roomlog.policy import REFUSED, objection_to
from roomlog.rooms import ensure_room, sync_members
from roomlog_contract.commands import CreateRoom, InviteUser, JoinRoom
from tests.harness.people import add_user, id_of, make_room, written

pytestmark = pytest.mark.django_db
NOBODY = 999_999


class Rules:
    """A policy that says what the test wants, and keeps what it was asked."""

    answer: Any = True
    asked: list[tuple[Any, ...]] = []

    def may_create_room(self, user: Any, kind: str, members: list[Any]) -> Any:
        self.asked.append(("create", user, kind, members))
        return self.answer

    def may_message_directly(self, user: Any, other: Any) -> Any:
        self.asked.append(("direct", user, other))
        return self.answer

    def may_invite(self, user: Any, room: Any, other: Any) -> Any:
        self.asked.append(("invite", user, room.pk, other))
        return self.answer

    def may_find_rooms(self, user: Any) -> Any:
        self.asked.append(("rooms", user))
        return self.answer

    def may_find(self, user: Any, users: Any) -> Any:
        return users.exclude(username="bob")


class NoRules:
    """A policy that leaves everything as it is."""


@pytest.fixture(autouse=True)
def rules(monkeypatch: pytest.MonkeyPatch) -> type[Rules]:
    """The project names these rules."""
    monkeypatch.setitem(settings.ROOMLOG, "POLICY", "tests.roomlog.test_policy.Rules")
    monkeypatch.setattr(Rules, "answer", True)
    monkeypatch.setattr(Rules, "asked", [])
    return Rules


def test_it_is_asked_with_the_projects_own_users(rules: type[Rules], alice: User, bob: User) -> None:
    """Who makes what with whom; a direct room is two questions; the asker is no other member."""
    group = CreateRoom(uuid="g", members=[id_of(bob), id_of(alice)])
    pair = CreateRoom(uuid="d", kind="direct", members=[id_of(bob)])
    room = make_room(id_of(alice))
    invitation = InviteUser(uuid="i", room=room, user=id_of(bob))
    assert [objection_to(command, id_of(alice)) for command in (group, pair, invitation)] == [None] * 3
    assert rules.asked == [
        ("create", alice, "group", [bob]),
        ("create", alice, "direct", [bob]),
        ("direct", alice, bob),
        ("invite", alice, room, bob),
    ]


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (True, None),
        (False, REFUSED),
        (None, REFUSED),
        (1, REFUSED),
        (" ", REFUSED),
        ("Only on weekdays.", "Only on weekdays."),
        ("x" * 300, "x" * 200),
    ],
)
def test_true_alone_allows(
    rules: type[Rules], monkeypatch: pytest.MonkeyPatch, alice: User, answer: object, sentence: str | None
) -> None:
    """A function that forgets to return allows nothing; a text is the reason."""
    monkeypatch.setattr(rules, "answer", answer)
    assert objection_to(CreateRoom(uuid="g"), id_of(alice)) == sentence


def test_what_needs_no_answer_is_not_asked_about(rules: type[Rules], alice: User, bob: User) -> None:
    """A repeat, a pair's room, strangers and the project's own code."""
    rules.answer = False
    pair = CreateRoom(uuid="d", kind="direct", members=[id_of(bob)])
    room = make_room(id_of(alice))
    invitation = InviteUser(uuid="i", room=room, user=id_of(bob))
    for command in (pair, invitation):
        written(command, id_of(alice))
        assert objection_to(command, id_of(alice)) is None
    other = CreateRoom(uuid="e", kind="direct", members=[id_of(alice)])
    assert objection_to(other, id_of(bob)) is None
    assert rules.asked == []
    rules.answer = False
    for command in (
        InviteUser(uuid="i", room=make_room(id_of(alice)), user=id_of(alice)),
        InviteUser(uuid="i", room=UUID(int=7), user=id_of(alice)),
        CreateRoom(uuid="c", members=[NOBODY]),
    ):
        assert objection_to(command, id_of(bob)) is None
    assert rules.asked == []
    rules.answer = False
    room = ensure_room("order-7", "Order 7", [alice])
    sync_members(room, [alice, bob])
    assert PendingCommand.objects.count() == 2
    assert rules.asked == []


def test_it_is_asked_about_somebody_who_joins(rules: type[Rules], alice: User, bob: User) -> None:
    """As about an invitation: by oneself, or by whoever made the token; of no other room is anything said."""
    rooms = [make_room(id_of(alice)) for _ in range(2)]
    ChatRoom.objects.filter(pk=rooms[0]).update(is_discoverable=True)
    _, token = invite(rooms[1], id_of(alice), "i", Terms())
    joining = [JoinRoom(uuid="j", room=room, invitation=token) for room in rooms]
    for command in (*joining, JoinRoom(uuid="k", room=rooms[1]), JoinRoom(uuid="l", room=UUID(int=7))):
        assert objection_to(command, id_of(bob)) is None
    asked = [("rooms", bob), ("invite", bob, rooms[0], bob), ("invite", alice, rooms[1], bob)]
    assert rules.asked == [*asked, ("rooms", bob), ("rooms", bob)]
    guess = JoinRoom(uuid="g", room=rooms[1], invitation="guess")
    rules.answer = False
    assert objection_to(guess, id_of(bob)) is None
    assert [objection_to(one, id_of(bob)) for one in joining] == [REFUSED] * 2
    assert rooms_found(id_of(bob), "", None, 9) == []


def test_a_question_without_a_function_is_as_ever(monkeypatch: pytest.MonkeyPatch, alice: User) -> None:
    """By a class, by a module, and without any policy."""
    for path in ("tests.roomlog.test_policy.NoRules", "tests.roomlog.no_addresses", None):
        monkeypatch.setitem(settings.ROOMLOG, "POLICY", path)
        assert objection_to(CreateRoom(uuid="g"), id_of(alice)) is None


def test_a_module_that_imports_what_is_not_there_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not taken for a missing attribute of its package."""

    def load(name: str) -> object:
        raise ModuleNotFoundError("No module named 'shop.gone'", name="other")

    monkeypatch.setattr(policy, "import_module", load)
    with pytest.raises(ModuleNotFoundError, match=r"shop\.gone"):
        policy.policy_at("shop.rules")


def test_requests_are_refused_with_its_sentence(
    rules: type[Rules], monkeypatch: pytest.MonkeyPatch, as_alice: Client, alice: User
) -> None:
    """Nothing waits for a worker then; a repeat is answered as before."""
    body = {"uuid": "g", "name": "plans", "members": []}
    assert as_alice.post("/api/v1/rooms/", body, content_type="application/json").status_code == 202
    monkeypatch.setattr(rules, "answer", "Only on weekdays.")
    answer = as_alice.post("/api/v1/rooms/", body | {"uuid": "h"}, content_type="application/json")
    assert (answer.status_code, answer.json()["error_code"]) == (403, "forbidden")
    assert answer.json()["detail"] == "Only on weekdays."
    assert PendingCommand.objects.count() == 1


def test_it_says_who_is_found(monkeypatch: pytest.MonkeyPatch, alice: User, bob: User) -> None:
    """Of those whom FIND_PEOPLE shows."""
    monkeypatch.setitem(settings.ROOMLOG, "FIND_PEOPLE", "all")
    add_user("bobby")
    assert [user.username for user in people_found(id_of(alice), "bo")] == ["bobby"]
    monkeypatch.setitem(settings.ROOMLOG, "POLICY", "tests.roomlog.test_policy.NoRules")
    assert [user.username for user in people_found(id_of(alice), "bo")] == ["bob", "bobby"]
