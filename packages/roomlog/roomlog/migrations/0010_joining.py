"""Rooms that everybody may find, and invitations: a column with a default, and a table of its own."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('roomlog', '0009_notification_levels'),
    ]

    operations = [
        migrations.CreateModel(
            name='Invitation',
            fields=[
                ('id', models.UUIDField(editable=False, primary_key=True, serialize=False)),
                ('uuid', models.CharField(editable=False, max_length=64)),
                ('digest', models.CharField(editable=False, max_length=64, unique=True)),
                ('role', models.CharField(choices=[('reader', 'Reader'), ('member', 'Member')], default='member', max_length=16, verbose_name='role')),
                ('date_created', models.DateTimeField(auto_now_add=True, verbose_name='date created')),
                ('until', models.DateTimeField(verbose_name='until')),
                ('most_uses', models.PositiveIntegerField(blank=True, null=True, verbose_name='most uses')),
                ('uses', models.PositiveIntegerField(default=0, editable=False, verbose_name='uses')),
                ('revoked_at', models.DateTimeField(editable=False, null=True, verbose_name='revoked at')),
            ],
            options={
                'verbose_name': 'invitation',
                'verbose_name_plural': 'invitations',
            },
        ),
        migrations.AddField(
            model_name='chatroom',
            name='is_discoverable',
            field=models.BooleanField(db_default=False, default=False, verbose_name='discoverable'),
        ),
        migrations.AddIndex(
            model_name='chatroom',
            index=models.Index(condition=models.Q(('is_discoverable', True)), fields=['name', 'id'], name='discoverable_rooms'),
        ),
        migrations.AddField(
            model_name='invitation',
            name='creator',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='invitations', to='roomlog.person', verbose_name='creator'),
        ),
        migrations.AddField(
            model_name='invitation',
            name='room',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='invitations', to='roomlog.chatroom', verbose_name='room'),
        ),
        migrations.AddConstraint(
            model_name='invitation',
            constraint=models.UniqueConstraint(fields=('creator', 'room', 'uuid'), name='invitation_once'),
        ),
        migrations.AddConstraint(
            model_name='invitation',
            constraint=models.CheckConstraint(condition=models.Q(('most_uses', None), ('uses__lte', models.F('most_uses')), _connector='OR'), name='invitation_is_not_overused'),
        ),
    ]
