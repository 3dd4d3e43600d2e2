"""Fixtures of the app's tests: databases of both kinds, and people who log in."""
# ruff: noqa: E402 - models can be imported only once Django knows its settings

import os

import django
import pytest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "roomlog_api.check_settings")
django.setup()

from tests.harness.accounts import admin_user, alice, as_alice, bob, code, fresh_cache, lobby, work, write
from tests.harness.databases import (
    database,
    partitioned,
    partitioned_url,
    postgres,
    postgres_url,
    replica,
    replica_server,
    sqlite,
    sqlite_url,
)
from tests.harness.people import People

__all__ = ["admin_user", "alice", "as_alice", "bob", "code", "fresh_cache", "lobby", "work", "write"]
__all__ += ["database", "partitioned", "partitioned_url", "people"]
__all__ += ["postgres", "postgres_url", "replica", "replica_server", "sqlite", "sqlite_url"]


@pytest.fixture
def people(database: str) -> People:
    """Alice, Bob and Carol."""
    return People.make()
