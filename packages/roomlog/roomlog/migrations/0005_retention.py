"""Retention: two columns with defaults in the database, and a table. Workers of the release before need none."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('roomlog', '0004_message_reports'),
    ]

    operations = [
        migrations.AddField(
            model_name='roomhead',
            name='first_seq',
            field=models.BigIntegerField(db_default=1, default=1, verbose_name='first seq'),
        ),
        migrations.AddField(
            model_name='roomhead',
            name='pruned_messages',
            field=models.BigIntegerField(db_default=0, default=0, verbose_name='pruned messages'),
        ),
        migrations.CreateModel(
            name='RoomRetention',
            fields=[
                ('room', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='retention', serialize=False, to='roomlog.chatroom', verbose_name='room')),
                ('days', models.PositiveIntegerField(blank=True, null=True, validators=[django.core.validators.MinValueValidator(7)], verbose_name='days')),
                ('is_held', models.BooleanField(default=False, verbose_name='legal hold')),
            ],
            options={
                'verbose_name': 'retention of a room',
                'verbose_name_plural': 'retention of rooms',
                'constraints': [models.CheckConstraint(condition=models.Q(('days', None), ('days__gte', 7), _connector='OR'), name='room_outlasts_repeats')],
            },
        ),
    ]
