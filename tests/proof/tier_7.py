"""Tier 7: one member, or one stranger, against the rest. A bystander chats on beside each attack.

Each attack takes turns with a calm stretch; the bound goes by all calm together.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Final

from tests.abuse.campaign import try_all
from tests.abuse.trial import Outcome
from tests.proof.driver import again
from tests.proof.rows import Row, Size

TIER: Final = 7
SECONDS: Final = {Size.SMALL: 4.0, Size.LONG: 120.0}
"""Of each attack."""


def run(size: Size, seed: int | None) -> list[Row]:
    """Try every attack of the table; nothing is drawn, so a seed changes nothing."""
    del seed
    directory = Path(tempfile.mkdtemp(prefix="roomlog-abuse-"))
    rows = [_row(size, outcome, anomalies) for outcome, anomalies in try_all(directory, SECONDS[size])]
    if all(row.has_passed for row in rows):
        shutil.rmtree(directory)
    else:
        print(f"  logs in {directory}", flush=True)
    return rows


def _row(size: Size, outcome: Outcome, anomalies: tuple[str, ...]) -> Row:
    return Row(
        tier=TIER,
        what=outcome.name,
        seconds=outcome.seconds,
        again=again(TIER, size),
        cases=outcome.tally["sent"],
        anomalies=anomalies,
        remarks=tuple(outcome.sentences()),
    )
