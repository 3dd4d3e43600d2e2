"""The client's sockets and clock: carries out what `state.py` decides. First and last stage of a message.

One task keeps one connection open, whatever happens to it. Every wait has a deadline and every queue a bound.
No decision of the protocol is made here.
"""

import asyncio
import contextlib
import time
from asyncio import Queue
from collections.abc import Callable, Sequence
from typing import Final

import aiohttp

from roomlog_contract import limits

from .actions import AskToken, Disconnect, Fail, HandOn, Resolve, SendFrame
from .errors import Disconnected, ProtocolError, SignedOut
from .incoming import Authenticated, parse
from .observer import Observer
from .pace import BACKOFF_CAP_SECONDS
from .state import ClientState
from .tokens import NoToken, Token, ask_token

CONNECT_SECONDS: Final = 10.0
"""Longest wait for a socket: a gateway that does not answer the upgrade in this time is not well."""
WRITE_SECONDS: Final = 10.0
"""Longest wait until the socket takes a frame."""
PING_SECONDS: Final = 20.0
"""Between the client's own pings: a dead link is noticed after half as much again."""
SILENCE_SECONDS: Final = 60.0
"""Longest wait for anything to arrive; pongs count."""
CLOSE_SECONDS: Final = 2.0
"""Longest wait for the server's close frame."""
LONGEST_BYTES: Final = 4 * limits.PAGE_BYTES
"""Longest frame that is taken; the server's are a quarter of it at most."""
OUTGOING_FRAMES: Final = 128
"""Frames that wait to be written: four times what the state sends without an answer."""


class Driver:
    """Runs one client's state on real sockets."""

    def __init__(
        self,
        state: ClientState,
        urls: Sequence[str],
        token: Token,
        observer: Observer,
        deliver: Callable[[HandOn | Resolve | Fail], None],
    ) -> None:
        """`deliver` takes what concerns the application and must not wait."""
        self._state = state
        self._urls = urls
        self._token = token
        self._must_renew = asyncio.Event()
        self._observer = observer
        self._deliver = deliver
        self._connection = 0
        self._outgoing: Queue[SendFrame | Disconnect] = Queue(OUTGOING_FRAMES)
        self._changed = asyncio.Event()
        self.authenticated = asyncio.Event()
        """Set once the server has said who we are for the first time, and at the end."""

    async def run(self) -> None:
        """Keep a connection open until the state ends."""
        try:
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=CONNECT_SECONDS)) as session:
                while not self._state.is_ended:
                    await self._wait_until(self._state.reconnect_at)
                    if not self._state.is_ended:
                        await self._connect(session)
        finally:
            self._state.end(Disconnected("closed"))
            self.act()
            self.authenticated.set()

    def act(self) -> None:
        """Carry out the state's actions; never waits."""
        for action in self._state.take_actions():
            match action:
                case SendFrame():
                    if action.uuid:
                        self._observer.sent(self._connection, action.uuid)
                    self._outgoing.put_nowait(action)
                case Disconnect():
                    self._outgoing.put_nowait(action)
                case AskToken():
                    self._must_renew.set()
                case HandOn() | Resolve() | Fail():
                    self._deliver(action)
        self._changed.set()

    async def _connect(self, session: aiohttp.ClientSession) -> None:
        """Open one socket and serve it to its end."""
        retry_after, code = 0.0, None
        url = self._urls[self._connection % len(self._urls)]
        self._connection += 1
        try:
            token = await ask_token(self._token)
            code = await self._serve(await _open(session, url), token)
        except SignedOut as reason:
            self._state.end(reason)
        except NoToken as failure:
            self._observer.unreachable(self._connection, str(failure))
        except aiohttp.WSServerHandshakeError as refusal:
            retry_after = _retry_after_seconds(refusal)
            self._observer.unreachable(self._connection, f"it answers {refusal.status}")
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            # However the socket failed, the state decides when to try again.
            self._observer.unreachable(self._connection, reason_of(error))
        self._observer.disconnected(self._connection, code)
        self._state.closed(code, time.monotonic(), retry_after)
        self.act()

    async def _serve(self, socket: aiohttp.ClientWebSocketResponse, token: str) -> int | None:
        """Read, write and keep time until one of them ends; return the close code."""
        self._outgoing = Queue(OUTGOING_FRAMES)
        self._must_renew.clear()
        self._state.opened(time.monotonic(), token)
        self.act()
        parts = (self._read(socket), self._write(socket), self._keep_time(), self._renew())
        tasks = [asyncio.create_task(part) for part in parts]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)  # each has its own deadlines
        finally:
            for task in tasks:
                task.cancel()
            with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError):
                async with asyncio.timeout(2 * CLOSE_SECONDS):
                    await asyncio.wait(tasks)
                    await socket.close()
        for task in tasks:
            if not task.cancelled():
                task.result()
        return socket.close_code

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Take frames until the socket ends."""
        while True:
            message = await socket.receive(timeout=SILENCE_SECONDS)
            if message.type is not aiohttp.WSMsgType.TEXT:
                return
            try:
                incoming = parse(message.data)
            except ProtocolError:
                return  # of no use to anybody: begin anew
            self._observer.heard(self._connection, incoming)
            self._state.received(incoming, time.monotonic())
            if isinstance(incoming, Authenticated) and not incoming.more:
                self._observer.authenticated(self._connection)
                self.authenticated.set()
            self.act()

    async def _write(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Write what is to be sent until it is to be closed."""
        try:
            while isinstance(action := await self._outgoing.get(), SendFrame):
                async with asyncio.timeout(WRITE_SECONDS):
                    await socket.send_str(action.frame.decode())
        except ConnectionError:
            # The reader has that long to come to the server's close frame, which says why; its end is ours.
            await asyncio.sleep(CLOSE_SECONDS)
            raise

    async def _keep_time(self) -> None:
        """Let the state act whenever its time comes."""
        while True:
            self._changed.clear()
            at = self._state.next_tick_at(time.monotonic())
            if not await self._changes_before(at):
                self._state.tick(time.monotonic())
                self.act()

    async def _renew(self) -> None:
        """Show the server another token each time it says that the present one ends.

        Without one the server closes at the end, and the next connection asks again.
        """
        while True:
            await self._must_renew.wait()
            self._must_renew.clear()
            with contextlib.suppress(SignedOut, NoToken):
                token = await ask_token(self._token)
                self._state.renew(time.monotonic(), token)
                self.act()

    async def _wait_until(self, at: float) -> None:
        """Wait for the time to reconnect, or for the end."""
        while not self._state.is_ended:
            self._changed.clear()
            if not await self._changes_before(at):
                return

    async def _changes_before(self, at: float | None) -> bool:
        """Wait for the state to change, at most until `at`; tell whether it did."""
        seconds = None if at is None else max(0.0, at - time.monotonic())
        try:
            async with asyncio.timeout(seconds):
                return await self._changed.wait()
        except TimeoutError:
            return False


async def _open(session: aiohttp.ClientSession, url: str) -> aiohttp.ClientWebSocketResponse:
    async with asyncio.timeout(CONNECT_SECONDS):
        return await session.ws_connect(
            url,
            heartbeat=PING_SECONDS,
            max_msg_size=LONGEST_BYTES,
            timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_SECONDS),
        )


def reason_of(error: Exception) -> str:
    """Return the system's word where it has one: `Connection refused`, `Name or service not known`."""
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    return str(getattr(cause, "strerror", None) or type(error).__name__)


def _retry_after_seconds(refusal: aiohttp.WSServerHandshakeError) -> float:
    """Return what the server asked for, at most the longest backoff; dates are not understood."""
    value = refusal.headers.get("Retry-After", "0") if refusal.headers else "0"
    return min(float(value), BACKOFF_CAP_SECONDS) if value.isdigit() else 0.0
