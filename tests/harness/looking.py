"""What the checker must know of a stack of processes: its log, epoch, owners, queues and memory.

Beside the message's way. Reads the database with plain SQL and the processes' own metrics; changes nothing.
"""

import asyncio
import contextlib
import json
import time
from collections import defaultdict
from collections.abc import Iterable
from http.client import HTTPException
from typing import Any, Final
from uuid import UUID

import psutil
from prometheus_client.parser import text_string_to_metric_families

from roomlog_contract.shards import DEFAULT_SHARDS
from tests.harness.load import Load
from tests.harness.samples import Samples
from tests.harness.stack import Stack
from tests.judge.history import Epoch, Ownership, Row, Sample
from tests.judge.joining import Doors
from tests.judge.mentions import MENTIONED, mentioned_by_message, mentions_in
from tests.judge.moderation import Ban, Member, Tables, end_of, moderation_of
from tests.judge.reactions import by_message
from tests.judge.receipts import shown_marks
from tests.judge.values import claimed, claims_by_message, content_of, milliseconds_of

LOOK_SECONDS: Final = 0.5
PROCESS_BYTES: Final = 400 * 1024 * 1024
"""Bound of one process's memory in these tests: many times what it takes when idle."""
LOG: Final = """
    SELECT room_id, date_created, deleted_at IS NOT NULL,
    data ->> 'member', data ->> 'role', data ->> 'until', coalesce(pinned_seq, 0),
    data ->> 'mentions', data ->> 'mentions_room', data ->> 'attachments',
    seq, user_id, uuid, kind, CASE kind WHEN 'set_topic' THEN data ->> 'topic'
    WHEN 'set_discoverable' THEN CASE CAST(data ->> 'discoverable' AS text)
    WHEN 'true' THEN 'open' WHEN '1' THEN 'open' ELSE 'closed' END ELSE text END, '',
    coalesce(target, 0), coalesce(edited_seq, 0), FALSE, body_hash, 0,
    CASE WHEN kind IN ('add_reaction', 'remove_reaction') THEN data ->> 'emoji' ELSE '' END,
    coalesce(reacted_seq, 0)
    FROM roomlog_roomevent
"""
STANDING: Final = "SELECT room_id, target, user_id, emoji, seq FROM roomlog_reaction"
CLAIMED: Final = (
    "SELECT room_id, seq, id FROM roomlog_attachment WHERE seq IS NOT NULL AND dropped_at IS NULL"
)
MEMBERS: Final = "SELECT room_id, user_id, role, muted_until FROM roomlog_membership"
TOPICS: Final = "SELECT id, topic FROM roomlog_chatroom"
DISCOVERABLE: Final = "SELECT id FROM roomlog_chatroom WHERE is_discoverable ORDER BY id"
BLOCKS: Final = "SELECT blocker_id, blocked_id FROM roomlog_block"
RECEIPTS: Final = (
    "SELECT member.room_id, member.user_id, member.read_seq FROM roomlog_membership AS member"
    " JOIN roomlog_chatroom AS room ON room.id = member.room_id WHERE room.receipts"
)
BANS: Final = "SELECT room_id, user_id, until, seq FROM roomlog_ban"


async def read_log(stack: Stack) -> list[Row]:
    """Return every row of the log."""
    rows = await asyncio.to_thread(stack.sql, LOG)
    standing = await asyncio.to_thread(stack.sql, STANDING)
    reactions = by_message((UUID(str(room)).hex, *facts) for room, *facts in standing)
    rows_of_mentions = await asyncio.to_thread(stack.sql, MENTIONED)
    mentioned = mentioned_by_message((UUID(str(room)).hex, seq, user) for room, seq, user in rows_of_mentions)
    files = await asyncio.to_thread(stack.sql, CLAIMED)
    claims = claims_by_message((UUID(str(room)).hex, seq, UUID(str(file)).hex) for room, seq, file in files)
    return [
        row._replace(
            reactions=reactions.get((row.room, row.seq), ()),
            mentioned=mentioned.get((row.room, row.seq), ()),
            data=content_of("", claimed(row.data.split(), claims.get((row.room, row.seq), ()))),
        )
        for row in (_row(*facts) for facts in rows)
    ]


def _row(room: object, at: Any, is_deleted: object, member: Any, role: Any, until: Any, *rest: Any) -> Row:
    pinned_seq, mentions, for_all, files, *facts = rest
    row = Row(UUID(str(room)).hex, *facts)
    whom = (None if one is None else int(one) for one in (member, until))
    return row._replace(
        is_deleted=bool(is_deleted),
        at_ms=milliseconds_of(at),
        moderation=moderation_of(row.kind, next(whom), role, next(whom)),
        pinned_seq=pinned_seq,
        mentions=mentions_in({"mentions": json.loads(mentions or "[]"), "mentions_room": for_all}),
        data=content_of("", (file for file, *_ in json.loads(files or "[]"))),
    )


async def read_tables(stack: Stack) -> Tables:
    """Return what the database has besides the log, of rooms and of their people."""
    members = await asyncio.to_thread(stack.sql, MEMBERS)
    bans = await asyncio.to_thread(stack.sql, BANS)
    topics = await asyncio.to_thread(stack.sql, TOPICS)
    discoverable = await asyncio.to_thread(stack.sql, DISCOVERABLE)
    blocks = await asyncio.to_thread(stack.sql, BLOCKS)
    marks = await asyncio.to_thread(stack.sql, RECEIPTS)
    return Tables(
        [
            Member(UUID(str(room)).hex, user, role, 0 if until is None else end_of(until))
            for room, user, role, until in members
        ],
        [Ban(UUID(str(room)).hex, user, end_of(until), seq) for room, user, until, seq in bans],
        {UUID(str(room)).hex: topic for room, topic in topics},
        Doors([UUID(str(room)).hex for (room,) in discoverable]),
        [(blocker, blocked) for blocker, blocked in blocks],
        shown_marks((UUID(str(room)).hex, user, seq) for room, user, seq in marks),
    )


async def read_epoch(stack: Stack) -> Epoch:
    """Return the install's epoch as of now."""
    ((epoch,),) = await asyncio.to_thread(stack.sql, "SELECT epoch FROM roomlog_install")
    return Epoch(time.monotonic(), str(epoch))


class Watch:
    """Looks at a stack's workers and memory again and again, into a load's history."""

    def __init__(self, stack: Stack, load: Load) -> None:
        self._stack = stack
        self._load = load
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._look())

    async def __aexit__(self, *_: object) -> None:
        """Stop looking."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            if not self._task.cancelled():
                self._task.result()

    async def _look(self) -> None:
        while True:
            at = time.monotonic()
            names = [name for name in self._stack.names if self._stack.child(name).is_running]
            workers = [name for name in names if name.startswith("worker")]
            answers = await asyncio.gather(*(asyncio.to_thread(self._owned, name) for name in workers))
            self._load.ownership.append(Ownership(at, frozenset().union(*answers)))
            for name, family in families_of(self._stack, names).items():
                with contextlib.suppress(psutil.NoSuchProcess):
                    used = max(process.memory_info().rss for process in family)
                    self._load.samples.append(Sample(at, f"memory of {name}", used, PROCESS_BYTES))
            await asyncio.sleep(LOOK_SECONDS)

    def _owned(self, worker: str) -> frozenset[int]:
        try:
            return owned_shards(self._stack.metrics(worker))
        except (OSError, HTTPException):
            return frozenset()  # it is being killed, started or held


def families_of(stack: Stack, names: Iterable[str]) -> dict[str, list[psutil.Process]]:
    """Return each process with those that it started: gunicorn's worker does the work.

    From one look at all processes of the system, which costs milliseconds; one that is gone is missing.
    """
    owners = {stack.child(name).pid: name for name in names}
    families = defaultdict[str, list[psutil.Process]](list)
    for process in psutil.Process().children(recursive=True):  # a parent comes before its children
        with contextlib.suppress(psutil.NoSuchProcess):
            if name := owners.get(process.pid) or owners.get(process.ppid()):
                owners[process.pid] = name
                families[name].append(process)
    return dict(families)


def owned_shards(samples: Samples) -> frozenset[int]:
    """Return the shards that a worker's metrics say it owns."""
    return frozenset(
        int(sample.labels["shard"])
        for family in text_string_to_metric_families(samples.text)
        for sample in family.samples
        if sample.name == "roomlog_worker_shard_owned" and sample.value == 1.0
    )


ALL_SHARDS: Final = frozenset(range(DEFAULT_SHARDS))
