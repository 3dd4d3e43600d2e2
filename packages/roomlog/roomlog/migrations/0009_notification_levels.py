"""Of which messages members want to be told: a column with its default in the database.

Workers of the release before insert memberships without it.
"""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('roomlog', '0008_room_topic'),
    ]

    operations = [
        migrations.AddField(
            model_name='membership',
            name='notify',
            field=models.CharField(choices=[('all', 'All messages'), ('mentions', 'Mentions only'), ('none', 'Nothing')], db_default='all', default='all', max_length=16, verbose_name='notifications'),
        ),
        migrations.AddConstraint(
            model_name='membership',
            constraint=models.CheckConstraint(condition=models.Q(('notify__in', ['all', 'mentions', 'none'])), name='notify_is_known'),
        ),
    ]
