"""The worker's side of Redis: reads shards' streams of one kind, publishes, deletes, answers.

A stream is a queue with one owner: it is read from 0, because what is done is deleted. Only what its reader
has to leave for later is passed over meanwhile. Nothing here repeats a command by itself: after a
RedisError the entries are still there.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from typing import Final, cast
from uuid import UUID

import hiredis
import msgspec
import redis
import structlog

from roomlog_contract import limits
from roomlog_contract.envelope import ENTRY_FIELD, Reply, RoomNotice, UserNotice, encode
from roomlog_contract.keyspace import Keyspace
from roomlog_runtime.redis_address import client

from .entries import kind_of, label_of
from .redis_socket import RedisSocket

log = structlog.get_logger()

SOCKET_TIMEOUT_SECONDS: Final = 5.0
"""Above the longest block, below a lease's 10 s."""
CONNECT_TIMEOUT_SECONDS: Final = 2.0
BLOCK_MS: Final = 200
"""How long a read waits for work: leases and shutdown are looked at in between."""
READ_BATCH: Final = 512
"""Entries of reads that a thread looks at together: more than one person has waiting on a gateway."""
BUNDLE_BYTES: Final = 256 * 1024
"""Of one publication of replies, unless a single reply is longer: a gateway reads it in milliseconds."""
UNCONFIRMED_BYTES: Final = 1024 * 1024
"""Replies that are sent before Redis has confirmed the ones before: it lets a subscriber owe 32 MiB."""

_CLAIM: Final = """
local standing = redis.call('GET', KEYS[1])
if not standing then
    -- A full Redis refuses this, and must be emptied all the same: no other claim stands.
    redis.pcall('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
elseif standing == ARGV[1] then
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
else
    return standing
end
return ARGV[1]
"""

RawEntry = tuple[str, str, bytes]
"""Stream, id, value."""
ChannelNotice = tuple[UUID, RoomNotice] | tuple[int, UserNotice]
"""A room or a user, and what its channel is told."""
StreamOf = Callable[[int], str]
"""Name of a shard's stream of one kind: `Keyspace.in_stream` and its like."""


class Bus:
    """One connection, used by one thread, for the streams of one kind."""

    def __init__(
        self,
        url: str,
        keyspace: Keyspace,
        stream_of: StreamOf | None = None,
        batch: int = limits.STREAM_BATCH,
    ) -> None:
        """Without `stream_of` the streams are those of commands that write."""
        self._batch = batch
        self._keyspace = keyspace
        self._stream_of = stream_of or keyspace.in_stream
        self._prepare(url)
        self._owned: Set[int] = set()
        self._streams: list[str] = []
        self._first_read = b""
        """The XREAD of the owned streams from 0, ready to send."""
        self._deep: set[str] = set()
        """Streams that had more than a few entries at the last look."""
        self._full: set[str] = set()
        """Streams that had perhaps more than was read."""
        self._after: dict[str, str] = {}
        """Stream → id up to which it is passed over."""
        self._unfinished: dict[str, tuple[str, set[str]]] = {}
        """Stream → last id of the last read, and ids that were not deleted since."""

    def _prepare(self, url: str) -> None:
        """Make what will connect."""
        self._redis: redis.Redis = client(
            url,
            socket_timeout=SOCKET_TIMEOUT_SECONDS,
            socket_connect_timeout=CONNECT_TIMEOUT_SECONDS,
            socket_keepalive=True,
        )
        self._socket: RedisSocket | None = None

    @property
    def keyspace(self) -> Keyspace:
        """Return the names of the install's streams and channels."""
        return self._keyspace

    @property
    def most_entries(self) -> int:
        """Return how many entries one read brings, however full the streams are.

        A turn must end well before the leases' 10 s.
        """
        return most_entries(self._batch, len(self._streams))

    def ping(self) -> None:
        """Make one round trip.

        Raises:
            redis.RedisError: Redis is away.
        """
        self._ask("PING")

    def claim(self, mine: str, lifetime_ms: int) -> str:
        """Claim the prefix, or keep the claim alive; return the claim that stands there."""
        standing = self._ask("EVAL", _CLAIM, "1", self._keyspace.install_key, mine, str(lifetime_ms))
        return cast(bytes, standing).decode(errors="replace")

    def read(self, owned: Set[int], wait_ms: int | None = None) -> list[RawEntry]:
        """Return the oldest entries of the shards' streams, about a batch; waits for the first.

        For BLOCK_MS if not told otherwise.

        Never more than `most_entries`: only the streams that were deep at the last look are asked for many,
        because XREAD's count is for each stream. What is left over comes again: nothing is gone before
        `finish`.
        """
        if owned != self._owned:
            self._own(owned)
        few = max(1, self._batch // len(self._streams))
        if self._deep:
            deep = sorted(self._deep)
            many = max(few, self._batch // len(deep))
            others = [stream for stream in self._streams if stream not in self._deep]
            packed = _packed(
                self._command(streams, count) for streams, count in ((deep, many), (others, few)) if streams
            )
            found = self._found(packed, 1 + bool(others))
            if found:
                return self._taken(found, few, many)
        if self._after or wait_ms is not None:
            wait_ms = BLOCK_MS if wait_ms is None else wait_ms
            packed = _packed([self._command(self._streams, few, wait_ms)])
        else:
            self._first_read = self._first_read or _packed([self._command(self._streams, few, BLOCK_MS)])
            packed = self._first_read
        return self._taken(self._found(packed, 1), few, few)

    def pass_over(self) -> None:
        """Read on behind what the last read brought and was not finished.

        For as long as the reader leaves what depends on it: until `rewind`.
        """
        for stream, (last, ids) in self._unfinished.items():
            if ids:
                self._after[stream] = last
        self._unfinished.clear()

    def rewind(self) -> None:
        """Read all from 0 again."""
        self._deep |= self._after.keys()
        self._after.clear()
        self._unfinished.clear()

    @property
    def is_through(self) -> bool:
        """Return whether everything behind what is passed over was read."""
        return not self._full & self._after.keys()

    @property
    def has_passed(self) -> bool:
        """Return whether something is passed over."""
        return bool(self._after)

    def _own(self, owned: Set[int]) -> None:
        self._owned = set(owned)
        self._streams = [self._stream_of(shard) for shard in owned]
        self._first_read = b""
        for known in (self._deep, self._full, self._after, self._unfinished):
            known.clear()

    def _command(self, streams: Sequence[str], count: int, wait_ms: int = 0) -> tuple[str, ...]:
        wait = ("BLOCK", str(wait_ms)) if wait_ms else ()
        ids = (self._after.get(stream, "0") for stream in streams)
        return ("XREAD", "COUNT", str(count), *wait, "STREAMS", *streams, *ids)

    def _found(self, packed: bytes, count: int) -> dict[str, list[tuple[bytes, list[bytes]]]]:
        socket = self._connected()
        socket.write(packed)
        answers = cast(
            list[Iterable[tuple[bytes, list[tuple[bytes, list[bytes]]]]] | None], socket.read(count)
        )
        return {stream.decode(): entries for answer in answers for stream, entries in answer or ()}

    def _taken(
        self, found: Mapping[str, list[tuple[bytes, list[bytes]]]], few: int, many: int
    ) -> list[RawEntry]:
        """Note how deep the streams are, and return the entries."""
        self._full = {
            stream
            for stream, entries in found.items()
            if len(entries) >= (many if stream in self._deep else few)
        }
        self._deep = self._full | {stream for stream, entries in found.items() if len(entries) > few}
        self._unfinished = {}
        taken = []
        for stream, entries in found.items():
            ids = [entry_id.decode() for entry_id, _ in entries]
            self._unfinished[stream] = ids[-1], set(ids)
            taken += [
                (stream, entry_id, _value_of(fields))
                for entry_id, (_, fields) in zip(ids, entries, strict=True)
            ]
        return taken

    def finish(self, notices: Iterable[ChannelNotice], done: Mapping[str, Sequence[str]]) -> None:
        """Publish, then delete the entries of each stream; returns once the deletion is confirmed.

        Raises:
            redis.RedisError: unknown how far it came; the entries that are left are repeats.
        """
        publications = [("PUBLISH", self._channel(whom), encode(notice)) for whom, notice in notices]
        deletions = [("XDEL", stream, *entry_ids) for stream, entry_ids in done.items()]
        if not publications and not deletions:
            return
        socket = self._connected()
        if publications:
            socket.write(_packed(publications))
            # Gateways wait for the notices only. On a shared processor, let them run before the deletions.
            os.sched_yield()
        if deletions:
            socket.write(_packed(deletions))
        socket.read(len(publications) + len(deletions))
        self._deleted(done)

    def _deleted(self, done: Mapping[str, Sequence[str]]) -> None:
        for stream, entry_ids in done.items():
            if stream in self._unfinished:
                self._unfinished[stream][1].difference_update(entry_ids)

    def answer(self, replies: Mapping[str, Sequence[Reply]]) -> int:
        """Publish replies on their gateways' channels and return their bytes.

        A lost one leaves its sender without an answer. Never more than UNCONFIRMED_BYTES, or one reply, are
        sent before Redis has confirmed them.
        """
        published = unconfirmed = 0
        publications: list[tuple[str, str, bytes]] = []
        for gateway, mine in replies.items():
            for bundle in bundles(mine):
                if unconfirmed + len(bundle) > UNCONFIRMED_BYTES:
                    self._publish(publications)
                    unconfirmed, publications = 0, []
                publications.append(("PUBLISH", self._keyspace.gateway_channel(gateway), bundle))
                unconfirmed += len(bundle)
                published += len(bundle)
        self._publish(publications)
        return published

    def _publish(self, publications: Sequence[tuple[str, str, bytes]]) -> None:
        if publications:
            socket = self._connected()
            socket.write(_packed(publications))
            socket.read(len(publications))

    def count_try(self, shard: int, label: str) -> int:
        """Return which try this is of an entry that may have killed an earlier owner.

        A Redis that is full or away can't count. It must not keep the worker from emptying it either, so
        the try counts as the first then.
        """
        try:
            return cast(int, self._ask("HINCRBY", self._keyspace.tries_key(shard), label, "1"))
        except redis.RedisError as error:
            if not isinstance(error, redis.ResponseError):  # its reply may still come
                self.disconnect()
            log.warning("try_not_counted", shard=shard, error=type(error).__name__)
            return 1

    def forget_try(self, shard: int, label: str) -> None:
        """Drop an entry's count: the process has outlived it."""
        self._ask("HDEL", self._keyspace.tries_key(shard), label)

    def forget_tries(self, shard: int) -> None:
        """Drop the counts of a shard whose first entries of this kind are through."""
        key, kind = self._keyspace.tries_key(shard), label_of(self._stream_of(shard), "")
        labels = [label.decode() for label in cast(list[bytes], self._ask("HKEYS", key))]
        if mine := [label for label in labels if kind_of(label) == kind]:
            self._ask("HDEL", key, *mine)

    def disconnect(self) -> None:
        """Give the connection up after an error, so that no late answer is taken for another's.

        The next one comes from the pool, which asks the Sentinels: a connection that is used again by itself
        goes back to where it was, for ever, though the primary is elsewhere.
        """
        pool = self._redis.connection_pool
        pool.disconnect()
        if self._socket is not None:
            pool.release(self._socket.connection)
            self._socket = None
        self._owned = set()

    def _ask(self, *words: str) -> object:
        """Return the reply to one command."""
        socket = self._connected()
        socket.write(_packed([words]))
        (reply,) = socket.read(1)
        return reply

    def _channel(self, whom: UUID | int) -> str:
        """Return the channel of a room or a user."""
        if isinstance(whom, int):
            return self._keyspace.user_channel(whom)
        return self._keyspace.room_channel(whom)

    def _connected(self) -> RedisSocket:
        if self._socket is None:
            self._socket = RedisSocket(self._redis.connection_pool.get_connection())
        return self._socket


def most_entries(batch: int, streams: int) -> int:
    """Return how many entries one read brings: a batch of deep streams, and one at least of each other."""
    return batch + max(batch, streams)


def bundles(replies: Iterable[Reply]) -> Iterator[bytes]:
    """Yield publications of replies, in order, each of BUNDLE_BYTES at most or of a single reply."""
    bundle: list[msgspec.Raw] = []
    size = 0
    for reply in replies:
        encoded = encode(reply)
        if bundle and size + len(encoded) > BUNDLE_BYTES:
            yield encode(bundle)
            bundle, size = [], 0
        bundle.append(msgspec.Raw(encoded))
        size += len(encoded)
    if bundle:
        yield encode(bundle)


def _packed(commands: Iterable[tuple[str | bytes, ...]]) -> bytes:
    return b"".join(cast(bytes, hiredis.pack_command(command)) for command in commands)  # type: ignore[arg-type]


def _value_of(fields: Sequence[bytes]) -> bytes:
    """Return the envelope among an entry's names and values; nothing for a wake-up."""
    return next(
        (value for name, value in zip(fields[::2], fields[1::2], strict=True) if name == ENTRY_FIELD), b""
    )
