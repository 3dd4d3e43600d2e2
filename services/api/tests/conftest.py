"""What the api's tests share: Django on an SQLite database in memory, two people, and a worker's step."""
# ruff: noqa: E402 - models can be imported only once Django knows its settings

import os
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from uuid import UUID

import django
import pytest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "roomlog_api.check_settings")
django.setup()

from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import transaction
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser
from rest_framework.authtoken.models import Token

from roomlog.models import PendingCommand, Person
from roomlog.people import system_person
from roomlog_contract.commands import CreateRoom, NewMessage, RoomWrite
from roomlog_contract.envelope import decode_envelope
from roomlog_contract.shards import room_of
from roomlog_worker.log import rules
from roomlog_worker.log.batch import open_batch
from roomlog_worker.log.errors import RefusedWrite
from tests.harness.people import id_of
from tests.harness.scripted_chat import DESK, Chat

Work = Callable[[], list[str]]
Write = Callable[..., UUID]


@pytest.fixture(autouse=True)
def fresh_cache() -> Iterator[None]:
    """Forgets the throttles' and failures' counts between tests."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def code(db: None) -> None:
    """A person without a user, so that no test can take a user's id for a person's."""
    system_person()


@pytest.fixture
def alice(code: None) -> User:
    """Somebody who signs in."""
    return User.objects.create_user("alice", password="correct horse")


@pytest.fixture
def bob(code: None) -> User:
    """Somebody else."""
    return User.objects.create_user("bob", password="battery staple")


@pytest.fixture
def admin_user(code: None) -> User:
    """Somebody who may do everything that the admin allows."""
    return User.objects.create_superuser("root", password="root root root")


@pytest.fixture
def as_alice(alice: User) -> Client:
    """A program with Alice's token."""
    return Client(headers={"authorization": f"Token {Token.objects.create(user=alice).key}"})


@pytest.fixture
def work(db: None) -> Work:
    """Carries out all pending commands as a worker does; returns the error codes of the refused."""
    return carry_out_pending


@pytest.fixture
def write(db: None) -> Write:
    """Writes one command into its room's log at once and returns the room."""

    def write_now(command: RoomWrite, user: User, *, staff: bool = False) -> UUID:
        _carry_out(command, id_of(user), staff=staff)
        return room_of(command, id_of(user))

    return write_now


@pytest.fixture
def lobby(write: Write, alice: User, bob: User) -> UUID:
    """A room of Alice's, with Bob in it and two messages."""
    room = write(CreateRoom(uuid="make-lobby", name="lobby", members=[id_of(bob)]), alice)
    for number, text in enumerate(("hello", "anybody here?"), start=1):
        write(NewMessage(uuid=f"hello-{number}", room=room, text=text), alice)
    return room


def carry_out_pending() -> list[str]:
    """Do a worker's step with what waits."""
    refused = []
    for row in PendingCommand.objects.order_by("id"):
        envelope = decode_envelope(bytes(row.envelope))
        assert isinstance(envelope.command, RoomWrite)
        try:
            _carry_out(envelope.command, envelope.user, staff=envelope.staff)
        except RefusedWrite as refusal:
            refused.append(refusal.code.value)
        row.delete()
    return refused


def _carry_out(command: RoomWrite, user: int, *, staff: bool) -> None:
    with transaction.atomic():
        batch = open_batch([rules.wanted_by(command, user)], timezone.now())
        rules.carry_out(batch, command, user, staff=staff)
        batch.store()


@pytest.fixture
def make_chat(browser: Browser) -> Iterator[Callable[..., Chat]]:
    """Make browsers of alice's with the chat page before a scripted gateway; they are closed at the end."""
    facts = {
        "request": SimpleNamespace(user=SimpleNamespace(is_staff=False)),
        "person": Person(pk=7, name="alice"),
        "websocket_url": "ws://roomlog.test/ws",
        "csrf_token": "c",
    }
    pages = {
        "/": render_to_string("roomlog/chat.html", facts),
        "/login/": render_to_string("roomlog/login.html", {}),
    }
    made: list[Chat] = []

    def make(viewport: dict[str, int] = DESK) -> Chat:
        made.append(Chat(browser, pages, viewport))
        return made[-1]

    yield make
    for chat in made:
        chat.context.close()
