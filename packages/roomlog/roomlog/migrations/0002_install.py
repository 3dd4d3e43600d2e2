"""The rows that every installation has: one epoch and 64 free shards."""

import secrets

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

SHARDS = 64
"""Fixed for the life of an install; `roomlog_contract.shards.SHARDS`."""


def create_rows(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("roomlog", "Install").objects.create(epoch=secrets.token_hex(8))
    lease = apps.get_model("roomlog", "ShardLease")
    lease.objects.bulk_create(lease(shard=shard) for shard in range(SHARDS))


class Migration(migrations.Migration):
    dependencies = [("roomlog", "0001_first")]
    operations = [migrations.RunPython(create_rows, migrations.RunPython.noop)]
