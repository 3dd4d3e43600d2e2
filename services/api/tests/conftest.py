"""What the stand-alone project's tests share: its settings, people who log in and a room of theirs."""
# ruff: noqa: E402 - models can be imported only once Django knows its settings

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "roomlog_api.check_settings")
django.setup()

from tests.harness.accounts import admin_user, alice, as_alice, bob, code, fresh_cache, lobby, work, write

__all__ = ["admin_user", "alice", "as_alice", "bob", "code", "fresh_cache", "lobby", "work", "write"]
