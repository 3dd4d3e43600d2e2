"""Asks the project's own authenticators, in a few threads that nothing else waits for.

Beside the lane that answers logins. An authenticator is code of the project's: it may sleep, fail its query
or ask another server. Its entry stays in the stream meanwhile. One that is late or fails gets no answer:
nobody is called a stranger for it, and the gateway asks again until its own deadline.
"""

import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, Full, Queue
from typing import Final

import structlog
from django.db import connection

from roomlog.authenticators import Authenticator, signed_in
from roomlog.databases import limit_reads
from roomlog.signed_in import SignedIn
from roomlog_contract.envelope import Identify

from .entries import Entry

log = structlog.get_logger()

THREADS: Final = 8
"""Tokens looked at together; each thread has a connection to the database of its own."""
WAITING: Final = 64
"""Tokens under way and waiting: one more is asked for again by its gateway, later."""
DEADLINE_SECONDS: Final = 2.0
"""From the entry's first sight. The thread may last longer; nobody waits for it."""
GONE_SECONDS: Final = 10.0
"""After the deadline: an entry that nobody has brought again by then is another owner's."""
END_SECONDS: Final = 1.0
"""For the threads at the end; one that sleeps on doesn't keep the process from ending."""
LOOK_SECONDS: Final = 0.02
"""How long a lane without other work waits for the next verdict before it looks at its stream again."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A token that is looked at."""

    verdict: "Future[SignedIn | None]"
    until: float


class Logins:
    """Verdicts on tokens, by the entry that asks; used by one thread."""

    def __init__(self, authenticators: Sequence[Authenticator]) -> None:
        self._authenticators = list(authenticators)
        self._questions: Queue[tuple[Future[SignedIn | None], str] | None] = Queue(WAITING + THREADS)
        self._threads: list[threading.Thread] = []
        self._asked: dict[tuple[int, str], _Asked] = {}

    def sift(self, entries: Sequence[Entry]) -> tuple[list[Entry], list[Entry]]:
        """Return the entries that can be answered now, and those that never will be: late, failed, too many.

        All others wait for their verdict and come again.
        """
        if not self._authenticators:
            return list(entries), []
        self._forget_gone()
        ready: list[Entry] = []
        dropped: list[Entry] = []
        for entry in entries:
            state = self._state(entry)
            if state is not None:
                (ready if state else dropped).append(entry)
        return ready, dropped

    def forget(self, entries: Collection[Entry]) -> None:
        """Take these entries for answered."""
        for entry in entries:
            self._asked.pop(entry.key, None)

    def verdicts(self, entries: Collection[Entry]) -> Mapping[str, SignedIn] | None:
        """Return whose tokens these entries hold, without strangers'; None where DRF's table is asked."""
        return dict(self._verdicts(entries)) if self._authenticators else None

    def wait(self) -> None:
        """Wait a moment for the next verdict, if any is under way."""
        if self._asked:
            wait([asked.verdict for asked in self._asked.values()], LOOK_SECONDS, FIRST_COMPLETED)

    def close(self) -> None:
        """End the threads, which give their connections back. Again is harmless."""
        for asked in self._asked.values():
            asked.verdict.cancel()
        with suppress(Empty):
            while True:
                self._questions.get_nowait()
        for _ in self._threads:
            self._questions.put(None)
        until = time.monotonic() + END_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        self._threads.clear()

    def _forget_gone(self) -> None:
        """Forget the entries that have long been another owner's.

        Not each that the last read lacks: a read takes the oldest few of each stream, and the rest comes
        again. Its token must not be asked about twice.
        """
        long_ago = time.monotonic() - GONE_SECONDS
        for key in [key for key, asked in self._asked.items() if asked.until < long_ago]:
            del self._asked[key]

    def _state(self, entry: Entry) -> bool | None:
        """Return whether there is a verdict: True, not yet (None), or never (False)."""
        token = _token_of(entry)
        if token is None:
            return True
        asked = self._asked.get(entry.key)
        if asked is None:
            return self._ask(entry.key, token)
        if asked.verdict.done():
            return asked.verdict.exception() is None
        if time.monotonic() < asked.until:
            return None
        asked.verdict.cancel()
        log.warning("authenticator_late")
        return False

    def _ask(self, key: tuple[int, str], token: str) -> bool | None:
        if len(self._asked) >= WAITING:
            return False
        if not self._threads:
            self._start()
        verdict: Future[SignedIn | None] = Future()
        try:
            self._questions.put_nowait((verdict, token))
        except Full:  # of questions that nobody waits for any more: every thread hangs
            return False
        self._asked[key] = _Asked(verdict, time.monotonic() + DEADLINE_SECONDS)
        return None

    def _start(self) -> None:
        names = [f"login-{number}" for number in range(THREADS)]
        self._threads = [threading.Thread(target=self._work, name=name, daemon=True) for name in names]
        for thread in self._threads:
            thread.start()

    def _work(self) -> None:
        """Answer questions until None comes, in a thread with a connection of its own."""
        try:
            while question := self._questions.get():
                verdict, token = question
                if verdict.set_running_or_notify_cancel():
                    self._answer(verdict, token)
        finally:
            connection.close()

    def _answer(self, verdict: "Future[SignedIn | None]", token: str) -> None:
        """Ask the authenticators; the connection is fresh after a failure."""
        try:
            if connection.connection is None:
                limit_reads(connection)
            found = signed_in(token, self._authenticators)
        except Exception as error:
            connection.close()
            # Its class alone: the text may hold the token.
            log.warning("authenticator_failed", error=type(error).__name__)
            verdict.set_exception(error)
        else:
            verdict.set_result(found)

    def _verdicts(self, entries: Collection[Entry]) -> Iterator[tuple[str, SignedIn]]:
        for entry in entries:
            token = _token_of(entry)
            asked = self._asked.get(entry.key)
            if token is not None and asked is not None and (found := asked.verdict.result()) is not None:
                yield token, found


def _token_of(entry: Entry) -> str | None:
    command = entry.envelope.command
    return command.token if isinstance(command, Identify) else None
