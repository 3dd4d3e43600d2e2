"""A model of the Redis that Roomlog uses: streams that are queues, channels that forget, and its faults.

Between gateway and worker. Only the commands of the product are known; `test_redis_contract.py` holds their
replies to those of a real Valkey. It must not be cleverer than Redis: what is lost is lost without a word.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable, Collection
from typing import Any, Final, Protocol

from roomlog_contract.keyspace import Keyspace

KEYSPACE: Final = Keyspace()
Words = list[bytes]
EntryId = tuple[int, int]
ENTRY_BYTES: Final = 128
"""About what one entry weighs beside its value: MEMORY USAGE needs no more truth than that."""
COMMANDS_WITH_MEMORY: Final = frozenset({b"XADD", b"HINCRBY"})
"""Those of the product that Redis refuses when it is full; PUBLISH is none of them."""


BLOCKED: Final[list[Any]] = []
"""No reply yet."""


class RedisRefusal(Exception):
    """An error reply."""


class Listener(Protocol):
    """A connection that may subscribe."""

    def push(self, message: list[Any]) -> None:
        """Sends a message of a channel, or loses it."""


class ModelRedis:
    """One server's memory and moods."""

    def __init__(self, loop: asyncio.AbstractEventLoop, dice: random.Random) -> None:
        self._loop = loop
        self._dice = dice
        self.streams: dict[bytes, dict[EntryId, bytes]] = {}
        self._last_ids: dict[bytes, EntryId] = {}
        self.channels: dict[bytes, dict[Listener, None]] = defaultdict(dict)
        self.is_down = False
        """Nobody is let in, and who was in is thrown out."""
        self.is_full = False
        """Answers -OOM to what takes memory."""
        self.doubles = 0.0
        """How likely an XADD is executed twice."""
        self.clock_offset_seconds = 0.0
        """What its clock is behind or ahead of everybody's."""
        self.added: list[tuple[float, bytes, EntryId]] = []
        """Every entry with the time of its arrival: the tail that a failover loses."""
        self.lost: list[bytes] = []
        """Values of entries that Redis lost by itself."""
        self.taken: list[bytes] = []
        """Values of all entries that it ever took."""
        self._readers: dict[Callable[[], None], frozenset[bytes]] = {}
        """Who waits for an entry, of which streams."""
        self._hashes: dict[bytes, dict[bytes, int]] = {}
        self._claim: tuple[bytes, float] = (b"", 0.0)
        """Who holds the prefix, and until when."""

    def execute(self, words: Words, listener: Listener) -> list[Any]:
        """Return the replies to one command: one, but for (UN)SUBSCRIBE one for each channel.

        `BLOCKED` is the reply to a read that is to wait, and to be executed again when there is something.
        """
        name = words[0].upper()
        try:
            if name == b"XREAD" and not (found := self._read(words)):
                return BLOCKED if b"BLOCK" in words else [None]
            if name == b"XREAD":
                return [found]
            if self.is_full and name in COMMANDS_WITH_MEMORY:
                raise RedisRefusal("OOM command not allowed when used memory > 'maxmemory'.")
            if name in {b"SUBSCRIBE", b"UNSUBSCRIBE"}:
                return [self._subscription(name, channel, listener) for channel in words[1:]]
            return [self._reply(name, words)]
        except RedisRefusal as refusal:
            return [refusal]

    def _reply(self, name: bytes, words: Words) -> Any:  # noqa: PLR0911 - one for each command
        match name:
            case b"XADD":
                return self._add(words[1], words[4])
            case b"XLEN":
                return len(self.streams.get(words[1], ()))
            case b"MEMORY":
                entries = self.streams.get(words[2])
                return sum(ENTRY_BYTES + len(value) for value in entries.values()) if entries else None
            case b"PING":
                return "PONG"
            case b"PUBLISH":
                return self.publish(words[1], words[2])
            case b"XDEL":
                return self.delete(words[1], [_id(word) for word in words[2:]])
            case b"EVAL":
                return self._claimed(words[4], int(words[5]) / 1000)
            case b"HINCRBY":
                counts = self._hashes.setdefault(words[1], {})
                counts[words[2]] = counts.get(words[2], 0) + int(words[3])
                return counts[words[2]]
            case b"HDEL":
                counts = self._hashes.get(words[1], {})
                return sum(counts.pop(word, None) is not None for word in words[2:])
            case b"HKEYS":
                return list(self._hashes.get(words[1], ()))
            case b"CLIENT":
                return "OK"
            case _:
                raise RedisRefusal(f"ERR unknown command {name!r}")

    def _read(self, words: Words) -> list[Any]:
        """XREAD: the first entries behind an id of each stream that has any, at most COUNT of each."""
        count = int(words[words.index(b"COUNT") + 1])
        names = streams_of(words)
        found = []
        for stream, after in zip(names, words[-len(names) :], strict=True):
            if entries := self.streams.get(stream):
                least = (0, 0) if after == b"0" else _id(after)
                later = [[b"%d-%d" % key, [b"e", value]] for key, value in entries.items() if key > least]
                if later:
                    found.append([stream, later[:count]])
        return found

    def _claimed(self, mine: bytes, seconds: float) -> bytes:
        """Do what the worker's script does: claim the prefix, and return who holds it."""
        holder, until = self._claim
        is_free = not holder or until < self._loop.time()
        if is_free and self.is_full:
            return mine
        if is_free or holder == mine:
            self._claim = (mine, self._loop.time() + seconds)
        return self._claim[0]

    def delete(self, stream: bytes, ids: Collection[EntryId]) -> int:
        """XDEL."""
        entries = self.streams.get(stream, {})
        return sum(entries.pop(key, None) is not None for key in ids)

    def publish(self, channel: bytes, payload: bytes) -> int:
        """PUBLISH; nobody hears whether it arrived."""
        listeners = list(self.channels.get(channel, ()))
        for listener in listeners:
            listener.push([b"message", channel, payload])
        return len(listeners)

    def forget_listener(self, listener: Listener) -> None:
        """A connection is gone."""
        for listeners in self.channels.values():
            listeners.pop(listener, None)

    def on_entry(self, streams: Collection[bytes], look: Callable[[], None]) -> None:
        """Call `look` after each new entry of the streams, as a blocking read would."""
        self._readers[look] = frozenset(streams)

    def forget_reader(self, look: Callable[[], None]) -> None:
        """Nobody waits any more."""
        self._readers.pop(look, None)

    def lose_everything(self, clock_offset_seconds: float) -> None:
        """FLUSHALL, or a new server under the old name, whose clock may be another."""
        self.lost += [value for entries in self.streams.values() for value in entries.values()]
        self.streams.clear()
        self._last_ids.clear()
        self._hashes.clear()
        self._claim = (b"", 0.0)
        self.clock_offset_seconds = clock_offset_seconds

    def lose_tail(self, seconds: float) -> None:
        """A failover to a replica that had not heard of the last entries, nor of their ids."""
        since = self._loop.time() - seconds
        for at, stream, key in self.added:
            value = self.streams.get(stream, {}).pop(key, None) if at >= since else None
            if value is not None:
                self.lost.append(value)
        self._last_ids = {stream: max(entries) for stream, entries in self.streams.items() if entries}

    def _add(self, stream: bytes, value: bytes) -> bytes:
        key = self._append(stream, value)
        if self.doubles and self._dice.random() < self.doubles:
            self._append(stream, value)
        for look, streams in self._readers.items():
            if stream in streams:
                self._loop.call_soon(look)
        return b"%d-%d" % key

    def _append(self, stream: bytes, value: bytes) -> EntryId:
        now = (int((self._loop.time() + self.clock_offset_seconds) * 1000), 0)
        last = self._last_ids.get(stream, (0, 0))
        key = now if now > last else (last[0], last[1] + 1)
        self._last_ids[stream] = key
        self.streams.setdefault(stream, {})[key] = value
        self.added.append((self._loop.time(), stream, key))
        self.taken.append(value)
        return key

    def _subscription(self, name: bytes, channel: bytes, listener: Listener) -> list[Any]:
        if name == b"SUBSCRIBE":
            self.channels[channel][listener] = None
        else:
            self.channels[channel].pop(listener, None)
        held = sum(listener in listeners for listeners in self.channels.values())
        return [name.lower(), channel, held]


def streams_of(words: Words) -> Words:
    """Return the names of the streams that an XREAD names; as many ids follow them."""
    named = words[words.index(b"STREAMS") + 1 :]
    return named[: len(named) // 2]


def _id(word: bytes) -> EntryId:
    milliseconds, _, number = word.partition(b"-")
    return int(milliseconds), int(number)
