"""Roomlog's Python client: resumes, repeats and reconnects by itself. See `RoomlogClient`."""

from roomlog_contract.commands import Cursor
from roomlog_contract.server_events import Recovered

from .api import Wanted
from .client import RoomlogClient
from .errors import (
    CommandError,
    CutOff,
    Disconnected,
    NotSent,
    OutboxFull,
    OutcomeUnknown,
    ProtocolError,
    RoomlogError,
    SignedOut,
    Throttled,
    Unreachable,
)
from .events import (
    Degraded,
    Event,
    Item,
    RoomJoined,
    RoomLeft,
    RoomMarked,
    RoomPresence,
    RoomReceipts,
    RoomReset,
    RoomSummary,
    RoomTyping,
    Sent,
    UserBlocked,
)
from .messages import Messages
from .observer import Observer
from .tokens import Token

__all__ = [
    "CommandError",
    "Cursor",
    "CutOff",
    "Degraded",
    "Disconnected",
    "Event",
    "Item",
    "Messages",
    "NotSent",
    "Observer",
    "OutboxFull",
    "OutcomeUnknown",
    "ProtocolError",
    "Recovered",
    "RoomJoined",
    "RoomLeft",
    "RoomMarked",
    "RoomPresence",
    "RoomReceipts",
    "RoomReset",
    "RoomSummary",
    "RoomTyping",
    "RoomlogClient",
    "RoomlogError",
    "Sent",
    "SignedOut",
    "Throttled",
    "Token",
    "Unreachable",
    "UserBlocked",
    "Wanted",
]
