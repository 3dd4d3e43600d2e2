"""Wake-ups and revocation: sent after the commit, from wherever a model is saved, and never in the way."""

import socket
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth import logout
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks
from redis import Redis
from rest_framework.authtoken.models import Token

from roomlog import notices
from roomlog.models import Membership
from roomlog.notification_levels import set_notifications
from roomlog.people import person_of
from roomlog.read_marks import mark_read
from roomlog.rooms import post
from roomlog_api.models import AccessToken
from roomlog_contract.envelope import ENTRY_FIELD, Marked, Recheck, decode_user_notice
from roomlog_contract.keyspace import Keyspace
from tests.harness.people import id_of

KEYSPACE = Keyspace("some/install")
Commit = DjangoCaptureOnCommitCallbacks
pytestmark = pytest.mark.django_db
PATIENCE_SECONDS = 0.9
"""Two time-outs of 0.25 s, on a busy machine."""


class Recorder:
    """Stands for Redis: keeps what is sent."""

    def __init__(self) -> None:
        self.published: list[tuple[str, bytes]] = []
        self.added: list[tuple[str, dict[bytes, bytes]]] = []

    def attempt(self, send: Callable[[Any], object]) -> None:
        """Send to this."""
        send(self)

    def publish(self, channel: str, data: bytes) -> None:
        """Keep a notice."""
        self.published.append((channel, data))

    def xadd(self, stream: str, fields: dict[bytes, bytes]) -> None:
        """Keep an entry."""
        self.added.append((stream, fields))

    def rechecked(self) -> list[str]:
        """Return the channels that were told to recheck, and forget them."""
        assert all(decode_user_notice(data) == Recheck() for _, data in self.published)
        channels = [channel for channel, _ in self.published]
        self.published.clear()
        return channels


@pytest.fixture
def redis(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Recorder:
    """Keeps what would be sent to Redis."""
    settings.ROOMLOG = {**settings.ROOMLOG, "REDIS_PREFIX": KEYSPACE.prefix}
    recorder = Recorder()
    monkeypatch.setattr(notices, "_bus", lambda: recorder)
    return recorder


def test_a_read_mark_is_told_to_the_readers_sockets(
    lobby: UUID, bob: User, redis: Recorder, django_capture_on_commit_callbacks: Commit
) -> None:
    """After the commit, as the room is then; a stranger's is told to nobody."""
    with django_capture_on_commit_callbacks(execute=True):
        mark_read(lobby, id_of(bob), 2)
        mark_read(lobby, 0, 2)
        assert redis.published == []
    ((channel, data),) = redis.published
    assert channel == KEYSPACE.user_channel(id_of(bob))
    notice = decode_user_notice(data)
    assert isinstance(notice, Marked)
    assert (notice.room.id, notice.room.read_seq) == (lobby, 2)


def test_a_level_is_told_to_the_persons_sockets(
    lobby: UUID, bob: User, redis: Recorder, django_capture_on_commit_callbacks: Commit
) -> None:
    """After the commit, with the room as it is then."""
    with django_capture_on_commit_callbacks(execute=True):
        set_notifications(lobby, id_of(bob), "none")
        assert redis.published == []
    ((channel, data),) = redis.published
    notice = decode_user_notice(data)
    assert isinstance(notice, Marked)
    assert (channel, notice.room.notify) == (KEYSPACE.user_channel(id_of(bob)), "none")


def test_a_pending_command_wakes_its_shards_owner(
    lobby: UUID, bob: User, redis: Recorder, django_capture_on_commit_callbacks: Commit
) -> None:
    """An empty entry is enough: the row itself is in the database."""
    with django_capture_on_commit_callbacks(execute=True):
        post(lobby, bob, "hi")
    assert redis.added == [(KEYSPACE.in_stream(KEYSPACE.shard_of_room(lobby)), {ENTRY_FIELD: b""})]


def _deactivate(user: User) -> None:
    user.is_active = False
    user.save()


def _change_password(user: User) -> None:
    user.set_password("another")
    user.save(update_fields=["password"])


def _log_out(user: User) -> None:
    request = RequestFactory().post("/logout/")
    request.session = SessionStore(Session.objects.get().session_key)
    logout(request)


def _change_session(user: User) -> None:
    session = Session.objects.get()
    session.expire_date = timezone.now()
    session.save()


def _change_role(user: User) -> None:
    member = Membership.objects.get(user=person_of(user))
    member.role = Membership.Role.ADMIN
    member.save()


CHANGES: dict[str, Callable[[User], object]] = {
    "revoked": lambda user: Token.objects.get(user=user).delete(),
    "revoked by a query": lambda user: Token.objects.filter(user=user).delete(),
    "revoked in the admin": lambda user: AccessToken.objects.get(user=user).delete(),
    "deactivated": _deactivate,
    "another password": _change_password,
    "logged out": _log_out,
    "sessions deleted": lambda user: Session.objects.all().delete(),
    "session changed": _change_session,
    "left": lambda user: Membership.objects.get(user=person_of(user)).delete(),
    "another role": _change_role,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_of_rights_is_told_to_its_user_alone(
    change: Callable[[User], object],
    lobby: UUID,
    bob: User,
    redis: Recorder,
    django_capture_on_commit_callbacks: Commit,
) -> None:
    """Whatever the way, open sockets hear of it once the change is committed."""
    Token.objects.create(user=bob)
    Client().force_login(bob)
    with django_capture_on_commit_callbacks(execute=True):
        change(bob)
        assert redis.rechecked() == []
    assert redis.rechecked() == [KEYSPACE.user_channel(id_of(bob))]


def test_a_new_token_and_a_deleted_user_are_told(
    bob: User, redis: Recorder, django_capture_on_commit_callbacks: Commit
) -> None:
    """The first and the last thing that happens to an account count too."""
    with django_capture_on_commit_callbacks(execute=True):
        Token.objects.create(user=bob)
    assert redis.rechecked() == [KEYSPACE.user_channel(id_of(bob))]
    channel = KEYSPACE.user_channel(id_of(bob))
    with django_capture_on_commit_callbacks(execute=True):
        bob.delete()
    assert set(redis.rechecked()) == {channel}


def test_a_login_disturbs_nobody(
    bob: User, redis: Recorder, django_capture_on_commit_callbacks: Commit
) -> None:
    """Django saves the time of each login; that changes no rights."""
    with django_capture_on_commit_callbacks(execute=True):
        bob.save(update_fields=["last_login"])
    assert redis.rechecked() == []


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and never answers, as behind a firewall that drops."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_silent_redis_costs_one_short_wait(silent_port: int) -> None:
    """A person who deletes 100 tokens waits once, not 100 times."""
    bus = notices.Bus(f"redis://127.0.0.1:{silent_port}/0")
    started = time.monotonic()
    for _ in range(100):
        bus.attempt(lambda redis: redis.ping())
    assert time.monotonic() - started < PATIENCE_SECONDS


def test_an_outage_is_logged_once_and_ends(caplog: pytest.LogCaptureFixture) -> None:
    """One warning for an outage however many notices it swallows, and sending goes on after the pause."""
    now = [0.0]
    events: list[str] = []
    bus = notices.Bus("redis://127.0.0.1:1/0", clock=lambda: now[0])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(notices.log, "warning", lambda event, **_: events.append(event))
        patch.setattr(notices.log, "info", lambda event, **_: events.append(event))
        sent: list[int] = []
        for second in range(5):
            now[0] = second * notices.PAUSE_SECONDS
            bus.attempt(_ping)
        now[0] += notices.PAUSE_SECONDS / 2
        bus.attempt(lambda _: sent.append(1))
        now[0] += notices.PAUSE_SECONDS
        bus.attempt(lambda _: sent.append(2))
    assert (events, sent) == (["redis_lost", "redis_back"], [2])


def _ping(redis: Redis) -> object:
    return redis.ping()
