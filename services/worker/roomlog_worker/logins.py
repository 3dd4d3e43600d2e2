"""Asks the project's own authenticators, in a few threads that nothing else waits for.

Beside the lane that answers logins. An authenticator is code of the project's: it may sleep, fail its query
or ask another server. Its entry stays in the stream meanwhile. One that is late or fails gets no answer:
nobody is called a stranger for it, and the gateway asks again until its own deadline.
"""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Final

import structlog
from django.db import connection

from roomlog.authenticators import Authenticator, user_of
from roomlog.databases import limit_reads
from roomlog_contract.envelope import Identify
from roomlog_contract.events import User

from .entries import Entry

log = structlog.get_logger()

THREADS: Final = 8
"""Tokens looked at together; each thread has a connection to the database of its own."""
WAITING: Final = 64
"""Tokens under way and waiting: one more is asked for again by its gateway, later."""
DEADLINE_SECONDS: Final = 2.0
"""From the entry's first sight. The thread may last longer; nobody waits for it."""
LOOK_SECONDS: Final = 0.02
"""How long a lane without other work waits for the next verdict before it looks at its stream again."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A token that is looked at."""

    verdict: "Future[User | None]"
    until: float


class Logins:
    """Verdicts on tokens, by the entry that asks; used by one thread."""

    def __init__(self, authenticators: Sequence[Authenticator]) -> None:
        self._authenticators = list(authenticators)
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="login") if authenticators else None
        self._asked: dict[tuple[int, str], _Asked] = {}

    def sift(self, entries: Sequence[Entry]) -> tuple[list[Entry], list[Entry]]:
        """Return the entries that can be answered now, and those that never will be: late, failed, too many.

        All others wait for their verdict and come again.
        """
        if self._pool is None:
            return list(entries), []
        known = {entry.key for entry in entries}
        for key in self._asked.keys() - known:  # answered, or another owner's by now
            del self._asked[key]
        ready: list[Entry] = []
        dropped: list[Entry] = []
        for entry in entries:
            state = self._state(entry)
            if state is not None:
                (ready if state else dropped).append(entry)
        return ready, dropped

    def verdicts(self, entries: Collection[Entry]) -> Mapping[str, User] | None:
        """Return whose tokens these entries hold, without strangers'; None where DRF's table is asked."""
        return None if self._pool is None else dict(self._verdicts(entries))

    def wait(self) -> None:
        """Wait a moment for the next verdict, if any is under way."""
        if self._asked:
            wait([asked.verdict for asked in self._asked.values()], LOOK_SECONDS, FIRST_COMPLETED)

    def close(self) -> None:
        """Begin nothing more; a thread that sleeps is not waited for."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

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
        assert self._pool is not None
        if len(self._asked) >= WAITING:
            return False
        verdict = self._pool.submit(self._verdict, token)
        self._asked[key] = _Asked(verdict, time.monotonic() + DEADLINE_SECONDS)
        return None

    def _verdict(self, token: str) -> User | None:
        """Ask, in a thread of the pool; its connection is fresh after a failure."""
        try:
            if connection.connection is None:
                limit_reads(connection)
            return user_of(token, self._authenticators)
        except Exception as error:
            connection.close()
            # Its class alone: the text may hold the token.
            log.warning("authenticator_failed", error=type(error).__name__)
            raise

    def _verdicts(self, entries: Collection[Entry]) -> Iterator[tuple[str, User]]:
        for entry in entries:
            token = _token_of(entry)
            asked = self._asked.get(entry.key)
            if token is not None and asked is not None and (user := asked.verdict.result()) is not None:
                yield token, user


def _token_of(entry: Entry) -> str | None:
    command = entry.envelope.command
    return command.token if isinstance(command, Identify) else None
