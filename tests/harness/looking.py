"""What the checker must know of a stack of processes: its log, epoch, owners, queues and memory.

Beside the message's way. Reads the database with plain SQL and the processes' own metrics; changes nothing.
"""

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from http.client import HTTPException
from typing import Final

import psutil
from prometheus_client.parser import text_string_to_metric_families

from roomlog_contract.shards import DEFAULT_SHARDS
from tests.harness.load import Load
from tests.harness.samples import Samples
from tests.harness.stack import Stack
from tests.harness.stored import LOG, TABLES, Answers, rows_in, tables_in
from tests.judge.history import Epoch, Row
from tests.judge.moderation import Tables
from tests.judge.samples import Ownership, Sample

LOOK_SECONDS: Final = 0.5
PROCESS_BYTES: Final = 400 * 1024 * 1024
"""Bound of one process's memory in these tests: many times what it takes when idle."""


async def read_log(stack: Stack) -> list[Row]:
    """Return every row of the log."""
    return rows_in(await _ask(stack, LOG))


async def read_tables(stack: Stack) -> Tables:
    """Return what the database has besides the log, of rooms and of their people."""
    return tables_in(await _ask(stack, TABLES))


async def _ask(stack: Stack, questions: Mapping[str, str]) -> Answers:
    return {name: await asyncio.to_thread(stack.sql, question) for name, question in questions.items()}


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
