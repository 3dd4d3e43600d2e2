"""After the subscriptions of a login: is all as it was read before? One question for many says so."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from roomlog_contract.envelope import Identified, Identify
from roomlog_gateway.rooms import authentication
from tests.gateway.running import Connect, Running
from tests.gateway.stub_worker import StubRoom, StubWorker


def looks(worker: StubWorker) -> list[int]:
    """Return how many logins each such question was about."""
    return [len(question.logins) for question in worker.asked_together() if question.has_heads]


async def test_logins_of_one_turn_look_together(
    worker: StubWorker, room: StubRoom, enter: Connect, gateway: Running
) -> None:
    """One question for all; of one that differs nothing is said, and it spoils no other."""
    for user in (1, 2, 3):
        await enter(user)
    sessions = [connection.session for connection in gateway.gateway.connections]
    read = [worker._identify(0, session.login) for session in sessions]
    read[1] = replace(read[1], readers=[room.id])
    worker.lasts_ms["token-1"] = 1_000
    before, second_look = len(looks(worker)), gateway.gateway._authentication._second_look
    found = await asyncio.gather(
        *(second_look.look(one, said, 20) for one, said in zip(sessions, read, strict=True))
    )
    assert looks(worker)[before:] == [3]
    assert found == [replace(read[0], expires_in_ms=1_000), None, read[2]]
    assert len(worker.asked_alone()) == 3


CHANGES: dict[str, Callable[[StubRoom], Any]] = {
    "a message": lambda room: room.append(1, "unheard", "hello"),
    "another room": lambda room: room.worker.add_room(2),
    "no room": lambda room: room.members.discard(2),
    "the role": lambda room: room.readers.add(2),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_what_happened_before_the_subscription_is_read(
    worker: StubWorker, room: StubRoom, enter: Connect, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """Nobody published it, so only the look finds it; the answer is of what was read then."""
    real = worker._carry_out

    async def change_after_the_first_read(envelope: Any) -> Any:
        reply = await real(envelope)
        if isinstance(reply, Identified) and not envelope.command.is_recheck:
            CHANGES[change](room)
        return reply

    monkeypatch.setattr(worker, "_carry_out", change_after_the_first_read)
    client = await enter(2)
    assert [command.is_recheck for command in worker.asked_alone()][:2] == [False, True]
    told = {one["id"]: one["seq"] for one in client.received[0]["rooms"]}
    assert told == {one.hex: one.head for one in worker.rooms.values() if 2 in one.members}


@pytest.mark.parametrize("why", ["old", "silent", "by_project"])
async def test_without_an_answer_for_many_each_is_read_alone(
    worker: StubWorker, room: StubRoom, enter: Connect, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    """By a worker of the release before, by one that dies, or where the project's own code may take long."""
    worker.is_old = why == "old"
    monkeypatch.setattr(authentication, "IDENTIFY_TRY_SECONDS", 0.1)
    real = worker._carry_out

    async def carry_out(envelope: Any) -> Any:
        if why == "silent" and isinstance(envelope.command, Identify) and envelope.command.logins:
            return None
        reply = await real(envelope)
        return replace(reply, is_by_project=why == "by_project") if isinstance(reply, Identified) else reply

    monkeypatch.setattr(worker, "_carry_out", carry_out)
    client = await enter(1)
    assert client.received[0]["rooms"][0]["id"] == room.hex
    assert worker.asked_of("token-1") == 2
    assert len(looks(worker)) == (why != "by_project")
