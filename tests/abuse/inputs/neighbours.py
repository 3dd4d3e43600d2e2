"""Two neighbours who chat on, whatever somebody else does to their gateway, worker and room.

Around the message's way, in a thread with a loop of its own: the tests beside them may block. Each message
must reach both within SECONDS, once and in order, or they stop and say why.
"""

import asyncio
import threading
from typing import Any, Final

from tests.harness.raw import Closed, RawSocket, text
from tests.harness.stack import Room, User
from tests.harness.waiting import wait_until

SECONDS: Final = 5.0
"""For one message from send to both: far above what is usual, far below what a person would call chatting."""
PAUSE_SECONDS: Final = 0.05


class Neighbours:
    """The chat of two members of a room; `messages` counts what has reached both."""

    def __init__(self, url: str, room: Room, users: tuple[User, User]) -> None:
        self.messages = 0
        self._url = url
        self._room = room
        self._users = users
        self._failure: BaseException | None = None
        self._is_ending = threading.Event()
        self._seqs = [0, 0]
        self._thread = threading.Thread(target=self._run, name="neighbours")

    def start(self) -> None:
        """Begin to chat; returns when the first message has reached both."""
        self._thread.start()
        self.assert_chatting(1)

    def stop(self) -> None:
        """End the chat; fails with what went wrong in it."""
        self._is_ending.set()
        self._thread.join(SECONDS * 4)
        assert not self._thread.is_alive(), "the neighbours did not come to an end"
        if self._failure is not None:
            raise self._failure

    def assert_chatting(self, messages: int = 2) -> None:
        """Wait until so many more messages have reached both."""
        goal = self.messages + messages
        wait_until(lambda: self.messages >= goal or self._failure, SECONDS * 2, "the neighbours chat on")
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            asyncio.run(self._chat())
        except BaseException as failure:  # it is raised in the test's own thread
            self._failure = failure

    async def _chat(self) -> None:
        async with RawSocket(self._url) as one, RawSocket(self._url) as other:
            for socket, user in zip((one, other), self._users, strict=True):
                await socket.open()
                await socket.write(text(f'{{"uuid":"n","action":"authenticate","token":"{user.token}"}}'))
                answer = await socket.receive()
                assert not isinstance(answer, Closed), answer
                assert answer["status"] == "success", answer
            while not self._is_ending.is_set():
                uuid = f"neighbour-{self.messages}"
                keys = f'"uuid":"{uuid}","action":"new_message","room":"{self._room.id}","text":"hello"'
                await (one, other)[self.messages % 2].write(text(f"{{{keys}}}"))
                async with asyncio.timeout(SECONDS):
                    for place, socket in enumerate((one, other)):
                        await self._read_until(socket, place, uuid)
                self.messages += 1
                await asyncio.sleep(PAUSE_SECONDS)

    async def _read_until(self, socket: RawSocket, place: int, uuid: str) -> None:
        """Read the room's events without a gap until this message comes."""
        frame: dict[str, Any] | Closed = {}
        while isinstance(frame, Closed) or frame.get("uuid") != uuid:
            frame = await socket.receive()
            assert not isinstance(frame, Closed), f"a neighbour was closed: {frame}"
            assert frame.get("status") == "success", frame
            assert frame["seq"] == self._seqs[place] + 1, f"a gap or a repeat after {self._seqs}: {frame}"
            self._seqs[place] = frame["seq"]
