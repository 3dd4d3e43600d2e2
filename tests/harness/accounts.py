"""People who log in, a room of theirs, and a worker's step, for tests of what Django serves.

On pytest-django's database in memory. A conftest imports the fixtures that its tests need.
"""

from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.utils import translation
from rest_framework.authtoken.models import Token

from roomlog.models import PendingCommand
from roomlog.people import system_person
from roomlog_contract.commands import CreateRoom, NewMessage, RoomWrite
from roomlog_contract.envelope import decode_envelope
from roomlog_contract.errors import ErrorCode
from roomlog_contract.shards import room_of
from tests.harness.people import id_of, write_one, written

Work = Callable[[], list[str]]
Write = Callable[..., UUID]
GERMAN = {"accept-language": "de"}
"""The header of a browser that asks for German."""


@pytest.fixture(autouse=True)
def fresh_cache() -> Iterator[None]:
    """Forget the throttles' and failures' counts between tests."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def language() -> Iterator[None]:
    """Leave no language behind for the next test."""
    with translation.override("en"):
        yield


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
    """Carry out all pending commands as a worker does; returns the error codes of the refused."""
    return _carry_out_pending


@pytest.fixture
def write(db: None) -> Write:
    """Write one command into its room's log at once and return the room."""

    def write_now(command: RoomWrite, user: User, *, staff: bool = False) -> UUID:
        written(command, id_of(user), staff=staff)
        return room_of(command, id_of(user))

    return write_now


@pytest.fixture
def lobby(write: Write, alice: User, bob: User) -> UUID:
    """A room of Alice's, with Bob in it and two messages."""
    room = write(CreateRoom(uuid="make-lobby", name="lobby", members=[id_of(bob)]), alice)
    for number, text in enumerate(("hello", "anybody here?"), start=1):
        write(NewMessage(uuid=f"hello-{number}", room=room, text=text), alice)
    return room


def _carry_out_pending() -> list[str]:
    """Do a worker's step with what waits."""
    refused = []
    for row in PendingCommand.objects.order_by("id"):
        envelope = decode_envelope(bytes(row.envelope))
        assert isinstance(envelope.command, RoomWrite)
        result = write_one(envelope.command, envelope.user, staff=envelope.staff, data=envelope.data)
        if isinstance(result, ErrorCode):
            refused.append(result.value)
        row.delete()
    return refused
