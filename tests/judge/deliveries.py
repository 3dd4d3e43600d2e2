"""What the receiver of a webhook was sent, in the words of the checker."""

from dataclasses import dataclass, field
from typing import NamedTuple


class Delivery(NamedTuple):
    """One attempt to tell the receiver of an event."""

    room: str
    seq: int
    kind: str
    uuid: str
    text: str
    identity: str
    """By which the receiver knows a repeat."""
    began_at: float
    """What is sent was read after this."""
    is_taken: bool = True
    """The receiver has it, whether or not that was heard."""
    is_signed: bool = True
    """By the secret that the receiver knows."""


@dataclass(kw_only=True)
class Deliveries:
    """All that one webhook for all rooms was to tell, and told."""

    since: dict[str, int] | None = None
    """The head of each room when the webhook was made; later rooms have none. None: there is no webhook."""
    told: list[Delivery] = field(default_factory=list)
    """In the order in which they came."""
    is_stopped: bool = False
    """The admin shows that it was given up."""
