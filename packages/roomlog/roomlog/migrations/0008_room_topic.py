"""Topics of rooms: a column with a default, for workers of the release before, who insert without it."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('roomlog', '0007_webhooks'),
    ]

    operations = [
        migrations.AddField(
            model_name='chatroom',
            name='topic',
            field=models.CharField(blank=True, db_default='', default='', max_length=250, verbose_name='topic'),
        ),
    ]
