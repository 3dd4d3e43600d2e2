"""What members report to the moderators. A new table alone: old workers don't know it."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('roomlog', '0003_search'),
    ]

    operations = [
        migrations.CreateModel(
            name='MessageReport',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('target', models.BigIntegerField(verbose_name='seq')),
                ('reason', models.CharField(choices=[('spam', 'Spam'), ('abuse', 'Abuse'), ('other', 'Something else')], max_length=16, verbose_name='reason')),
                ('comment', models.CharField(blank=True, max_length=500, verbose_name='comment')),
                ('date_created', models.DateTimeField(auto_now_add=True, verbose_name='date created')),
                ('state', models.PositiveSmallIntegerField(choices=[(0, 'Unresolved'), (1, 'Dismissed'), (2, 'Acted on')], default=0, verbose_name='state')),
                ('resolved_at', models.DateTimeField(null=True, verbose_name='resolved at')),
                ('author', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='roomlog.person', verbose_name='author')),
                ('resolved_by', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='roomlog.person', verbose_name='resolved by')),
                ('room', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='roomlog.chatroom', verbose_name='room')),
                ('user', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='reports', to='roomlog.person', verbose_name='reported by')),
            ],
            options={
                'verbose_name': 'report',
                'verbose_name_plural': 'reports',
                'indexes': [models.Index(fields=['state', '-id'], name='reports_by_state'), models.Index(fields=['user', 'date_created'], name='reports_by_user')],
                'constraints': [models.UniqueConstraint(fields=('room', 'target', 'user'), name='report_once'), models.CheckConstraint(condition=models.Q(models.Q(('resolved_at', None), ('state', 0)), models.Q(('resolved_at__isnull', False), ('state__gt', 0)), _connector='OR'), name='resolved_report_says_when')],
            },
        ),
    ]
