"""The database refuses what must never be stored, whatever the code above it does."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import IntegrityError, connection, transaction
from django.db.models import Model, ProtectedError
from django.utils import timezone

from roomlog import models
from roomlog.models import (
    Attachment,
    Ban,
    Block,
    BotToken,
    ChatMessage,
    ChatRoom,
    ChoresLease,
    DeadLetter,
    IncomingHook,
    Install,
    Invitation,
    Membership,
    Mention,
    MessageReport,
    Person,
    Reaction,
    RoomEvent,
    RoomHead,
    RoomMention,
    RoomRetention,
    RoomTold,
    SearchEntry,
    ShardLease,
    Webhook,
    WebhookCursor,
    Worker,
)
from tests.harness.people import People, make_room, message, written

WORKER = UUID(int=1)
HASH = "0" * 32


def _event(people: People, room: UUID, **changes: Any) -> RoomEvent:
    facts = {"seq": 5, "kind": "new_message", "user_id": people.alice, "uuid": "own", "body_hash": HASH}
    return RoomEvent(room_id=room, date_created=timezone.now(), **facts | changes)


def _head(room: UUID, last_seq: int, messages: int) -> RoomHead:
    return RoomHead(room_id=room, epoch="e", last_seq=last_seq, messages=messages)


def _report(people: People, room: UUID, **facts: Any) -> MessageReport:
    return MessageReport(room_id=room, target=2, author_id=people.bob, user_id=people.alice, **facts)


def _invitation(people: People, room: UUID, **facts: Any) -> Invitation:
    number = uuid4()
    known = {"id": number, "room_id": room, "creator_id": people.alice, "digest": number.hex, "uuid": "u"}
    return Invitation(**known | facts, until=timezone.now())


def _webhook() -> Webhook:
    return Webhook(id=1, name="ci", url="https://example.org")


def _cursor(room: UUID, **facts: Any) -> WebhookCursor:
    return WebhookCursor(webhook_id=1, room_id=room, **facts)


def _file(people: People, room: UUID, **facts: Any) -> Attachment:
    return Attachment(**{"room_id": room, "user_id": people.alice, "uuid": "u", "size": 1} | facts)


def _other_room(kind: str = "group") -> UUID:
    return ChatRoom.objects.create(id=uuid4(), kind=kind).pk


def _insert(rows: list[Model]) -> None:
    with transaction.atomic():
        for row in rows:
            row.save(force_insert=True)


Rows = Callable[[People, UUID], list[Model]]
VIOLATIONS: dict[str, Rows] = {
    "shards_is_a_choice": lambda people, room: [Install(epoch="e", shards=65)],
    "install_is_one_row": lambda people, room: [Install(id=2, epoch="e")],
    "keyless_person_once": lambda people, room: [Person(name="bot"), Person(name="bot")],
    "room_kind_is_known": lambda people, room: [ChatRoom(id=uuid4(), kind="crowd")],
    "member_once": lambda people, room: [Membership(room_id=room, user_id=people.alice)],
    "role_is_known": lambda people, room: [Membership(room_id=room, user_id=people.carol, role="king")],
    "notify_is_known": lambda people, room: [Membership(room_id=room, user_id=people.carol, notify="some")],
    "head_counts_messages": lambda people, room: [_head(_other_room(), 1, 2)],
    "seq_once": lambda people, room: [_event(people, room, seq=1)],
    "command_once": lambda people, room: [_event(people, room), _event(people, room, seq=6)],
    "seq_from_one": lambda people, room: [_event(people, _other_room(), seq=0)],
    "reaction_once": lambda people, room: [
        Reaction(room_id=room, target=2, emoji="👍", user_id=people.alice, seq=seq) for seq in (3, 4)
    ],
    "entry_once": lambda people, room: [
        SearchEntry(id=place, room=room, seq=2, author=people.alice) for place in (1, 2)
    ],
    "mention_once": lambda people, room: [
        Mention(room_id=room, target=2, user_id=people.alice) for _ in range(2)
    ],
    "block_once": lambda people, room: [
        Block(blocker_id=people.alice, blocked_id=people.bob) for _ in range(2)
    ],
    "room_mention_once": lambda people, room: [
        RoomMention(room_id=room, target=2, user_id=people.alice) for _ in range(2)
    ],
    "upload_once": lambda people, room: [_file(people, room), _file(people, room)],
    "attachment_has_bytes": lambda people, room: [_file(people, room, size=0)],
    "attachment_has_both_sides_or_none": lambda people, room: [_file(people, room, width=1)],
    "ban_once": lambda people, room: [Ban(room_id=room, user_id=people.alice, seq=seq) for seq in (3, 4)],
    "invitation_once": lambda people, room: [_invitation(people, room) for _ in range(2)],
    "invitation_is_not_overused": lambda people, room: [_invitation(people, room, uses=2, most_uses=1)],
    "report_once": lambda people, room: [
        _report(people, room, reason=reason) for reason in ("spam", "abuse")
    ],
    "resolved_report_says_when": lambda people, room: [_report(people, room, state=1)],
    "room_outlasts_repeats": lambda people, room: [RoomRetention(room_id=room, days=6)],
    "chores_lease_is_one_row": lambda people, room: [ChoresLease(id=2)],
    "bot_token_name_once": lambda people, room: [
        BotToken(person_id=people.alice, name="ci", digest=digest * 64, expires_at=timezone.now())
        for digest in "ab"
    ],
    "webhook_cursor_once": lambda people, room: [_webhook(), *(_cursor(room) for _ in range(2))],
    "failing_webhook_says_since": lambda people, room: [_webhook(), _cursor(room, attempts=1)],
    "shard_below_1024": lambda people, room: [ShardLease(shard=1024)],
    "dead_once": lambda people, room: [DeadLetter(shard=1, entry="1-1", envelope=b"") for _ in range(2)],
}


@pytest.mark.parametrize("name", VIOLATIONS)
def test_each_constraint_refuses_its_violation(people: People, name: str) -> None:
    """A row that breaks the constraint is refused by the database."""
    rows = VIOLATIONS[name](people, make_room(people.alice, [people.bob]))
    with pytest.raises(IntegrityError) as refusal:
        _insert(rows)
    if connection.vendor == "postgresql":
        assert name in str(refusal.value)


def test_every_constraint_is_violated_here() -> None:
    """No model of the app has a constraint that the test above leaves out."""
    declared = {
        constraint.name
        for model in apps.get_app_config("roomlog").get_models()
        if not model._meta.proxy
        for constraint in model._meta.constraints
    }
    assert declared == VIOLATIONS.keys()


def test_only_people_refer_to_the_projects_users() -> None:
    """So any primary key will do, and the deletion of an account reaches no log. Nothing refers to events."""
    models = [model for model in apps.get_app_config("roomlog").get_models() if not model._meta.proxy]
    referring = [
        (field.model, field.related_model)
        for model in models
        for field in (*model._meta.local_fields, *model._meta.local_many_to_many)
        if field.is_relation
    ]
    assert [model for model, known in referring if known is get_user_model()] == [Person]
    assert [model for model, known in referring if known in (RoomEvent, ChatMessage)] == []
    assert (Membership, Person) in referring


def test_two_workers_never_share_a_uuid(database: str) -> None:
    """A process's uuid names one process: leases are owned by it."""
    Worker.objects.create(uuid=WORKER, ordinal=0)
    with pytest.raises(IntegrityError):
        Worker.objects.create(uuid=WORKER, ordinal=1)


def test_a_room_has_one_head(people: People) -> None:
    """Two heads would be two orders."""
    room = make_room(people.alice)
    with pytest.raises(IntegrityError):
        _head(room, 9, 0).save(force_insert=True)


def test_people_stay_under_their_messages(people: People) -> None:
    """Neither a person with events nor a room with a log can be deleted."""
    room = make_room(people.alice)
    for row in (Person.objects.get(pk=people.alice), ChatRoom.objects.get(pk=room)):
        with pytest.raises(ProtectedError):
            row.delete()


def test_an_event_of_nobody_is_refused_at_the_commit(people: People) -> None:
    """Foreign keys are checked by the database too, at the end of the transaction."""
    room = make_room(people.alice)
    with pytest.raises(IntegrityError):
        _event(replace(people, alice=987_654), room).save(force_insert=True)


def test_messages_are_the_events_of_their_kind(people: People) -> None:
    """ChatMessage shows the messages of the log and nothing else."""
    said = written(message(make_room(people.alice)), people.alice).event
    assert [row.pk for row in ChatMessage.objects.all()] == [said.id]
    assert RoomEvent.objects.count() == 2


def test_rows_name_themselves(people: People) -> None:
    """Every model has a line for people that tells which row it is."""
    room = make_room(people.alice)
    written(message(room), people.alice)
    assert str(Person.objects.get(pk=people.alice)) == "alice"
    assert str(ChatRoom.objects.get()) == "lobby"
    assert str(ChatRoom(id=room)) == room.hex
    assert str(RoomHead.objects.get()) == f"{room} at 2"
    assert str(ChatMessage.objects.get()) == f"new_message 2 in {room}"
    assert str(Membership.objects.get()) == f"{people.alice} in {room}"
    assert str(ShardLease(shard=7)) == "shard 07"
    assert str(Worker(uuid=WORKER, ordinal=3)) == f"worker 3 ({WORKER})"
    assert str(DeadLetter(entry="1-1")) == "entry 1-1"
    assert str(Install(epoch="e")) == "install e"
    assert str(ChoresLease(owner=WORKER)) == f"chores of {WORKER}"
    assert str(RoomTold(room_id=room, seq=7)) == f"{room} told to 7"
    assert str(Reaction(emoji="👍", target=2, room_id=room)) == f"👍 to 2 in {room}"
    assert str(Block(blocker_id=2, blocked_id=3)) == "3 by 2"
    assert str(RoomMention(target=2, room_id=room)) == f"2 of {room}"
    assert str(Mention(user_id=3, target=2, room_id=room)) == f"3 in 2 of {room}"
    assert str(_webhook()) == str(BotToken(name="ci")) == "ci"
    assert str(_cursor(room, seq=7)) == f"webhook 1 in {room} at 7"
    assert str(IncomingHook(id=WORKER)) == f"incoming webhook {WORKER.hex}"
    assert str(Invitation(id=WORKER)) == f"invitation {WORKER.hex}"
    assert str(Ban(user_id=3, room_id=room)) == f"3 banned from {room}"
    assert str(models.PendingCommand(id=4, room=room)) == f"pending 4 for {room}"
