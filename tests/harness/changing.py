"""Edits, deletions and reactions of a load: sent while faults happen, and in the end looked at afresh.

Beside the message's way; all of it is in the journal, and nothing is judged here.
"""

import contextlib
import random
from collections.abc import Callable, Iterable
from typing import Any, Final

from roomlog_client import RoomlogClient, RoomlogError
from tests.judge.history import DELETION_KIND, EDIT_KIND
from tests.judge.journal import Journal, Known, Witness
from tests.judge.reactions import REACTION_KIND, REMOVAL_KIND

DELETIONS: Final = 0.35
"""How likely a change is a deletion."""
OTHERS: Final = 0.1
"""How likely somebody tries to change what another has said: an owner may delete it, most may not."""
EMOJI: Final = ("\N{THUMBS UP SIGN}", "\N{HEAVY BLACK HEART}\ufe0f", "\N{PARTY POPPER}")
REMOVALS: Final = 0.35
"""How likely a reaction is taken away, whether or not it is there."""
LOOK_SECONDS: Final = 30.0
"""For an answer when nothing is broken any more."""

Reader = tuple[RoomlogClient, Witness]


def choose(witness: Witness, dice: random.Random) -> Known | None:
    """Return one of the messages that a client was handed lately, mostly one of its user's."""
    own = [known for known in witness.recent if known.user == witness.user]
    known_to = own if own and dice.random() >= OTHERS else list(witness.recent)
    return dice.choice(known_to) if known_to else None


async def change(reader: Reader, known: Known, dice: random.Random, uuid: str, seconds: float) -> None:
    """Edit or delete a message; how it ends is in the journal."""
    client, witness = reader
    kind, facts = DELETION_KIND, dict[str, Any]()
    if dice.random() >= DELETIONS:
        kind, facts = EDIT_KIND, {"text": f"edit of {uuid}"}
    witness.want_change(kind, known, uuid, **facts)
    with contextlib.suppress(RoomlogError):
        await client.request(
            kind, room=known.room, message=known.id, uuid=uuid, timeout_seconds=seconds, **facts
        )


async def react(reader: Reader, dice: random.Random, uuid: str, seconds: float) -> None:
    """Add a reaction to a message of late or take it away; how it ends is in the journal."""
    client, witness = reader
    if not witness.recent:
        return
    known, emoji = dice.choice(list(witness.recent)), dice.choice(EMOJI)
    kind = REMOVAL_KIND if dice.random() < REMOVALS else REACTION_KIND
    witness.want_reaction(kind, known, uuid, emoji)
    facts: dict[str, Any] = {"room": known.room, "message": known.id, "emoji": emoji}
    with contextlib.suppress(RoomlogError):
        await client.request(kind, uuid=uuid, timeout_seconds=seconds, **facts)


async def look(reader: Reader, room: str, uuid: str, seconds: float, **wanted: int) -> None:
    """Read a page of history, by `limit`, `before` and `after`; what it shows is in the journal."""
    client, witness = reader
    witness.recall.wants(uuid, wanted.get("before"), wanted.get("after"))
    with contextlib.suppress(RoomlogError):
        await client.request("get_history", room=room, uuid=uuid, timeout_seconds=seconds, **wanted)


async def look_at_all(journal: Journal, readers: Iterable[Reader], new_uuid: Callable[[], str]) -> None:
    """Have one client of each room read its last messages and its pins afresh, and note what all show."""
    first: dict[str, Reader] = {}
    for client, witness in readers:
        if client.is_connected:
            for room in witness.cursors():
                first.setdefault(room, (client, witness))
    for room, reader in first.items():
        await look(reader, room, new_uuid(), LOOK_SECONDS)
        with contextlib.suppress(RoomlogError):
            uuid, seconds = new_uuid(), LOOK_SECONDS
            await reader[0].request("list_pins", room=room, uuid=uuid, timeout_seconds=seconds)
    journal.note_believed()
