"""The index of the search: new tables alone, which workers of the release before leave as they are."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

SECURE_DELETE = (3, 42)
"""Since this version SQLite's full text search can take a word out of its file at once."""


def create_texts(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Make what holds the words, which the ORM has no name for."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE roomlog_searchentry ADD COLUMN vector tsvector NOT NULL DEFAULT ''")
        # No list of pending words: every search would read through it.
        schema_editor.execute(
            "CREATE INDEX entries_by_word ON roomlog_searchentry USING gin (vector) WITH (fastupdate = off)"
        )
        return
    # The words are split already. `room` is one too: those of few rooms are looked for by it.
    schema_editor.execute(
        "CREATE VIRTUAL TABLE roomlog_searchtext USING fts5(room, words, tokenize = 'ascii')"
    )
    if schema_editor.connection.Database.sqlite_version_info >= SECURE_DELETE:
        schema_editor.execute(
            "INSERT INTO roomlog_searchtext (roomlog_searchtext, rank) VALUES ('secure-delete', 1)"
        )
    schema_editor.execute(
        "CREATE TRIGGER roomlog_searchtext_goes AFTER DELETE ON roomlog_searchentry "
        "BEGIN DELETE FROM roomlog_searchtext WHERE rowid = old.id; END"
    )


def drop_texts(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Drop what does not go with the entries' table."""
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute("DROP TABLE roomlog_searchtext")


class Migration(migrations.Migration):

    dependencies = [
        ('roomlog', '0002_mention'),
    ]

    operations = [
        migrations.CreateModel(
            name='RoomIndexed',
            fields=[
                ('room', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='indexed', serialize=False, to='roomlog.chatroom')),
                ('seq', models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name='SearchEntry',
            fields=[
                ('id', models.BigIntegerField(primary_key=True, serialize=False)),
                ('room', models.UUIDField()),
                ('seq', models.BigIntegerField()),
                ('author', models.BigIntegerField()),
            ],
            options={
                'indexes': [models.Index(fields=['room', 'id'], name='entries_by_room'), models.Index(fields=['author', 'id'], name='entries_by_author')],
                'constraints': [models.UniqueConstraint(fields=('room', 'seq'), name='entry_once')],
            },
        ),
        migrations.RunPython(create_texts, drop_texts),
    ]
