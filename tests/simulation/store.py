"""The tables of one simulated install: a migrated SQLite file in memory, and the judge's reads of it.

Behind the server of `database.py`. It reads committed rows by a connection of its own, outside of virtual
time. It must not write once the processes run.
"""

import atexit
import json
import os
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import UUID

from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction
from rest_framework.authtoken.models import Token

from roomlog.databases import database as configured
from roomlog.models import Install, Person, ShardLease
from roomlog_contract.shards import DEFAULT_SHARDS
from tests.harness.stored import LOG, TABLES, tables_in
from tests.judge.joining import Admission
from tests.judge.moderation import Moderation, Tables, moderation_of
from tests.judge.reactions import Stored
from tests.judge.values import milliseconds_of, text_of

EPOCH: Final = "00000000000000e1"
SPEAKERS: Final = (1, 2, 3, 4)
GUEST: Final = 5
"""A listener, who may lose the right to listen."""
POISON: Final = "poison"
"""The table refuses texts that begin so, as by a constraint that nobody thought of."""
MEMORY: Final = Path("/dev/shm")
"""No seed touches the disk if the system has it."""


_POISONING: Final = f"""
    CREATE TRIGGER poisoning BEFORE INSERT ON roomlog_roomevent WHEN NEW.text LIKE '{POISON}%'
    BEGIN SELECT RAISE(ABORT, '{POISON}'); END
"""


_LOGS: Final = """(
    SELECT * FROM roomlog_roomevent UNION ALL SELECT * FROM pruned ORDER BY room_id, seq, id
)"""
"""What was pruned is kept aside, for the judge alone."""


class Event(NamedTuple):
    """One row of a room's log."""

    room: UUID
    seq: int
    user: int
    uuid: str
    kind: str
    text: str
    body_hash: str
    target: int
    edited_seq: int
    reacted_seq: int
    pinned_seq: int
    data: dict[str, Any]
    is_deleted: bool
    at_ms: int

    @property
    def sent(self) -> str:
        """Return the data of a message as one text for each content; empty for none."""
        sent = self.data.get("data")
        return "" if sent is None else text_of(json.loads(sent))

    @property
    def files(self) -> list[str]:
        """Return the ids of a message's files."""
        return [file for file, *_ in self.data.get("attachments", ())]

    @property
    def moderation(self) -> Moderation:
        """Return whom the event concerns besides its sender, and how."""
        return moderation_of(self.kind, *(self.data.get(name) for name in ("member", "role", "until")))


class Store:
    """The committed rows of one file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.users = {user: f"user{user}" for user in (*SPEAKERS, GUEST)}
        shutil.copyfile(_template(), path)
        self._sqlite = sqlite3.connect(path, isolation_level=None)

    def spread(self, shards: int) -> None:
        """Let the install have so many shards, before its processes start."""
        self._sqlite.execute("UPDATE roomlog_install SET shards = ?", (shards,))
        more = ((shard,) for shard in range(DEFAULT_SHARDS, shards))
        self._sqlite.executemany("INSERT INTO roomlog_shardlease (shard, epoch) VALUES (?, 0)", more)

    def close(self) -> None:
        """Give the connection back and the file away."""
        self._sqlite.close()
        for file in self.path.parent.glob(f"{self.path.name}*"):
            file.unlink()

    def forget_unique(self, *names: str) -> None:
        """Make the empty table of the logs anew without these unique keys, for an ablation."""
        found = self._all("SELECT type, sql FROM sqlite_master WHERE tbl_name = 'roomlog_roomevent'")
        (table,) = (sql for kind, sql in found if kind == "table")
        others = [sql for kind, sql in found if kind != "table" and sql]
        weaker = re.sub(rf', CONSTRAINT "({"|".join(names)})" UNIQUE \([^)]*\)', "", table)
        assert weaker != table, names
        for statement in ("DROP TABLE roomlog_roomevent", weaker, *others):
            self._sqlite.execute(statement)

    def names(self) -> dict[UUID, str]:
        """Return the rooms with their names."""
        return {
            UUID(room): name for room, name in self._all("SELECT id, name FROM roomlog_chatroom ORDER BY id")
        }

    def heads(self) -> dict[UUID, int]:
        """Return how far each room's log is."""
        return {UUID(room): seq for room, seq in self._all("SELECT room_id, last_seq FROM roomlog_roomhead")}

    def members(self) -> set[tuple[UUID, int]]:
        """Return the rooms and their members."""
        rows = self._all("SELECT room_id, user_id FROM roomlog_membership")
        return {(UUID(room), user) for room, user in rows}

    def pruned(self) -> list[tuple[str, int]]:
        """Return room and seq of the events that were pruned."""
        rows = self._all("SELECT room_id, seq FROM pruned ORDER BY room_id, seq")
        return [(UUID(room).hex, seq) for room, seq in rows]

    def first_seqs(self) -> dict[str, int]:
        """Return where each room's log begins."""
        rows = self._all("SELECT room_id, first_seq FROM roomlog_roomhead ORDER BY room_id")
        return {UUID(room).hex: seq for room, seq in rows}

    def events(self) -> list[Event]:
        """Return all logs, each in its order, with what was pruned."""
        rows = self._all(
            "SELECT room_id, date_created, data, deleted_at IS NOT NULL, seq, user_id, uuid, kind, text,"
            " body_hash, coalesce(target, 0), coalesce(edited_seq, 0), coalesce(reacted_seq, 0),"
            " coalesce(pinned_seq, 0)"
            f" FROM {_LOGS}"
        )
        return [
            Event._make(
                [
                    UUID(room),
                    *facts,
                    json.loads(data) if data else {},
                    bool(is_deleted),
                    milliseconds_of(created),
                ]
            )
            for room, created, data, is_deleted, *facts in rows
        ]

    def reactions(self) -> list[Stored]:
        """Return the reactions that stand."""
        rows = self._all(LOG["reactions"])
        return [(UUID(room).hex, *facts) for room, *facts in rows]

    def mentions(self) -> list[tuple[str, int, int]]:
        """Return whom messages mention now: room, seq and user."""
        rows = self._all(LOG["mentioned"])
        return [(UUID(room).hex, seq, user) for room, seq, user in rows]

    def claims(self) -> list[tuple[str, int, str]]:
        """Return the files that messages have: room, seq and file."""
        rows = self._all(LOG["claims"])
        return [(UUID(room).hex, seq, UUID(file).hex) for room, seq, file in rows]

    def tables(self) -> Tables:
        """Return what there is besides the logs; what was pruned tells of admissions, too."""
        tables = tables_in({name: self._all(question) for name, question in TABLES.items()})
        admissions = [
            Admission(event.room.hex, event.seq, event.data["invitation"])
            for event in self.events()
            if "invitation" in event.data
        ]
        return tables._replace(doors=tables.doors._replace(admissions=admissions))

    def staff(self) -> list[int]:
        """Return the persons who speak for code."""
        rows = self._all("SELECT id FROM roomlog_person WHERE user_id IS NULL AND deleted_at IS NULL")
        return [number for (number,) in rows]

    def direct_rooms(self) -> list[str]:
        """Return the rooms of two."""
        rows = self._all("SELECT id FROM roomlog_chatroom WHERE kind = 'direct' ORDER BY id")
        return [UUID(room).hex for (room,) in rows]

    def pending(self) -> list[int]:
        """Return the rows of the api that were not carried out."""
        return [number for (number,) in self._all("SELECT id FROM roomlog_pendingcommand ORDER BY id")]

    def buried(self) -> set[str]:
        """Return the uuids of the commands that were given up."""
        return {uuid for (uuid,) in self._all("SELECT uuid FROM roomlog_deadletter")}

    def letters(self) -> list[tuple[float, bytes]]:
        """Return the commands that were given up, with the time."""
        rows = self._all("SELECT date_created, envelope FROM roomlog_deadletter")
        return [(datetime.fromisoformat(f"{at}+00:00").timestamp(), envelope) for at, envelope in rows]

    def everything(self) -> bytes:
        """Return every value of every table, to look for what must be nowhere."""
        tables = self._all("SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'pruned'")
        rows = (row for (table,) in tables for row in self._all(f'SELECT * FROM "{table}"'))
        return b"\n".join(
            value if isinstance(value, bytes) else str(value).encode() for row in rows for value in row
        )

    def is_revoked(self, user: int) -> bool:
        """Tell whether the user may not come in any more."""
        return not self._all(
            "SELECT 1 FROM authtoken_token JOIN auth_user person ON person.id = user_id"
            f" WHERE user_id = {user} AND is_active"
        )

    def is_deleted(self, user: int) -> bool:
        """Tell whether the user's account is gone."""
        return not self._all(f"SELECT 1 FROM auth_user WHERE id = {user}")

    def _all(self, query: str) -> list[Any]:
        return self._sqlite.execute(query).fetchall()


@contextmanager
def new_store() -> Iterator[Store]:
    """Make an install with its users and nothing else, and remove it in the end."""
    handle, name = tempfile.mkstemp(dir=_template().parent, suffix=".sqlite3")
    os.close(handle)
    store = Store(Path(name))
    try:
        yield store
    finally:
        store.close()


@cache
def _template() -> Path:
    """Migrate once for all seeds of a process."""
    directory = Path(tempfile.mkdtemp(prefix="roomlog-simulation-", dir=MEMORY if MEMORY.is_dir() else None))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    path = directory / "template.sqlite3"
    kept, settings = connections[DEFAULT_DB_ALIAS], connections.settings[DEFAULT_DB_ALIAS]
    new = connections.configure_settings({DEFAULT_DB_ALIAS: configured(f"sqlite:///{path}")})
    connections.settings[DEFAULT_DB_ALIAS] = new[DEFAULT_DB_ALIAS]
    del connections[DEFAULT_DB_ALIAS]
    try:
        call_command("migrate", verbosity=0)
        _fill()
    finally:
        connections[DEFAULT_DB_ALIAS].close()
        connections.settings[DEFAULT_DB_ALIAS] = settings
        connections[DEFAULT_DB_ALIAS] = kept
    return path


def _fill() -> None:
    """Leave one epoch, free leases, people with their tokens, and a table that can be poisoned."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_POISONING)
        _keep_pruned_aside(cursor)
        Install.objects.all().delete()
        Install.objects.create(epoch=EPOCH)
        ShardLease.objects.all().delete()
        ShardLease.objects.bulk_create(ShardLease(shard=shard) for shard in range(DEFAULT_SHARDS))
        numbers = (*SPEAKERS, GUEST)  # in bulk: no signal is sent
        User.objects.bulk_create(
            User(pk=number, username=f"user{number}", password="!") for number in numbers
        )
        Person.objects.bulk_create(
            Person(pk=number, user_id=number, name=f"user{number}") for number in numbers
        )
        Token.objects.bulk_create(Token(key=f"token-{number}", user_id=number) for number in numbers)


def _keep_pruned_aside(cursor: Any) -> None:
    cursor.execute("CREATE TABLE pruned AS SELECT * FROM roomlog_roomevent WHERE 0")
    columns = [f'OLD."{column}"' for _, column, *_ in cursor.execute("PRAGMA table_info(pruned)").fetchall()]
    cursor.execute(
        "CREATE TRIGGER keeping_aside AFTER DELETE ON roomlog_roomevent"
        f" BEGIN INSERT INTO pruned VALUES ({', '.join(columns)}); END"
    )
