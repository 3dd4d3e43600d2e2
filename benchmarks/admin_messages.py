"""`python -m benchmarks.admin_messages`: what the admin's pages of a room with a million messages cost.

On SQLite and on PostgreSQL: one room, in which every hundredth message was edited. Each page is asked for
several times; what is printed is the shortest time, the median and the longest, without the template's.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import django
from django.core.management import call_command
from django.db import connection

from benchmarks.systems import postgres_server

TIMES: Final = 7
GOAL_MS: Final = 100.0
BEGAN: Final = datetime(2026, 1, 1, tzinfo=UTC)
ROOM: Final = UUID(int=7)
EDITED: Final = 100
"""Of so many messages one was edited."""
PEOPLE: Final = 50
_FILL: Final = """
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {messages})
INSERT INTO roomlog_roomevent
    (room_id, seq, number, kind, user_id, uuid, body_hash, text, date_created, edited_seq, target)
SELECT '{room}', {columns} FROM numbers
"""
_MESSAGES: Final = """
n, n, 'new_message', {first} + n % {people}, 'm' || n, '', 'This is line ' || n || ' of a long talk.', {time},
CASE WHEN n % {edited} = 0 THEN {messages} + n / {edited} END, CAST(NULL AS bigint)
"""
_EDITS: Final = """
{messages} + n, CAST(NULL AS bigint), 'edit_message', {first} + (n * {edited}) % {people}, 'e' || n, '',
'Edited line ' || n, {time}, CAST(NULL AS bigint), n * {edited}
"""
_TIMES: Final = {
    "postgresql": "TIMESTAMPTZ '2026-01-01 00:00Z' + n * INTERVAL '1 second'",
    "sqlite": "datetime('2026-01-01', '+' || n || ' seconds')",
}


def main() -> None:
    """Measure on both kinds of databases; the exit status is 1 if a page takes longer than the goal."""
    parser = argparse.ArgumentParser(prog="benchmarks.admin_messages")
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--database", help="of this program itself: the address of an empty database")
    arguments = parser.parse_args()
    if arguments.database:
        sys.exit(measure(arguments.database, arguments.messages))
    words = [sys.executable, "-m", "benchmarks.admin_messages", "--messages", str(arguments.messages)]
    with (
        tempfile.TemporaryDirectory(prefix="roomlog-admin-") as directory,
        postgres_server(durable=False) as server,
    ):
        urls = (f"sqlite:///{Path(directory) / 'log.sqlite3'}", server.url(server.create()))
        # Django's settings are for one database: each in a process of its own.
        statuses = [subprocess.run([*words, "--database", url], check=False).returncode for url in urls]
    sys.exit(max(statuses))


def measure(database: str, number: int) -> int:
    """Fill an empty database and print what each page costs; return 1 if one takes longer than the goal."""
    os.environ |= {"ROOMLOG_DATABASE_URL": database, "DJANGO_SETTINGS_MODULE": "roomlog_api.check_settings"}
    django.setup()
    call_command("migrate", verbosity=0)
    room = _fill(number)
    from roomlog.admin.room_messages import find

    nothing: dict[str, Any] = {"text": "", "person": "", "since": None, "until": None, "before": None}
    middle = BEGAN + timedelta(seconds=number // 2)
    pages: dict[str, dict[str, Any]] = {
        "newest": {},
        "in the middle": {"before": number // 2},
        "a text that is there": {"text": "9 of a long"},
        "a text of an edit": {"text": "edited LINE"},
        "a text that is not there": {"text": "walrus"},
        "a person": {"person": "person 3"},
        "a day": {"since": middle, "until": middle + timedelta(days=1)},
        "a text not there in the first half": {"until": middle, "text": "walrus"},
    }
    print(f"{connection.vendor}, {number} messages: shortest, median and longest in ms")
    worst = 0.0
    for name, asked in pages.items():
        times = []
        for _ in range(TIMES):
            began = time.perf_counter()
            found = find(room, nothing | asked)
            times.append(1000 * (time.perf_counter() - began))
        worst = max(worst, statistics.median(times))
        shown = " ".join(f"{one:7.1f}" for one in (min(times), statistics.median(times), max(times)))
        print(f"  {shown}  {name}: {len(found.messages)} messages")
    verdict = "reached" if worst < GOAL_MS else "NOT REACHED"
    print(f"  the slowest {worst:.1f}; goal {GOAL_MS:.0f} {verdict}; load {os.getloadavg()[0]:.1f}")
    return int(worst >= GOAL_MS)


def _fill(number: int) -> Any:
    """Write the log of one room; return the room."""
    from roomlog.models import ChatRoom, Install, Person, RoomHead

    people = [Person.objects.create(name=f"person {one}") for one in range(PEOPLE)]
    room = ChatRoom.objects.create(id=ROOM, name="long")
    facts = {
        "room": room.pk if connection.vendor == "postgresql" else room.pk.hex,
        "first": people[0].pk,
        "people": PEOPLE,
        "edited": EDITED,
        "time": _TIMES[connection.vendor],
    }
    with connection.cursor() as cursor:
        for columns, rows in ((_MESSAGES, number), (_EDITS, number // EDITED)):
            shown = columns.format(messages=number, **facts)
            cursor.execute(_FILL.format(messages=rows, columns=shown, room=facts["room"]))
        if connection.vendor == "postgresql":
            cursor.execute("VACUUM ANALYZE")
        else:
            cursor.execute("ANALYZE")
    last = number + number // EDITED
    RoomHead.objects.create(room=room, epoch=Install.objects.get().epoch, last_seq=last, messages=number)
    return room


if __name__ == "__main__":
    main()
