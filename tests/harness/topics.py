"""Names and topics of a load: given, and topics taken away, while faults happen.

Beside the message's way; all of it is in the journal, and nothing is judged here.
"""

import contextlib
import random
from typing import Final

from roomlog_client import RoomlogError
from tests.harness.changing import Reader
from tests.judge.journal import Known
from tests.judge.topics import NAME_KIND, TOPIC_KIND

EMPTY: Final = 0.25
"""How likely a topic is taken away, whether or not there is one."""


async def set_topic(reader: Reader, room: str, dice: random.Random, uuid: str, seconds: float) -> None:
    """Say what a room is about, or nothing any more; how it ends is in the journal."""
    topic = "" if dice.random() < EMPTY else f"topic of {uuid}"
    await _say(reader, TOPIC_KIND, room, uuid, topic, seconds, topic=topic)


async def rename(reader: Reader, room: str, dice: random.Random, uuid: str, seconds: float) -> None:
    """Give a room another name; how it ends is in the journal."""
    name = f"name {dice.getrandbits(16)} of {uuid}"
    await _say(reader, NAME_KIND, room, uuid, name, seconds, name=name)


async def _say(
    reader: Reader, kind: str, room: str, uuid: str, words: str, seconds: float, **facts: str
) -> None:
    client, witness = reader
    of_no_message = Known(room, 0, 0, 0)
    witness.want_change(kind, of_no_message, uuid, words)
    with contextlib.suppress(RoomlogError):
        await client.request(kind, room=room, uuid=uuid, timeout_seconds=seconds, **facts)
