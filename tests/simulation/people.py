"""Who says what in a simulation: real clients with habits, each of them drawn from the seed.

First and last stage of every message. Some people repeat, some lose patience, some come late, some are thrown
out and invited again; all of it is in the journal that the checker judges.
"""

import asyncio
import random
from collections.abc import Coroutine, Mapping
from functools import partial
from typing import Any, Final
from uuid import UUID

from roomlog_client import RoomlogClient, RoomlogError, Sent
from roomlog_client.errors import UuidConflict
from tests.harness.changing import look, look_at_all
from tests.harness.marking import agree, mark_all
from tests.judge.history import MESSAGE_KIND
from tests.judge.wanted import Wanted

from .habits import SEND_SECONDS, Person, change_some, further_habits, mark_some, new_uuid, react_some
from .moderators import moderate_some, pin_some
from .plan import Plan
from .store import GUEST, POISON, SPEAKERS
from .world import Posted, World

MISTAKE_SECONDS, LATE_SECONDS = 20.0, 12.0
MOMENT_SECONDS: Final = (0.0, 0.2)
INVITE_SECONDS: Final = (0.0, 0.4)
"""An invitation comes while it is read who the visitors are and which rooms they have."""
GREETING_SECONDS: Final = (0.0, 1.0)
REPEATED: Final = 2  # of the erased messages
ARCHIVED_SECONDS: Final = (0.5, 4.0)
CARD_CHARACTERS: Final = (0, 40, 3900)
"""Of the longest value in what is sent beside a text: all of it has at most 4 KiB."""
FOUNDERS: Final = 0.2
"""How likely one of the first makes a room."""
POISONERS: Final = 0.15
"""How likely somebody says what can't be stored."""


class People:
    """All clients of one world."""

    def __init__(self, world: World, plan: Plan) -> None:
        self._world = world
        self._plan = plan
        self._dice = world.dice
        self.everybody: list[Person] = []
        self.mistaken: list[str] = []
        """Uuids that were answered with success although another body is stored."""
        self.changed: list[tuple[str, str, Sent]] = []
        """Room and uuid of commands besides messages that were answered with success."""
        self.poisonous: set[str] = set()
        """Uuids of messages that can't be stored."""
        self._poisoners: list[int] = []
        self.undone: list[str] = []
        """Uuids of erased messages whose repeat was not answered as one."""
        self.posts_cards = False
        """The project posts data."""
        self.archives_rooms = False
        """The owner archives rooms."""
        self.typing: random.Random | None = None
        """What decides who types when: dice of its own, where anybody does; likewise for all that follows."""
        self.mentioning: tuple[random.Random | None, ...] = (None, None)  # people, whole rooms
        self.apart: list[Coroutine[None, None, None]] = []
        """Habits that need more of the world than its rooms."""
        self.naming: random.Random | None = None
        self.noting: random.Random | None = None
        self._rooms = list(world.rooms)
        self._reading: list[asyncio.Task[None]] = []

    async def live(self) -> None:
        """Connect, say so many things, and end when the last one has its end."""
        messages = self._dice.randint(*self._plan.messages)
        firsts = [await self._come(user) for user in SPEAKERS]
        await self._come(GUEST)
        tasks = [self._speak(person, messages // len(firsts)) for person in firsts]
        tasks += [self.come_late() for _ in range(self._dice.randint(0, 3))]
        tasks += [self._found(person) for person in firsts if self._dice.random() < FOUNDERS]
        if self._dice.random() < POISONERS:
            tasks.append(self._poison(self._dice.choice(firsts)))
        tasks.append(self._post(self._dice.randint(*self._plan.posts)))
        tasks.append(self._throw_out_and_invite(firsts, self._dice.randint(*self._plan.changes)))
        if self.archives_rooms:
            tasks.append(self._archive(firsts[0], self._dice.randint(1, 2)))
        if self._plan.syncs != (0, 0):
            tasks.append(self._sync(self._dice.randint(*self._plan.syncs)))
        if self._plan.departures and self._dice.random() < self._plan.departures:
            tasks.append(self._depart(firsts[0]))
        if self._plan.erasures != (0, 0):
            tasks += [self._erase() for _ in range(self._dice.randint(*self._plan.erasures))]
        if self._plan.marks != (0, 0):
            tasks.append(mark_some(self.everybody, self._dice, self._dice.randint(*self._plan.marks)))
        if self._plan.edits != (0, 0):
            tasks.append(change_some(self.everybody, self._dice, self._dice.randint(*self._plan.edits)))
        if self._plan.reactions != (0, 0):
            tasks.append(react_some(self.everybody, self._dice, self._dice.randint(*self._plan.reactions)))
        if self._plan.moderations != (0, 0):
            times = self._dice.randint(*self._plan.moderations)
            tasks.append(moderate_some(firsts, self._dice, times, self._say))
        if self._plan.pins != (0, 0):
            tasks.append(pin_some(self.everybody, self._dice, self._dice.randint(*self._plan.pins)))
        dice = self.typing, self.mentioning, self.naming, self.noting
        tasks += further_habits(self.everybody, self._rooms, *dice)
        tasks += self.apart
        await asyncio.gather(*tasks)

    def wake_up(self) -> None:
        """Let everybody take items without a pause: how slowly a program takes them is no promise of ours."""
        for person in self.everybody:
            person.laziness_seconds = 0.0

    async def mark_all(self) -> None:
        """Let everybody mark all rooms read, and all devices hear of it."""
        if self._plan.marks != (0, 0):
            readers = [(one.client, one.witness) for one in self.everybody]
            await mark_all(self._world.journal, readers, partial(new_uuid, self._dice))
            await agree(self._world.journal, readers)

    async def look_at_all(self) -> None:
        """Let every room be read afresh, and note what everybody shows."""
        if any(most for _, most in (self._plan.edits, self._plan.reactions, self._plan.pins)):
            readers = [(one.client, one.witness) for one in self.everybody]
            await look_at_all(self._world.journal, readers, partial(new_uuid, self._dice))

    async def leave(self) -> None:
        """Close every client."""
        await asyncio.gather(*(person.client.close() for person in self.everybody))
        await asyncio.gather(*self._reading)

    def is_behind(self) -> bool:
        """Tell whether somebody who is or will be connected lacks an event of a room that it follows."""
        heads = self._world.store.heads()
        return any(self._lacks(person, heads) for person in self.everybody)

    def strangers(self) -> list[str]:
        """Return the connected members who do not know that they are: client and room."""
        names, members = self._world.store.names(), self._world.store.members()
        return [
            f"{person.witness.client} in {name}"
            for person in self.everybody
            if person.client.is_connected
            for room, name in names.items()
            if (room, person.user) in members and room.hex not in person.witness.cursors()
        ]

    def intruders(self) -> list[str]:
        """Return the connected clients of whom may not be."""
        if not self._world.revoked:
            return []
        return [
            str(one.witness.client) for one in self.everybody if one.user == GUEST and one.client.is_connected
        ]

    def _lacks(self, person: Person, heads: Mapping[UUID, int]) -> bool:
        if person.client.is_ended:
            return False
        cursors = person.witness.cursors().items()
        return not person.client.is_connected or any(cursor < heads[UUID(room)] for room, cursor in cursors)

    async def _come(self, user: int) -> Person:
        number = len(self.everybody)
        witness = self._world.journal.witness(f"user{user}-{number}", user)
        urls = self._world.urls
        self._dice.shuffle(urls)  # a gateway that knows nobody of this user has the most to find out
        start = self._dice.choice(["head", "beginning"])
        token = self._world.token_of(user)
        client = RoomlogClient(urls, token, start=start, observer=witness)  # type: ignore[arg-type]
        dice = random.Random(self._dice.getrandbits(64))
        person = Person(client, witness, user, dice, dice.choice([0.0, 0.0, 0.0, 0.3]))
        self.everybody.append(person)
        await client.__aenter__()
        self._reading.append(asyncio.get_running_loop().create_task(person.read()))
        return person

    async def come_late(self) -> None:
        await asyncio.sleep(self._dice.uniform(0.0, LATE_SECONDS))
        await self._come(self._dice.choice(SPEAKERS))

    async def _speak(self, person: Person, count: int) -> None:
        burst: list[asyncio.Task[None]] = []
        for _ in range(count):
            burst.append(asyncio.create_task(self._say(person)))
            if person.dice.random() < 0.5:
                await asyncio.sleep(person.dice.uniform(0.0, 1.2))
        await asyncio.gather(*burst)

    async def _say(self, person: Person, room: str = "") -> None:
        dice = person.dice
        room = room or dice.choice(self._rooms).hex
        uuid = new_uuid(dice)
        text = f"text of {uuid}"
        patience = dice.uniform(0.5, 4.0) if dice.random() < 0.2 else SEND_SECONDS
        person.witness.want(room, uuid, text)
        sent = await self._try(person, room, uuid, text, patience)
        if sent is None and dice.random() < 0.5:
            await asyncio.sleep(dice.uniform(0.0, 3.0))
            await self._try(person, room, uuid, text, SEND_SECONDS)
        elif sent is not None and dice.random() < 0.1:
            await self._mistake(person, sent)

    async def _mistake(self, person: Person, sent: Sent) -> None:
        """Use the uuid again for something else, where no answer to its first use can still come."""
        token = f"token-{person.user}"
        async with RoomlogClient(self._world.urls, token, start="head") as client:
            try:
                await client.ready(MISTAKE_SECONDS)
                await client.send(sent.room, "another text", uuid=sent.uuid, timeout_seconds=MISTAKE_SECONDS)
            except (RoomlogError, TimeoutError):
                return
        self.mistaken.append(sent.uuid)

    async def _try(self, person: Person, room: str, uuid: str, text: str, patience: float) -> Sent | None:
        try:
            return await person.client.send(room, text, uuid=uuid, timeout_seconds=patience)
        except RoomlogError:
            return None

    async def _found(self, person: Person) -> None:
        """Make a room with somebody, and talk in it."""
        await asyncio.sleep(person.dice.uniform(0.0, LATE_SECONDS))
        others = person.dice.sample([user for user in SPEAKERS if user != person.user], 2)
        facts: dict[str, Any] = {"name": "made", "members": others}
        if person.dice.random() < 0.3:
            facts = {"kind": "direct", "members": others[:1]}
        room = await self._change(person, "create_room", **facts)
        if room is not None:
            await asyncio.gather(*(self._say(person, room) for _ in range(person.dice.randint(1, 3))))

    async def _poison(self, person: Person) -> None:
        """Send what can't be stored, whoever tries, and something behind it."""
        await asyncio.sleep(person.dice.uniform(0.0, LATE_SECONDS))
        room = person.dice.choice(self._rooms).hex
        uuid = new_uuid(person.dice)
        self.poisonous.add(uuid)
        self._poisoners.append(person.user)
        person.witness.want(room, uuid, POISON)
        await asyncio.gather(self._try(person, room, uuid, POISON, SEND_SECONDS), self._say(person, room))

    async def _post(self, count: int) -> None:
        """Let the api say something for the owner, who is in every room."""
        following: list[asyncio.Task[None]] = []
        for number in range(count):
            await asyncio.sleep(self._dice.uniform(0.0, 4.0))
            room, data = self._dice.choice(self._rooms), self._card() if self.posts_cards else None
            posted = await self._world.post(room, 1, f"post {number}", data)
            if data is not None:
                following.append(asyncio.create_task(self._read_and_post_again(posted)))
        await asyncio.gather(*following)

    def _card(self) -> dict[str, Any]:
        """Return data of a message; `card` is unique."""
        more = "x" * self._dice.choice(CARD_CHARACTERS)
        return {"price": [9.5, 10, None], "card": f"card {self._dice.getrandbits(64)}", "ärger": more}

    async def _read_and_post_again(self, posted: Posted) -> None:
        """Let somebody read the room afresh, and the transaction run again, perhaps with other data.

        It does so for a message that is stored: what was refused could be something new by now.
        """
        await asyncio.sleep(self._dice.uniform(0.0, LATE_SECONDS))
        await self._look_back(self._dice.choice(self.everybody), posted.room.hex)
        stored = {event.uuid for event in self._world.store.events()}
        if posted.uuid in stored and self._world.keeps(posted.at):
            data = self._dice.choice([posted.data, self._card()])
            if await self._world.post_again(posted, data) and data != posted.data:
                self.mistaken.append(posted.uuid)

    async def _look_back(self, person: Person, room: str) -> None:
        """Read a room's last messages in their present state; what they are is in the journal."""
        await look(person.reader, room, new_uuid(self._dice), MISTAKE_SECONDS)

    async def _archive(self, owner: Person, times: int) -> None:
        """Let the owner archive a room while people talk in it, try to talk too, and restore it."""
        speaking: list[asyncio.Task[None]] = []
        for _ in range(times):
            await asyncio.sleep(self._dice.uniform(0.0, LATE_SECONDS))
            room = self._dice.choice(self._rooms).hex
            if await self._change(owner, "archive_room", room) is not None:
                speaking.append(asyncio.create_task(self._say(owner, room)))
                await asyncio.sleep(self._dice.uniform(*ARCHIVED_SECONDS))
                await self._change(owner, "restore_room", room)
        await asyncio.gather(*speaking)

    async def _sync(self, count: int) -> None:
        """Let a project say who is in a room: everybody, or all but one who is not the owner."""
        for _ in range(count):
            await asyncio.sleep(self._dice.uniform(0.0, 4.0))
            out = self._dice.choice((None, *SPEAKERS[1:]))
            users = [user for user in (*SPEAKERS, GUEST) if user != out]
            await self._world.sync(self._dice.choice(self._rooms), users)

    async def _depart(self, owner: Person) -> None:
        """Let a project delete the guest's account, while the owner invites it into a room."""
        await asyncio.sleep(self._dice.uniform(0.0, LATE_SECONDS))
        room = self._dice.choice(self._rooms).hex
        await self._change(owner, "remove_user", room, user=GUEST)
        await asyncio.gather(self._delete_guest(), self._invite_guest(owner, room))

    async def _delete_guest(self) -> None:
        await asyncio.sleep(self._dice.uniform(*MOMENT_SECONDS))
        await self._world.delete_account(GUEST)

    async def _invite_guest(self, owner: Person, room: str) -> None:
        await asyncio.sleep(self._dice.uniform(*MOMENT_SECONDS))
        await self._change(owner, "invite_user", room, user=GUEST)

    async def _erase(self) -> None:
        """Let an operator erase somebody's messages, the last of which may still wait for a worker."""
        await asyncio.sleep(self._dice.uniform(0.0, LATE_SECONDS))
        user = self._dice.choice(self._poisoners or SPEAKERS)
        if self._dice.random() < 0.5:
            text = f"last words {self._dice.getrandbits(64)}"
            await self._world.post(self._dice.choice(self._rooms), user, text)
        erasure = await self._world.erase(user)
        wanted = [one for person in self.everybody for one in person.witness.wanted.values()]
        erased = [
            one
            for one in wanted
            if one.user == user
            and one.kind == MESSAGE_KIND
            and one.answered_at is not None
            and one.answered_at < erasure.began_at
            and self._world.keeps(one.answered_at)
        ]
        await asyncio.gather(*(self._repeat(one) for one in erased[:REPEATED]))

    async def _repeat(self, erased: Wanted) -> None:
        """Send an erased message again, or something else with its uuid: both count as a repeat."""
        text = self._dice.choice([erased.text, "a guess"])
        async with RoomlogClient(self._world.urls, f"token-{erased.user}", start="head") as client:
            try:
                await client.ready(MISTAKE_SECONDS)
                sent = await client.send(erased.room, text, uuid=erased.uuid, timeout_seconds=MISTAKE_SECONDS)
            except UuidConflict:
                self.undone.append(erased.uuid)
            except (RoomlogError, TimeoutError):
                pass
            else:
                self.changed.append((erased.room, erased.uuid, sent))
                if not sent.duplicate:
                    self.undone.append(erased.uuid)

    async def _throw_out_and_invite(self, firsts: list[Person], times: int) -> None:
        """Let the owner remove somebody, or somebody leave, and mostly let them come in again.

        Who is out tries to speak all the same.
        """
        speaking: list[asyncio.Task[None]] = []
        owner, *others = firsts
        pairs = [(room.hex, guest) for room in self._rooms for guest in others]
        pairs = self._dice.sample(pairs, self._dice.choice(self._plan.guests))
        for _ in range(times):
            room, guest = self._dice.choice(pairs)
            await asyncio.sleep(self._dice.uniform(*self._plan.churn_seconds))
            if self._dice.random() < 0.3:
                await self._change(guest, "leave_room", room)
            else:
                await self._change(owner, "remove_user", room, user=guest.user)
            await asyncio.sleep(self._dice.uniform(*self._plan.churn_seconds))
            for _ in range(self._plan.tries):
                speaking.append(asyncio.create_task(self._say(guest, room)))
                await asyncio.sleep(self._dice.uniform(*MOMENT_SECONDS))
            for _ in range(int(self._plan.visits + self._dice.random())):
                speaking.append(asyncio.create_task(self._visit(guest.user)))
            await asyncio.sleep(self._dice.uniform(*INVITE_SECONDS))
            if self._dice.random() < 0.85:
                await self._change(owner, "invite_user", room, user=guest.user)
                for _ in range(self._plan.greetings):
                    speaking.append(asyncio.create_task(self._greet(owner, room)))
        await asyncio.gather(*speaking)

    async def _greet(self, person: Person, room: str) -> None:
        """Say something to somebody who just came in, and whose clients are reading the room."""
        await asyncio.sleep(self._dice.uniform(*GREETING_SECONDS))
        await self._say(person, room)

    async def _visit(self, user: int) -> None:
        """Come once more, just now."""
        await asyncio.sleep(self._dice.uniform(*MOMENT_SECONDS))
        await self._come(user)

    async def _change(self, person: Person, action: str, room: str = "", **facts: Any) -> str | None:
        """Send a command besides messages; return the room whose event it became."""
        uuid = new_uuid(self._dice)
        try:
            answer = await person.client.request(
                action, room=room or None, uuid=uuid, timeout_seconds=SEND_SECONDS, **facts
            )
        except RoomlogError:
            return None
        assert isinstance(answer, Sent)
        if not answer.duplicate:  # else it is the pair's room, made by another command
            self.changed.append((answer.room, uuid, answer))
        return answer.room
