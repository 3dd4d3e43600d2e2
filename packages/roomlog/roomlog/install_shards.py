"""How many shards this database's install has: decided by the first `migrate`, for ever.

Beside the message's way. Streams, leases and rows that wait are named by shard. A process with another number
than its install's would look for rooms where they are not, so it refuses to serve.
"""

from functools import cache

from roomlog_runtime.settings import SettingError
from roomlog_runtime.shards_setting import VARIABLE

from .models import Install


def refuse_other_shards(shards: int) -> None:
    """Compare a process's number of shards with the install's.

    Raises:
        SettingError: they differ.
        django.db errors: the database is away.
    """
    stored = Install.objects.values_list("shards", flat=True).get()
    if stored != shards:
        raise SettingError(VARIABLE, differing(shards, stored))


agree_on_shards = cache(refuse_other_shards)
"""The same, asked until the numbers agreed once in this process: they are fixed."""


def differing(shards: int, stored: int) -> str:
    """Return what is wrong with the setting, and what to do."""
    fixed = f"this install has {stored} shards for ever"
    return f'is {shards}, but {fixed}: set it, or ROOMLOG["SHARDS"] in a project, to {stored}'
