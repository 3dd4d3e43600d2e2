"""Questions of the gateway itself to a shard's worker: who is this, what are the heads, what did I miss.

Beside the commands of clients. A question that is not answered in time may be asked again: it changes
nothing.
"""

import asyncio
from typing import Final

from roomlog_contract.envelope import Reply
from roomlog_contract.keyspace import Keyspace

from ..errors import NoReply
from .envelope_sender import EnvelopeSender, Question
from .pending_requests import PendingRequests

STRIDE: Final = 27
"""From one shard to the next to be asked: neighbours have one owner, and so have even shards."""


class WorkerQuestions:
    """Asks, and waits for the reply."""

    def __init__(self, keyspace: Keyspace, requests: PendingRequests, sender: EnvelopeSender) -> None:
        self._keyspace = keyspace
        self._requests = requests
        self._sender = sender
        self._turn = 0

    async def ask(self, shard: int, question: Question, seconds: float) -> Reply:
        """Return the reply of a shard's worker.

        Raises:
            NotAccepted: it certainly was not sent.
            NoReply: nobody answered within `seconds`.
        """
        number, reply = self._requests.add_own()
        try:
            self._sender.send(self._keyspace.read_stream(shard), question, number)
            async with asyncio.timeout(seconds):
                return await reply
        except TimeoutError:
            raise NoReply from None
        finally:
            self._requests.forget_own(number)

    async def ask_any(self, question: Question, seconds: float) -> Reply:
        """Return the reply of the worker whose turn it is, to a question that each of them can answer.

        Raises:
            NotAccepted: it certainly was not sent.
            NoReply: nobody answered within `seconds`.
        """
        self._turn = (self._turn + STRIDE) % self._keyspace.shards
        return await self.ask(self._turn, question, seconds)
