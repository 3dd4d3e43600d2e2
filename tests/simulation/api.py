"""The api's process: requests that commit something and then tell Redis.

Beside the message's way. Services and signals are the product's; HTTP is not simulated.
"""

import asyncio
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final
from unittest.mock import patch

from django.db import DatabaseError, InterfaceError, transaction

from roomlog import notices

from .processes import Process, Thread, current
from .redis_model import ModelRedis
from .workers import RedisClient


class Api:
    """One process that serves people."""

    def __init__(self, loop: asyncio.AbstractEventLoop, dice: random.Random, redis: ModelRedis) -> None:
        self.process = Process(loop, "api")
        self.redis = RedisClient(self.process, redis, dice)
        self._bus = notices.Bus("redis://api:6379/0", loop.time)

    async def request(self, do: Callable[[], object]) -> bool:
        """Do something in a transaction, in a thread of its own; return whether it was committed."""

        def do_all() -> None:
            with transaction.atomic():
                do()

        return await self.run(do_all)

    async def run(self, do: Callable[[], object]) -> bool:
        """Do something in a thread of its own; return whether nothing was in trouble."""
        done: asyncio.Future[bool] = self.process.loop.create_future()

        def serve() -> None:
            is_done = False
            try:
                do()
                is_done = True
            except (DatabaseError, InterfaceError):  # people would be told to come back
                pass
            finally:
                if not done.done():
                    done.set_result(is_done)

        Thread(serve, "request", process=self.process).start()
        return await done

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Send signals to Redis from this process alone, as workers disconnect them."""

        def bus() -> Any:
            return self._bus if current().process is self.process else _DEAF

        with patch.object(notices, "_bus", bus):
            yield


class _Deaf:
    """Stands for a worker's disconnected signals."""

    def attempt(self, send: Callable[[Any], object]) -> None:
        """Tell nobody."""


_DEAF: Final = _Deaf()
