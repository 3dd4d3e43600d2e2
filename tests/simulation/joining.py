"""Joining in a simulation: rooms are opened and closed, people leave them and come back, some by invitations.

Beside `habits.py`, with dice of its own. Invitations are rows that the api makes and revokes; HTTP is not
simulated.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from functools import partial
from typing import Final
from uuid import UUID

from django.utils import timezone

from roomlog.inviting import revoke
from roomlog.models import Invitation
from roomlog.shown_once import digest_of
from tests.harness.joining import go_and_come, join, set_discoverable

from .habits import SEND_SECONDS, Person, new_uuid
from .store import SPEAKERS
from .world import World

INVITATIONS: Final = 3
"""Of each room: one that ends soon, one for a single use, one that is revoked."""
ENDING_SECONDS: Final = 12.0
JOINING: Final = 10
"""Times that somebody leaves and comes back in a run."""
PAUSE_SECONDS: Final = (0.0, 3.0)
OWNER: Final = 1
TOGETHER: Final = 3
"""People who join at the same moment as others are let in, at most."""


async def join_some(world: World, everybody: Sequence[Person], dice: random.Random) -> None:
    """Let people leave rooms and come back, by themselves, while others open and close them."""
    tokens = await _invite(world, dice)
    joining: list[asyncio.Task[None]] = []
    revoked_after = dice.randrange(JOINING)
    owner = next(person for person in everybody if person.user == OWNER)
    guests = [person for person in everybody if person.user in SPEAKERS[1:]]
    for number in range(JOINING):
        await asyncio.sleep(dice.uniform(*PAUSE_SECONDS))
        room = dice.choice(sorted(tokens))
        guest, how = dice.choice(guests), (dice, new_uuid, SEND_SECONDS)
        todo: list[Coroutine[None, None, None]] = [
            go_and_come(owner.reader, guest.reader, room, tokens[room], *how)
        ]
        for _ in range(dice.randint(0, TOGETHER)):
            one = dice.choice(guests).reader
            todo.append(join(one, room, tokens[room], dice, new_uuid(dice), SEND_SECONDS))
        somebody, is_open = dice.choice(guests).reader, dice.random() < 0.5
        todo.append(set_discoverable(somebody, room, is_open, new_uuid(dice), SEND_SECONDS))
        joining += [asyncio.create_task(one) for one in todo]
        if number == revoked_after:
            await world.api.request(partial(revoke, Invitation.objects.filter(most_uses=None)))
    await asyncio.gather(*joining)


async def _invite(world: World, dice: random.Random) -> dict[str, list[str]]:
    """Store the invitations, and return their tokens by room."""
    tokens: defaultdict[str, list[str]] = defaultdict(list)
    rows = []
    for room in world.rooms:
        for number in range(INVITATIONS):
            token = new_uuid(dice)
            tokens[room.hex].append(token)
            until = timezone.now() + timedelta(seconds=ENDING_SECONDS if number == 0 else 3_600)
            facts = {"id": UUID(new_uuid(dice)), "room_id": room, "creator_id": OWNER, "uuid": token}
            more = {"digest": digest_of(token), "role": dice.choice(["reader", "member"]), "until": until}
            rows.append(Invitation(**facts, **more, most_uses=(None, 1, None)[number]))
    is_done = False
    while not is_done:
        is_done = await world.api.request(partial(Invitation.objects.bulk_create, rows))
    return dict(tokens)
