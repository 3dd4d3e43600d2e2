"""When a stream is full. Between router and Redis: a shut gate means busy, before anything is written.

Pure; samples come from the pipeline that carries the commands. `in` is never trimmed, so refusing early is
the only thing that bounds it (GUARANTEES G8).
"""

from typing import Final

from roomlog_contract import limits

SAMPLE_SECONDS: Final = 0.02
"""Between two samples of an open stream: at 10,000 commands/s it grows by 200 in between."""
SHUT_SAMPLE_SECONDS: Final = 0.1
"""Between two samples of a shut stream."""
WEIGH_SECONDS: Final = 0.5
"""Between two MEMORY USAGE of one stream, which costs Redis more than XLEN."""
WEIGH_ENTRIES: Final = 500
"""Below this length even entries of the largest frame stay under 32 MiB."""
RETRY_MS: Final = 500
"""Told with busy: about the time in which a worker takes a thousand entries."""


class StreamGate:
    """What is known of one stream's size."""

    __slots__ = ("_bytes", "_entries", "_sampled_at", "_weighed_at")

    def __init__(self) -> None:
        self._entries = self._bytes = 0
        self._sampled_at = self._weighed_at = float("-inf")

    @property
    def is_shut(self) -> bool:
        """Return True while the stream is at a bound, as far as known."""
        return self._entries >= limits.STREAM_ENTRIES or self._bytes >= limits.STREAM_BYTES

    def wants_sample(self, now: float) -> bool:
        """Return True if it is time to ask for the length, and count it as asked."""
        if now - self._sampled_at < (SHUT_SAMPLE_SECONDS if self.is_shut else SAMPLE_SECONDS):
            return False
        self._sampled_at = now
        return True

    def wants_weight(self, now: float) -> bool:
        """Return True if it is time to ask for the bytes too, and count it as asked."""
        if self._entries < WEIGH_ENTRIES or now - self._weighed_at < WEIGH_SECONDS:
            return False
        self._weighed_at = now
        return True

    def sampled(self, entries: int) -> None:
        """Take the stream's length; a short stream has no weight."""
        self._entries = entries
        if entries < WEIGH_ENTRIES:
            self._bytes = 0

    def weighed(self, size: int) -> None:
        """Take the stream's bytes."""
        self._bytes = size
