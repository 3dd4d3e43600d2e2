"""REST keeps to its own description, whoever asks and whatever they send: no 5xx and no breach.

The seed is printed with what went wrong; ROOMLOG_REST_SEED takes another one. SIZE=full runs all phases.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.request import Request, urlopen
from uuid import uuid4

import pytest

from roomlog.shown_once import digest_of
from tests.abuse.fuzz.rest import fuzz_rest, writes_of
from tests.harness.stack import Room, Stack, User, build_stack
from tests.harness.stack_databases import Databases
from tests.harness.waiting import wait_until

SIZE: Final = "full" if os.environ.get("SIZE") == "full" else "small"
SEED: Final = int(os.environ.get("ROOMLOG_REST_SEED", "3"))
MIN_CASES: Final = 90
"""Three of each operation; a stranger's are fewer, because 401 ends them."""
MESSAGES: Final = 30
"""Few of them are deleted in a run."""
SECONDS: Final = 30.0
SECRET: Final = "s" * 43
"""Of each incoming hook."""
OPEN: Final = "POST /api/v1/hooks/{hook}/{secret}/"
"""What whoever knows the address may write."""
UNREACHED: Final = {"POST /api/v1/attachments/", "POST /api/v1/token/", "DELETE /api/v1/token/"}
"""Writes at which nothing drawn succeeds, such as a right password, and what would end the run."""
pytestmark = pytest.mark.parametrize(
    "databases", ["postgres"] if SIZE == "small" else ["sqlite", "postgres"], indirect=True
)


@pytest.fixture(scope="module")
def stack(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A worker and an api without a pace."""
    stack = build_stack(tmp_path_factory.mktemp("rest") / "stack", databases, gateways=0)
    stack.add_api(DJANGO_SETTINGS_MODULE="tests.abuse.fuzz.unpaced")
    try:
        stack.start()
        yield stack
    finally:
        assert stack.close() == []


def say_some(stack: Stack, user: User, room: Room) -> list[int]:
    """Return the ids of messages that somebody has said: to be changed, each by what is drawn."""
    about = f"{stack.page}/api/v1/rooms/{room.id}/messages/"
    headers = {"Authorization": f"Token {user.token}", "Content-Type": "application/json"}
    for number in range(MESSAGES):
        body = json.dumps({"text": f"message {number}"}).encode()
        urlopen(Request(about, body, headers), timeout=SECONDS).close()
    stored = "SELECT id FROM roomlog_roomevent WHERE kind = 'new_message' AND user_id = %s ORDER BY id"
    wait_until(lambda: len(stack.sql(stored, user.id)) == MESSAGES, SECONDS, "the messages are stored")
    return [number for (number,) in stack.sql(stored, user.id)]


def make_hook(stack: Stack, *members: User) -> str:
    """Return the id of a new incoming hook, in a room of its own, which nobody archives."""
    (room,) = stack.make_rooms([members])
    number = uuid4().hex
    (person,) = stack.sql("INSERT INTO roomlog_person (name, avatar) VALUES (%s, '') RETURNING id", number)
    stack.sql(
        "INSERT INTO roomlog_incominghook (id, room_id, person_id, digest, date_created)"
        " VALUES (%s, %s, %s, %s, now())",
        *(number, room.id, person[0], digest_of(SECRET)),
    )
    return number


def make_invitation(stack: Stack, user: User, room: Room, token: str) -> str:
    """Return the id of a new invitation to somebody's room."""
    number = uuid4().hex
    stack.sql(
        "INSERT INTO roomlog_invitation"
        " (id, room_id, creator_id, digest, uuid, role, until, uses, date_created)"
        " VALUES (%s, %s, %s, %s, %s, 'member', now() + interval '1 day', 0, now())",
        *(number, room.id, user.id, digest_of(token), number),
    )
    return number


@pytest.mark.parametrize("who", ["a stranger", "a user", "staff"])
def test_rest_keeps_to_its_description(stack: Stack, tmp_path: Path, who: str) -> None:
    """Strangers, users in a room of theirs, and users who may use the admin; each write succeeds once."""
    user, member, other = stack.make_users(3)
    (room,) = stack.make_rooms([[user, member]])
    if who == "staff":
        stack.sql("UPDATE auth_user SET is_staff = %s WHERE username = %s", True, user.name)
    (elsewhere,) = stack.make_rooms([[user, member]])
    make_invitation(stack, user, elsewhere, token := uuid4().hex)
    told = fuzz_rest(
        stack,
        tmp_path / "told",
        seed=SEED,
        size=SIZE,
        token="" if who == "a stranger" else user.token,
        known={
            "room": [room.id],
            "user": [member.id, other.id],
            "message": say_some(stack, user, room),
            "hook": [make_hook(stack, user, member)],
            "secret": [SECRET],
            "invitation": [make_invitation(stack, user, elsewhere, uuid4().hex)],
            "token": [token],
            "open": [elsewhere.id],
            "emoji": ["👍"],
        },
    )
    print(told.report)
    due = {OPEN} if who == "a stranger" else writes_of(stack.page) - UNREACHED
    assert due - told.accepted == set(), "nothing of them was accepted"
    assert told.is_clean, told.report
    assert told.cases > MIN_CASES, told.report
    stack.assert_no_traceback()
