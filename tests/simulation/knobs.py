"""Limits of the product made small, for some seeds: what needs a thousand events happens after seven.

Around one simulation. Each knob is a constant of the product that its code reads when it uses it.
"""

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final
from unittest.mock import patch

from roomlog_client import rooms as client_rooms
from roomlog_contract import limits
from roomlog_gateway.sockets import connection
from roomlog_worker import stream_gauges

KNOBS: Final[tuple[tuple[Any, str, int], ...]] = (
    (limits, "PAGE_EVENTS", 5),
    (limits, "HELD_EVENTS", 3),
    (limits, "STREAM_BATCH", 4),
    (limits, "OUTBOX_EVENTS", 4),
    (connection, "SOCKET_BYTES", 1500),
    (client_rooms, "WAITING_ITEMS", 20),
)
HOW_OFTEN: Final = 0.4
GAUGE_SECONDS: Final = 10.0
"""Between two looks at the streams for the metrics: a fifth of a seed's time went into one look a second."""


@contextmanager
def turned(dice: random.Random) -> Iterator[None]:
    """Make some of the limits small; where the application takes few items, pages are small too."""
    chosen = {name for _, name, _ in KNOBS if dice.random() < HOW_OFTEN}
    if "WAITING_ITEMS" in chosen:
        chosen.add("PAGE_EVENTS")
    with ExitStack() as patches:
        patches.enter_context(patch.object(stream_gauges, "LOOK_SECONDS", GAUGE_SECONDS))
        for module, name, small in KNOBS:
            if name in chosen:
                patches.enter_context(patch.object(module, name, small))
        yield
