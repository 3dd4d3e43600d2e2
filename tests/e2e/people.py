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
from tests.harness.joining import Invitations, new_invitations, tokens_of
from tests.harness.stack import Room, User
from tests.harness.stored import LOG, TABLES, rows_in, tables_in
from tests.judge.history import Epoch, Row
from tests.judge.moderation import Tables

ASK_PROGRAM: Final = """
import django, json, sys
django.setup()
from django.db import connection
answers = {}
with connection.cursor() as cursor:
    for name, question in json.load(sys.stdin).items():
        cursor.execute(question)
        answers[name] = cursor.fetchall()
print(json.dumps(answers, default=str))
"""
EPOCH: Final = {"epoch": "SELECT epoch FROM roomlog_install"}


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
    """Return all events of the rooms, the install's epoch, and what its other tables hold of the rooms."""
    names = ", ".join(f"'{room.id}'" for room in rooms)
    questions = {
        name: f"SELECT * FROM ({question}) AS asked WHERE room_id IN ({names})"
        if "room_id" in question
        else question
        for name, question in (LOG | TABLES).items()
    }
    answers = await _ask(cluster, ASK_PROGRAM, questions | EPOCH)
    ((epoch,),) = answers["epoch"]
    return rows_in(answers), Epoch(0.0, epoch), tables_in(answers)


async def invite(cluster: Cluster, rooms: list[Room]) -> Invitations:
    """Make invitations to each room, and return their tokens."""
    invitations = new_invitations(rooms)
    await _populate(cluster, {"users": [], "rooms": [], "invitations": invitations})
    return tokens_of(invitations)


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
