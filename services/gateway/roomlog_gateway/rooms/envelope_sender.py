"""A command or question in its envelope, into the stream of its shard. Stage: send off.

It must not remember what it sent: requests do that, and nothing is sent twice.
"""

from collections.abc import Callable

from roomlog_contract.commands import ClientCommand
from roomlog_contract.envelope import Envelope, FetchEvents, Identify, ReadHeads, ReadMarks, encode

from ..redis.cluster_writer import Writer

Question = Identify | ReadHeads | ReadMarks | FetchEvents
"""What the gateway itself asks a worker."""


class EnvelopeSender:
    """Says on each envelope which gateway it is from and when it was received."""

    def __init__(self, gateway: str, writer: Writer, wall_clock: Callable[[], float]) -> None:
        self._gateway = gateway
        self._writer = writer
        self._wall_clock = wall_clock

    def admit(self, stream: str) -> None:
        """Look whether a command for this stream would wait too long, before anything is made of it.

        Raises:
            NotAccepted: it would.
        """
        self._writer.admit(stream)

    def send(
        self,
        stream: str,
        command: ClientCommand | Question,
        number: int,
        user: int = 0,
        wants_reply: bool = False,
        traceparent: str = "",
        known: tuple[str, int] = ("", 0),
    ) -> None:
        """Append a command to a stream with the next write to Redis; its answer comes with `number`.

        `known` are epoch and seq of what the asker may have been told of the room.

        Raises:
            NotAccepted: it was not taken, now and for certain.
        """
        envelope = Envelope(
            command=command,
            gateway=self._gateway,
            request=number,
            user=user,
            received_ms=int(self._wall_clock() * 1000),
            wants_reply=wants_reply,
            traceparent=traceparent,
            known_epoch=known[0],
            known_seq=known[1],
        )
        self._writer.add(stream, encode(envelope), number)
