"""Messages that mention everybody in their room: one row for each.

Workers of the release before refuse the key that asks for it, so that none of them has to write here.
"""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('roomlog', '0011_blocks'),
    ]

    operations = [
        migrations.CreateModel(
            name='RoomMention',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('target', models.BigIntegerField()),
                ('room', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='roomlog.chatroom')),
                ('user', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='roomlog.person')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('room', 'target'), name='room_mention_once')],
            },
        ),
    ]
