"""The commands whose callers wait, and how each of them ends."""

import asyncio
from asyncio import Future
from typing import Any

from .errors import RoomlogError
from .events import Sent

Result = Sent | dict[str, Any]
"""How a command succeeds: as an event of a log, or with an answer's frame."""


class Answers:
    """The callers that wait, by the uuid of their command."""

    def __init__(self) -> None:
        self._waiting: dict[str, Future[Result]] = {}

    def expect(self, uuid: str) -> Future[Result]:
        """Return what the caller waits for."""
        answer = self._waiting[uuid] = asyncio.get_running_loop().create_future()
        return answer

    def forget(self, uuid: str) -> None:
        """End the waiting. Again is harmless."""
        self._waiting.pop(uuid, None)

    def settle(self, uuid: str, result: Result | RoomlogError) -> None:
        """Give the caller the end of the command, if one still waits."""
        answer = self._waiting.pop(uuid, None)
        if answer is None or answer.done():
            return
        if isinstance(result, RoomlogError):
            answer.set_exception(result)
        else:
            answer.set_result(result)
