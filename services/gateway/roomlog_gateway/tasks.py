"""The tasks of one gateway: each is held, its failure logged, and all end with the process.

Beside the message's way.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

log = structlog.get_logger()


class Tasks:
    """Runs what takes longer than a turn of the loop."""

    def __init__(self, on_broken: Callable[[], None]) -> None:
        """`on_broken` is called once when a lasting task has ended: the process must end too."""
        self._on_broken = on_broken
        self._tasks: set[asyncio.Task[None]] = set()
        self.is_broken = False
        """A task without which nothing is delivered has ended."""

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a task until it ends or the gateway stops."""
        self._start(work)

    def spawn_lasting(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a task without which the gateway is none: its end is the end of the process."""
        self._start(work).add_done_callback(self._broke)

    async def stop(self) -> None:
        """Cancel all tasks and wait for their ends."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("task_failed", exc_info=error)

    def _broke(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and not self.is_broken:
            self.is_broken = True
            self._on_broken()
