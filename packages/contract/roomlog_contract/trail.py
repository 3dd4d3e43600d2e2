"""The trail: what each process noted of the commands that passed through it, for `roomlog trace`.

Beside the message's way. Steps are gathered in memory and kept in one bounded stream of Redis for a day. They
are hints: a step may be lost, and nothing is decided by one. They hold ids and times, never texts or tokens.
Workers and gateways of two releases share the stream: fields are only ever added at the end, with a default.
"""

import zlib
from collections.abc import Iterable, Sequence
from typing import Final, Protocol, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Struct

MOST_BYTES: Final = 16 * 1024 * 1024
"""Of one entry, unpacked: more is not ours."""


class Queued(Struct, frozen=True, array_like=True, gc=False, tag="q"):
    """A gateway received a command that writes and sent it to its shard's stream."""

    uuid: str
    action: str
    user: int
    connection: int
    shard: int


class Refused(Struct, frozen=True, array_like=True, gc=False, tag="r"):
    """A gateway answered a command with an error of its own."""

    uuid: str
    action: str
    """`?` where no such action exists: what a client calls it may be anything."""
    user: int
    """0 before it is known who asks."""
    connection: int
    code: str


class Ended(Struct, frozen=True, array_like=True, gc=False, tag="e"):
    """A gateway stopped waiting for a command's answer."""

    uuid: str
    connection: int
    how: str
    """`event`: its event is the answer; `reply`: a worker's reply came; `expired`: nothing came in 15 s."""


class Written(Struct, frozen=True, array_like=True, gc=False, tag="w"):
    """A gateway handed an event to the live connections of its room."""

    room: UUID
    seq: int
    connections: int


class Decided(Struct, frozen=True, array_like=True, gc=False, tag="d"):
    """A worker made a command an event or refused it, and published that; the step's time is then."""

    uuid: str
    user: int
    shard: int
    entry: str
    """The stream entry's id, which begins with Redis' clock in ms; `pending-<row>` of a pending command."""
    result: str
    """`event`, `repeat`, `erased`, or the error code of a refusal."""
    committed_ms: int
    """The worker's clock after the commit; 0 where nothing was committed."""
    is_published: bool = True
    """False: Redis failed. Gateways find the event by the room's head."""
    room: UUID | None = None
    seq: int = 0

    @property
    def is_committed(self) -> bool:
        """Tell whether it changed the room's log, and was not refused."""
        return bool(self.committed_ms)


Step: TypeAlias = Queued | Refused | Ended | Written | Decided


class Note(Protocol):
    """Takes a step, now. It must cost next to nothing."""

    def __call__(self, step: Step, trace: object = None, /) -> None:
        """Keep the step. `trace` ties it to spans of OpenTelemetry, if these are on; no trail keeps it."""


TimedStep: TypeAlias = tuple[float, Step]
"""When, in seconds since 1970 by the clock of who noted it, and what."""

_Packed = tuple[str, list[TimedStep]]
_encoder: Final = msgspec.msgpack.Encoder(uuid_format="bytes")
_decoder: Final[msgspec.msgpack.Decoder[_Packed]] = msgspec.msgpack.Decoder(_Packed)


def ignore(step: Step, trace: object = None, /) -> None:
    """Note nothing: the trail is off."""


def all_of(notes: Sequence[Note]) -> Note:
    """Return what hands each step to all of these; `ignore` where there are none."""

    def note(step: Step, trace: object = None, /) -> None:
        for one in notes:
            one(step, trace)

    return note if len(notes) > 1 else next(iter(notes), ignore)


def pack(source: str, steps: Sequence[TimedStep]) -> bytes:
    """Return one entry's value: who noted the steps, and the steps."""
    return zlib.compress(_encoder.encode((source, steps)), level=1)


def find(packed: bytes, names: Iterable[bytes]) -> tuple[str, list[TimedStep]]:
    """Return who noted, and all steps of an entry, none where no name is among their bytes.

    Args:
        packed: the entry's value.
        names: a command's uuid, or the bytes of rooms' ids.

    Raises:
        ValueError: no release of Roomlog wrote this, or it is of a newer one.
    """
    try:
        unpacker = zlib.decompressobj()
        data = unpacker.decompress(packed, MOST_BYTES)
        if not unpacker.eof:
            raise ValueError("cut off, or too long")
        if not any(name in data for name in names):
            return "", []
        return _decoder.decode(data)
    except (zlib.error, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(str(error)) from None
