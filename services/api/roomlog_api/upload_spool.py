"""Uploads on their way in: bodies too large to keep in memory wait in a file without a name.

Beside `requests_in_full`, which says when. It must not parse: the request line alone tells an upload.
"""

import re
from tempfile import TemporaryFile
from typing import IO, Final, cast

from roomlog.configuration import configuration

_UPLOAD: Final = re.compile(rb"POST [^ ?]*/attachments/[ ?]")


def most_bytes(head: bytes, usual: int) -> int:
    """Return how long the body of a request with this head may be."""
    return max(usual, configuration().upload_bytes) if _UPLOAD.match(head) else usual


class Spool:
    """The body of one upload, until it is whole and read."""

    def __init__(self, length: int) -> None:
        self.length = self._left = length
        self._file = cast(IO[bytes], TemporaryFile())  # noqa: SIM115 - it lives as long as its request
        self.size = 0

    @property
    def is_whole(self) -> bool:
        """Tell whether nothing is missing any more."""
        return self._left == 0

    def take(self, data: bytearray, start: int) -> None:
        """Move what belongs to the body from here on out of the data.

        Raises:
            OSError: the disk is full.
        """
        piece = data[start : start + self._left]
        self._file.write(piece)
        del data[start : start + len(piece)]
        self.size += len(piece)
        self._left -= len(piece)
        if self.is_whole:
            self._file.seek(0)

    def read(self, size: int) -> bytes:
        """Return the next bytes of the whole body; nothing at its end."""
        return self._file.read(size)

    def close(self) -> bool:
        """Give the file back; tell whether all of it was read."""
        was_read = self.is_whole and not self._file.read(1)
        self._file.close()
        return was_read
