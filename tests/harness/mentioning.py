"""Mentions of a load: messages and edits that mention people, also those who are away, or whole rooms.

Beside the message's way; all of it is in the journal, and nothing is judged here.
"""

import contextlib
import random
from collections.abc import Callable, Collection, Coroutine
from typing import Any, Final

from roomlog_client import RoomlogError
from tests.harness.changing import Reader
from tests.judge.history import EDIT_KIND, MESSAGE_KIND
from tests.judge.mentions import EVERYBODY

EDITS: Final = 0.4
"""How likely an own message of late is edited, so that it mentions others or nobody."""
CALLING: Final = 0.8
"""How likely `call` mentions everybody."""
MENTIONED: Final = 2
"""People in one message, at most."""

Mentioning = Callable[
    [Reader, str, Collection[int], random.Random, Callable[[random.Random], str], float],
    Coroutine[Any, Any, None],
]
"""`mention` or `call`."""


async def mention(
    reader: Reader,
    room: str,
    people: Collection[int],
    dice: random.Random,
    new_uuid: Callable[[random.Random], str],
    seconds: float,
) -> None:
    """Mention some of `people` in a room, by a new message or an edit; how it ends is in the journal."""
    uuid, mentions = new_uuid(dice), dice.sample(sorted(people), dice.randint(0, MENTIONED))
    await _say(reader, room, uuid, mentions, dice, seconds)


async def call(
    reader: Reader,
    room: str,
    people: Collection[int],
    dice: random.Random,
    new_uuid: Callable[[random.Random], str],
    seconds: float,
) -> None:
    """Mention everybody in a room, perhaps one of `people` by name too, or no longer everybody."""
    uuid, named = new_uuid(dice), dice.sample(sorted(people), dice.randint(0, 1))
    everybody = [EVERYBODY] if dice.random() < CALLING else []
    await _say(reader, room, uuid, [*everybody, *named], dice, seconds)


async def _say(
    reader: Reader, room: str, uuid: str, mentions: list[int], dice: random.Random, seconds: float
) -> None:
    """Say or edit something that mentions these; how it ends is in the journal."""
    client, witness = reader
    own = [known for known in witness.recent if known.user == witness.user and known.room == room]
    facts: dict[str, Any] = {"text": f"mention of {uuid}", "mentions": mentions}
    if own and dice.random() < EDITS:
        known = dice.choice(own)
        witness.want_change(EDIT_KIND, known, uuid, **facts)
        kind, facts["message"] = EDIT_KIND, known.id
    else:
        witness.want(room, uuid, **facts)
        kind = MESSAGE_KIND
    if EVERYBODY in mentions:
        facts |= {"mentions": [user for user in mentions if user != EVERYBODY], "mentions_room": True}
    with contextlib.suppress(RoomlogError):
        await client.request(kind, room=room, uuid=uuid, timeout_seconds=seconds, **facts)
