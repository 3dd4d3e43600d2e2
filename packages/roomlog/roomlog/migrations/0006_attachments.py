"""Files that messages bring. A new table alone: old workers don't know it."""

import django.db.models.deletion
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('roomlog', '0005_retention'),
    ]

    operations = [
        migrations.CreateModel(
            name='Attachment',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('uuid', models.CharField(max_length=64, verbose_name='uuid')),
                ('digest', models.CharField(max_length=64)),
                ('name', models.CharField(max_length=120, verbose_name='file name')),
                ('size', models.BigIntegerField(verbose_name='bytes')),
                ('type', models.CharField(max_length=100, verbose_name='media type')),
                ('width', models.PositiveIntegerField(null=True, verbose_name='width')),
                ('height', models.PositiveIntegerField(null=True, verbose_name='height')),
                ('file', models.CharField(max_length=100)),
                ('thumbnail', models.CharField(blank=True, max_length=100)),
                ('is_stored', models.BooleanField(default=False)),
                ('date_created', models.DateTimeField(auto_now_add=True, verbose_name='date created')),
                ('seq', models.BigIntegerField(null=True, verbose_name='seq')),
                ('dropped_at', models.DateTimeField(null=True, verbose_name='dropped at')),
                ('room', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='roomlog.chatroom', verbose_name='room')),
                ('user', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='attachments', to='roomlog.person', verbose_name='uploaded by')),
            ],
            options={
                'verbose_name': 'attachment',
                'verbose_name_plural': 'attachments',
                'indexes': [models.Index(condition=models.Q(('seq__isnull', False)), fields=['room', 'seq'], name='attachments_by_message'), models.Index(fields=['user', 'date_created'], name='attachments_by_user'), models.Index(condition=models.Q(('seq__isnull', True)), fields=['date_created'], name='unclaimed_attachments'), models.Index(condition=models.Q(('dropped_at__isnull', False)), fields=['dropped_at'], name='dropped_attachments')],
                'constraints': [models.UniqueConstraint(fields=('uuid', 'room', 'user'), name='upload_once'), models.CheckConstraint(condition=models.Q(('size__gte', 1)), name='attachment_has_bytes'), models.CheckConstraint(condition=models.Q(models.Q(('height', None), ('width', None)), models.Q(('height__gte', 1), ('height__isnull', False), ('width__gte', 1), ('width__isnull', False)), _connector='OR'), name='attachment_has_both_sides_or_none')],
            },
        ),
    ]
