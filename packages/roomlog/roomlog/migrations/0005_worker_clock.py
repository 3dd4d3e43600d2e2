"""A worker says what its clock says, so that the doctor can compare."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("roomlog", "0004_messages_and_creators")]
    operations = [migrations.AddField("worker", "clock", models.FloatField(null=True))]
