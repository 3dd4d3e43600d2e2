"""What the state wants done, in the order in which it decided; `driver.py` does it. Pure data."""

from typing import Any

from msgspec import Struct

from .errors import RoomlogError
from .events import Item, Sent


class SendFrame(Struct, frozen=True):
    """Write this text frame; `uuid` names the application's command in it, if it is one."""

    frame: bytes
    uuid: str = ""


class HandOn(Struct, frozen=True):
    """Give this to the application."""

    item: Item


class Resolve(Struct, frozen=True):
    """The command succeeded."""

    uuid: str
    result: Sent | dict[str, Any]
    """`Sent` where it became an event, else the answer's frame."""


class Fail(Struct, frozen=True):
    """The command failed for good."""

    uuid: str
    error: RoomlogError


class Disconnect(Struct, frozen=True):
    """Close the socket."""


class AskToken(Struct, frozen=True):
    """Ask the application for another token: the present one is about to end."""


Action = SendFrame | HandOn | Resolve | Fail | Disconnect | AskToken
