"""Rooms that show who has read: a column with a default, for workers of the release before."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('roomlog', '0012_room_mentions'),
    ]

    operations = [
        migrations.AddField(
            model_name='chatroom',
            name='receipts',
            field=models.BooleanField(db_default=False, default=False, verbose_name='shows who has read'),
        ),
    ]
