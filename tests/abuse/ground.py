"""Where the attacks happen: a whole stack on PostgreSQL, a bystander, and accounts with much behind them.

Before the attacks. Attacker and bystander share gateway, worker and shard; each has a process and a core of
its own, where the machine has two.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

from roomlog_contract import limits
from roomlog_contract.keyspace import Keyspace
from tests.abuse.attacker import CONNECTIONS
from tests.abuse.attacks import DEAREST_TEXT
from tests.abuse.inputs.provoking import next_of, sign_in
from tests.abuse.job import Account, Job
from tests.harness.raw import Closed, RawSocket, text
from tests.harness.stack import Room, Stack, User, build_stack
from tests.harness.stack_databases import PostgresDatabases
from tests.harness.waiting import wait_until

ROOT: Final = Path(__file__).resolve().parents[2]
COLLECTED_ROOMS: Final = 2 * limits.ROOMS_PER_USER - limits.ROOM_CREATIONS_PER_MINUTE
"""As many as one may be in: rooms of one's own, and rooms that others brought one into."""
BYSTANDING_PAIRS: Final = 3
"""So many that an attack of 4 s sees over a hundred sends: a p99 of fewer is their slowest."""
LONG_MESSAGES: Final = 200
RESTLESS_EVENTS: Final = 200_000
"""Joins and leaves of the restless room, behind which its few messages lie."""
STOP_SECONDS: Final = 15.0
ATTACK_GRACE_SECONDS: Final = 30.0
"""For an attacker's process to start and end, besides the attack."""
_MESSAGES: Final = "SELECT id FROM roomlog_roomevent WHERE room_id = %s AND number IS NOT NULL ORDER BY seq"
_RESTLESS: Final = """
INSERT INTO roomlog_roomevent
  (room_id, seq, number, kind, user_id, uuid, body_hash, text, data, date_created)
SELECT %s::uuid, seq, NULL, CASE seq %% 2 WHEN 0 THEN 'invite_user' ELSE 'remove_user' END, %s,
  'restless-' || seq, '', '', jsonb_build_object('member', %s::bigint, 'role', 'member'), now()
FROM generate_series(1, %s) AS seq
"""


@dataclass(frozen=True)
class Ground:
    """A stack with everybody in it."""

    stack: Stack
    databases: PostgresDatabases
    job: Job
    """What every attack gets, but for its name and its seconds."""
    bystanders: Sequence[User]
    """In pairs: one sends, the next one receives."""

    @property
    def pids(self) -> dict[str, int]:
        """The processes that must stay and keep their size."""
        children = {name: self.stack.child(name) for name in self.stack.names}
        children["postgres"] = self.databases.server.child
        return {name: child.pid or 0 for name, child in children.items()}

    @contextmanager
    def bystander(self, log: Path) -> Iterator[None]:
        """Let the bystander chat; what they see goes to the log."""
        with log.open("w") as seen, log.with_suffix(".err").open("w") as said:
            process = subprocess.Popen(
                [*_on_core(0), sys.executable, "-m", "tests.abuse.bystander"],
                cwd=ROOT,
                env=_environ(),
                stdin=subprocess.PIPE,
                stdout=seen,
                stderr=said,
                text=True,
            )
            assert process.stdin is not None
            facts = {"websocket": self.job.websocket, "page": self.job.page, "room": self.job.shared}
            users = [asdict(user) for user in self.bystanders]
            process.stdin.write(json.dumps({**facts, "users": users}) + "\n")
            process.stdin.flush()
            try:
                wait_until(lambda: '"message"' in log.read_text(), STOP_SECONDS, "the bystander chats")
                yield
                assert process.poll() is None, log.with_suffix(".err").read_text()[-2000:]
            finally:
                process.stdin.close()
                try:
                    process.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()

    def attack(self, name: str, seconds: float) -> dict[str, Any]:
        """Carry out an attack and return what was sent and told."""
        job = {**asdict(self.job), "attack": name, "seconds": seconds}
        done = subprocess.run(
            [*_on_core(-1), sys.executable, "-m", "tests.abuse.attacker"],
            cwd=ROOT,
            env=_environ(),
            input=json.dumps(job),
            capture_output=True,
            text=True,
            timeout=seconds + ATTACK_GRACE_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        tally: dict[str, Any] = json.loads(done.stdout)
        return tally


@contextmanager
def prepare(directory: Path, databases: PostgresDatabases) -> Iterator[Ground]:
    """Start a stack and fill it."""
    stack = build_stack(directory, databases, workers=2, api=True)
    try:
        stack.start()
        yield Ground(stack, databases, *_populate(stack))
    finally:
        stack.close()


def _populate(stack: Stack) -> tuple[Job, Sequence[User]]:
    bystanders = stack.make_users(2 * BYSTANDING_PAIRS)
    member, collector, *crowd = stack.make_users(2 + limits.ROOM_MEMBERS_AT_CREATION)
    members = [[*bystanders, member], [member], [member], [member]]
    shared, own, long, restless = _on_one_shard(stack, members)
    collected = stack.make_rooms([[collector]] * COLLECTED_ROOMS)
    asyncio.run(_fill(stack.websocket(), member, long.id))
    _agitate(stack, restless, member)
    job = Job(
        attack="",
        seconds=0.0,
        websocket=stack.websocket(),
        page=stack.page,
        member=Account(member.id, member.token),
        collector=Account(collector.id, collector.token),
        room=own.id,
        shared=shared.id,
        long=long.id,
        messages=[row[0] for row in stack.sql(_MESSAGES, UUID(long.id))],
        restless=restless.id,
        rooms=[room.id for room in collected],
        people=[user.id for user in crowd],
        epoch=stack.sql("SELECT epoch FROM roomlog_install")[0][0],
    )
    return job, bystanders


def _on_one_shard(stack: Stack, members: Sequence[Sequence[User]]) -> list[Room]:
    """Return rooms that one worker writes, in one stream."""
    first = uuid4()
    ids = [first]
    while len(ids) < len(members):
        other = uuid4()
        if Keyspace().shard_of_room(other) == Keyspace().shard_of_room(first):
            ids.append(other)
    return stack.make_rooms(members, ids=[one.hex for one in ids])


async def _fill(url: str, user: User, room: str) -> None:
    """Say the largest messages, as an account may: some at once, then at the legal rate."""

    async def say(number: int) -> None:
        async with RawSocket(url) as socket:
            await sign_in(socket, user)
            for place in range(number, LONG_MESSAGES, CONNECTIONS):
                command = {
                    "uuid": f"long-{place}",
                    "action": "new_message",
                    "room": room,
                    "text": DEAREST_TEXT,
                }
                answer = await _ask(socket, user, command)
                while answer.get("error_code") == "rate_limited":
                    await asyncio.sleep(answer["retry_after_ms"] / 1000)
                    answer = await _ask(socket, user, command)
                assert answer["status"] == "success", answer

    await asyncio.gather(*map(say, range(CONNECTIONS)))


async def _ask(socket: RawSocket, user: User, command: dict[str, str]) -> dict[str, Any]:
    await socket.write(text(json.dumps(command)))
    answer = await next_of(socket, user)
    while not isinstance(answer, Closed) and answer["uuid"] != command["uuid"]:
        answer = await next_of(socket, user)
    assert not isinstance(answer, Closed)
    return answer


def _agitate(stack: Stack, room: Room, user: User) -> None:
    """Give a room a log of joins and leaves."""
    stack.sql(_RESTLESS, UUID(room.id), user.id, user.id, RESTLESS_EVENTS)
    stack.sql("UPDATE roomlog_roomhead SET last_seq = %s WHERE room_id = %s", RESTLESS_EVENTS, UUID(room.id))


def _environ() -> dict[str, str]:
    """Return an environment in which the tests and the packages beside them can be imported."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)])}


def _on_core(place: int) -> list[str]:
    """Return the words that keep a process on the first (0) or the last (-1) core."""
    cores = sorted(os.sched_getaffinity(0))
    return ["taskset", "-c", str(cores[place])] if len(cores) > 1 else []
