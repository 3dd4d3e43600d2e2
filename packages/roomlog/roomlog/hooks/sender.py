"""Posts to webhooks' addresses: the one place that opens connections to addresses which people have typed in.

After the message's way. It follows no redirect, reads little of an answer, takes no proxy from the
environment, and connects to the addresses that `addresses` allows. Its event loop runs in a thread, and no
other thread waits for it.
"""

import asyncio
import socket
from concurrent.futures import Future
from threading import Thread
from typing import Any, Final

import aiohttp

from .addresses import AddressRefused, refuse_private

DEADLINE_SECONDS: Final = 10.0
"""For name, connection, TLS, request and answer together."""
END_SECONDS: Final = 5.0
"""For opening and closing, which wait for nobody."""
ANSWER_BYTES: Final = 16 * 1024
"""Read of an answer, so that its connection can be used again; a longer one is cut off."""
NO_HTTPS: Final = "no https"
IDLE_SECONDS: Final = 30.0


class Sender:
    """One HTTP client with its thread. Used by all threads that deliver."""

    def __init__(self, *, allows_private: bool) -> None:
        self._allows_private = allows_private
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="webhooks", daemon=True)
        self._thread.start()
        self._session = self._run(self._open())

    def post(self, url: str, body: bytes, headers: dict[str, str]) -> "Future[int | str]":
        """Return what becomes the status of the answer, or the class of the error that came instead of one.

        Cancelled by `close`. The caller bounds how many there are at a time.
        """
        return asyncio.run_coroutine_threadsafe(self._post(url, body, headers), self._loop)

    def close(self) -> None:
        """End all posts, connections and the thread."""
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(END_SECONDS)
        self._loop.close()

    def _run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(END_SECONDS)

    async def _end(self) -> None:
        posts = asyncio.all_tasks() - {asyncio.current_task()}
        for post in posts:
            post.cancel()
        await asyncio.gather(*posts, return_exceptions=True)  # deadline: they are cancelled
        await self._session.close()  # deadline: it only closes sockets

    async def _open(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE_SECONDS, socket_factory=self._socket)
        return aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=None),  # `_answer` has the deadline
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )

    def _socket(self, address: Any) -> socket.socket:
        """Return a socket for an address that was resolved and is connected to next."""
        family, kind, protocol, _, place = address
        if not self._allows_private:
            refuse_private(place[0])
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        return made

    async def _post(self, url: str, body: bytes, headers: dict[str, str]) -> int | str:
        if not self._allows_private and not url.startswith("https://"):
            return NO_HTTPS
        try:
            return await self._answer(url, body, headers)
        except aiohttp.ClientConnectorError as error:
            cause = error.os_error
            return str(cause) if isinstance(cause, AddressRefused) else type(error).__name__
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return type(error).__name__

    async def _answer(self, url: str, body: bytes, headers: dict[str, str]) -> int:
        async with asyncio.timeout(DEADLINE_SECONDS):
            async with self._session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
                await answer.content.read(ANSWER_BYTES)
                status: int = answer.status
                return status
