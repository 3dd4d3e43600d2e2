"""Wakes the owner of a shard, and tells open sockets that their user's rights or read marks changed.

After a commit. Everything here is an accelerator: without Redis the owner sweeps each second and gateways
recheck each minute. So it must never raise, never wait long and never repeat.
"""

import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final
from uuid import UUID

import structlog
from django.apps import apps
from django.conf import settings
from django.contrib.auth import SESSION_KEY, get_user_model
from django.contrib.sessions.base_session import AbstractBaseSession
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model
from django.db.models.signals import post_save, pre_delete
from redis import Redis
from redis.exceptions import RedisError
from rest_framework.authtoken.models import Token

from roomlog.authenticators import APPS, KNOX
from roomlog.blocking import block_changed
from roomlog.configuration import configuration
from roomlog.models import BotToken, Membership
from roomlog.pending import command_pending
from roomlog.people import person_id
from roomlog.read_marks import own_view_changed
from roomlog_contract.envelope import ENTRY_FIELD, Blocked, HaveRead, Marked, Recheck, UserNotice, encode
from roomlog_contract.events import RoomSummary, User
from roomlog_contract.keyspace import Keyspace
from roomlog_runtime.causes import cause_of
from roomlog_runtime.cluster_client import ClusterClient
from roomlog_runtime.redis_address import client

TIMEOUT_SECONDS: Final = 0.25
"""For the connection and again for the answer: a person waits for both."""
PAUSE_SECONDS: Final = 1.0
"""After a failure nothing is tried for so long: deleting 100 tokens must not wait 100 times."""
MAX_CONNECTIONS: Final = 16
"""Above gunicorn's threads: nobody waits for one."""

log = structlog.get_logger()


def connect() -> None:
    """Listen to the signals; again is harmless."""
    command_pending.connect(on_command_pending, dispatch_uid="roomlog.command_pending")
    own_view_changed.connect(on_own_view, dispatch_uid="roomlog.own_view")
    block_changed.connect(on_block, dispatch_uid="roomlog.block")
    for model in _models_of_rights():
        post_save.connect(on_saved, sender=model, dispatch_uid="roomlog.saved")
        pre_delete.connect(on_deleted, sender=model, dispatch_uid="roomlog.deleted")


def disconnect() -> None:
    """Tell nobody: for workers, which say by the log what they changed."""
    command_pending.disconnect(dispatch_uid="roomlog.command_pending")
    own_view_changed.disconnect(dispatch_uid="roomlog.own_view")
    block_changed.disconnect(dispatch_uid="roomlog.block")
    for model in _models_of_rights():
        post_save.disconnect(sender=model, dispatch_uid="roomlog.saved")
        pre_delete.disconnect(sender=model, dispatch_uid="roomlog.deleted")


def _models_of_rights() -> list[type[Model]]:
    """Return the models whose rows say what somebody may, with their proxies, which send their own signals.

    With a listener for all models Django would read every row of a project before it deletes it.
    """
    rights: tuple[type, ...] = (
        *(Token, BotToken, Membership, AbstractBaseSession, get_user_model()),
        *_knox_tokens(),
    )
    return [model for model in apps.get_models() if issubclass(model, rights)]


def _knox_tokens() -> list[type[Model]]:
    """Return the table of knox's tokens, which a project may have replaced by its own."""
    if not apps.is_installed(APPS[KNOX]):
        return []
    return [apps.get_model(getattr(settings, "KNOX_TOKEN_MODEL", "knox.AuthToken"))]


def on_command_pending(shard: int, **_: Any) -> None:
    """Put an empty entry into the shard's stream; its owner reads pending commands, then deletes it."""
    stream = _keyspace().in_stream(shard)
    _bus().attempt(lambda redis: _wake(redis, stream))


def _wake(redis: Redis, stream: str) -> None:
    redis.xadd(stream, {ENTRY_FIELD: b""})
    if isinstance(redis, ClusterClient):  # there no read waits for a stream
        redis.wake(stream)


def on_own_view(person: int, room: RoomSummary, told: Sequence[tuple[UUID, HaveRead]] = (), **_: Any) -> None:
    """Tell the person's sockets how they see the room now; a lost notice is made up for at the next login.

    Tell the gateways of rooms that show receipts; they ask for what is lost.
    """
    _tell(person, Marked(room))
    for key, have_read in told:
        _publish(_keyspace().room_channel(key), encode(have_read))


def on_block(blocker: int, user: User, is_blocked: bool, **_: Any) -> None:
    """Tell the blocker's sockets; a lost notice is made up for by the next list."""
    _tell(blocker, Blocked(user, is_blocked))


def on_saved(instance: Model, update_fields: frozenset[str] | None = None, **_: Any) -> None:
    """Tell the user's sockets of a new or changed token, membership, session or account."""
    if update_fields != frozenset({"last_login"}):  # each login saves that, and changes nobody's rights
        _recheck_after_commit(instance)


def on_deleted(instance: Model, **_: Any) -> None:
    """Tell the user's sockets that a token, a membership, a session or the account will be gone.

    Before the deletion, which takes the person of a deleted account from its user; told after the commit.
    """
    _recheck_after_commit(instance)


def _recheck_after_commit(instance: Model) -> None:
    person = _person_concerned(instance)
    if person is not None:
        # No partial: Django's report of a failing hook asks for its __qualname__.
        transaction.on_commit(lambda: _send_recheck(person), robust=True)


def _person_concerned(instance: Model) -> int | None:
    match instance:
        case Membership():
            return instance.user_id
        case BotToken():
            return instance.person_id
        case AbstractBaseSession():
            return _person_of_session(instance)
        case _ if isinstance(instance, get_user_model()):
            return person_id(instance.pk)
        case _:
            token: Any = instance  # DRF's or knox's
            return person_id(token.user_id)


def _person_of_session(session: AbstractBaseSession) -> int | None:
    try:
        key = get_user_model()._meta.pk.to_python(session.get_decoded().get(SESSION_KEY))
    except ValidationError:
        return None
    return None if key is None else person_id(key)


def _send_recheck(person: int) -> None:
    _tell(person, Recheck())


def _tell(person: int, notice: UserNotice) -> None:
    _publish(_keyspace().user_channel(person), encode(notice))


def _publish(channel: str, notice: bytes) -> None:
    _bus().attempt(lambda redis: redis.publish(channel, notice))


class Bus:
    """Redis, as long as it answers at once. Shared by all threads; a lost race costs one attempt more."""

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._redis: Redis = client(
            url,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            max_connections=MAX_CONNECTIONS,
        )
        self._clock = clock
        self._failed_at: float | None = None

    def attempt(self, send: Callable[[Redis], object]) -> None:
        """Send once, or not at all where the last attempt has just failed."""
        if self._failed_at is not None and self._clock() - self._failed_at < PAUSE_SECONDS:
            return
        try:
            send(self._redis)
        except (RedisError, OSError) as error:
            if self._failed_at is None:
                log.warning("redis_lost", **cause_of(error))
            self._failed_at = self._clock()
        else:
            if self._failed_at is not None:
                log.info("redis_back")
            self._failed_at = None


@cache
def _bus() -> Bus:
    return Bus(configuration().redis_url)


def _keyspace() -> Keyspace:
    return configuration().keyspace
