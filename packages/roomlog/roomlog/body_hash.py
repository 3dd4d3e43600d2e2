"""The hash of a command's body: tells a repeat from another command with the same uuid."""

from hashlib import blake2b
from typing import Final

import msgspec

from roomlog_contract.commands import RoomWrite

HASH_BYTES: Final = 16
ERASED: Final = ""
"""In the place of the hash of a text that was erased: every repeat counts as a duplicate."""
_encoder: Final = msgspec.msgpack.Encoder(order="deterministic")


def hash_of(command: RoomWrite, data: str = "") -> str:
    """Return 32 hex digits of the command's whole body; stored, so never to be computed differently.

    `data` is what a project's code sends with a message.
    """
    return blake2b(_encoder.encode(command) + data.encode(), digest_size=HASH_BYTES).hexdigest()
