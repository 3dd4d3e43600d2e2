"""All tables, and the rows that every install has: one epoch and 64 free shards."""

import secrets

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

SHARDS = 64
"""Fixed for the life of an install; `roomlog_contract.shards.SHARDS`."""


def create_rows(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("roomlog", "Install").objects.create(epoch=secrets.token_hex(8))
    lease = apps.get_model("roomlog", "ShardLease")
    lease.objects.bulk_create(lease(shard=shard) for shard in range(SHARDS))


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Person',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=150, verbose_name='name')),
                ('avatar', models.CharField(blank=True, max_length=500, verbose_name='avatar')),
                ('deleted_at', models.DateTimeField(blank=True, null=True, verbose_name='deleted at')),
                ('user', models.OneToOneField(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='roomlog_person', to=settings.AUTH_USER_MODEL, verbose_name='user')),
            ],
            options={
                'verbose_name': 'person',
                'verbose_name_plural': 'people',
                'indexes': [models.Index(fields=['name'], name='people_by_name')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('deleted_at', None), ('user', None)), fields=('name',), name='keyless_person_once')],
            },
        ),
        migrations.CreateModel(
            name='ChatRoom',
            fields=[
                ('id', models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(blank=True, max_length=200, verbose_name='name')),
                ('kind', models.CharField(choices=[('group', 'Group'), ('direct', 'Direct')], default='group', max_length=16, verbose_name='kind')),
                ('date_created', models.DateTimeField(auto_now_add=True, verbose_name='date created')),
                ('archived_at', models.DateTimeField(blank=True, null=True, verbose_name='archived at')),
                ('creator', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='roomlog.person', verbose_name='creator')),
            ],
            options={
                'verbose_name': 'chat room',
                'verbose_name_plural': 'chat rooms',
                'ordering': ['name', 'id'],
            },
        ),
        migrations.CreateModel(
            name='Worker',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('uuid', models.UUIDField(unique=True, verbose_name='uuid')),
                ('ordinal', models.PositiveIntegerField(verbose_name='ordinal')),
                ('beat', models.BigIntegerField(default=0, verbose_name='beat')),
                ('reaches_redis', models.BooleanField(db_default=True, default=True, verbose_name='reaches redis')),
                ('clock', models.FloatField(null=True, verbose_name='clock')),
            ],
            options={
                'verbose_name': 'worker',
                'verbose_name_plural': 'workers',
            },
        ),
        migrations.CreateModel(
            name='DeadLetter',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('shard', models.PositiveSmallIntegerField(verbose_name='shard')),
                ('entry', models.CharField(max_length=40, verbose_name='entry')),
                ('room', models.UUIDField(null=True, verbose_name='room')),
                ('action', models.CharField(blank=True, max_length=32, verbose_name='action')),
                ('uuid', models.CharField(blank=True, max_length=64, verbose_name='uuid')),
                ('error', models.CharField(max_length=200, verbose_name='error')),
                ('envelope', models.BinaryField()),
                ('date_created', models.DateTimeField(auto_now_add=True, verbose_name='date created')),
            ],
            options={
                'verbose_name': 'dead letter',
                'verbose_name_plural': 'workers: dead letters',
                'constraints': [models.UniqueConstraint(fields=('shard', 'entry'), name='dead_once')],
            },
        ),
        migrations.CreateModel(
            name='Install',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('epoch', models.CharField(max_length=32)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='install_is_one_row')],
            },
        ),
        migrations.CreateModel(
            name='LoginTry',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=64)),
                ('address', models.CharField(max_length=64)),
                ('has_succeeded', models.BooleanField(default=False)),
                ('tried_at', models.DateTimeField()),
                ('kept_until', models.DateTimeField(db_index=True)),
            ],
            options={
                'indexes': [models.Index(fields=['name', 'address', 'tried_at'], name='tries_by_name'), models.Index(fields=['address', 'tried_at'], name='tries_by_address')],
            },
        ),
        migrations.CreateModel(
            name='Membership',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('owner', 'Owner'), ('admin', 'Admin'), ('member', 'Member'), ('reader', 'Reader')], default='member', max_length=16, verbose_name='role')),
                ('read_seq', models.BigIntegerField(default=0, verbose_name='read seq')),
                ('read_number', models.BigIntegerField(default=0, verbose_name='read number')),
                ('muted_until', models.DateTimeField(blank=True, null=True, verbose_name='muted until')),
                ('room', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to='roomlog.chatroom', verbose_name='room')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='memberships', to='roomlog.person', verbose_name='user')),
            ],
            options={
                'verbose_name': 'membership',
                'verbose_name_plural': 'memberships',
            },
        ),
        migrations.AddField(
            model_name='chatroom',
            name='users',
            field=models.ManyToManyField(related_name='rooms', through='roomlog.Membership', to='roomlog.person'),
        ),
        migrations.CreateModel(
            name='PendingCommand',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('shard', models.PositiveSmallIntegerField(verbose_name='shard')),
                ('room', models.UUIDField(verbose_name='room')),
                ('uuid', models.CharField(max_length=64, verbose_name='uuid')),
                ('envelope', models.BinaryField()),
                ('date_created', models.DateTimeField(auto_now_add=True, verbose_name='date created')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='roomlog.person', verbose_name='user')),
            ],
            options={
                'verbose_name': 'pending command',
                'verbose_name_plural': 'workers: pending commands',
            },
        ),
        migrations.CreateModel(
            name='RoomEvent',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('seq', models.BigIntegerField(verbose_name='seq')),
                ('number', models.BigIntegerField(null=True, verbose_name='number')),
                ('kind', models.CharField(max_length=32, verbose_name='kind')),
                ('uuid', models.CharField(max_length=64, verbose_name='uuid')),
                ('body_hash', models.CharField(max_length=32, verbose_name='body hash')),
                ('text', models.TextField(blank=True, verbose_name='text')),
                ('data', models.JSONField(null=True, verbose_name='data')),
                ('date_created', models.DateTimeField(verbose_name='date created')),
                ('edited_seq', models.BigIntegerField(null=True, verbose_name='edited seq')),
                ('reacted_seq', models.BigIntegerField(null=True, verbose_name='reacted seq')),
                ('pinned_seq', models.BigIntegerField(null=True, verbose_name='pinned seq')),
                ('deleted_at', models.DateTimeField(null=True, verbose_name='deleted at')),
                ('target', models.BigIntegerField(null=True, verbose_name='target')),
                ('room', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='roomlog.chatroom', verbose_name='room')),
                ('user', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='roomlog.person', verbose_name='user')),
            ],
            options={
                'verbose_name': 'room event',
                'verbose_name_plural': 'room events',
                'ordering': ['room', 'seq'],
            },
        ),
        migrations.CreateModel(
            name='ChatMessage',
            fields=[
            ],
            options={
                'verbose_name': 'chat message',
                'verbose_name_plural': 'chat messages',
                'proxy': True,
                'indexes': [],
                'constraints': [],
            },
            bases=('roomlog.roomevent',),
        ),
        migrations.CreateModel(
            name='ShardLease',
            fields=[
                ('shard', models.PositiveSmallIntegerField(primary_key=True, serialize=False, verbose_name='shard')),
                ('owner', models.UUIDField(null=True, verbose_name='owner')),
                ('epoch', models.BigIntegerField(default=0, verbose_name='epoch')),
            ],
            options={
                'verbose_name': 'shard lease',
                'verbose_name_plural': 'workers: shard leases',
                'constraints': [models.CheckConstraint(condition=models.Q(('shard__lt', 64)), name='shard_below_64')],
            },
        ),
        migrations.CreateModel(
            name='RoomHead',
            fields=[
                ('room', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='head', serialize=False, to='roomlog.chatroom', verbose_name='room')),
                ('epoch', models.CharField(max_length=32, verbose_name='epoch')),
                ('last_seq', models.BigIntegerField(default=0, verbose_name='last seq')),
                ('messages', models.BigIntegerField(default=0, verbose_name='messages')),
            ],
            options={
                'verbose_name': 'room head',
                'verbose_name_plural': 'workers: room heads',
                'constraints': [models.CheckConstraint(condition=models.Q(('last_seq__gte', models.F('messages'))), name='head_counts_messages')],
            },
        ),
        migrations.CreateModel(
            name='RoomTold',
            fields=[
                ('room', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='told', serialize=False, to='roomlog.chatroom')),
                ('seq', models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name='Reaction',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('target', models.BigIntegerField()),
                ('emoji', models.CharField(max_length=16)),
                ('seq', models.BigIntegerField()),
                ('room', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='roomlog.chatroom')),
                ('user', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='roomlog.person')),
            ],
        ),
        migrations.CreateModel(
            name='Ban',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('until', models.DateTimeField(null=True, verbose_name='until')),
                ('seq', models.BigIntegerField(verbose_name='seq')),
                ('room', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='bans', to='roomlog.chatroom', verbose_name='room')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='bans', to='roomlog.person', verbose_name='user')),
            ],
            options={
                'verbose_name': 'ban',
                'verbose_name_plural': 'bans',
            },
        ),
        migrations.CreateModel(
            name='ChoresLease',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('owner', models.UUIDField(null=True)),
                ('beat', models.BigIntegerField(default=0)),
                ('has_begun', models.BooleanField(db_default=False, default=False)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='chores_lease_is_one_row')],
            },
        ),
        migrations.AddConstraint(
            model_name='membership',
            constraint=models.UniqueConstraint(fields=('room', 'user'), name='member_once'),
        ),
        migrations.AddConstraint(
            model_name='membership',
            constraint=models.CheckConstraint(condition=models.Q(('role__in', ['owner', 'admin', 'member', 'reader'])), name='role_is_known'),
        ),
        migrations.AddConstraint(
            model_name='ban',
            constraint=models.UniqueConstraint(fields=('room', 'user'), name='ban_once'),
        ),
        migrations.AddIndex(
            model_name='chatroom',
            index=models.Index(fields=['creator', 'date_created'], name='rooms_by_creator'),
        ),
        migrations.AddConstraint(
            model_name='chatroom',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['group', 'direct'])), name='room_kind_is_known'),
        ),
        migrations.AddIndex(
            model_name='pendingcommand',
            index=models.Index(fields=['shard', 'id'], name='pending_by_shard'),
        ),
        migrations.AddIndex(
            model_name='roomevent',
            index=models.Index(condition=models.Q(('number__isnull', False)), fields=['room', 'seq'], name='messages_by_seq'),
        ),
        migrations.AddIndex(
            model_name='roomevent',
            index=models.Index(condition=models.Q(('target__isnull', False)), fields=['room', 'target'], name='changes_by_target'),
        ),
        migrations.AddIndex(
            model_name='roomevent',
            index=models.Index(condition=models.Q(('pinned_seq__isnull', False)), fields=['room', 'pinned_seq'], name='pins_by_seq'),
        ),
        migrations.AddConstraint(
            model_name='roomevent',
            constraint=models.UniqueConstraint(fields=('room', 'seq'), name='seq_once'),
        ),
        migrations.AddConstraint(
            model_name='roomevent',
            constraint=models.UniqueConstraint(fields=('uuid', 'room', 'user'), name='command_once'),
        ),
        migrations.AddConstraint(
            model_name='roomevent',
            constraint=models.CheckConstraint(condition=models.Q(('seq__gte', 1)), name='seq_from_one'),
        ),
        migrations.AddConstraint(
            model_name='reaction',
            constraint=models.UniqueConstraint(fields=('room', 'target', 'emoji', 'user'), name='reaction_once'),
        ),
        migrations.RunPython(create_rows, migrations.RunPython.noop),
    ]
