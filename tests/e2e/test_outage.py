"""What people are told while the database is away, seen frame by frame."""

import asyncio
from uuid import uuid4

from roomlog_contract import limits
from tests.e2e import settings
from tests.e2e.cluster import Cluster, wait_while
from tests.e2e.people import make_rooms
from tests.harness.stack import Room, User
from tests.harness.waiting import eventually
from tests.harness.wire import SECONDS, Wire

REFUSED = 5
"""Commands beyond those that may wait for their answer; with them it is still one burst."""
DATABASE = f"statefulset/{settings.RELEASE}-postgresql"


async def test_without_a_database_people_are_told_to_wait_and_miss_nothing(
    cluster: Cluster, users: list[User]
) -> None:
    """What may wait waits, the next is `busy`; with the database back each uuid is stored exactly once."""
    (room,) = await make_rooms(cluster, users[:2], count=1)
    async with Wire(settings.WEBSOCKET, users[0]) as alice, Wire(settings.WEBSOCKET, users[1]) as bob:
        await alice.authenticate()
        await bob.authenticate()
        texts = {uuid4().hex: f"message {number}" for number in range(limits.UNANSWERED_COMMANDS + REFUSED)}
        try:
            await take_database_away(cluster)
            for uuid, text in texts.items():
                await alice.send("new_message", uuid, room=room.id, text=text)
            await eventually(lambda: len(refused(alice)) == REFUSED, SECONDS, "the last ones are refused")
            assert refused(alice) == list(texts)[-REFUSED:]
            assert alice.texts(room) == bob.texts(room) == []
        finally:
            await cluster.kubectl("scale", DATABASE, "--replicas=1")
        await cluster.wait_until_whole()
        await repeat_until_stored(alice, room, texts)
        await eventually(lambda: len(bob.texts(room)) >= len(texts), SECONDS, "the other has everything")
        assert sorted(bob.texts(room)) == sorted(texts.values())
        assert [event["seq"] for event in bob.events(room)] == list(range(1, len(texts) + 1))


async def take_database_away(cluster: Cluster) -> None:
    """Scale it to nothing and wait until its last process is gone."""
    await cluster.kubectl("scale", DATABASE, "--replicas=0")

    async def is_there() -> str:
        return ", ".join(pod["metadata"]["name"] for pod in await cluster.pods("postgresql"))

    await wait_while(is_there, SECONDS * 3)


def refused(wire: Wire) -> list[str]:
    """Return the uuids that were answered with `busy` and the time after which to repeat."""
    return [
        frame["uuid"]
        for frame in wire.frames
        if frame.get("error_code") == "busy" and frame["retry_after_ms"] > 0
    ]


async def repeat_until_stored(wire: Wire, room: Room, texts: dict[str, str]) -> None:
    """Send every uuid again, one after the other: no answer and `busy` both mean just that."""
    for uuid, text in texts.items():
        async with asyncio.timeout(SECONDS):
            answer = await wire.ask("new_message", uuid, room=room.id, text=text)
            while answer.get("error_code") == "busy":
                await asyncio.sleep(answer["retry_after_ms"] / 1_000)
                answer = await wire.ask("new_message", uuid, room=room.id, text=text)
        assert answer["status"] == "success", answer
