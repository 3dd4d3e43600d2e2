"""Asks a replica of the database what it may answer: pages of history, and what a search looks through.

Beside the message's way. Each question is answered from one snapshot, by a thread with a connection of its
own. Where the replica is behind, the primary answers; one that is late or away is left alone for a while too.
The asker waits for it at most PATIENCE_SECONDS. It decides nothing; who may read is asked of the primary.
"""

import queue
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import StrEnum
from typing import Any, Final, TypeVar
from uuid import UUID

import structlog
from django.db import DEFAULT_DB_ALIAS, DatabaseError, InterfaceError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from roomlog_runtime.causes import cause_of

from .configuration import configuration
from .models import Install, Worker

log = structlog.get_logger()
Answer = TypeVar("Answer")

PATIENCE_SECONDS: Final = 0.5
"""Over any page from memory; a replica that reads its disks for longer helps nobody."""
FIRST_REST_SECONDS: Final = 1.0
MOST_REST_SECONDS: Final = 30.0
MOST_BEATS: Final = 4
"""Workers beat twice a second: a search may miss what was said within the last 2 s."""
_SNAPSHOT: Final = (
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;"
    f"SET LOCAL statement_timeout = {int(1000 * PATIENCE_SECONDS)};"
    f"SET LOCAL lock_timeout = {int(1000 * PATIENCE_SECONDS)}"
)


class Outcome(StrEnum):
    """What became of a question that a replica could have answered."""

    ANSWERED = "answered"
    BEHIND = "behind"
    """The replica lacks what the asker knows."""
    AWAY = "away"
    """It did not answer in time, failed, or is left alone."""


class Replica:
    """A process's way to the replica. Any thread may ask."""

    def __init__(
        self,
        threads: int = 1,
        count: Callable[[Outcome], object] = lambda outcome: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """So many questions are asked at a time. `count` is told what became of each."""
        self._count = count
        self._clock = clock
        self._threads = [
            threading.Thread(target=self._work, name="replica", daemon=True) for _ in range(threads)
        ]
        self._starting = threading.Lock()
        self._questions: queue.Queue[_Question | None] = queue.Queue(threads)
        self._rest_seconds = 0.0
        self._rests_until = 0.0

    def ask(self, question: Callable[[str], Answer | None]) -> Answer | None:
        """Return what the question returns for the replica's alias; None: the primary must answer.

        The question returns None if the replica is behind.
        """
        alias = configuration().read_replica
        if alias is None:
            return None
        answer, outcome = self._ask(alias, question)
        self._count(outcome)
        return answer

    def close(self) -> None:
        """End the threads, which give their connections back; one that is stuck is left alone."""
        running = [thread for thread in self._threads if thread.is_alive()]
        for _ in running:
            with suppress(queue.Full):
                self._questions.put_nowait(None)
        for thread in running:
            thread.join(PATIENCE_SECONDS)

    def _ask(self, alias: str, question: Callable[[str], Answer | None]) -> tuple[Answer | None, Outcome]:
        if self._clock() < self._rests_until:
            return None, Outcome.AWAY
        self._start()
        asked = _Question(alias, question)
        try:
            self._questions.put_nowait(asked)
            answer = asked.answer.get(timeout=PATIENCE_SECONDS)
        except queue.Full:  # others wait for it already
            return None, Outcome.AWAY
        except queue.Empty:
            asked.is_over = True
            self._rest(TimeoutError())
            return None, Outcome.AWAY
        if isinstance(answer, _Failure):
            if not isinstance(answer.error, DatabaseError | InterfaceError):
                raise answer.error
            self._rest(answer.error)
            return None, Outcome.AWAY
        self._end_rests()
        return answer, Outcome.BEHIND if answer is None else Outcome.ANSWERED

    def _start(self) -> None:
        """Start the threads with the first question: a server of the web forks before it."""
        with self._starting:
            for thread in self._threads:
                if thread.ident is None:
                    thread.start()

    def _rest(self, error: Exception) -> None:
        """Leave the replica alone, each time for longer."""
        if not self._rest_seconds:
            log.warning("replica_away", **cause_of(error))
        self._rest_seconds = min(max(2 * self._rest_seconds, FIRST_REST_SECONDS), MOST_REST_SECONDS)
        self._rests_until = self._clock() + self._rest_seconds

    def _end_rests(self) -> None:
        if self._rest_seconds:
            log.info("replica_back")
            self._rest_seconds = 0.0

    def _work(self) -> None:
        used: BaseDatabaseWrapper | None = None
        while (asked := self._questions.get()) is not None:
            used = connections[asked.alias]
            if not asked.is_over:
                asked.answer.put(_answer(asked, used))
        if used is not None:
            used.close()


class _Question:
    def __init__(self, alias: str, ask: Callable[[str], Any]) -> None:
        self.alias = alias
        self.ask = ask
        self.answer: queue.Queue[Any] = queue.Queue(1)
        self.is_over = False
        """Nobody waits for the answer any more."""


class _Failure:
    def __init__(self, error: Exception) -> None:
        self.error = error


def _answer(asked: _Question, connection: BaseDatabaseWrapper) -> Any:
    """Answer as of one moment; nothing can be written, whatever server the alias leads to."""
    try:
        with transaction.atomic(using=asked.alias, durable=True):
            with connection.cursor() as cursor:
                cursor.execute(_SNAPSHOT)
            answer = asked.ask(asked.alias)
        connection.close_if_unusable_or_obsolete()
    except Exception as error:  # the thread's boundary: whoever asked raises what is a mistake
        connection.close()
        return _Failure(error)
    return answer


def beats() -> tuple[str, Mapping[UUID, int]]:
    """Return the primary's epoch and how far its workers' beats are, to be compared by `is_fresh`."""
    return _beats_at(DEFAULT_DB_ALIAS)


def is_fresh(alias: str, known: tuple[str, Mapping[UUID, int]]) -> bool:
    """Tell whether a replica of the same logs has all but what MOST_BEATS before `known` have brought."""
    epoch, there = _beats_at(alias)
    return epoch == known[0] and all(
        there.get(one, -1) >= beat - MOST_BEATS for one, beat in known[1].items()
    )


def _beats_at(alias: str) -> tuple[str, Mapping[UUID, int]]:
    epoch = Install.objects.using(alias).values_list("epoch", flat=True).get()
    return epoch, dict(Worker.objects.using(alias).values_list("uuid", "beat"))
