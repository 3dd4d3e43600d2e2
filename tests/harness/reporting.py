"""Reports of a load: messages of late, told to the moderators while faults happen, some of them again.

Beside the message's way; all of it is in the journal, and nothing is judged here.
"""

import contextlib
import random
from typing import Final

from roomlog_client import RoomlogError
from tests.harness.changing import Reader
from tests.judge.reports import Report, Reports

AGAIN: Final = 0.3
"""How likely a message is reported that was reported before."""


async def report(reports: Reports, reader: Reader, dice: random.Random, uuid: str, seconds: float) -> None:
    """Report a message; how it ends is in the journal."""
    client, witness = reader
    if not witness.recent:
        return
    recent = list(witness.recent)
    before = [one for one in recent if Report(one.room, one.seq, witness.user) in reports.asked]
    known = dice.choice(before if before and dice.random() < AGAIN else recent)
    one = Report(known.room, known.seq, witness.user)
    reports.asked.append(one)
    with contextlib.suppress(RoomlogError):
        is_first = await client.report_message(
            known.room, known.id, "spam", f"report of {uuid}", uuid=uuid, timeout_seconds=seconds
        )
        reports.answered.append((one, is_first))
