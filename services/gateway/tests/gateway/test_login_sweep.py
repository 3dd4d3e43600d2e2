"""Connections in their turn: one question for many, and only what differs is asked for alone."""

from typing import Any

import pytest

from roomlog_contract.envelope import Identify, ReadHeads
from roomlog_gateway.rooms import login_sweep
from roomlog_gateway.rooms.login_portions import SECRETS_BYTES, portions
from tests.gateway.running import Connect, Running
from tests.gateway.stub_worker import StubRoom, StubWorker
from tests.harness.waiting import eventually


@pytest.fixture(autouse=True)
def no_turns(gateway: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """No turn comes but those that a test asks for."""
    monkeypatch.setattr("roomlog_gateway.gateway.RECHECK_SLOTS", 1_000_000)
    gateway.gateway._hurried_seconds = 0


def swept(worker: StubWorker) -> list[Identify]:
    """Return the questions of the sweep."""
    return [question for question in worker.asked_together() if not question.has_heads]


async def sweep(gateway: Running, worker: StubWorker) -> None:
    """Compare all connections, and wait until nothing of it is under way."""
    asked = len(swept(worker))
    inside = gateway.gateway
    inside._sweep.compare([connection.session for connection in inside.connections])
    await eventually(lambda: len(swept(worker)) > asked, 20, "it is asked")
    await eventually(lambda: not inside._requests._own, 20, "all is answered")


async def test_many_that_are_as_they_were_cost_one_question(
    worker: StubWorker, room: StubRoom, enter: Connect, gateway: Running
) -> None:
    """Where they may not write counts among what they were; how long a token lasts is heard all the same."""
    room.readers, room.muted = {2}, {3}
    worker.add_room(1, 3)
    clients = [await enter(user) for user in (1, 1, 2, 3, 4)]
    worker.lasts_ms["token-2"] = 3_000
    asked = len(worker.asked_alone())
    await sweep(gateway, worker)
    [question] = swept(worker)
    assert len(question.logins) == len(clients)
    assert len(worker.asked_alone()) == asked
    assert (await clients[2].event("expiring"))["expires_in_ms"] <= 3_000


async def test_only_those_that_differ_are_asked_for_alone(
    worker: StubWorker, room: StubRoom, enter: Connect, gateway: Running
) -> None:
    """Who left a room, came into one, or was muted, without a word of it."""
    left, came, muted, same = [await enter(user) for user in (1, 4, 2, 3)]
    room.members.discard(1)
    room.muted.add(2)
    other = worker.add_room(4)
    await sweep(gateway, worker)
    assert (await left.event("room_left"))["room"] == room.hex
    assert (await came.event("room_joined"))["room"]["id"] == other.hex
    (session,) = gateway.members.connections(2)
    restrictions = gateway.rooms[room.id].restrictions
    await eventually(lambda: restrictions.refusal(session) is not None, 20, "the mute is known")
    assert worker.asked_of("token-3") == 1  # by its authenticate
    assert [(await client.ask("ping"))["status"] for client in (muted, same)] == ["success"] * 2


async def test_what_nobody_answers_for_is_asked_for_alone(
    worker: StubWorker, room: StubRoom, enter: Connect, gateway: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker whose turn it was may be dead; each connection's own question goes to another."""
    monkeypatch.setattr(login_sweep, "IDENTIFY_TRY_SECONDS", 0.1)
    client = await enter(1)
    real, dropped = worker._carry_out, list[Identify]()

    async def drop_one(envelope: Any) -> Any:
        if isinstance(envelope.command, Identify) and envelope.command.logins:
            dropped.append(envelope.command)
            return None
        return await real(envelope)

    monkeypatch.setattr(worker, "_carry_out", drop_one)
    del worker.users["token-1"]
    await sweep(gateway, worker)
    assert await client.close_code() == 4403
    assert len(dropped) == 1


async def test_questions_go_round_the_workers(
    worker: StubWorker, room: StubRoom, enter: Connect, gateway: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No two of any few in a row go to one shard, so that one dead worker does not hold up all."""
    shards: list[int] = []
    questions = gateway.gateway._heads._questions
    real = questions.ask

    async def ask(shard: int, question: Any, seconds: float) -> Any:
        if isinstance(question, ReadHeads):
            shards.append(shard)
        return await real(shard, question, seconds)

    monkeypatch.setattr(questions, "ask", ask)
    await enter(1)
    for _ in range(8):
        asked = len(shards)
        gateway.gateway._heads.at_once()
        await eventually(lambda: len(shards) > asked, 20, "the heads are asked for")  # noqa: B023 - at once
    assert len(set(shards[:8])) == 8
    assert len({shard % 2 for shard in shards[:8]}) == len({shard < 32 for shard in shards[:8]}) == 2


@pytest.mark.parametrize(("number", "length", "questions"), [(250, 40, 3), (20, 4096, 2), (1, 4096, 1)])
def test_no_question_is_too_large(stage: Any, number: int, length: int, questions: int) -> None:
    """A hundred logins, and fewer where the tokens are long; each is in one."""
    sessions = [stage.session() for _ in range(number)]
    for session in sessions:
        session.login = Identify(uuid="identify", token="t" * length)
    made = list(portions(sessions))
    assert len(made) == questions
    assert [session for portion in made for session in portion] == sessions
    assert all(sum(len(one.login.secret) for one in portion) <= SECRETS_BYTES for portion in made)
