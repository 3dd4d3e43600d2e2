"""Webhooks and the tokens of bots: new tables alone, which processes of the release before don't know."""

import django.db.models.deletion
import django.utils.timezone
import roomlog.hooks.webhook
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('roomlog', '0006_attachments'),
    ]

    operations = [
        migrations.CreateModel(
            name='IncomingHook',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('digest', models.CharField(editable=False, max_length=64)),
                ('date_created', models.DateTimeField(auto_now_add=True, verbose_name='date created')),
                ('person', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='roomlog.person', verbose_name='posts as')),
                ('room', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='incoming_hooks', to='roomlog.chatroom', verbose_name='room')),
            ],
            options={
                'verbose_name': 'incoming webhook',
                'verbose_name_plural': 'incoming webhooks',
            },
        ),
        migrations.CreateModel(
            name='Webhook',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=100, verbose_name='name')),
                ('url', models.CharField(max_length=500, verbose_name='address')),
                ('kinds', models.JSONField(blank=True, default=list, verbose_name='events')),
                ('secret', models.CharField(default=roomlog.hooks.webhook.new_signing_secret, editable=False, max_length=100)),
                ('date_created', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='date created')),
                ('stopped', models.CharField(blank=True, choices=[('', 'Active'), ('admin', 'Stopped in the admin'), ('failing', 'Stopped: failing for days'), ('gone', 'Stopped: the receiver answered 410')], db_default='', default='', max_length=16, verbose_name='state')),
                ('room', models.ForeignKey(blank=True, help_text='Empty: all rooms, direct ones too.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='webhooks', to='roomlog.chatroom', verbose_name='room')),
            ],
            options={
                'verbose_name': 'outgoing webhook',
                'verbose_name_plural': 'outgoing webhooks',
            },
        ),
        migrations.CreateModel(
            name='BotToken',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=100, verbose_name='name')),
                ('digest', models.CharField(editable=False, max_length=64, unique=True)),
                ('date_created', models.DateTimeField(auto_now_add=True, verbose_name='date created')),
                ('expires_at', models.DateTimeField(verbose_name='expires at')),
                ('last_used_at', models.DateTimeField(editable=False, null=True, verbose_name='last used at')),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='bot_tokens', to='roomlog.person', verbose_name='person')),
            ],
            options={
                'verbose_name': 'bot token',
                'verbose_name_plural': 'bot tokens',
                'constraints': [models.UniqueConstraint(fields=('person', 'name'), name='bot_token_name_once')],
            },
        ),
        migrations.CreateModel(
            name='WebhookCursor',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('seq', models.BigIntegerField(default=0, verbose_name='seq')),
                ('attempts', models.PositiveIntegerField(default=0, verbose_name='failed attempts')),
                ('failing_since', models.DateTimeField(null=True, verbose_name='failing since')),
                ('next_try_at', models.DateTimeField(null=True, verbose_name='next try at')),
                ('last_error', models.CharField(blank=True, max_length=100, verbose_name='last error')),
                ('room', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='roomlog.chatroom', verbose_name='room')),
                ('webhook', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='cursors', to='roomlog.webhook')),
            ],
            options={
                'verbose_name': 'undelivered room',
                'verbose_name_plural': 'undelivered rooms',
                'constraints': [models.UniqueConstraint(fields=('webhook', 'room'), name='webhook_cursor_once'), models.CheckConstraint(condition=models.Q(models.Q(('attempts', 0), ('failing_since', None)), models.Q(('attempts__gt', 0), ('failing_since__isnull', False)), _connector='OR'), name='failing_webhook_says_since')],
            },
        ),
    ]
