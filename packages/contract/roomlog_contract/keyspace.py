"""The names of one install's keys and channels in Redis.

Several installs may share a Redis: each has a prefix of its own, with which every name begins. Channels know
no database number, so nothing but the prefix keeps two installs apart. Each composition root makes one
keyspace from its settings and passes it on. It also holds the install's number of shards: which shard a room
belongs to is a matter of names.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final
from uuid import UUID
from zlib import crc32

from .actions import Stream
from .shards import DEFAULT_SHARDS

DEFAULT_PREFIX: Final = "roomlog"


@dataclass(frozen=True, slots=True)
class Keyspace:
    """All names under one prefix.

    Braces are Redis Cluster hash tags: the streams of a shard and the channels of its rooms live in one slot.
    """

    prefix: str = DEFAULT_PREFIX
    """Without braces and colons; `roomlog_runtime.redis_prefix.read_redis_prefix` checks it."""
    shards: int = DEFAULT_SHARDS
    """One of `shards.SHARD_NUMBERS`, the same in all processes of the install, for ever."""

    def shard_of_room(self, room: UUID) -> int:
        """Return the shard that a room belongs to, from 0 on: for ever the same."""
        return crc32(room.bytes) % self.shards

    def shard_of_user(self, user: int) -> int:
        """Return the shard that reads for a user where no room is named."""
        return crc32(str(user).encode()) % self.shards

    def shard_of_token(self, token: str) -> int:
        """Return the shard that checks a token; spreads logins over the workers."""
        return crc32(token.encode()) % self.shards

    def stream(self, kind: Stream, shard: int) -> str:
        """Return the stream of one kind of a shard's commands."""
        return f"{self._shard(shard)}:{kind.value}"

    def in_stream(self, shard: int) -> str:
        """Return the stream of commands that write; never trimmed."""
        return self.stream(Stream.WRITE, shard)

    def read_stream(self, shard: int) -> str:
        """Return the stream of commands that only read and from which a cursor goes on."""
        return self.stream(Stream.READ, shard)

    def browse_stream(self, shard: int) -> str:
        """Return the stream of commands that only read and that no cursor waits for."""
        return self.stream(Stream.BROWSE, shard)

    def tries_key(self, shard: int) -> str:
        """Return the hash that counts tries of single entries after an unclean takeover."""
        return f"{self._shard(shard)}:tries"

    def streams(self) -> list[str]:
        """Return the streams of all shards."""
        kinds = (self.in_stream, self.read_stream, self.browse_stream)
        return [stream(shard) for shard in range(self.shards) for stream in kinds]

    def room_channel(self, room: UUID) -> str:
        """Return the channel of a room's notices."""
        return f"{self._shard(self.shard_of_room(room))}:room:{room.hex}"

    def user_channel(self, user: int) -> str:
        """Return the channel of what concerns one user: joined rooms, revocation."""
        return f"{self.prefix}:user:{user}"

    @property
    def install_key(self) -> str:
        """Return the key of the claim on the prefix, which says which database all of this belongs to."""
        return f"{self.prefix}:install"

    @property
    def trail_key(self) -> str:
        """Return the stream of what the processes noted of commands; `trail` says how it is bounded."""
        return f"{self.prefix}:trail"

    @property
    def beacon_channel(self) -> str:
        """Return the channel on which workers say what they do."""
        return f"{self.prefix}:beacon"

    @property
    def shards_channel(self) -> str:
        """Return the channel on which gateways say that they count other shards than the install has."""
        return f"{self.prefix}:shards"

    def gateway_channel(self, gateway: str) -> str:
        """Return the channel of one gateway process's replies."""
        return f"{self.prefix}:gateway:{gateway}"

    def label(self, shard: int) -> str:
        """Return the shard's number in as many digits as the last one has: names of one kind are as long."""
        return _label(shard, self.shards)

    def _shard(self, shard: int) -> str:
        return f"{self.prefix}:{{s{_label(shard, self.shards)}}}"


@cache
def _label(shard: int, shards: int) -> str:
    """Return the label: a message asks for several, and there are few."""
    return f"{shard:0{len(str(shards - 1))}d}"
