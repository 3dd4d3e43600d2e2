"""How many shards an install has: the first `migrate` decides, and who counts others writes nothing."""

from importlib import import_module
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import IntegrityError

from roomlog.install_shards import agree_on_shards
from roomlog.models import Install, PendingCommand, ShardLease
from roomlog.pending import request_command
from roomlog.people import system_person
from roomlog_contract.commands import NewMessage
from roomlog_contract.keyspace import Keyspace
from roomlog_runtime.settings import SettingError

DECISION = import_module("roomlog.migrations.0015_shards").Migration
(_, BEFORE), *_ = DECISION.dependencies
ROOM = UUID(int=7)


@pytest.fixture
def undecided(sqlite: str, settings: Any) -> Any:
    """A database before it was decided; afterwards it has what the others have."""
    call_command("migrate", "roomlog", BEFORE, verbosity=0)
    yield settings
    ShardLease.objects.filter(shard__gte=64).delete()
    Install.objects.update(shards=64)


def decided(settings: Any, shards: int) -> tuple[int, int]:
    """Migrate under a setting; return what the install has then, and how many leases."""
    settings.ROOMLOG = {**settings.ROOMLOG, "SHARDS": shards}
    call_command("migrate", verbosity=0)
    return Install.objects.get().shards, ShardLease.objects.count()


def test_the_first_migrate_takes_the_number_from_the_settings(undecided: Any) -> None:
    """Until a worker has taken a shard the way back is open; then it is closed."""
    assert decided(undecided, 256) == (256, 256)
    call_command("migrate", "roomlog", BEFORE, verbosity=0)
    assert decided(undecided, 128) == (128, 128)
    ShardLease.objects.filter(shard=100).update(epoch=1)
    with pytest.raises(IntegrityError):
        call_command("migrate", "roomlog", BEFORE, verbosity=0)


def test_an_install_that_is_in_use_keeps_its_64(undecided: Any) -> None:
    """A room's stream may never change, whatever the settings say now."""
    ShardLease.objects.filter(shard=5).update(epoch=1)
    assert decided(undecided, 256) == (64, 64)


def test_a_process_that_counts_other_shards_stores_nothing(postgres: str, settings: Any) -> None:
    """Nobody would look for the row where it puts it."""
    settings.ROOMLOG = {**settings.ROOMLOG, "SHARDS": 256}
    agree_on_shards.cache_clear()
    command = NewMessage(uuid="u", room=ROOM, text="hi")
    with pytest.raises(SettingError, match="ROOMLOG_SHARDS is 256, but this install has 64 shards"):
        request_command(command, system_person().pk)
    assert not PendingCommand.objects.exists()
    Install.objects.update(shards=256)
    request_command(command, system_person().pk)
    assert PendingCommand.objects.get().shard == Keyspace(shards=256).shard_of_room(ROOM)
