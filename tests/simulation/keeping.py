"""How long a simulated install keeps its logs: days of seconds, so that runs prune what was said first.

Around one simulation. Without it nothing is pruned, and workers don't even look.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Final
from unittest.mock import patch
from uuid import UUID

from django.conf import settings

from roomlog.retention import Retention, retain
from roomlog_contract.limits import REPEAT_DAYS
from roomlog_worker import pruner
from roomlog_worker.log import pruning
from roomlog_worker.pruner import Pruner
from tests.judge import retention

from .store import Store

DAY_SECONDS: Final = 4.0
KEPT_SECONDS: Final = REPEAT_DAYS * DAY_SECONDS
"""Longer than commands are repeated here, as in the product."""
ROUND_SECONDS: Final = 3.0
EVENTS_AT_ONCE: Final = 4


class Keeping:
    """What one run keeps, and what was seen to be gone."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._held: list[str] = []
        self._gone: dict[str, dict[int, float]] = {}

    def hold(self, rooms: Sequence[UUID]) -> None:
        """Put one of the rooms under a legal hold, whatever its days are."""
        held = self._dice.choice(rooms)
        retain(held, Retention(days=REPEAT_DAYS, is_held=True))
        self._held.append(held.hex)

    def look(self, gone: Iterable[tuple[str, int]], now: float) -> None:
        """Note what is gone since the last look."""
        for room, seq in gone:
            self._gone.setdefault(room, {}).setdefault(seq, now)

    def told(self, store: Store, now: float) -> retention.Retention:
        """Return it for the checker, as it is now."""
        self.look(store.pruned(), now)
        return retention.Retention(KEPT_SECONDS, tuple(self._held), store.first_seqs(), self._gone)


@contextmanager
def keeping_so(keeping: Keeping | None) -> Iterator[None]:
    """Let the workers prune in seconds; without a Keeping they must not look: a look takes time."""
    with ExitStack() as patches:
        if keeping is None:
            patches.enter_context(patch.object(Pruner, "turn", lambda self, *, is_idle: None))
        else:
            patches.enter_context(patch.dict(settings.ROOMLOG, RETENTION_DAYS=REPEAT_DAYS))
            for module in (pruner, pruning):
                patches.enter_context(patch.object(module, "DAY", timedelta(seconds=DAY_SECONDS)))
            patches.enter_context(patch.object(pruner, "ROUND_SECONDS", ROUND_SECONDS))
            patches.enter_context(patch.object(pruning, "EVENTS_AT_ONCE", EVENTS_AT_ONCE))
        yield
