"""Outgoing webhooks: every event of the log at least once, in a room's order, whatever the receiver does."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Event, Thread
from typing import Any, Final
from uuid import UUID

import pytest
from django.conf import settings
from django.utils import timezone
from prometheus_client import REGISTRY

from roomlog.chores import process
from roomlog.chores.process import Chores
from roomlog.hooks import delivery, sender
from roomlog.hooks.delivery import GIVE_UP_AFTER, LONGEST_PAUSE_SECONDS, pause_after
from roomlog.hooks.duty import AT_ONCE
from roomlog.models import ChatMessage, RoomEvent, Webhook, WebhookCursor
from roomlog_contract.commands import DeleteMessage, EditMessage, InviteUser, RenameRoom
from roomlog_runtime.shutdown import Shutdown
from tests.harness.hook_receiver import Receiver, listening
from tests.harness.people import People, make_room, message, written
from tests.harness.waiting import wait_until

SECONDS: Final = 20.0
HANGING: Final = 10


@pytest.fixture
def receiver(database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """One that listens on loopback, which the settings allow."""
    monkeypatch.setitem(settings.ROOMLOG, "WEBHOOKS", "private")
    monkeypatch.setattr(process, "redis_trouble", lambda: None)
    monkeypatch.setattr(process, "TURN_SECONDS", 0.02)
    monkeypatch.setattr(delivery, "FIRST_PAUSE_SECONDS", 0.02)
    monkeypatch.setattr(delivery, "LONGEST_PAUSE_SECONDS", 0.1)
    with listening(Receiver()) as one:
        yield one


@contextmanager
def chores() -> Iterator[Chores]:
    """The process, in a thread of this one."""
    shutdown = Shutdown()
    running = Chores(shutdown)
    thread = Thread(target=running.run)
    thread.start()
    try:
        yield running
    finally:
        shutdown.request()
        thread.join(SECONDS)
        assert not thread.is_alive()


def subscribe(receiver: Receiver, **facts: Any) -> Webhook:
    """Return a webhook to the receiver, made now."""
    webhook = Webhook.objects.create(name="receiver", url=receiver.url, **facts)
    receiver.secret = webhook.secret
    return webhook


def say(room: UUID, person: int, *texts: str) -> None:
    """Write messages into the log."""
    for text in texts:
        written(message(room, text), person)


def wait_for(receiver: Receiver, room: UUID, seqs: list[int]) -> None:
    """Wait until these events of a room were taken, and no other."""
    wait_until(lambda: receiver.first(room.hex) == seqs, SECONDS, f"{seqs} of the room are delivered")


def test_events_since_the_webhook_was_made_arrive_in_order(receiver: Receiver, people: People) -> None:
    """Also those of a time without a process and of new rooms, signed, with the frame of the wire."""
    old = make_room(people.alice, [people.bob])
    say(old, people.alice, "long ago")
    subscribe(receiver)
    say(old, people.alice, "meanwhile")
    new = make_room(people.alice, [people.bob])
    with chores():
        wait_for(receiver, old, [3])
        say(new, people.alice, "one", "two")
        written(InviteUser(uuid="i", room=new, user=people.carol), people.alice)
        wait_for(receiver, new, [1, 2, 3, 4])
    assert receiver.forged == 0
    identity, event = next(one for one in receiver.taken if one[1]["data"]["seq"] == 3)
    assert event["type"] == event["data"]["action"] == "new_message"
    assert event["data"]["message"]["text"] == "meanwhile"
    assert identity == f"{event['data']['epoch']}_{old.hex}_3"
    assert len({one for one, _ in receiver.taken}) == len(receiver.taken) == 5


def test_only_what_is_subscribed_to_is_sent(receiver: Receiver, people: People) -> None:
    """One room's messages and deletions; the cursor passes the rest over."""
    room, other = (make_room(people.alice, [people.bob]) for _ in range(2))
    webhook = subscribe(receiver, room_id=room, kinds=["new_message", "delete_message"])
    say(other, people.alice, "elsewhere")
    say(room, people.alice, "one")
    written(InviteUser(uuid="i", room=room, user=people.carol), people.alice)
    say(room, people.alice, "two")
    written(RenameRoom(uuid="r", room=room, name="hall"), people.alice)
    with chores():
        wait_for(receiver, room, [2, 4])
        last = RoomEvent.objects.filter(room=room).order_by("-seq")[0].seq
        wait_until(lambda: WebhookCursor.objects.filter(seq=last).exists(), SECONDS, "it is at the end")
    assert list(WebhookCursor.objects.values_list("webhook", "room")) == [(webhook.pk, room)]
    assert receiver.first(other.hex) == []


def test_a_receiver_that_fails_hangs_and_restarts_gets_everything(
    receiver: Receiver, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In each room's order, which one bad event holds up for its own room alone."""
    monkeypatch.setattr(sender, "DEADLINE_SECONDS", 0.5)
    bad, good = (make_room(people.alice, [people.bob]) for _ in range(2))
    subscribe(receiver)
    answers = iter([500, 302, 404, 0])

    def answer(event: dict[str, Any]) -> int:
        if event["data"]["room"] != bad.hex or event["data"].get("message", {}).get("text") != "bad":
            return 200
        status = next(answers, 200)
        if not status:
            receiver.released.wait(SECONDS)
        return status or 500

    receiver.answer = answer
    with chores():
        say(bad, people.alice, "bad", "after it")
        wait_until(lambda: receiver.asked.count(404) == 1, SECONDS, "it was refused")
        say(good, people.alice, "hello")
        wait_for(receiver, good, [2])
        wait_for(receiver, bad, [2, 3])
        wait_until(lambda: not WebhookCursor.objects.filter(attempts__gt=0).exists(), SECONDS, "all is well")
    address = receiver.address
    with chores():
        say(good, people.alice, "after the restart")
        wait_for(receiver, good, [2, 3])
    assert receiver.address == address


def test_receivers_that_hang_hold_up_no_other(
    receiver: Receiver, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More of them than there are threads, each with two rooms, and none of them fails meanwhile."""
    monkeypatch.setattr(sender, "DEADLINE_SECONDS", 10 * SECONDS)
    rooms = [make_room(people.alice, [people.bob]) for _ in range(2)]
    hanging = Receiver()
    arrived: list[int] = []

    def answer(event: dict[str, Any]) -> int:
        arrived.append(event["data"]["seq"])
        hanging.released.wait(10 * SECONDS)
        return 200

    hanging.answer = answer
    with listening(hanging):
        webhooks = [
            Webhook.objects.create(name=f"hanging {number}", url=hanging.url) for number in range(HANGING)
        ]
        hanging.secret = webhooks[0].secret
        Webhook.objects.update(secret=hanging.secret)
        with chores():
            for room in rooms:
                say(room, people.alice, "to all")
            wait_until(lambda: len(arrived) == HANGING * AT_ONCE, SECONDS, "each holds two deliveries")
            subscribe(receiver)
            say(rooms[0], people.alice, "hello", "again")
            wait_for(receiver, rooms[0], [3, 4])
            assert (hanging.asked, len(arrived)) == ([], HANGING * AT_ONCE)


def test_what_stands_in_the_way_is_visible_and_ends_after_days(
    receiver: Receiver, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the status alone; started again it goes on where it stood, as if it had never failed."""
    room = make_room(people.alice, [people.bob])
    webhook = subscribe(receiver)
    receiver.answer = lambda event: 503
    with chores():
        say(room, people.alice, "hello")
        wait_until(lambda: WebhookCursor.objects.filter(attempts__gt=1).exists(), SECONDS, "it fails")
        cursor = WebhookCursor.objects.get()
        assert (cursor.seq, cursor.last_error) == (1, "503")
        assert cursor.failing_since is not None
        assert cursor.next_try_at is not None
        wait_until(lambda: sample("webhook_oldest_seconds") > 0, SECONDS, "the oldest has an age")
        WebhookCursor.objects.update(failing_since=timezone.now() - GIVE_UP_AFTER)
        wait_until(lambda: state(webhook) == "failing", SECONDS, "it is stopped")
        wait_until(lambda: sample("webhook_oldest_seconds") == 0, SECONDS, "it counts no more")
        receiver.answer = lambda event: 200
        webhook.start()
        wait_for(receiver, room, [2])
        receiver.answer = lambda event: 410
        say(room, people.alice, "to nobody")
        wait_until(lambda: state(webhook) == "gone", SECONDS, "the receiver is gone")


def test_what_was_deleted_meanwhile_is_delivered_without_its_text(receiver: Receiver, people: People) -> None:
    """Neither a message nor an edit of it leaves the log with words that were scrubbed."""
    room = make_room(people.alice, [people.bob])
    subscribe(receiver)
    say(room, people.alice, "secret")
    pk = ChatMessage.objects.get(text="secret").pk
    written(EditMessage(uuid="e", room=room, message=pk, text="secret too"), people.alice)
    written(DeleteMessage(uuid="d", room=room, message=pk), people.alice)
    with chores():
        wait_for(receiver, room, [2, 3, 4])
    assert "secret" not in str(receiver.taken)


def test_a_deletion_during_a_delivery_reaches_what_is_sent_next(receiver: Receiver, people: People) -> None:
    """Each event is read when it is sent, not with the one before it."""
    room = make_room(people.alice, [people.bob])
    subscribe(receiver)
    say(room, people.alice, "slow", "secret")
    asked = Event()

    def answer(event: dict[str, Any]) -> int:
        if event["data"]["seq"] == 2:
            asked.set()
            assert receiver.released.wait(SECONDS)
        return 200

    receiver.answer = answer
    with chores():
        assert asked.wait(SECONDS)
        pk = ChatMessage.objects.get(text="secret").pk
        written(DeleteMessage(uuid="d", room=room, message=pk), people.alice)
        receiver.released.set()
        wait_for(receiver, room, [2, 3, 4])
    assert "secret" not in str(receiver.taken)


def test_a_log_that_begins_later_is_sent_from_there(receiver: Receiver, people: People) -> None:
    """Where old events were removed, a cursor before them goes on behind."""
    room = make_room(people.alice, [people.bob])
    subscribe(receiver)
    say(room, people.alice, "one", "two", "three")
    RoomEvent.objects.filter(room=room, seq__lt=4).delete()
    with chores():
        wait_for(receiver, room, [4])


def test_the_pause_doubles_to_a_bound_and_is_spread() -> None:
    """Never longer than the bound, and not the same for all."""
    assert 0.75 <= pause_after(1) <= 1.0
    assert 3.0 <= pause_after(3) <= 4.0
    pauses = {pause_after(50) for _ in range(20)}
    assert len(pauses) > 1
    assert max(pauses) <= LONGEST_PAUSE_SECONDS
    assert timedelta(seconds=LONGEST_PAUSE_SECONDS) < GIVE_UP_AFTER


def state(webhook: Webhook) -> str:
    """Return why it is stopped."""
    return Webhook.objects.values_list("stopped", flat=True).get(pk=webhook.pk)


def sample(name: str) -> float:
    """Return a metric's value."""
    value = REGISTRY.get_sample_value(f"roomlog_chores_{name}")
    assert value is not None
    return value
