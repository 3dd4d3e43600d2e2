"""How many shards the install has: what the settings say where no worker ever took one, else the 64 of before.

Workers of the release before know nothing of the column, and find the leases that they made.
"""

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from roomlog.configuration import configuration

SHARDS = 64
"""As `0001_initial` made them."""


def decide(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    lease = apps.get_model("roomlog", "ShardLease")
    is_used = lease.objects.filter(epoch__gt=0).exists()
    is_awaited = apps.get_model("roomlog", "PendingCommand").objects.exists()
    shards = SHARDS if is_used or is_awaited else configuration().shards
    apps.get_model("roomlog", "Install").objects.update(shards=shards)
    lease.objects.bulk_create(lease(shard=shard) for shard in range(SHARDS, shards))


def undecide(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Take back the leases that no worker ever took; the others forbid the way back, by the constraint."""
    apps.get_model("roomlog", "ShardLease").objects.filter(shard__gte=SHARDS, epoch=0).delete()


class Migration(migrations.Migration):

    dependencies = [
        ('roomlog', '0014_partitions'),
    ]

    operations = [
        migrations.AddField(
            model_name='install',
            name='shards',
            field=models.PositiveSmallIntegerField(db_default=64, default=64),
        ),
        migrations.AddConstraint(
            model_name='install',
            constraint=models.CheckConstraint(condition=models.Q(('shards__in', (64, 128, 256, 512, 1024))), name='shards_is_a_choice'),
        ),
        migrations.RemoveConstraint(
            model_name='shardlease',
            name='shard_below_64',
        ),
        migrations.AddConstraint(
            model_name='shardlease',
            constraint=models.CheckConstraint(condition=models.Q(('shard__lt', 1024)), name='shard_below_1024'),
        ),
        migrations.RunPython(decide, undecide),
    ]
