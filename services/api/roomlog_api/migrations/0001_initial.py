"""The state of a model without a table."""

from django.db import migrations


class Migration(migrations.Migration):
    initial = True

    dependencies = [("authtoken", "0004_alter_tokenproxy_options")]

    operations = [
        migrations.CreateModel(
            name="AccessToken",
            fields=[],
            options={
                "verbose_name": "token",
                "verbose_name_plural": "tokens",
                "proxy": True,
                "indexes": [],
                "constraints": [],
            },
            bases=("authtoken.tokenproxy",),
        ),
    ]
