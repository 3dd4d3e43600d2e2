"""Makes the sample users and rooms of a first try, or finds them again, and prints them as one JSON object.

Beside the message's way. Rooms come about as for everybody: a command waits, a worker carries it out.
Not for an install with people in it: it gives an administrator a password that this machine can derive.
"""

import json
import logging
import sys
import time
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils.crypto import get_random_string, salted_hmac
from rest_framework.authtoken.models import Token

from roomlog.models import ChatRoom, PendingCommand
from roomlog.pending import request_command
from roomlog.people import person_of
from roomlog_contract.commands import CreateRoom
from roomlog_contract.shards import room_of

ADMIN: Final = "admin"
USERS: Final = ("alice", "bob", "carol", ADMIN)
ROOMS: Final = {"lobby": ("alice", "bob", "carol"), "team": ("alice", "bob")}
"""The first member makes the room."""
ROOMS_SECONDS: Final = 20.0
"""For the workers: taking the shards' leases can last 10 s after a crash."""
POLL_SECONDS: Final = 0.1
PASSWORD_CHARACTERS: Final = 12
ITERATIONS: Final = 1_000
"""Of the hash: the passwords are random, and a first start must not spend seconds on them. Django
strengthens each at its first login."""


class Command(BaseCommand):
    """`python -m django make_demo`: again is harmless."""

    help = "Create the users alice, bob, carol and admin and two rooms; print them as JSON."

    def handle(self, *args: Any, **options: Any) -> None:
        """Make what is missing, wait for the workers, print."""
        for handler in logging.getLogger().handlers:
            if isinstance(handler, logging.StreamHandler) and handler.stream is sys.stdout:
                handler.setStream(sys.stderr)  # standard output is for the JSON alone
        users = {name: _make_user(name) for name in USERS}
        rooms = {name: _ask_for_room(name, users) for name in ROOMS}
        _wait(set(rooms.values()))
        facts = {
            "users": [_user_facts(user) for user in users.values()],
            "rooms": [
                {"id": rooms[name].hex, "name": name, "members": list(members)}
                for name, members in ROOMS.items()
            ],
        }
        self.stdout.write(json.dumps(facts))


def _make_user(name: str) -> User:
    user, created = User.objects.get_or_create(
        username=name, defaults={"is_staff": name == ADMIN, "is_superuser": name == ADMIN}
    )
    if created or not user.check_password(_password(name)):
        user.password = PBKDF2PasswordHasher().encode(_password(name), get_random_string(22), ITERATIONS)
        user.save()
    return user


def _password(name: str) -> str:
    """Return the same password each time, but another in each install."""
    return salted_hmac("roomlog.demo", name).hexdigest()[:PASSWORD_CHARACTERS]


def _ask_for_room(name: str, users: dict[str, User]) -> UUID:
    owner, *others = (person_of(users[member]).pk for member in ROOMS[name])
    command = CreateRoom(uuid=f"demo-{name}", name=name, members=others)
    room = room_of(command, owner)
    is_waiting = PendingCommand.objects.filter(room=room).exists()
    if not is_waiting and not ChatRoom.objects.filter(pk=room).exists():
        with transaction.atomic():
            request_command(command, owner)
    return room


def _wait(rooms: set[UUID]) -> None:
    deadline = time.monotonic() + ROOMS_SECONDS
    while ChatRoom.objects.filter(pk__in=rooms).count() < len(rooms):
        if time.monotonic() > deadline:
            raise CommandError(f"No worker created the rooms in {ROOMS_SECONDS:.0f} s. Is one running?")
        time.sleep(POLL_SECONDS)


def _user_facts(user: User) -> dict[str, str]:
    token, _ = Token.objects.get_or_create(user=user)
    return {"name": user.username, "password": _password(user.username), "token": token.key}
