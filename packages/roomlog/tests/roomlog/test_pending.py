"""Commands in the caller's own transaction, and the public `post`."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from pytest_django import DjangoCaptureOnCommitCallbacks

from roomlog.models import ChatMessage, PendingCommand
from roomlog.pending import command_pending, request_command
from roomlog.people import system_person
from roomlog.rooms import post
from roomlog_contract.commands import CreateRoom, InviteUser, NewMessage
from roomlog_contract.envelope import Envelope, decode_envelope
from roomlog_contract.errors import ErrorCode, RefusedCommand
from roomlog_contract.keyspace import Keyspace
from roomlog_contract.limits import TEXT_CODE_POINTS
from tests.harness.people import id_of

pytestmark = pytest.mark.django_db
ROOM = UUID(int=7)


@pytest.fixture
def woken() -> Iterator[list[int]]:
    """The shards whose owners would be woken."""
    shards: list[int] = []

    def listen(shard: int, **_: Any) -> None:
        shards.append(shard)

    command_pending.connect(listen)
    yield shards
    command_pending.disconnect(listen)


def test_a_command_waits_in_its_rooms_shard(alice: User) -> None:
    """The row holds all that the shard's owner needs, as the gateway would have sent it."""
    request_command(NewMessage(uuid="u", room=ROOM, text="hi"), id_of(alice), staff=True)
    row = PendingCommand.objects.get()
    assert (row.shard, row.room, row.user_id, row.uuid) == (
        Keyspace().shard_of_room(ROOM),
        ROOM,
        id_of(alice),
        "u",
    )
    sent = Envelope(command=NewMessage(uuid="u", room=ROOM, text="hi"), user=id_of(alice), staff=True)
    assert decode_envelope(bytes(row.envelope)) == sent


@pytest.mark.django_db(transaction=True)
def test_a_listener_that_fails_harms_nobody(alice: User, caplog: pytest.LogCaptureFixture) -> None:
    """The row is committed by then: whoever asked for it must not see an error, the log does."""

    def fail(**_: Any) -> None:
        raise RuntimeError("no matter")

    command_pending.connect(fail)
    try:
        assert request_command(NewMessage(uuid="u", room=ROOM, text="hi"), id_of(alice)) == "u"
    finally:
        command_pending.disconnect(fail)
    assert PendingCommand.objects.count() == 1
    assert "on_commit()" in caplog.text


def test_a_rolled_back_command_never_was(
    alice: User, woken: list[int], django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    """The command happens exactly if the caller's transaction does."""
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        request_command(NewMessage(uuid="u", room=ROOM, text="hi"), id_of(alice))
        transaction.set_rollback(True)
    assert (PendingCommand.objects.count(), woken) == (0, [])


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (NewMessage(uuid="u", room=ROOM, text=" \n"), ErrorCode.EMPTY_TEXT),
        (NewMessage(uuid="u", room=ROOM, text="x" * (TEXT_CODE_POINTS + 1)), ErrorCode.TEXT_TOO_LONG),
        (NewMessage(uuid="u", room=ROOM, text="a\0b"), ErrorCode.BAD_VALUE),
        (NewMessage(uuid="u", room=ROOM, text="a\ud800b"), ErrorCode.BAD_VALUE),
        (NewMessage(uuid="", room=ROOM, text="hi"), ErrorCode.BAD_VALUE),
        (CreateRoom(uuid="u", members=list(range(1, 102))), ErrorCode.BAD_VALUE),
        (InviteUser(uuid="u", room=ROOM, user=0), ErrorCode.BAD_VALUE),
    ],
)
def test_what_no_client_could_send_is_refused(command: Any, code: ErrorCode, alice: User) -> None:
    """Code of our own passes the same gate as a socket, so a worker never meets what it can't store."""
    with pytest.raises(RefusedCommand) as refused:
        request_command(command, id_of(alice))
    assert (refused.value.code, PendingCommand.objects.count()) == (code, 0)


def test_a_post_without_a_uuid_gets_one(lobby: UUID, bob: User) -> None:
    """Two posts of the same words are two messages."""
    assert len({post(lobby, bob, "hi") for _ in range(2)}) == 2


def test_code_speaks_as_nobodys_account(lobby: UUID, work: Callable[[], list[str]]) -> None:
    """The person `system` has no user, and is a member of no room."""
    command = NewMessage(uuid="u", room=lobby, text="We close at noon.")
    request_command(command, system_person().pk, staff=True)
    assert work() == []
    assert ChatMessage.objects.get(uuid="u").user.name == "system"


def test_a_stranger_is_refused_by_the_worker(
    lobby: UUID, admin_user: User, work: Callable[[], list[str]]
) -> None:
    """Membership is a rule of the room's writer, not of whoever asks."""
    post(lobby, admin_user, "let me in")
    assert work() == ["not_member"]
