"""Roles, mutes, bans and pins of a load: set and taken back while faults happen.

Beside the message's way; all of it is in the journal, and nothing is judged here.
"""

import contextlib
import random
from collections.abc import Callable, Sequence
from typing import Any, Final

from roomlog_client import RoomlogError
from tests.judge.journal import Known
from tests.judge.moderation import (
    BAN_KIND,
    INVITATION_KIND,
    MUTE_KIND,
    REMOVAL_KIND,
    ROLE_KIND,
    UNBAN_KIND,
    UNMUTE_KIND,
    moderation_of,
)
from tests.judge.pins import PIN_KIND, UNPIN_KIND

from .changing import Reader

Step = tuple[str, str]
"""An action and the role that it names."""
EPISODES: Final[tuple[tuple[Step, ...], ...]] = (
    ((MUTE_KIND, ""), (UNMUTE_KIND, "")),
    ((ROLE_KIND, "reader"), (ROLE_KIND, "member")),
    ((ROLE_KIND, "admin"), (ROLE_KIND, "member")),
    ((BAN_KIND, ""), (INVITATION_KIND, "member"), (UNBAN_KIND, ""), (INVITATION_KIND, "member")),
)
"""What is done to somebody one after the other; in the end all is as before. Banned people can't come in."""
REMOVAL: Final[tuple[Step, ...]] = ((REMOVAL_KIND, ""), (INVITATION_KIND, "member"))
OTHERS: Final = 0.2
"""How likely somebody tries it first who mostly may not."""
UNPINS: Final = 0.45
"""How likely a pin is taken away where there may be one."""
LISTS: Final = 0.3
"""How likely the pins of a room are listed beside."""


async def moderate(
    reader: Reader, step: Step, room: str, user: int, uuid: str, seconds: float, until: int | None = None
) -> None:
    """Do one step to somebody in a room; how it ends is in the journal."""
    (client, witness), (kind, role) = reader, step
    facts: dict[str, Any] = {"user": user}
    if role:
        facts["role"] = role
    if until is not None:
        facts["until"] = until
    witness.want_moderation(kind, room, uuid, moderation_of(kind, user, role, until))
    with contextlib.suppress(RoomlogError):
        await client.request(kind, room=room, uuid=uuid, timeout_seconds=seconds, **facts)


async def pin(
    reader: Reader, dice: random.Random, pinned: list[Known], new_uuid: Callable[[], str], seconds: float
) -> None:
    """Pin a message of late or unpin one of those that were pinned here, and perhaps list the room's pins."""
    client, witness = reader
    kind = UNPIN_KIND if pinned and dice.random() < UNPINS else PIN_KIND
    if kind == PIN_KIND and not witness.recent:
        return
    known = (
        pinned.pop(dice.randrange(len(pinned))) if kind == UNPIN_KIND else dice.choice(list(witness.recent))
    )
    uuid = new_uuid()
    witness.want_change(kind, known, uuid)
    if kind == PIN_KIND:
        pinned.append(known)
    with contextlib.suppress(RoomlogError):
        await client.request(kind, room=known.room, message=known.id, uuid=uuid, timeout_seconds=seconds)
    if dice.random() < LISTS:
        await list_pins(reader, known.room, new_uuid(), seconds)


async def list_pins(reader: Reader, room: str, uuid: str, seconds: float) -> None:
    """Read the pins of a room; what they are is in the journal."""
    with contextlib.suppress(RoomlogError):
        await reader[0].request("list_pins", room=room, uuid=uuid, timeout_seconds=seconds)


def who_tries(owner: Reader, others: Sequence[Reader], dice: random.Random) -> list[Reader]:
    """Return who does a step, one after the other: the owner, sometimes after somebody else."""
    return [dice.choice(others), owner] if others and dice.random() < OTHERS else [owner]
