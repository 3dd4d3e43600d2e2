"""Asks the project's own code, in a few threads that nothing else waits for.

Beside the loops that need the answers. The code may sleep, fail its query or ask another server. Each loop
asks by a key, goes on with its work, and looks for the answer again: there is one, or not yet, or never.
"""

import threading
import time
from collections.abc import Callable, Collection
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from queue import Empty, Full, Queue
from typing import Final, Generic, TypeVar

import structlog
from django.db import connection

from roomlog.databases import limit_reads

log = structlog.get_logger()

THREADS: Final = 8
"""Questions asked together; each thread has a connection to the database of its own."""
WAITING: Final = 64
"""Questions under way and waiting."""
DEADLINE_SECONDS: Final = 2.0
"""From the first asking. The thread may last longer; nobody waits for it."""
GONE_SECONDS: Final = 10.0
"""After the deadline: what nobody has asked for again by then is another process' matter."""
END_SECONDS: Final = 1.0
"""For the threads at the end; one that sleeps on doesn't keep the process from ending."""
LOOK_SECONDS: Final = 0.02
"""How long a loop without other work waits for the next answer before it looks around again."""

Key = tuple[int, str]
"""An entry's."""
Question = TypeVar("Question")
Answer = TypeVar("Answer")


class State(Enum):
    """What is known of a question."""

    ANSWERED = auto()
    OPEN = auto()
    LATE = auto()
    """The deadline has passed, or every thread hangs."""
    FAILED = auto()
    CROWDED = auto()
    """Too many are under way; it was not asked."""


@dataclass(frozen=True, slots=True)
class _Asked(Generic[Answer]):
    """A question under way."""

    answer: "Future[Answer]"
    until: float


class Questions(Generic[Question, Answer]):
    """Questions of one kind and their answers, by key; used by one thread."""

    def __init__(self, name: str, ask: Callable[[Question], Answer]) -> None:
        """`name` is that of the threads, and of what is logged."""
        self._name = name
        self._ask_project = ask
        self._queue: Queue[tuple[Future[Answer], Question] | None] = Queue(WAITING + THREADS)
        self._threads: list[threading.Thread] = []
        self._asked: dict[Key, _Asked[Answer]] = {}

    def look(self, key: Key, question: Question) -> State:
        """Return what is known of a question; what was not asked yet is asked now."""
        asked = self._asked.get(key)
        if asked is None:
            return self._ask(key, question)
        if asked.answer.done():
            return State.ANSWERED if asked.answer.exception() is None else State.FAILED
        if time.monotonic() < asked.until:
            return State.OPEN
        asked.answer.cancel()
        log.warning("question_late", question=self._name)
        return State.LATE

    def answer(self, key: Key) -> Answer | None:
        """Return the answer to a question that has one; None for what was never asked."""
        asked = self._asked.get(key)
        return None if asked is None else asked.answer.result()

    def forget(self, keys: Collection[Key]) -> None:
        """Forget these, whose answers were used."""
        for key in keys:
            self._asked.pop(key, None)

    def forget_gone(self) -> None:
        """Forget what nobody has asked for again long after its deadline.

        Not each that the last read lacks: a read takes the oldest few of each stream, and the rest comes
        again. The project must not be asked twice.
        """
        long_ago = time.monotonic() - GONE_SECONDS
        self.forget([key for key, asked in self._asked.items() if asked.until < long_ago])

    def wait(self) -> None:
        """Wait a moment for the next answer, if any is under way."""
        if self._asked:
            wait([asked.answer for asked in self._asked.values()], LOOK_SECONDS, FIRST_COMPLETED)

    def close(self) -> None:
        """End the threads, which give their connections back. Again is harmless."""
        for asked in self._asked.values():
            asked.answer.cancel()
        with suppress(Empty):
            while True:
                self._queue.get_nowait()
        for _ in self._threads:
            self._queue.put(None)
        until = time.monotonic() + END_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        self._threads.clear()

    def _ask(self, key: Key, question: Question) -> State:
        if len(self._asked) >= WAITING:
            return State.CROWDED
        if not self._threads:
            self._start()
        answer: Future[Answer] = Future()
        try:
            self._queue.put_nowait((answer, question))
        except Full:  # of questions that nobody waits for any more: every thread hangs
            return State.LATE
        self._asked[key] = _Asked(answer, time.monotonic() + DEADLINE_SECONDS)
        return State.OPEN

    def _start(self) -> None:
        names = [f"{self._name}-{number}" for number in range(THREADS)]
        self._threads = [threading.Thread(target=self._work, name=name, daemon=True) for name in names]
        for thread in self._threads:
            thread.start()

    def _work(self) -> None:
        """Answer questions until None comes, in a thread with a connection of its own."""
        try:
            while waiting := self._queue.get():
                answer, question = waiting
                if answer.set_running_or_notify_cancel():
                    self._answer(answer, question)
        finally:
            connection.close()

    def _answer(self, answer: "Future[Answer]", question: Question) -> None:
        """Ask the project; the connection is fresh after a failure."""
        try:
            if connection.connection is None:
                limit_reads(connection)
            found = self._ask_project(question)
        except Exception as error:
            connection.close()
            # Its class alone: the text may hold a token.
            log.warning("question_failed", question=self._name, error=type(error).__name__)
            answer.set_exception(error)
        else:
            answer.set_result(found)
