"""Users, rooms and the log of the install under test, made and read inside a pod that has Django.

Before and after the message's way: what a load needs, and what the checker compares with.
"""

import inspect
import json
import random
from typing import Any, Final
from uuid import uuid4

from tests.e2e import settings
from tests.e2e.cluster import Cluster
from tests.harness import population
from tests.harness.stack import Room, User
from tests.judge.history import Epoch, Row
from tests.judge.joining import Doors
from tests.judge.mentions import EVERYBODY, mentioned_by_message, mentions_in
from tests.judge.moderation import FOREVER, Ban, Member, Tables, moderation_of
from tests.judge.reactions import by_message
from tests.judge.receipts import shown_marks

ROWS_PROGRAM: Final = """
import django, json, sys
django.setup()
from roomlog.models import Ban, Block, ChatRoom, Install, Membership, Mention
from roomlog.models import Reaction, RoomEvent, RoomMention
rooms = json.load(sys.stdin)
rows = RoomEvent.objects.filter(room__in=rooms).order_by("room", "seq")
from roomlog.frames import milliseconds
def words_of(facts, text):
    if "discoverable" in facts:
        return "open" if facts["discoverable"] else "closed"
    return facts.get("topic", text)
print(json.dumps({"epoch": Install.objects.get().epoch, "rows": [
    (row.room_id.hex, row.seq, row.user_id, row.uuid, row.kind,
     words_of(row.data or {}, row.text), "", row.target or 0,
     row.edited_seq or 0, row.deleted_at is not None, row.body_hash, milliseconds(row.date_created),
     (row.data or {}).get("emoji", ""), row.reacted_seq or 0)
    for row in rows], "reactions": [
    (one.room_id.hex, one.target, one.user_id, one.emoji, one.seq)
    for one in Reaction.objects.filter(room__in=rooms)], "more": [
    [*((row.data or {}).get(name) for name in ("member", "role", "until")), row.pinned_seq or 0,
     {name: (row.data or {}).get(name) for name in ("mentions", "mentions_room")}]
    for row in rows], "mentioned": [
    (one.room_id.hex, one.target, one.user_id)
    for one in Mention.objects.filter(room__in=rooms)], "called": [
    (one.room_id.hex, one.target) for one in RoomMention.objects.filter(room__in=rooms)], "members": [
    (one.room_id.hex, one.user_id, one.role, one.muted_until and int(one.muted_until.timestamp()) or 0)
    for one in Membership.objects.filter(room__in=rooms)], "bans": [
    (one.room_id.hex, one.user_id, one.until and int(one.until.timestamp()) or None, one.seq)
    for one in Ban.objects.filter(room__in=rooms)], "blocks": [
    (one.blocker_id, one.blocked_id) for one in Block.objects.all()], "topics": {
    room.hex: topic for room, topic in ChatRoom.objects.filter(pk__in=rooms).values_list("pk", "topic")},
    "discoverable": [room.hex for room in
    ChatRoom.objects.filter(pk__in=rooms, is_discoverable=True).values_list("pk", flat=True)],
    "marks": [(room.hex, *mark) for room, *mark in Membership.objects.filter(
    room__in=rooms, room__receipts=True).values_list("room", "user", "read_seq")]}))
"""


async def make_users(cluster: Cluster, count: int = settings.USERS) -> list[User]:
    """Make users whose names nobody had before."""
    mark = uuid4().hex[:8]
    names = [f"user-{mark}-{number}" for number in range(count)]
    made = await _populate(cluster, {"users": names, "rooms": []})
    return [User(**user) for user in made["users"]]


async def make_rooms(cluster: Cluster, users: list[User], count: int = settings.ROOMS) -> list[Room]:
    """Make rooms with some of the users each; every user is in at least one."""
    rooms = []
    for number in range(count):
        others = random.sample(users, min(settings.MEMBERS, len(users)))
        members = {user.id: user for user in [*users[number::count], *others]}
        rooms.append(Room(uuid4().hex, f"e2e {number}", tuple(members.values())))
    wanted = [
        {"id": room.id, "name": room.name, "kind": "group", "members": [user.id for user in room.members]}
        for room in rooms
    ]
    await _populate(cluster, {"users": [], "rooms": wanted})
    return rooms


async def read_log(cluster: Cluster, rooms: list[Room]) -> tuple[list[Row], Epoch, Tables]:
    """Return all events of the rooms, the install's epoch, and the rooms' members and bans."""
    answer = await _ask(cluster, ROWS_PROGRAM, [room.id for room in rooms])
    called = ((room, seq, EVERYBODY) for room, seq in answer["called"])
    mentioned = mentioned_by_message([*answer["mentioned"], *called])
    reactions = by_message(answer["reactions"])
    log = (Row(*row) for row in answer["rows"])
    rows = [
        row._replace(
            reactions=reactions.get((row.room, row.seq), ()),
            moderation=moderation_of(row.kind, *facts),
            pinned_seq=pinned_seq,
            mentions=mentions_in(mentions),
            mentioned=mentioned.get((row.room, row.seq), ()),
        )
        for row, (*facts, pinned_seq, mentions) in zip(log, answer["more"], strict=True)
    ]
    bans = [
        Ban(room, user, FOREVER if until is None else until, seq) for room, user, until, seq in answer["bans"]
    ]
    doors = Doors(answer["discoverable"])
    blocks = [(blocker, blocked) for blocker, blocked in answer["blocks"]]
    members, marks = [Member(*one) for one in answer["members"]], shown_marks(answer["marks"])
    tables = Tables(members, bans, answer["topics"], doors, blocks, marks)
    return rows, Epoch(0.0, answer["epoch"]), tables


async def _populate(cluster: Cluster, wanted: dict[str, Any]) -> dict[str, Any]:
    return await _ask(cluster, inspect.getsource(population), wanted)


async def _ask(cluster: Cluster, program: str, question: Any) -> dict[str, Any]:
    """Run a program that reads JSON and prints JSON; log lines may follow it."""
    printed = await cluster.python(program, json.dumps(question))
    answer: dict[str, Any] = json.JSONDecoder().raw_decode(printed)[0]
    return answer


async def make_administrator(cluster: Cluster, name: str, password: str) -> None:
    """Make somebody who may do everything in the admin, with the command of the notes."""
    place = ("exec", f"deploy/{settings.RELEASE}-api", "-c", "api", "--")
    secret = ("env", f"DJANGO_SUPERUSER_PASSWORD={password}")
    command = ("python", "-m", "django", "createsuperuser", "--no-input", "--username", name)
    await cluster.kubectl(*place, *secret, *command, "--email", "somebody@example.org")
