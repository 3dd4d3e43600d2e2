"""Dead letters in the admin: their commands are retried, each after a question and with a line of history."""

from uuid import UUID

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.test import Client

from roomlog.models import ChatMessage, DeadLetter, PendingCommand
from roomlog_contract.commands import Command, GetHistory, NewMessage, action_of
from roomlog_contract.envelope import Envelope, EraseMessages, decode_envelope, encode
from roomlog_contract.keyspace import Keyspace
from tests.harness.accounts import Work
from tests.harness.people import id_of
from tests.roomlog.admin.test_members import choose, do

pytestmark = pytest.mark.django_db
LETTERS = "/admin/roomlog/deadletter/"


def letter_of(command: Command, user: User) -> DeadLetter:
    """Return what a worker keeps of a command that it gave up."""
    return DeadLetter.objects.create(
        shard=1,
        entry=f"{DeadLetter.objects.count()}-0",
        uuid=command.uuid,
        action=action_of(command),
        error="OSError",
        envelope=encode(Envelope(command=command, user=id_of(user))),  # type: ignore[arg-type]
    )


def texts() -> list[str]:
    """Return what the lobby's log says."""
    return list(ChatMessage.objects.order_by("seq").values_list("text", flat=True))


def test_a_retried_command_is_carried_out_once(
    admin_client: Client, lobby: UUID, bob: User, work: Work
) -> None:
    """Django's page asks first; the history says which command it was, never what it says."""
    letter = letter_of(NewMessage(uuid="late", room=lobby, text="better late"), bob)
    assert "new_message 0-0: OSError (late)" in choose(admin_client, "ask_to_retry", [letter.pk], LETTERS)
    assert DeadLetter.objects.exists()
    assert "1 change requested" in do(admin_client, "ask_to_retry", [letter.pk], LETTERS)
    assert not DeadLetter.objects.exists()
    assert work() == []
    again = letter_of(NewMessage(uuid="late", room=lobby, text="better late"), bob)
    do(admin_client, "ask_to_retry", [again.pk], LETTERS)
    assert work() == []
    assert texts() == ["hello", "anybody here?", "better late"]
    said = [entry.get_change_message() for entry in LogEntry.objects.all()]
    assert said == ["Retried: new_message late."] * 2


def test_what_cannot_be_retried_stays_with_its_reason(admin_client: Client, lobby: UUID, bob: User) -> None:
    """A read, what can't be decoded, and a message whose text was erased; nothing of them waits."""
    letters = [
        letter_of(GetHistory(uuid="read", room=lobby), bob),
        letter_of(NewMessage(uuid="erased", room=lobby, text=""), bob),
        DeadLetter.objects.create(shard=1, entry="9-0", error="undecodable", envelope=b"\xff"),
    ]
    page = do(admin_client, "ask_to_retry", [letter.pk for letter in letters], LETTERS)
    assert "3 cannot be retried and stay" in page
    for reason in ("get_history 0-0 (not a write)", "new_message 1-0 (empty_text)", "entry 9-0 (unreadable)"):
        assert reason in page
    assert DeadLetter.objects.count() == 3
    assert not PendingCommand.objects.exists()
    assert not LogEntry.objects.exists()


def test_an_erasure_is_retried_too(admin_client: Client, lobby: UUID, alice: User) -> None:
    """It is no client's command, and nothing else may keep it from being done."""
    erasure = EraseMessages(uuid="erase", room=lobby, sender=id_of(alice), uuids=["hello-1"])
    letter = letter_of(erasure, alice)
    do(admin_client, "ask_to_retry", [letter.pk], LETTERS)
    waiting = PendingCommand.objects.get()
    assert decode_envelope(bytes(waiting.envelope)).command == erasure
    assert waiting.shard == Keyspace().shard_of_room(lobby)


@pytest.mark.parametrize("right", ["view_deadletter", "delete_deadletter"])
def test_a_retry_needs_its_own_right(client: Client, lobby: UUID, alice: User, bob: User, right: str) -> None:
    """It speaks in somebody's name: who may look, or delete, may not yet do that."""
    letter = letter_of(NewMessage(uuid="late", room=lobby, text="better late"), alice)
    bob.is_staff = True
    bob.save()
    bob.user_permissions.add(*Permission.objects.filter(codename__in=["view_deadletter", right]))
    client.force_login(bob)
    do(client, "ask_to_retry", [letter.pk], LETTERS)
    assert DeadLetter.objects.exists()
    bob.user_permissions.add(Permission.objects.get(codename="change_deadletter"))
    do(client, "ask_to_retry", [letter.pk], LETTERS)
    assert not DeadLetter.objects.exists()
