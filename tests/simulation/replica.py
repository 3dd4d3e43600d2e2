"""A streaming replica of the simulated database, which shows what was committed up to a while ago.

Behind the real worker, with dice of its own. It replays in leaps, so that it is level at some moments and
seconds behind at others. Snapshots and time-outs are PostgreSQL's, so those of the product are tested there.
"""

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar
from unittest.mock import patch

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.sqlite3.base import DatabaseWrapper

from roomlog.databases import REPLICA
from roomlog.databases import database as configured
from roomlog.replica import Outcome
from roomlog_worker import lane

from .database import CALL_SECONDS
from .processes import current

Answer = TypeVar("Answer")
LEAP_SECONDS: Final = (0.0, 5.0)
"""Between two moments at which it is level with its primary."""


class LateReplica:
    """The file of the replica."""

    def __init__(self, primary: Path, dice: random.Random, clock: Callable[[], float]) -> None:
        self._primary, self._dice, self._clock = primary, dice, clock
        self._path = Path(f"{primary}.replica")
        self._leaps_at = 0.0
        self.outcomes: list[Outcome] = []
        """What became of all questions."""

    def ask(self, question: Callable[[str], Answer | None]) -> Answer | None:
        """Answer as of one moment: while the question is asked nothing else goes on."""
        current().wait(self._dice.uniform(*CALL_SECONDS))
        if self._clock() >= self._leaps_at:
            self._leap()
        with transaction.atomic(using=REPLICA):
            answer = question(REPLICA)
        current().wait(self._dice.uniform(*CALL_SECONDS))
        self.outcomes.append(Outcome.BEHIND if answer is None else Outcome.ANSWERED)
        return answer

    @contextmanager
    def asked(self) -> Iterator[None]:
        """Let the workers ask it, beside the sessions of their primary."""
        at = configured(f"sqlite:///{self._path}")
        settings = connections.configure_settings({DEFAULT_DB_ALIAS: at, REPLICA: at})[REPLICA]
        to_primary = connections.create_connection

        def create(alias: str) -> Any:
            if alias != REPLICA:
                return to_primary(alias)
            session = DatabaseWrapper(settings, alias)
            current().at_end.append(session.close)
            return session

        with ExitStack() as patches:
            patches.enter_context(patch.dict(connections.settings, {REPLICA: settings}))
            patches.enter_context(patch.object(connections, "create_connection", create))
            patches.enter_context(patch.object(lane, "Replica", partial(_Way, self)))
            yield

    def _leap(self) -> None:
        """Replay all that the primary has committed."""
        with sqlite3.connect(self._primary) as source, sqlite3.connect(self._path) as copy:
            source.backup(copy)
        source.close()
        copy.close()
        self._leaps_at = self._clock() + self._dice.uniform(*LEAP_SECONDS)


class _Way:
    """A process's way to it."""

    def __init__(self, replica: LateReplica, count: Callable[[Outcome], object]) -> None:
        self.ask = replica.ask

    def close(self) -> None:
        """Nothing is kept."""
