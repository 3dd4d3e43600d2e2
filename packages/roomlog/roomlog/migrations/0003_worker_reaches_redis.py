"""A worker says whether it reaches Redis, so that others can take what it can't serve."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("roomlog", "0002_install")]
    operations = [
        migrations.AddField("worker", "reaches_redis", models.BooleanField(db_default=True, default=True))
    ]
