"""What the workers publish, from Redis to the rooms, users and requests here. Stage: worker → fan-out.

Subscriptions survive a lost link: all are made again before anybody is told that the link is back. What was
published meanwhile is gone; heads find it. It must not know what a payload means.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Final

import hiredis
import structlog

from roomlog_runtime.causes import is_login_refused

from .. import metrics
from ..errors import NotSubscribed
from .link import RedisLink, pack

log = structlog.get_logger()

SUBSCRIBE_SECONDS: Final = 5.0
"""For one confirmation, a reconnect included."""
CHANNELS_AT_ONCE: Final = 500
"""Channels in one SUBSCRIBE after a reconnect."""
_PING: Final = b"*1\r\n$4\r\nPING\r\n"

PayloadHandler = Callable[[bytes], None]


class Subscriber:
    """The channels of this gateway and what each one's payloads are handed to."""

    name = "notices"

    def __init__(self, url: str, clock: Callable[[], float], on_resubscribed: Callable[[], None]) -> None:
        self.link = RedisLink(url, self, clock)
        self._on_resubscribed = on_resubscribed
        self._handlers: dict[bytes, PayloadHandler] = {}
        self._confirmed: set[bytes] = set()
        # bound: one for each channel that a connection here asked for
        self._expected: deque[asyncio.Future[None] | None] = deque()
        """For each confirmation that Redis still owes, in order: who waits for it."""
        self._in_flight: Counter[bytes] = Counter()
        """Confirmations that are owed by channel: only after the last one it is certain what holds."""
        self._waiting: dict[asyncio.Future[None], None] = {}
        # bound: what one turn of the loop brings
        self._unsent: list[bytes] = []
        self.is_up = False

    def want(self, handlers: Mapping[str, PayloadHandler]) -> None:
        """Add channels before the first connection is made; nobody waits for their confirmation."""
        self._handlers.update({channel.encode(): handler for channel, handler in handlers.items()})

    async def subscribe(self, handlers: Mapping[str, PayloadHandler]) -> None:
        """Wait until Redis has confirmed all channels; from there on nothing published is missed.

        Raises:
            NotSubscribed: no confirmation within 5 s; the channels stay wanted.
        """
        self.want(handlers)
        missing = [key for channel in handlers if (key := channel.encode()) not in self._confirmed]
        if not missing:
            return
        confirmed = asyncio.get_running_loop().create_future()
        self._waiting[confirmed] = None
        if self.is_up:
            self._send_subscribe(missing, confirmed)
        try:
            async with asyncio.timeout(SUBSCRIBE_SECONDS):
                await confirmed
        except TimeoutError:
            raise NotSubscribed from None
        finally:
            self._waiting.pop(confirmed, None)

    def unsubscribe(self, channels: Iterable[str]) -> None:
        """End subscriptions; a payload that is under way is dropped."""
        keys = [channel.encode() for channel in channels]
        for key in keys:
            self._handlers.pop(key, None)
            self._confirmed.discard(key)
        if self.is_up and keys:
            self._expect(keys, None)
            self._send(pack("UNSUBSCRIBE", *keys))

    def link_up(self) -> None:
        self.is_up = True
        metrics.REDIS_LINKS.labels(self.name).set(1)
        everything = asyncio.get_running_loop().create_future()
        # Only those who wait already: whoever comes later waits for a confirmation of its own, behind these.
        everything.add_done_callback(partial(self._resubscribed, list(self._waiting)))
        keys = list(self._handlers)
        for start in range(0, len(keys), CHANNELS_AT_ONCE):
            is_last = start + CHANNELS_AT_ONCE >= len(keys)
            self._send_subscribe(keys[start : start + CHANNELS_AT_ONCE], everything if is_last else None)

    def link_reply(self, reply: Any) -> None:
        if isinstance(reply, hiredis.ReplyError):
            name = str(reply).partition(" ")[0]
            log.error("redis_refuses_subscriptions", error=name, authentication_failed=is_login_refused(name))
            self.link.cut()
        if not isinstance(reply, list) or len(reply) != 3:
            return
        kind, channel, payload = reply
        if kind == b"message":
            handler = self._handlers.get(channel)
            if handler is not None:
                self._handle(handler, payload)
            return
        self._in_flight[channel] -= 1
        if not self._in_flight[channel]:
            del self._in_flight[channel]
            if kind == b"subscribe":
                self._confirmed.add(channel)
        confirmed = self._expected.popleft()
        if confirmed is not None and not confirmed.done():
            confirmed.set_result(None)

    def link_silent(self) -> None:
        self.link.write(_PING)

    def link_writable(self) -> None:
        """Do nothing: subscriptions are few, and the socket's buffer took them all."""

    def link_down(self) -> None:
        self.is_up = False
        metrics.REDIS_LINKS.labels(self.name).set(0)
        self._unsent.clear()
        self._confirmed.clear()
        self._expected.clear()
        self._in_flight.clear()

    def _send_subscribe(self, keys: list[bytes], confirmed: asyncio.Future[None] | None) -> None:
        self._expect(keys, confirmed)
        self._send(pack("SUBSCRIBE", *keys))

    def _send(self, data: bytes) -> None:
        """Write with all else that this turn of the loop brings: a crowd comes in few writes."""
        if not self._unsent:
            asyncio.get_running_loop().call_soon(self._flush)
        self._unsent.append(data)

    def _flush(self) -> None:
        if self._unsent:
            data, self._unsent = b"".join(self._unsent), []
            self.link.write(data)

    def _expect(self, keys: list[bytes], confirmed: asyncio.Future[None] | None) -> None:
        self._in_flight.update(keys)
        self._expected.extend([None] * (len(keys) - 1))
        self._expected.append(confirmed)

    def _resubscribed(
        self, waiting: Iterable[asyncio.Future[None]], everything: asyncio.Future[None]
    ) -> None:
        if everything.cancelled() or not self.is_up:
            return
        for confirmed in waiting:
            if not confirmed.done():
                confirmed.set_result(None)
        self._on_resubscribed()

    def _handle(self, handler: PayloadHandler, payload: bytes) -> None:
        try:
            handler(payload)
        except Exception:  # one bad notice must not end the link that carries everybody's
            log.exception("notice_failed")
