"""Topics of a load: said and taken away while faults happen.

Beside the message's way; all of it is in the journal, and nothing is judged here.
"""

import contextlib
import random
from typing import Final

from roomlog_client import RoomlogError
from tests.harness.changing import Reader
from tests.judge.journal import Known
from tests.judge.topics import TOPIC_KIND

EMPTY: Final = 0.25
"""How likely a topic is taken away, whether or not there is one."""


async def set_topic(reader: Reader, room: str, dice: random.Random, uuid: str, seconds: float) -> None:
    """Say what a room is about, or nothing any more; how it ends is in the journal."""
    client, witness = reader
    topic = "" if dice.random() < EMPTY else f"topic of {uuid}"
    of_no_message = Known(room, 0, 0, 0)
    witness.want_change(TOPIC_KIND, of_no_message, uuid, topic)
    with contextlib.suppress(RoomlogError):
        await client.request(TOPIC_KIND, room=room, topic=topic, uuid=uuid, timeout_seconds=seconds)
