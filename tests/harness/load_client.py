"""One client of a load: says new things, and notes what it hears in its journal.

Around the message's way; `load` has many of them.
"""

import contextlib
import random
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from roomlog_client import CommandError, CutOff, Disconnected, NotSent, OutcomeUnknown, RoomlogClient
from tests.harness.marking import Reader
from tests.judge.journal import Witness

SEND_SECONDS: Final = 120.0
"""Over the longest fault: what has no answer after it is unknown for good."""


def new_uuid(dice: random.Random) -> str:
    """Return a uuid that the dice decide."""
    return str(UUID(int=dice.getrandbits(128), version=4))


@dataclass(frozen=True)
class LoadClient:
    """One client of the load with what belongs to it."""

    client: RoomlogClient
    witness: Witness
    rooms: list[str]
    dice: random.Random

    @property
    def reader(self) -> Reader:
        """Return the client and its journal, for read marks."""
        return self.client, self.witness

    async def say(self, characters: int, room: str = "") -> bool:
        """Say one new thing in this or any of the rooms; False where the server wants nothing more of us."""
        room = room or self.dice.choice(self.rooms)
        uuid = new_uuid(self.dice)
        text = f"{uuid} ".ljust(characters, "x")
        self.witness.want(room, uuid, text)
        try:
            await self.client.send(room, text, uuid=uuid, timeout_seconds=SEND_SECONDS)
        except (CommandError, NotSent, OutcomeUnknown):
            pass  # an outcome like any other; it is in the journal
        except Disconnected:
            return False
        return True

    async def read(self) -> None:
        """Take every item; what it was is in the journal."""
        with contextlib.suppress(CutOff):
            async for _ in self.client.events():
                pass

    def is_behind(self, heads: dict[str, int]) -> bool:
        """Tell whether the client is connected or will be, and lacks something."""
        if self.client.is_ended:
            return False
        cursors = self.witness.cursors()
        lacks = any(cursor < heads.get(room, 0) for room, cursor in cursors.items())
        return lacks or not self.client.is_connected
